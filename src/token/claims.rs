//! Which of the provider's claims go into the proxy's own tokens.

use serde_json::{Map, Value};

use crate::{
    limits::{MAX_PASSED_CLAIMS, MAX_PASSED_CLAIMS_BYTES},
    provider::may_vouch,
};

/// The largest value that passes unless set, in bytes of its JSON encoding.
const DEFAULT_MAX_VALUE_SIZE: usize = 2000;

/// Claims that never pass, whatever is configured: those that the proxy's own token is made of
/// (RFC 9068 section 2.2), and those by which a resource server decides who may present a token
/// (`cnf`, `act`, `may_act`, `azp`), what it is (`typ`, `token_use`) and what it permits (`scope`,
/// `scp`, `authorization_details`), or that bind another token (`nonce`, the hashes, `sid`,
/// `events`). What says how the person logged in (`auth_time`, `acr`, `amr`) does pass: it stays true.
const PROTECTED: &[&str] = &[
    "iss",
    "aud",
    "sub",
    "exp",
    "iat",
    "nbf",
    "jti",
    "client_id",
    "scope",
    "scp",
    "gid",
    "azp",
    "act",
    "may_act",
    "cnf",
    "typ",
    "token_use",
    "authorization_details",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
    "events",
];

/// Which claims of the provider's access token and ID token the proxy's own tokens carry.
///
/// The default passes every claim of both whose value is a string, a number or a boolean, under its
/// own name. When both tokens have a claim, the access token's value passes. `email_verified` and
/// `phone_number_verified` pass only with the address or number of the same token.
///
/// **Arrays and objects are dropped unless [`allow_complex`](Self::allow_complex) is on.** Most
/// providers put `roles`, `groups` and `permissions` into arrays. A person's roles reach guards without it: see
/// [`AuthSession::roles`](crate::AuthSession::roles).
///
/// Some claims never pass: `iss`, `aud`, `sub`, `exp`, `iat`, `nbf`, `jti`, `client_id`, `scope`,
/// `scp`, `gid`, `azp`, `act`, `may_act`, `cnf`, `typ`, `token_use`, `authorization_details`, `nonce`,
/// `at_hash`, `c_hash`, `s_hash`, `sid` and `events`, in any case of letters. A prefix does not let
/// them pass, nor can a prefix make another claim into one of them. `null` never passes.
///
/// At most 64 claims and 4 KiB of JSON pass in all, so that the token fits into a header. What does
/// not fit is left out, claim by claim: in the order of [`allowed_claims`](Self::allowed_claims) where
/// that is set, so name the most important first; else the access token's before the ID token's.
///
/// ```
/// use tower_oauth_proxy::ClaimsPassthrough;
///
/// let claims = ClaimsPassthrough::default()
///     .from_id_token(false)
///     .allowed_claims(["roles", "email"])
///     .allow_complex(true);
/// assert_ne!(claims, ClaimsPassthrough::disabled());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimsPassthrough {
    from_access_token: bool,
    from_id_token: bool,
    prefix: String,
    allowed: Option<Vec<String>>,
    blocked: Vec<String>,
    max_value_size: usize,
    allow_complex: bool,
}

impl Default for ClaimsPassthrough {
    fn default() -> Self {
        Self {
            from_access_token: true,
            from_id_token: true,
            prefix: String::new(),
            allowed: None,
            blocked: Vec::new(),
            max_value_size: DEFAULT_MAX_VALUE_SIZE,
            allow_complex: false,
        }
    }
}

#[allow(
    clippy::wrong_self_convention,
    reason = "`from_access_token` is the option's name, not a conversion"
)]
impl ClaimsPassthrough {
    /// Nothing passes.
    #[must_use]
    pub fn disabled() -> Self {
        Self::default()
            .from_access_token(false)
            .from_id_token(false)
    }

    /// Whether the access token's claims pass; on by default. They can be read only where the
    /// provider's access tokens are JWTs, and they count only when the token is for this service and
    /// about the same person: see
    /// [`access_token_audiences`](crate::OAuthProxyConfigBuilder::access_token_audiences). Their
    /// signature is not checked: they came straight from the provider's token endpoint over TLS (as
    /// OIDC Core section 3.1.3.7 has it for ID tokens).
    #[must_use]
    pub fn from_access_token(mut self, on: bool) -> Self {
        self.from_access_token = on;
        self
    }

