//! The record of a grant, as it is stored (sealed, as JSON).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    grant::lifetime,
    oauth::{CodeChallenge, Resource, ScopeSet},
    provider::TokenAnswer,
};

/// A person's login for one client. Has no `Debug`: it holds the provider's tokens.
///
/// The names in the record are short: of all that is stored it lives longest, and it is read at every
/// first sight of a token.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Grant {
    /// The id of the provider that the person logged in at.
    #[serde(rename = "y")]
    pub(crate) provider: String,
    #[serde(rename = "c")]
    pub(crate) client_id: String,
    #[serde(rename = "s")]
    pub(crate) subject: String,
    #[serde(rename = "o")]
    pub(crate) scopes: ScopeSet,
    #[serde(rename = "r")]
    pub(crate) resource: Resource,
    #[serde(rename = "m", default, skip_serializing_if = "Map::is_empty")]
    pub(crate) claims: Map<String, Value>,
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<String>,
    #[serde(rename = "u")]
    pub(crate) upstream: UpstreamGrant,
    #[serde(rename = "p")]
    pub(crate) phase: Phase,
    /// When the person logged in, in seconds since the Unix epoch.
    #[serde(rename = "b", default)]
    pub(crate) created_at: u64,
    /// When the provider last vouched for the person, and the operator admitted them.
    #[serde(rename = "v", default)]
    pub(crate) proven_at: u64,
    /// Until when the grant stands in the lists of its subject and client.
    #[serde(rename = "i", default)]
    pub(crate) listed_until: u64,
    /// Another number at each write, so that a write that was not answered can be told from
    /// somebody else's of the same content.
    #[serde(rename = "t", default)]
    pub(crate) stamp: u64,
    /// The stamp of the write that brought the phase.
    #[serde(rename = "q", default)]
    pub(crate) step: u64,
}

impl Grant {
    /// A grant of passthrough mode, whose tokens the client holds: nothing of it is stored, and it is
    /// put together again for a look at its person.
    pub(crate) fn passed_through(
        client_id: &str,
        subject: &str,
        scopes: &ScopeSet,
        resource: &Resource,
        upstream: UpstreamGrant,
    ) -> Self {
        Self {
            provider: String::new(),
            client_id: client_id.to_owned(),
            subject: subject.to_owned(),
            scopes: scopes.clone(),
            resource: resource.clone(),
            claims: Map::new(),
            roles: Vec::new(),
            upstream: UpstreamGrant {
                // Not checked yet: nothing to compare the next one with.
                id_token: None,
                ..upstream
            },
            phase: Phase::Active {
                generation: 0,
                rotated_at: 0,
                code: None,
            },
            created_at: 0,
            proven_at: 0,
            listed_until: 0,
            stamp: 0,
            step: 0,
        }
    }
}

/// Where in its life a grant is.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// The person is back from the provider; the client holds a code.
    Pending(CodeMark),
    /// The client holds tokens.
    #[serde(rename = "a")]
    Active {
        /// The generation of the live refresh token.
        #[serde(rename = "g")]
        generation: u32,
        #[serde(rename = "t")]
        rotated_at: u64,
        /// Kept until the code's natural end, to know a replay.
        #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
        code: Option<CodeMark>,
    },
    /// Passthrough mode: the code was redeemed. The record stays until the code's own end, with the
    /// provider's tokens, so that a replay can revoke them.
    Spent(CodeMark),
}

/// A code, by its hash, and what a request has to repeat and to prove with it: the first time, and
/// each later one, so that only its own client's replay counts as one.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CodeMark {
    #[serde(rename = "h")]
    pub(crate) hash: String,
    #[serde(rename = "e")]
    pub(crate) expires_at: u64,
    /// Only ever compared: it is not read as a URI at each first sight of a token.
    #[serde(rename = "u")]
    pub(crate) redirect_uri: Box<str>,
    #[serde(rename = "k")]
    pub(crate) challenge: CodeChallenge,
}

/// The provider's side of a grant.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct UpstreamGrant {
    #[serde(rename = "a")]
    pub(crate) access_token: String,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub(crate) id_token: Option<String>,
    /// When the access token ends; `None` when the provider did not say.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<u64>,
    /// From when on it should be renewed.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub(crate) renew_at: Option<u64>,
    /// When it was last renewed; `None` since the login.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub(crate) renewed_at: Option<u64>,
    /// Since when the provider has refused to renew it, in words that do not end the grant at once.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(crate) refused_since: Option<u64>,
}

