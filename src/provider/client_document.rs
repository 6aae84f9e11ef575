//! What the proxy says about itself, for providers that take the URL of a document as client id
//! (draft-ietf-oauth-client-id-metadata-document).

use serde_json::{Map, Value, json};

use super::{credential::Credential, on_behalf::TOKEN_EXCHANGE, provider::Provider};
use crate::error::ConfigError;

/// What the configuration says of the app that the provider has to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AboutUs<'a> {
    /// Where people see the service.
    pub(crate) home: &'a str,
    pub(crate) name: &'a str,
    pub(crate) callback: &'a str,
    /// What is asked of the provider, in its own names.
    pub(crate) scope: &'a str,
}

impl Provider {
    /// The same, known by the document at this URL where it is to be.
    pub(crate) fn at_document(mut self, url: String) -> Result<Self, ConfigError> {
        if !self.has_document {
            return Ok(self);
        }
        // Section 3 of the draft: "Client identifier URLs MUST have an "https" scheme".
        if !url.starts_with("https://") {
            let why = "client_metadata_document: the provider fetches the document from the base URL, \
                       which has to be https for that";
            return Err(ConfigError::new("provider", why));
        }
        self.client_id = url;
        Ok(self)
    }

    /// The document; `None` where this provider knows the app by another id.
    pub(crate) fn client_document(&self, us: AboutUs<'_>) -> Option<Value> {
        if !self.has_document {
            return None;
        }
        let mut grant_types = vec!["authorization_code", "refresh_token"];
        if self.exchanges_tokens == Some(true) {
            grant_types.push(TOKEN_EXCHANGE);
        }
        // Section 4.1 of the draft: it "MUST contain a client_id property whose value MUST match the URL of
        // the document using simple string comparison".
        let document = json!({
            "client_id": self.client_id,
            "client_name": us.name,
            "client_uri": us.home,
            "redirect_uris": [us.callback],
            "grant_types": grant_types,
            "response_types": ["code"],
            "application_type": "web",
        });
        let Value::Object(mut document) = document else {
            return None;
        };
        if !us.scope.is_empty() {
            document.insert("scope".to_owned(), us.scope.into());
        }
        document.extend(self.authentication());
        Some(Value::Object(document))
    }

    fn authentication(&self) -> Map<String, Value> {
        let method = "token_endpoint_auth_method".to_owned();
        let Credential::Assertion {
            public_key: Some(key),
            ..
        } = &self.credential
        else {
            return Map::from_iter([(method, "none".into())]);
        };
        Map::from_iter([
            (method, "private_key_jwt".into()),
            (
                "token_endpoint_auth_signing_alg".to_owned(),
                key.get("alg").cloned().unwrap_or_default(),
            ),
            ("jwks".to_owned(), json!({"keys": [key]})),
        ])
    }

    /// What a document cannot be about. Section 4.1 of the draft: a secret that two servers share would
    /// have to be known to each.
    pub(super) fn document_fault(&self) -> Option<&'static str> {
        if !self.has_document {
            return None;
        }
        let is_ours = |credential: &Credential| match credential {
            Credential::None => true,
            Credential::Assertion { public_key, .. } => public_key.is_some(),
            Credential::Secret(_) | Credential::MadeSecret(_) => false,
        };
        if !self.client_id.is_empty() {
            return Some(
                "with `client_metadata_document` the client id is the document's URL: give an empty one",
            );
        }
        (!is_ours(&self.credential)).then_some(
            "with `client_metadata_document` there is neither a client secret nor an assertion by \
             somebody else's key: say `private_key_jwt`, or give an empty secret for a public app",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{ClientCredential, ClientKey, generic};

    const URL: &str = "https://proxy.example/api/oauth/client.json";
    const US: AboutUs<'_> = AboutUs {
        home: "https://proxy.example/api",
        name: "Acme",
        callback: "https://proxy.example/api/oauth/callback",
        scope: "openid email",
    };
    const P256: &str = include_str!("../jose/vectors/p256.pkcs8.pem");

    fn known(secret: &str) -> Provider {
        generic("https://a.example/a", "https://a.example/t", "", secret).client_metadata_document()
    }

    fn document(provider: Provider) -> Value {
        assert_eq!(provider.check(), Ok(()));
        let provider = provider.at_document(URL.to_owned()).unwrap();
        assert_eq!(provider.client_id, URL);
        provider.client_document(US).unwrap()
    }

    #[test]
    fn a_public_app_says_where_it_is_and_that_it_has_no_secret() {
        let document = document(known(""));
        for (name, expected) in [
            ("client_id", json!(URL)),
            ("client_name", json!("Acme")),
            ("redirect_uris", json!([US.callback])),
            ("scope", json!("openid email")),
            ("token_endpoint_auth_method", json!("none")),
        ] {
            assert_eq!(document[name], expected, "{name}");
        }
        assert_eq!(document.get("jwks"), None);
    }

    #[test]
    fn an_app_with_a_key_shows_its_public_half_alone() {
        let key = ClientKey::from_pem(P256).unwrap().id("k1");
        let document = document(known("").private_key_jwt(key).token_exchange(true));
        assert_eq!(document["token_endpoint_auth_method"], "private_key_jwt");
        assert_eq!(document["token_endpoint_auth_signing_alg"], "ES256");
        let jwk = &document["jwks"]["keys"][0];
        assert_eq!(jwk["kid"], "k1");
        assert_eq!(jwk.get("d"), None);
        let grant_types = document["grant_types"].as_array().unwrap();
        assert!(grant_types.contains(&json!(TOKEN_EXCHANGE)));
    }

    #[test]
    fn what_no_document_can_say_is_refused() {
        let callback = |_| async { Ok(ClientCredential::once("a")) };
        let named = generic("https://a.example/a", "https://a.example/t", "app", "");
        for (provider, expected) in [
            (known("secret"), "client secret"),
            (known("").client_secret_from(callback), "client secret"),
            (known("").client_assertion(callback), "else's key"),
            (named.client_metadata_document(), "empty one"),
        ] {
            let error = provider.check().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let http = known("").at_document("http://localhost/oauth/client.json".to_owned());
        assert!(http.unwrap_err().to_string().contains("https"));
    }

    #[test]
    fn a_provider_that_gave_an_id_is_told_nothing() {
        let provider = generic("https://a.example/a", "https://a.example/t", "app", "s");
        let provider = provider.at_document(URL.to_owned()).unwrap();
        assert_eq!(provider.client_id, "app");
        assert_eq!(provider.client_document(US), None);
    }
}
