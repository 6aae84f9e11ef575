//! What a provider's document about itself says (OpenID Connect Discovery section 3, RFC 8414 section 2),
//! as far as it is used here. Nothing in it is judged.

use serde_json::{Map, Value};

use super::endpoints::Endpoints;

/// A provider's document about itself.
///
/// Read and not used: `code_challenge_methods_supported` (PKCE is sent in any case: RFC 6749 section
/// 3.1 has servers ignore parameters that they do not know), `response_modes_supported`,
/// `end_session_endpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) issuer: String,
    pub(crate) endpoints: Endpoints,
    /// `authorization_response_iss_parameter_supported` (RFC 9207 section 3: "If omitted, the default
    /// value is false.")
    pub(crate) names_issuer: bool,
    /// `token_endpoint_auth_methods_supported`
    pub(crate) client_auth: Option<Vec<String>>,
    /// `id_token_signing_alg_values_supported`
    pub(crate) id_token_algorithms: Option<Vec<String>>,
    /// `grant_types_supported`
    pub(crate) grant_types: Vec<String>,
    /// `scopes_supported`
    pub(crate) scopes: Vec<String>,
}

impl Metadata {
    /// Reads the document. An endpoint that is no string makes it no document; a list that is none counts
    /// as left out.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, String> {
        let document: Map<String, Value> =
            serde_json::from_slice(json).map_err(|_| "it is not a JSON object".to_owned())?;
        let text = |name: &str| match document.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("its `{name}` is not a string")),
        };
        let list = |name: &str| {
            let list = document.get(name)?.as_array()?;
            let texts = list.iter().filter_map(Value::as_str);
            Some(texts.map(str::to_owned).collect())
        };
        let names_issuer = document.get("authorization_response_iss_parameter_supported");
        Ok(Self {
            issuer: text("issuer")?.ok_or("it names no `issuer`")?,
            endpoints: Endpoints {
                authorize: text("authorization_endpoint")?,
                token: text("token_endpoint")?,
                revocation: text("revocation_endpoint")?,
                userinfo: text("userinfo_endpoint")?,
                introspection: text("introspection_endpoint")?,
                jwks: text("jwks_uri")?,
            },
            names_issuer: names_issuer.and_then(Value::as_bool) == Some(true),
            client_auth: list("token_endpoint_auth_methods_supported"),
            id_token_algorithms: list("id_token_signing_alg_values_supported"),
            grant_types: list("grant_types_supported").unwrap_or_default(),
            scopes: list("scopes_supported").unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_used_is_read_and_all_else_left_alone() {
        let document = json!({
            "issuer": "https://idp.example",
            "authorization_endpoint": "https://idp.example/a",
            "token_endpoint": "https://api.idp.example/t",
            "jwks_uri": "https://keys.example/k",
            "userinfo_endpoint": null,
            "authorization_response_iss_parameter_supported": true,
            "token_endpoint_auth_methods_supported": ["client_secret_post", 7],
            "scopes_supported": "openid",
            "end_session_endpoint": 1,
        });
        let read = Metadata::parse(document.to_string().as_bytes()).unwrap();
        let endpoints = Endpoints {
            jwks: Some("https://keys.example/k".to_owned()),
            ..Endpoints::new("https://idp.example/a", "https://api.idp.example/t")
        };
        let expected = Metadata {
            issuer: "https://idp.example".to_owned(),
            endpoints,
            names_issuer: true,
            client_auth: Some(vec!["client_secret_post".to_owned()]),
            id_token_algorithms: None,
            grant_types: Vec::new(),
            scopes: Vec::new(),
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_no_document_says_why() {
        for (body, why) in [
            ("", "not a JSON object"),
            ("<html>", "not a JSON object"),
            ("[]", "not a JSON object"),
            ("{}", "names no `issuer`"),
            (r#"{"issuer":null}"#, "names no `issuer`"),
            (r#"{"issuer":7}"#, "`issuer` is not a string"),
            (
                r#"{"issuer":"i","token_endpoint":["t"]}"#,
                "`token_endpoint` is not a string",
            ),
        ] {
            let error = Metadata::parse(body.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{body}: {error}");
        }
    }

    #[test]
    fn an_issuer_is_named_in_redirects_only_where_the_document_says_true() {
        for (said, expected) in [
            ("true", true),
            ("false", false),
            ("\"true\"", false),
            ("1", false),
        ] {
            let name = "authorization_response_iss_parameter_supported";
            let body = format!(r#"{{"issuer":"i","{name}":{said}}}"#);
            assert_eq!(
                Metadata::parse(body.as_bytes()).unwrap().names_issuer,
                expected
            );
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(body in any::<Vec<u8>>(), json in "[\\[{\"a:1,}\\]]{0,40}") {
            let _ = (Metadata::parse(&body), Metadata::parse(json.as_bytes()));
        }
    }
}