impl UpstreamGrant {
    pub(crate) fn new(answer: &TokenAnswer, now: u64) -> Self {
        let refresh_token = answer.refresh_token().map(str::to_owned);
        let expires_at = answer.expires_in.map(|secs| now.saturating_add(secs));
        Self {
            access_token: answer.access_token().to_owned(),
            id_token: answer.id_token().map(str::to_owned),
            expires_at,
            renew_at: lifetime::renewal(now, answer.expires_in, refresh_token.is_some()),
            refresh_token,
            renewed_at: None,
            refused_since: None,
        }
    }

    /// The state after a renewal. What the provider leaves out stands as it was (RFC 6749
    /// section 6). So does the ID token: the new one counts only once it was checked (OpenID Connect
    /// Core section 12.2).
    #[must_use]
    pub(crate) fn renewed(&self, answer: &TokenAnswer, now: u64) -> Self {
        let new = Self::new(answer, now);
        let refresh_token = new.refresh_token.or_else(|| self.refresh_token.clone());
        Self {
            id_token: self.id_token.clone(),
            renew_at: lifetime::renewal(now, answer.expires_in, refresh_token.is_some()),
            refresh_token,
            renewed_at: Some(now),
            ..new
        }
    }

    pub(crate) fn can_renew(&self) -> bool {
        self.refresh_token.is_some()
    }

    /// Whether the access token should be renewed before it is used.
    pub(crate) fn wants_renewal(&self, now: u64) -> bool {
        self.can_renew() && self.renew_at.is_some_and(|at| now >= at)
    }

    /// Whether the access token has ended and cannot be renewed.
    pub(crate) fn is_over(&self, now: u64) -> bool {
        !self.can_renew() && self.expires_at.is_some_and(|at| now >= at)
    }

    /// What ends the grant at the provider, the strongest first (RFC 7009 section 2.1: revoking a
    /// refresh token ends its access tokens).
    pub(crate) fn revocable(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let refresh_token = self.refresh_token.as_deref();
        refresh_token
            .map(|token| (token, "refresh_token"))
            .into_iter()
            .chain([(self.access_token.as_str(), "access_token")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::BaseUrl;

    /// Of RFC 7636 appendix B.
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn a_record_is_written_under_the_names_that_stand_in_every_store() {
        let base = BaseUrl::parse("https://p.example").unwrap();
        let grant = Grant {
            provider: "github".into(),
            client_id: "client".into(),
            subject: "ada".into(),
            scopes: ScopeSet::parse("read write").unwrap(),
            resource: Resource::base(&base),
            claims: [("name".to_owned(), Value::from("Ada"))]
                .into_iter()
                .collect(),
            roles: vec!["admin".into()],
            upstream: UpstreamGrant {
                access_token: "at".into(),
                refresh_token: Some("rt".into()),
                id_token: Some("it".into()),
                expires_at: Some(2),
                renew_at: Some(1),
                renewed_at: Some(11),
                refused_since: Some(12),
            },
            phase: Phase::Active {
                generation: 3,
                rotated_at: 4,
                code: Some(CodeMark {
                    hash: "hash".into(),
                    expires_at: 5,
                    redirect_uri: "http://localhost/cb".into(),
                    challenge: CodeChallenge::parse(CHALLENGE, Some("S256"), false).unwrap(),
                }),
            },
            created_at: 9,
            proven_at: 10,
            listed_until: 6,
            stamp: 7,
            step: 8,
        };
        let written = concat!(
            r#"{"y":"github","c":"client","s":"ada","o":"read write","r":"https://p.example","m":{"name":"Ada"},"#,
            r#""l":["admin"],"u":{"a":"at","r":"rt","i":"it","e":2,"n":1,"w":11,"f":12},"#,
            r#""p":{"a":{"g":3,"t":4,"c":{"h":"hash","e":5,"u":"http://localhost/cb","#,
            r#""k":{"challenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM","method":"S256"}}}},"#,
            r#""b":9,"v":10,"i":6,"t":7,"q":8}"#
        );
        assert_eq!(serde_json::to_string(&grant).unwrap(), written);
        let read: Grant = serde_json::from_str(written).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), written);
    }
}
