//! Clients that the operator configures: no registration, and an id that is only a name.

use std::collections::HashMap;

use secrecy::{ExposeSecret, SecretString};

use crate::{
    client::{
        auth::{AuthRule, ClientAuthMethod, is_same},
        identified::{Client, ClientKind},
        redirect::RedirectUri,
    },
    error::ConfigError,
    key::weakness,
    limits::{MAX_CLIENT_SECRET, MAX_CONFIGURED_ID, MIN_CLIENT_SECRET},
    oauth::{ScopeSet, describable},
};

const OPTION: &str = "static_clients";

/// A client known from configuration.
///
/// The redirect policy does not apply to its redirect URIs: the operator named them.
///
/// ```
/// use tower_oauth_proxy::StaticClient;
///
/// let client = StaticClient::confidential("intranet", "r7Kq2ZtV9wLx4MbY")
///     .redirect_uri("https://intranet.example.com/callback")?
///     .name("Intranet");
/// assert!(!format!("{client:?}").contains("r7Kq2ZtV"));
/// # Ok::<(), tower_oauth_proxy::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a client counts once it is given to `static_client`"]
pub struct StaticClient {
    id: String,
    secret: Option<SecretString>,
    auth: AuthRule,
    redirect_uris: Vec<RedirectUri>,
    name: Option<String>,
    scope: Option<ScopeSet>,
}

impl StaticClient {
    /// A client without a secret, such as an app on people's computers.
    pub fn public(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: None,
            auth: AuthRule::Exactly(ClientAuthMethod::None),
            redirect_uris: Vec::new(),
            name: None,
            scope: None,
        }
    }

    /// A client with a secret of 16 to 1024 bytes, sent in the `Authorization` header or in the body
    /// unless [`auth_method`](Self::auth_method) says which.
    ///
    /// Letters and digits are safest: RFC 6749 section 2.3.1 has clients form-encode the secret in
    /// the header, which some forget, so that a `+` or `%` would arrive as something else.
    pub fn confidential(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            secret: Some(secret.into().into()),
            auth: AuthRule::AnySecret,
            ..Self::public(id)
        }
    }

    /// Adds a redirect URI.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when it is not absolute, is over 1024 bytes, has a fragment, user information or
    /// another `@`, dot segments or a host with several spellings, is http to another computer, or has
    /// a scheme such as `javascript`.
    pub fn redirect_uri(mut self, uri: &str) -> Result<Self, ConfigError> {
        let parsed = RedirectUri::parse(uri)
            .map_err(|why| ConfigError::new(OPTION, format!("the redirect URI `{uri}` {why}")))?;
        self.redirect_uris.push(parsed);
        Ok(self)
    }

    /// The name on the consent page, 1 to 100 visible characters; the id when not set.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How a confidential client has to send its secret. Unset, both ways are accepted.
    ///
    /// The configuration of the moment counts: a client whose method changes during a login
    /// authenticates by the new one.
    pub fn auth_method(mut self, method: ClientAuthMethod) -> Self {
        self.auth = AuthRule::Exactly(method);
        self
    }

    /// The scopes of an authorization request that names none.
    pub fn default_scope(mut self, scope: ScopeSet) -> Self {
        self.scope = Some(scope);
        self
    }

    /// The scopes of a request that names none.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.iter().flat_map(ScopeSet::iter)
    }

    /// The name on the consent page, where it is not the id.
    pub(crate) fn name_on_page(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The id, safe to print.
    pub(crate) fn shown_id(&self) -> String {
        describable(&self.id)
    }

    /// Refuses a client that cannot work.
    fn check(&self) -> Result<(), ConfigError> {
        let id = &self.id;
        // `client_id = *VSCHAR`: RFC 6749 appendix A.1.
        if id.is_empty()
            || id.len() > MAX_CONFIGURED_ID
            || !id.bytes().all(|b| (0x20..=0x7e).contains(&b))
        {
            let id = describable(id);
            let why = format!("`{id}`: a client id has 1 to 256 printable ASCII characters");
            return Err(ConfigError::new(OPTION, why));
        }
        let refuse = |why: &str| {
            let id = self.shown_id();
            Err(ConfigError::new(OPTION, format!("client `{id}` {why}")))
        };
        if self.redirect_uris.is_empty() {
            return refuse("has no redirect URI");
        }
        match &self.secret {
            None if self.auth.has_secret() => refuse(
                "has no secret for its authentication method: use StaticClient::confidential",
            ),
            Some(_) if !self.auth.has_secret() => {
                refuse("has a secret that the method `none` would never check")
            }
            Some(secret)
                if !(MIN_CLIENT_SECRET..=MAX_CLIENT_SECRET)
                    .contains(&secret.expose_secret().len()) =>
            {
                refuse("needs a secret of 16 to 1024 bytes")
            }
            Some(secret) => {
                let secret = secret.expose_secret().as_bytes();
                match weakness(secret, MIN_CLIENT_SECRET) {
                    Some(why) => refuse(&format!("has a secret that {why}: make a random one")),
                    None => Ok(()),
                }
            }
            None => Ok(()),
        }
    }
}

