//! A token for another API, in a person's name: token exchange (RFC 8693), or the provider's own way.

use secrecy::SecretString;
use serde_json::Value;

use super::{
    answer::Answer,
    content,
    provider::Provider,
    requests::ProviderClient,
    target::{TOKEN_EXCHANGE, TokenTarget},
    token_answer::{TokenAnswer, token_answer},
    upstream_error::UpstreamError,
};

/// RFC 8693 section 3: "a typical OAuth access token".
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// An access token too, if the provider prefers to call it by its form.
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// Why there is no token for another API.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OnBehalfError {
    #[error(
        "{0} is not known to offer tokens for another API in a person's name: if it serves token \
         exchange (RFC 8693), say so with `Provider::token_exchange`"
    )]
    NotOffered(String),
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

impl ProviderClient {
    /// Trades the person's access token for one that is for `target`.
    ///
    /// Of the operator's parameters for every token request, those that say what a token is for are left
    /// out: here the target does.
    pub(crate) async fn token_for(
        &self,
        access_token: &str,
        target: &TokenTarget,
    ) -> Result<TokenAnswer, OnBehalfError> {
        let provider = self.resolved().await?;
        let form = form(&provider, access_token, target)
            .ok_or_else(|| OnBehalfError::NotOffered(provider.name.clone()))?;
        let params: Vec<(&str, &str)> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let is_about_target = |name: &str| matches!(name, "audience" | "resource" | "scope");
        let extra = self
            .terms()
            .token_params
            .iter()
            .filter(|(name, _)| !is_about_target(name));
        let extra: Vec<_> = extra.cloned().collect();
        let mut answer = self.token_request(&params, &[&extra], exchanged).await?;
        // Whoever called is logged in here; the other API's refresh token would outlive that.
        answer.refresh_token = None;
        answer.id_token = None::<SecretString>;
        Ok(answer)
    }
}

/// What is sent; `None` where the provider offers nothing.
fn form(
    provider: &Provider,
    access_token: &str,
    target: &TokenTarget,
) -> Option<Vec<(&'static str, String)>> {
    if let Some(own) = provider.dialect.on_behalf_of(access_token, target) {
        return Some(own);
    }
    if !provider.exchanges_tokens.unwrap_or(false) {
        return None;
    }
    let mut form = vec![
        ("grant_type", TOKEN_EXCHANGE.to_owned()),
        ("subject_token", access_token.to_owned()),
        ("subject_token_type", ACCESS_TOKEN.to_owned()),
        ("requested_token_type", ACCESS_TOKEN.to_owned()),
    ];
    form.extend(target.params());
    Some(form)
}

/// The token of an exchange (RFC 8693 section 2.2.1). `issued_token_type` is required there; an answer
/// without it, as in [RFC 7523](https://www.rfc-editor.org/rfc/rfc7523)'s way, is one of RFC 6749.
fn exchanged(provider: &Provider, answer: &Answer) -> Result<TokenAnswer, UpstreamError> {
    let token = token_answer(provider, answer)?;
    let fields = content::fields(answer).unwrap_or_default();
    match fields.get("issued_token_type") {
        None | Some(Value::Null) => Ok(token),
        Some(Value::String(kind)) if kind == ACCESS_TOKEN || kind == JWT => Ok(token),
        Some(_) => Err(UpstreamError::Malformed(
            "`issued_token_type` is not an access token".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::{fake::json_answer, generic};

    fn idp() -> Provider {
        generic("https://a.example/a", "https://a.example/t", "id", "s")
    }

    fn value<'a>(form: &'a [(&'static str, String)], name: &str) -> Option<&'a str> {
        let found = form.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_provider_that_says_nothing_of_it_offers_nothing() {
        let target = TokenTarget::audience("files");
        assert!(form(&idp(), "at", &target).is_none());
        assert!(form(&idp().token_exchange(false), "at", &target).is_none());
        assert!(form(&idp().token_exchange(true), "at", &target).is_some());
    }

    #[test]
    fn an_exchange_is_asked_as_rfc_8693_has_it() {
        let idp = idp().token_exchange(true);
        let target = TokenTarget::resource("https://files.example").scopes(["read", "write"]);
        let form = form(&idp, "at", &target).unwrap();
        for (name, expected) in [
            ("grant_type", Some(TOKEN_EXCHANGE)),
            ("subject_token", Some("at")),
            ("subject_token_type", Some(ACCESS_TOKEN)),
            ("requested_token_type", Some(ACCESS_TOKEN)),
            ("resource", Some("https://files.example")),
            ("audience", None),
            ("scope", Some("read write")),
        ] {
            assert_eq!(value(&form, name), expected, "{name}");
        }
    }

    #[test]
    fn what_was_issued_has_to_be_an_access_token() {
        let read = |kind: Value| {
            let body = json!({
                "access_token": "t", "token_type": "Bearer", "issued_token_type": kind,
            });
            exchanged(&idp(), &json_answer(200, &body.to_string()))
        };
        for good in [json!(ACCESS_TOKEN), json!(JWT), Value::Null] {
            assert!(read(good).is_ok());
        }
        for bad in [
            json!("urn:ietf:params:oauth:token-type:refresh_token"),
            json!("urn:ietf:params:oauth:token-type:id_token"),
            json!(7),
        ] {
            let error = read(bad).unwrap_err();
            assert!(matches!(error, UpstreamError::Malformed(_)), "{error}");
        }
        // RFC 8693 section 2.2.1: "N_A" says that it is no token to send.
        let body = r#"{"access_token":"t","token_type":"N_A"}"#;
        assert!(exchanged(&idp(), &json_answer(200, body)).is_err());
    }
}
