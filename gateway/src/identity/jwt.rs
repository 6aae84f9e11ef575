//! A signed JWT for the server behind: short-lived, for it alone, and verified by a key set.

use std::time::{Duration, SystemTime};

use aws_lc_rs::hkdf;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use tower_oauth_proxy::{AuthSession, ConfigError, TokenKey};

use super::who;

/// What its header says it is. An explicit type keeps one kind of JWT from being taken for another (RFC 8725 section
/// 3.11); an access token is `at+jwt`.
pub(crate) const TYPE: &str = "identity+jwt";

/// The most that it may live: it is made for one request.
pub(crate) const MAX_LIFE: Duration = Duration::from_secs(60);

/// The claims that are the gateway's to set.
pub(crate) const SET: &[&str] = &[
    "iss",
    "aud",
    "sub",
    "iat",
    "nbf",
    "exp",
    "jti",
    "client_id",
    "scope",
    "roles",
    "email",
    "email_verified",
    "name",
    "idp",
    "source",
    "act",
    "cnf",
    "azp",
];

/// What makes the JWTs.
#[derive(Debug)]
pub(crate) struct Signer {
    key: TokenKey,
    key_set: String,
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) life: Duration,
    /// Claims of the session that are told too.
    pub(super) claims: Vec<String>,
    pub(super) trusts_any_email: bool,
}

impl Signer {
    /// `previous` verify only: keys that signed before, and the next one.
    pub(crate) fn new(key: TokenKey, previous: &[TokenKey]) -> Self {
        let keys = std::iter::once(&key).chain(previous);
        let keys: Vec<Value> = keys.map(TokenKey::jwk).collect();
        Self {
            key_set: json!({ "keys": keys }).to_string(),
            key,
            issuer: String::new(),
            audience: String::new(),
            life: MAX_LIFE,
            claims: Vec::new(),
            trusts_any_email: false,
        }
    }

    pub(crate) fn issued(self, issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            ..self
        }
    }

    pub(crate) fn life(self, life: Duration) -> Self {
        Self { life, ..self }
    }

    pub(crate) fn with_claims(self, claims: Vec<String>) -> Self {
        Self { claims, ..self }
    }

    pub(crate) fn trusting_any_email(self, trusts_any_email: bool) -> Self {
        Self {
            trusts_any_email,
            ..self
        }
    }

    /// The key set (RFC 7517 section 5) that the server behind verifies by.
    pub(crate) fn key_set(&self) -> &str {
        &self.key_set
    }

    /// # Errors
    ///
    /// A public key signs nothing.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.key.sign(TYPE, &Map::new()).map(drop)
    }

    pub(super) fn sign(
        &self,
        session: &AuthSession,
        now: SystemTime,
    ) -> Result<String, ConfigError> {
        self.key.sign(TYPE, &self.claims_of(session, now))
    }

    fn claims_of(&self, session: &AuthSession, now: SystemTime) -> Map<String, Value> {
        let now = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let mut claims = Map::new();
        for name in &self.claims {
            if let Some(value) = session.claims().get(name) {
                claims.insert(name.clone(), value.clone());
            }
        }
        let mut set = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        set("iss", json!(self.issuer));
        set("aud", json!(self.audience));
        set("sub", json!(session.subject()));
        set("iat", json!(now.as_secs()));
        set("exp", json!((now + self.life).as_secs()));
        set("client_id", json!(session.client_id()));
        set("scope", json!(session.effective_scopes().to_string()));
        set("roles", json!(session.roles()));
        set("source", json!(session.source().as_str()));
        if let Some(email) = who::email(session, self.trusts_any_email) {
            set("email", json!(email));
            set("email_verified", json!(who::is_verified(session)));
        }
        if let Some(name) = who::claim(session, "name") {
            set("name", json!(name));
        }
        if let Some(provider) = session.provider() {
            set("idp", json!(provider));
        }
        claims
    }
}

/// An Ed25519 key that each instance with the same secret has, without a file. The label has a version: another one is
/// another key.
pub(crate) fn derived(secret: &str) -> Result<TokenKey, ConfigError> {
    const LABEL: &[u8] = b"tower-oauth-gateway identity ed25519 v1";
    // RFC 8410 section 7: the ASN.1 around the 32 bytes of the key.
    const AROUND: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    let failed = |_| ConfigError::new("token_key", "the key could not be derived");
    let mut seed = [0; 32];
    let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(secret.as_bytes());
    let info = [LABEL];
    let derived = pseudorandom
        .expand(&info, hkdf::HKDF_SHA256)
        .map_err(failed)?;
    derived.fill(&mut seed).map_err(failed)?;
    let der = STANDARD.encode([&AROUND[..], &seed[..]].concat());
    TokenKey::from_pem(format!(
        "-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n"
    ))
}
