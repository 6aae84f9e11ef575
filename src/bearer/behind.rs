//! What stands behind a session: the provider's tokens, renewed, and traded for those of other APIs.

use std::sync::Arc;

use crate::{
    grant::{Delegation, FreshnessError, GrantId, Holder, TokenForError},
    provider::TokenTarget,
    session::{Another, ForAnotherApi, RenewsUpstream, TokenOf, UpstreamTokenError},
    time::Unix,
};

impl RenewsUpstream for Delegation {
    fn another<'a>(self: Arc<Self>, grant_id: &'a str, refused: &'a str) -> Another<'a> {
        Box::pin(async move {
            let id = GrantId::parse(grant_id).ok_or(UpstreamTokenError::NotRenewable)?;
            match self.freshness().another(id, refused).await {
                Ok(Some(upstream)) => Ok(upstream.into()),
                Ok(None) => Err(UpstreamTokenError::NotRenewable),
                Err(FreshnessError::Ended) => Err(UpstreamTokenError::Ended),
                Err(FreshnessError::Later | FreshnessError::Store(_)) => {
                    Err(UpstreamTokenError::Unavailable)
                }
            }
        })
    }

    fn token_for<'a>(
        self: Arc<Self>,
        of: TokenOf<'a>,
        target: &'a TokenTarget,
        refused: Option<&'a str>,
    ) -> ForAnotherApi<'a> {
        Box::pin(async move {
            let holder = match of {
                TokenOf::Grant(id) => {
                    Holder::Grant(GrantId::parse(id).ok_or(TokenForError::Ended)?)
                }
                TokenOf::Client(tokens) => Holder::Bearer {
                    token: tokens.access_token().into(),
                    expires_at: tokens.expires_at().map(Unix::from),
                },
            };
            Self::token_for(&self, holder, target, refused).await
        })
    }
}
