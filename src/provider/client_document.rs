//! What the proxy says about itself, for providers that take the URL of a document as client id
//! (draft-ietf-oauth-client-id-metadata-document).

use serde_json::{Map, Value, json};

use super::{
    credential::Credential, provider::Provider, providers::Providers, target::TOKEN_EXCHANGE,
};
use crate::error::ConfigError;

/// What the configuration says of the app that the provider has to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AboutUs<'a> {
    /// Where people see the service.
    pub(crate) home: &'a str,
    pub(crate) name: &'a str,
}

/// The document as JSON; `None` where every provider knows the app by another id.
///
/// One document is for all that read it, so they have to know the app by the same kind of proof.
pub(crate) fn client_document(
    us: AboutUs<'_>,
    providers: &Providers,
) -> Result<Option<String>, ConfigError> {
    let readers = providers
        .iter()
        .map(|client| (client.about(), client.terms()));
    let readers: Vec<_> = readers.filter(|(it, _)| it.has_document).collect();
    let Some((first, _)) = readers.first() else {
        return Ok(None);
    };
    let keys: Vec<&Value> = readers
        .iter()
        .filter_map(|(it, _)| it.public_key())
        .collect();
    if !keys.is_empty() && keys.len() < readers.len() {
        let why = "client_metadata_document: one document serves all providers that read it, so all of \
                   them need `private_key_jwt`, or none";
        return Err(ConfigError::new("provider", why));
    }
    let mut grant_types = vec!["authorization_code", "refresh_token"];
    if readers
        .iter()
        .any(|(it, _)| it.exchanges_tokens == Some(true))
    {
        grant_types.push(TOKEN_EXCHANGE);
    }
    let scopes = readers
        .iter()
        .flat_map(|(it, terms)| it.scopes_to_upstream(&terms.offered, &terms.offered));
    let callbacks = readers.iter().map(|(_, terms)| terms.callback_url.clone());
    // Section 4.1 of the draft: it "MUST contain a client_id property whose value MUST match the URL of the
    // document using simple string comparison".
    let mut document = Map::from_iter([
        ("client_id".to_owned(), json!(first.client_id)),
        ("client_name".to_owned(), json!(us.name)),
        ("client_uri".to_owned(), json!(us.home)),
        ("redirect_uris".to_owned(), json!(distinct(callbacks))),
        ("grant_types".to_owned(), json!(grant_types)),
        ("response_types".to_owned(), json!(["code"])),
        ("application_type".to_owned(), json!("web")),
    ]);
    let scope = distinct(scopes).join(" ");
    if !scope.is_empty() {
        document.insert("scope".to_owned(), scope.into());
    }
    let method = match keys.is_empty() {
        true => "none",
        false => "private_key_jwt",
    };
    document.insert("token_endpoint_auth_method".to_owned(), method.into());
    if let Some(algorithm) = keys.first().and_then(|key| key.get("alg")) {
        let name = "token_endpoint_auth_signing_alg".to_owned();
        // With keys of several kinds, none is the one.
        if keys.iter().all(|key| key.get("alg") == Some(algorithm)) {
            document.insert(name, algorithm.clone());
        }
        document.insert("jwks".to_owned(), json!({ "keys": keys }));
    }
    Ok(Some(Value::Object(document).to_string()))
}

fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
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

    fn public_key(&self) -> Option<&Value> {
        match &self.credential {
            Credential::Assertion { public_key, .. } => public_key.as_ref(),
            _ => None,
        }
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
    use std::sync::Arc;

    use super::*;
    use crate::{
        oauth::ScopeSet,
        provider::{
            ClientCredential, ClientKey, Terms,
            fake::{PATIENT, client},
            generic,
        },
    };

    const URL: &str = "https://proxy.example/api/oauth/client.json";
    const CALLBACK: &str = "https://proxy.example/api/oauth/callback";
    const P256: &str = include_str!("../jose/vectors/p256.pkcs8.pem");
    const RSA: &str = include_str!("../jose/vectors/rsa.pkcs8.pem");

    fn known(secret: &str) -> Provider {
        generic("https://a.example/a", "https://a.example/t", "", secret).client_metadata_document()
    }

    fn key(pem: &str) -> ClientKey {
        ClientKey::from_pem(pem).unwrap()
    }

    /// Of providers with these callbacks.
    fn read(providers: Vec<(Provider, &str)>) -> Result<Option<Value>, ConfigError> {
        let us = AboutUs {
            home: "https://proxy.example/api",
            name: "Acme",
        };
        let clients = providers.into_iter().map(|(provider, callback)| {
            assert_eq!(provider.check(), Ok(()));
            let terms = Terms {
                callback_url: callback.to_owned(),
                offered: ScopeSet::parse("openid email").unwrap(),
                ..Terms::default()
            };
            let provider = provider.at_document(URL.to_owned()).unwrap();
            Arc::new(client(provider, PATIENT).on(terms))
        });
        let mut clients: Vec<_> = clients.collect();
        let providers = Providers::new(clients.remove(0), clients);
        let document = client_document(us, &providers)?;
        Ok(document.map(|document| serde_json::from_str(&document).unwrap()))
    }

    fn document(provider: Provider) -> Value {
        read(vec![(provider, CALLBACK)]).unwrap().unwrap()
    }

    #[test]
    fn a_public_app_says_where_it_is_and_that_it_has_no_secret() {
        let document = document(known(""));
        for (name, expected) in [
            ("client_id", json!(URL)),
            ("client_name", json!("Acme")),
            ("redirect_uris", json!([CALLBACK])),
            ("scope", json!("openid email")),
            ("token_endpoint_auth_method", json!("none")),
        ] {
            assert_eq!(document[name], expected, "{name}");
        }
        assert_eq!(document.get("jwks"), None);
    }

    #[test]
    fn an_app_with_a_key_shows_its_public_half_alone() {
        let key = key(P256).id("k1");
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
    fn one_document_is_for_all_providers_that_read_it() {
        let signing = |pem, id: &str| known("").private_key_jwt(key(pem)).id(id);
        let other = "https://proxy.example/api/oauth/other";
        let both = vec![
            (signing(P256, "one"), CALLBACK),
            (signing(RSA, "two"), other),
        ];
        let document = read(both).unwrap().unwrap();
        assert_eq!(document["redirect_uris"], json!([CALLBACK, other]));
        assert_eq!(document["jwks"]["keys"].as_array().unwrap().len(), 2);
        assert_eq!(document.get("token_endpoint_auth_signing_alg"), None);
        let mixed = vec![(signing(P256, "one"), CALLBACK), (known(""), other)];
        let error = read(mixed).unwrap_err().to_string();
        assert!(error.contains("all of them"), "{error}");
        // One that does not read it is not in it.
        let named = generic("https://a.example/a", "https://a.example/t", "app", "s");
        let beside = vec![(named.clone(), other), (known(""), CALLBACK)];
        let document = read(beside).unwrap().unwrap();
        assert_eq!(document["redirect_uris"], json!([CALLBACK]));
        assert_eq!(read(vec![(named, CALLBACK)]).unwrap(), None);
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
    fn a_provider_that_gave_an_id_keeps_it() {
        let provider = generic("https://a.example/a", "https://a.example/t", "app", "s");
        let provider = provider.at_document(URL.to_owned()).unwrap();
        assert_eq!(provider.client_id, "app");
    }
}