/// Every configured client, by its id.
pub(in crate::client) struct ConfiguredClients(HashMap<String, StaticClient>);

impl ConfiguredClients {
    /// # Errors
    ///
    /// [`ConfigError`] when a client cannot work, or two have one id.
    pub(in crate::client) fn new(
        clients: impl IntoIterator<Item = StaticClient>,
    ) -> Result<Self, ConfigError> {
        let mut by_id = HashMap::new();
        for client in clients {
            client.check()?;
            let id = client.id.clone();
            if by_id.insert(id.clone(), client).is_some() {
                let why = format!("two clients have the id `{id}`");
                return Err(ConfigError::new(OPTION, why));
            }
        }
        Ok(Self(by_id))
    }

    pub(in crate::client) fn find(&self, client_id: &str) -> Option<Client> {
        let configured = self.0.get(client_id)?;
        Some(Client {
            id: configured.id.clone(),
            name: configured.name.clone(),
            redirect_uris: configured.redirect_uris.clone(),
            auth: configured.auth,
            keys: None,
            scope: configured.scope.clone(),
            kind: ClientKind::Configured,
        })
    }

    pub(in crate::client) fn is_secret_of(&self, client_id: &str, presented: &str) -> bool {
        let configured = self.0.get(client_id);
        let own = configured.and_then(|client| client.secret.as_ref());
        own.is_some_and(|own| is_same(own.expose_secret(), presented))
    }

    pub(in crate::client) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public() -> StaticClient {
        StaticClient::public("app")
            .redirect_uri("app://cb/")
            .unwrap()
    }

    fn confidential(secret: &str) -> StaticClient {
        StaticClient::confidential("web", secret)
            .redirect_uri("https://web.example/cb")
            .unwrap()
    }

    #[test]
    fn a_client_that_cannot_work_or_would_not_be_checked_is_refused() {
        assert!(public().check().is_ok());
        assert!(confidential("r7Kq2ZtV9wLx4MbY").check().is_ok());
        let long = "x".repeat(257);
        for (bad, says) in [
            (StaticClient::public("app"), "redirect URI"),
            (
                StaticClient {
                    id: String::new(),
                    ..public()
                },
                "client id",
            ),
            (
                StaticClient {
                    id: long,
                    ..public()
                },
                "client id",
            ),
            (
                StaticClient {
                    id: "a\nb".to_owned(),
                    ..public()
                },
                "client id",
            ),
            (
                public().auth_method(ClientAuthMethod::ClientSecretPost),
                "no secret",
            ),
            (
                confidential(&"s".repeat(16)).auth_method(ClientAuthMethod::None),
                "never check",
            ),
            (confidential("short"), "16 to 1024"),
            (confidential("changeme-changeme"), "well-known"),
            (confidential(&"s".repeat(16)), "repeats"),
            (confidential(&"s".repeat(1025)), "16 to 1024"),
        ] {
            let error = bad.check().unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
        assert!(
            StaticClient::public("a")
                .redirect_uri("javascript:x")
                .is_err()
        );
    }

    #[test]
    fn debug_prints_no_secret() {
        assert!(!format!("{:?}", confidential("sixteen-letters!")).contains("sixteen"));
    }
}
