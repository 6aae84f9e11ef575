//! Who is calling, for the server behind: in headers, in a signed JWT, or by the provider's own token. What a client
//! says in those headers never passes, in any spelling.

mod encoding;
pub(crate) mod jwt;
mod spelling;
#[cfg(test)]
mod tests;
mod who;

use std::{fmt, time::SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use tower_oauth_proxy::AuthSession;

use self::{encoding::MAX_VALUE, jwt::Signer, spelling::Reserved};

pub(crate) use self::{
    spelling::is_reserved_elsewhere,
    who::{Fact, email},
};

/// How the server behind learns who is calling, as the operator says it.
#[derive(Debug)]
pub(crate) struct IdentitySettings {
    pub(crate) facts: Vec<(Fact, HeaderName)>,
    /// Claims of the session.
    pub(crate) claims: Vec<(String, HeaderName)>,
    pub(crate) jwt: Option<(HeaderName, Signer)>,
    pub(crate) provider_token: Option<HeaderName>,
    /// Whether an address is told that the provider does not vouch for.
    pub(crate) trusts_any_email: bool,
    /// Further headers that no client may send.
    pub(crate) also_strip: Vec<HeaderName>,
    /// A public path that shows the key set.
    pub(crate) key_set_path: Option<String>,
}

/// What is told unless the operator says otherwise.
impl Default for IdentitySettings {
    fn default() -> Self {
        let told = Fact::ALL.into_iter().filter(|fact| fact.is_told());
        let facts = told.map(|fact| (fact, HeaderName::from_static(fact.header())));
        Self {
            facts: facts.collect(),
            claims: Vec::new(),
            jwt: None,
            provider_token: None,
            trusts_any_email: false,
            also_strip: Vec::new(),
            key_set_path: None,
        }
    }
}

impl IdentitySettings {
    /// The headers that the gateway sets.
    pub(crate) fn names(&self) -> impl Iterator<Item = &HeaderName> {
        let facts = self.facts.iter().map(|(_, name)| name);
        let claims = self.claims.iter().map(|(_, name)| name);
        let jwt = self.jwt.iter().map(|(name, _)| name);
        facts.chain(claims).chain(jwt).chain(&self.provider_token)
    }
}

/// Tells the server behind who is calling, and keeps everyone else from it.
#[derive(Debug)]
pub(crate) struct Identity {
    settings: IdentitySettings,
    reserved: Reserved,
}

/// Why a request cannot be passed on: the server behind would take it for somebody else's, or nobody's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum IdentityError {
    /// What the header would have to hold, in bytes.
    TooLong(HeaderName, usize),
    Signing(String),
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(name, bytes) => write!(
                f,
                "the header {name} would have {bytes} bytes: {MAX_VALUE} are the most"
            ),
            Self::Signing(why) => write!(f, "the identity could not be signed: {why}"),
        }
    }
}

impl Identity {
    pub(crate) fn new(settings: IdentitySettings) -> Self {
        let names = settings.names().chain(&settings.also_strip);
        // The layer reads the client's, and nothing of it goes on.
        let names = names.filter(|name| **name != header::AUTHORIZATION);
        Self {
            reserved: Reserved::new(names.cloned()),
            settings,
        }
    }

    /// Takes out what a client says of who it is. For trailers too.
    pub(crate) fn strip(&self, headers: &mut HeaderMap) {
        self.reserved.strip(headers);
    }

    /// Takes out what a client says of who it is, and puts in what is known. Without a session nothing is put in:
    /// that is how the server behind knows a request without one.
    ///
    /// After hop-by-hop headers were taken out: a `Connection` of the client's must not name one of these.
    pub(crate) fn apply(
        &self,
        session: Option<&AuthSession>,
        headers: &mut HeaderMap,
    ) -> Result<(), IdentityError> {
        self.apply_at(session, headers, SystemTime::now())
    }

    fn apply_at(
        &self,
        session: Option<&AuthSession>,
        headers: &mut HeaderMap,
        now: SystemTime,
    ) -> Result<(), IdentityError> {
        self.strip(headers);
        let Some(session) = session else {
            return Ok(());
        };
        let settings = &self.settings;
        for (fact, name) in &settings.facts {
            if let Some(value) = fact.encoded(session, settings.trusts_any_email) {
                put(headers, name, &value)?;
            }
        }
        for (claim, name) in &settings.claims {
            if let Some(value) = who::encoded_claim(session, claim) {
                put(headers, name, &value)?;
            }
        }
        if let Some((name, signer)) = &settings.jwt {
            let signed = signer.sign(session, now);
            let signed = signed.map_err(|error| IdentityError::Signing(error.to_string()))?;
            put_token(headers, name, &signed)?;
        }
        let token = session.upstream().access_token();
        if let Some(name) = &settings.provider_token
            && session.has_upstream()
            && !token.is_empty()
        {
            put_token(headers, name, token)?;
        }
        Ok(())
    }

    /// The key set that the server behind verifies JWTs by, where it gets any.
    pub(crate) fn key_set(&self) -> Option<&str> {
        let signer = self.settings.jwt.as_ref();
        signer.map(|(_, signer)| signer.key_set())
    }

    /// The public path of it, where the operator wants one.
    pub(crate) fn key_set_path(&self) -> Option<&str> {
        self.settings.key_set_path.as_deref()
    }
}

fn put(headers: &mut HeaderMap, name: &HeaderName, value: &str) -> Result<(), IdentityError> {
    let too_long = || IdentityError::TooLong(name.clone(), value.len());
    if value.len() > MAX_VALUE {
        return Err(too_long());
    }
    let value = HeaderValue::from_str(value).map_err(|_| too_long())?;
    headers.insert(name.clone(), value);
    Ok(())
}

/// As a bearer token, where that is the header; else the token alone.
fn put_token(headers: &mut HeaderMap, name: &HeaderName, token: &str) -> Result<(), IdentityError> {
    /// Tokens of some providers have many groups in them.
    const MAX_TOKEN: usize = 16 << 10;
    let value = match *name == header::AUTHORIZATION {
        true => format!("Bearer {token}"),
        false => token.to_owned(),
    };
    let too_long = || IdentityError::TooLong(name.clone(), value.len());
    if value.len() > MAX_TOKEN {
        return Err(too_long());
    }
    let mut value = HeaderValue::from_str(&value).map_err(|_| too_long())?;
    value.set_sensitive(true);
    headers.insert(name.clone(), value);
    Ok(())
}
