//! What an administrator sees of a grant.

use std::time::SystemTime;

use crate::{
    grant::{Grant, GrantId, Phase},
    oauth::ScopeSet,
    proxy::Proxy,
};

/// A live grant: one person's login for one client.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GrantInfo {
    /// Its opaque name, the same as in events and [`AuthSession::grant_id`](crate::AuthSession::grant_id).
    pub id: String,
    /// The person, as [`AuthSession::subject`](crate::AuthSession::subject).
    pub subject: String,
    /// The [`id`](crate::Provider::id) of the provider that they logged in at.
    pub provider: String,
    /// The client that holds the tokens.
    pub client_id: String,
    /// What was granted.
    pub scopes: ScopeSet,
    /// The protected resource that it is for.
    pub resource: String,
    /// When the client last redeemed or refreshed; `None` while its code waits to be redeemed.
    pub refreshed_at: Option<SystemTime>,
}

/// Some of a client's live grants; see [`OAuthProxyAdmin::grants_of_client_page`](crate::OAuthProxyAdmin::grants_of_client_page).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GrantPage {
    /// At most some hundreds; a page can be empty although others follow.
    pub grants: Vec<GrantInfo>,
    /// Where the next page begins; `None` after the last. It is printable text, and names a grant.
    pub next: Option<String>,
}

/// `None` for one that is not listed.
pub(super) fn info(proxy: &Proxy, id: GrantId, grant: Grant) -> Option<GrantInfo> {
    let subject = proxy.grants.subject_of(&grant).into_owned();
    let refreshed_at = match grant.phase {
        Phase::Active { rotated_at, .. } => Some(SystemTime::from(rotated_at)),
        Phase::Asserted { .. } => Some(SystemTime::from(grant.created_at)),
        Phase::Pending(_) => None,
        // Passthrough: the client's tokens are not ours to end.
        Phase::Spent(_) => return None,
    };
    Some(GrantInfo {
        id: id.to_string(),
        subject,
        provider: grant.provider,
        client_id: grant.client_id,
        scopes: grant.scopes,
        resource: grant.resource.as_str().to_owned(),
        refreshed_at,
    })
}
