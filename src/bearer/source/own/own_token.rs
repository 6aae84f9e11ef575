//! What is kept of a verified token while its grant is looked up.

use crate::{event::Who, grant::GrantId, time::Unix, token::AccessClaims};

/// The claims that the lookup needs.
pub(super) struct OwnToken {
    pub(super) grant: GrantId,
    /// One after the other, in one allocation: client, scope, audience.
    texts: Box<str>,
    scope_at: usize,
    audience_at: usize,
    pub(super) expires_at: Unix,
}

impl OwnToken {
    pub(super) fn new(grant: GrantId, claims: &AccessClaims<'_>) -> Self {
        Self {
            grant,
            texts: [&*claims.client_id, &*claims.scope, &*claims.aud]
                .concat()
                .into(),
            scope_at: claims.client_id.len(),
            audience_at: claims.client_id.len() + claims.scope.len(),
            expires_at: claims.exp,
        }
    }

    /// For events. The person is the grant's to name.
    pub(super) fn who(&self) -> Who {
        let who = Who::default().grant(self.grant);
        let who = who.client(self.client_id(), None);
        who.access(self.audience(), self.scope())
    }

    pub(super) fn client_id(&self) -> &str {
        self.texts.get(..self.scope_at).unwrap_or_default()
    }

    pub(super) fn scope(&self) -> &str {
        let scope = self.texts.get(self.scope_at..self.audience_at);
        scope.unwrap_or_default()
    }

    pub(super) fn audience(&self) -> &str {
        self.texts.get(self.audience_at..).unwrap_or_default()
    }
}