    /// Whether the ID token's claims pass; on by default.
    #[must_use]
    pub fn from_id_token(mut self, on: bool) -> Self {
        self.from_id_token = on;
        self
    }

    /// Puts `prefix` before the name of each claim that passes; none by default. The lists name
    /// claims without it.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Only these claims pass. Not set by default; an empty list lets nothing pass.
    #[must_use]
    pub fn allowed_claims<I>(mut self, names: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.allowed = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// These claims do not pass, even when they are allowed; none by default.
    #[must_use]
    pub fn blocked_claims<I>(mut self, names: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.blocked = names.into_iter().map(Into::into).collect();
        self
    }

    /// The largest value that passes, in bytes of its JSON encoding; 2000 by default.
    #[must_use]
    pub fn max_claim_value_size(mut self, bytes: usize) -> Self {
        self.max_value_size = bytes;
        self
    }

    /// Whether arrays and objects pass; off by default.
    #[must_use]
    pub fn allow_complex(mut self, on: bool) -> Self {
        self.allow_complex = on;
        self
    }

    /// The claims that pass, under the names that they get. Those of the access token only where it
    /// is for this service and about this person: see [`Audiences`](super::Audiences).
    pub(crate) fn collect(
        &self,
        access_token: Option<&Map<String, Value>>,
        id_token: Option<&Map<String, Value>>,
    ) -> Map<String, Value> {
        let access = access_token.filter(|_| self.from_access_token);
        let id = id_token.filter(|_| self.from_id_token);
        // The first of a name passes; what vouches for an address passes with that address only.
        let sources = [(access, None), (id, access)];
        let sources = sources
            .iter()
            .filter_map(|(source, first)| Some(((*source)?, *first)));
        let mut passed = Passed::default();
        match &self.allowed {
            Some(names) => {
                for name in names {
                    for (source, first) in sources.clone() {
                        if let Some(value) = source.get(name)
                            && may_vouch(name, source, first)
                        {
                            self.pass(name, value, &mut passed);
                        }
                    }
                }
            }
            None => {
                for (source, first) in sources {
                    for (name, value) in source {
                        if may_vouch(name, source, first) {
                            self.pass(name, value, &mut passed);
                        }
                    }
                }
            }
        }
        passed.claims
    }

    fn pass(&self, name: &str, value: &Value, passed: &mut Passed) {
        if is_protected(name) || self.blocked.iter().any(|blocked| blocked == name) {
            return;
        }
        // Looked at again: `i` before `ss` is `iss`.
        let name = format!("{}{name}", self.prefix);
        if name.is_empty() || is_protected(&name) || !self.is_fit(value) {
            return;
        }
        passed.add(name, value);
    }

    fn is_fit(&self, value: &Value) -> bool {
        let simple = match value {
            Value::Null => return false,
            Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
            Value::Array(_) | Value::Object(_) => false,
        };
        (simple || self.allow_complex) && json_size(value) <= self.max_value_size
    }
}

/// What passed so far, within the bounds of the whole.
#[derive(Default)]
struct Passed {
    claims: Map<String, Value>,
    size: usize,
}

impl Passed {
    /// The first of a name stays; one that does not fit is left out.
    fn add(&mut self, name: String, value: &Value) {
        let size = member_size(&name, value);
        let fits =
            self.claims.len() < MAX_PASSED_CLAIMS && self.size + size <= MAX_PASSED_CLAIMS_BYTES;
        if fits && !self.claims.contains_key(&name) {
            self.size += size;
            self.claims.insert(name, value.clone());
        }
    }
}

/// Whether a claim of this name may only come from the proxy itself. Letters match in any case, as
/// they do for some JSON readers.
pub(crate) fn is_protected(name: &str) -> bool {
    PROTECTED.iter().any(|it| it.eq_ignore_ascii_case(name))
}

/// The size of `"name":value,` in JSON, in bytes.
fn member_size(name: &str, value: &Value) -> usize {
    // A name is escaped like any string; `Value::from` would copy it.
    let name = serde_json::to_string(name).map_or(usize::MAX / 4, |name| name.len());
    name + json_size(value) + 2
}

fn json_size(value: &Value) -> usize {
    serde_json::to_string(value).map_or(usize::MAX / 4, |json| json.len())
}

#[cfg(test)]
mod tests;
