//! How the proxy proves itself to the provider, and what else goes into a token request.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::{
    authorization_url::encoded,
    credential::Proof,
    dialect::Body,
    provider::{Provider, TokenEndpointAuth},
};

/// What makes a form's `client_assertion` one (RFC 7523 section 2.2).
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Parameters that no extra may bring, whether this request has them or not.
pub(crate) const RESERVED: &[&str] = &[
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "token",
    "token_type_hint",
    "subject_token",
    "subject_token_type",
    "requested_token_type",
    "assertion",
];

/// A request to the token or revocation endpoint, ready to send. No `Debug`: it is all secrets.
pub(crate) struct FormRequest {
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) content_type: &'static str,
    pub(crate) body: Zeroizing<String>,
}

/// Adds the client's authentication to the protocol's parameters, and then each list of extras: an
/// earlier list wins over a later one, and none over the protocol.
pub(crate) fn form_request(
    provider: &Provider,
    proof: &Proof,
    params: &[(&str, &str)],
    extras: &[&[(String, String)]],
) -> FormRequest {
    let mut sent: Vec<(&str, &str)> = params.to_vec();
    let mut authorization = None;
    match (proof, provider.token_endpoint_auth) {
        (Proof::None, _) => sent.push(("client_id", &provider.client_id)),
        // RFC 7523 section 2.2. The id is not needed by all, and refused by none: a workload's
        // assertion names itself as its subject, not the app.
        (Proof::Assertion(assertion), _) => {
            sent.push(("client_id", &provider.client_id));
            sent.push(("client_assertion_type", ASSERTION_TYPE));
            sent.push(("client_assertion", assertion.expose_secret()));
        }
        (Proof::Secret(secret), TokenEndpointAuth::Post) => {
            sent.push(("client_id", &provider.client_id));
            sent.push(("client_secret", secret.expose_secret()));
        }
        (Proof::Secret(secret), TokenEndpointAuth::Basic) => {
            authorization = Some(basic(&provider.client_id, secret.expose_secret()));
        }
    }
    for extra in extras {
        for (name, value) in *extra {
            let taken = sent.iter().any(|(known, _)| known == name);
            if !taken && !RESERVED.contains(&name.as_str()) {
                sent.push((name, value));
            }
        }
    }
    let (content_type, body) = written(provider.dialect.body(), &sent);
    FormRequest {
        authorization,
        content_type,
        body: Zeroizing::new(body),
    }
}

/// Pairs of strings always serialise.
fn written(body: Body, sent: &[(&str, &str)]) -> (&'static str, String) {
    match body {
        Body::Form => (
            "application/x-www-form-urlencoded",
            serde_urlencoded::to_string(sent).unwrap_or_default(),
        ),
        Body::Json => {
            let members: BTreeMap<_, _> = sent.iter().copied().collect();
            (
                "application/json",
                serde_json::to_string(&members).unwrap_or_default(),
            )
        }
    }
}

/// RFC 6749 section 2.3.1: both halves are form-encoded before they are joined, so that a colon in
/// the id does not move the border and `+` or `%` in the secret survives. A space becomes `%20` and not
/// `+`: servers that decode percents alone (Authlib) then read it too.
pub(crate) fn basic(client_id: &str, secret: &str) -> HeaderValue {
    let mut pair = Zeroizing::new(String::with_capacity(
        client_id.len() + secret.len() * 3 + 1,
    ));
    pair.extend(encoded(client_id));
    pair.push(':');
    pair.extend(encoded(secret));
    let encoded = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    sensitive(&encoded)
}

/// `Bearer` and a token whose characters the answer's parser has checked.
pub(crate) fn bearer(token: &str) -> HeaderValue {
    sensitive(&Zeroizing::new(format!("Bearer {token}")))
}

/// A header value that prints as `Sensitive`. Base64 and checked tokens are always valid ones; an
/// invalid one becomes empty, and the provider refuses.
fn sensitive(value: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(value).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Provider, generic};

    fn idp() -> Provider {
        generic(
            "https://a.example/a",
            "https://a.example/t",
            "a:b",
            "p:+%/ ~é",
        )
    }

    fn secret() -> Proof {
        Proof::Secret("p:+%/ ~é".to_owned().into())
    }

    fn values(request: &FormRequest, name: &str) -> Vec<String> {
        url::form_urlencoded::parse(request.body.as_bytes())
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    }

    fn owned(extra: &[(&str, &str)]) -> Vec<(String, String)> {
        extra
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn basic_credentials_are_form_encoded_before_base64() {
        let request = form_request(&idp(), &secret(), &[], &[]);
        let header = request.authorization.unwrap();
        let encoded = header.to_str().unwrap().strip_prefix("Basic ").unwrap();
        let pair = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
        assert_eq!(pair, "a%3Ab:p%3A%2B%25%2F%20%7E%C3%A9");
        assert_eq!(format!("{header:?}"), "Sensitive");
        assert_eq!(&*request.body, "");
    }

    #[test]
    fn post_credentials_stand_in_the_body_and_no_header_is_sent() {
        let request = form_request(
            &idp().token_endpoint_auth_method(TokenEndpointAuth::Post),
            &secret(),
            &[],
            &[],
        );
        assert!(request.authorization.is_none());
        assert_eq!(values(&request, "client_id"), ["a:b"]);
        assert_eq!(values(&request, "client_secret"), ["p:+%/ ~é"]);
    }

    #[test]
    fn an_app_without_a_secret_sends_its_id_alone() {
        let request = form_request(&idp(), &Proof::None, &[], &[]);
        assert!(request.authorization.is_none());
        assert_eq!(&*request.body, "client_id=a%3Ab");
    }

    #[test]
    fn an_assertion_stands_in_the_body_beside_the_id_whatever_is_said_of_secrets() {
        for method in [TokenEndpointAuth::Basic, TokenEndpointAuth::Post] {
            let idp = idp().token_endpoint_auth_method(method);
            let proof = Proof::Assertion("h.c.s".to_owned().into());
            let request = form_request(&idp, &proof, &[("token", "t")], &[]);
            assert!(request.authorization.is_none());
            assert_eq!(values(&request, "client_id"), ["a:b"]);
            assert_eq!(values(&request, "client_assertion"), ["h.c.s"]);
            assert_eq!(values(&request, "client_assertion_type"), [ASSERTION_TYPE]);
            assert!(values(&request, "client_secret").is_empty());
        }
    }

    #[test]
    fn no_extra_overrides_or_duplicates_what_the_protocol_sends() {
        for name in RESERVED.iter().chain(&["resource"]) {
            let evil = owned(&[(name, "evil")]);
            let params = [
                ("grant_type", "refresh_token"),
                ("resource", "https://p.example"),
            ];
            let request = form_request(&idp(), &Proof::None, &params, &[&evil, &evil]);
            assert!(!request.body.contains("evil"), "{name}");
        }
    }

    #[test]
    fn the_first_list_of_extras_wins() {
        let (call, preset) = (
            owned(&[("audience", "a")]),
            owned(&[("audience", "b"), ("x", "y")]),
        );
        let request = form_request(&idp(), &Proof::None, &[], &[&call, &preset]);
        assert_eq!(values(&request, "audience"), ["a"]);
        assert_eq!(values(&request, "x"), ["y"]);
    }
}
