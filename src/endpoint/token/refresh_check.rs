//! A refresh request, checked against one state of its grant.

use std::sync::Arc;

use super::request::{ended, narrowed, resource};
use crate::{
    endpoint::{caller::Caller, refusal::Refusal},
    error::OAuthErrorCode,
    event::Reason,
    grant::{
        CodeMark, Grant, GrantId, Phase,
        rotation::{Reuse, Rotation, judge},
    },
    oauth::{Params, Resource, ScopeSet, describable},
    proxy::Proxy,
};

/// A request, and what is known of its token from an earlier look.
pub(super) struct Asked<'a> {
    pub(super) client: &'a Caller,
    pub(super) params: &'a Params,
    pub(super) id: GrantId,
    pub(super) presented: u32,
    /// The token was no reuse when it came: others rotated while this request waited.
    pub(super) was_good: bool,
}

/// What a valid request leads to.
pub(super) struct Judged {
    pub(super) rotation: Rotation,
    pub(super) code: Option<CodeMark>,
    pub(super) scopes: ScopeSet,
    pub(super) resource: Resource,
}

impl Asked<'_> {
    /// Checks the request against one state of the grant. A reused token, or a provider's token that
    /// has ended for good, ends the grant.
    pub(super) async fn judged(
        &self,
        proxy: &Arc<Proxy>,
        grant: &Grant,
    ) -> Result<Judged, Refusal> {
        let Phase::Active {
            generation,
            rotated_at,
            code,
        } = &grant.phase
        else {
            return Err(Refusal::grant(Reason::GrantEnded));
        };
        // RFC 6749 section 6: "The authorization server MUST [...] ensure that the refresh token was
        // issued to the authenticated client".
        if grant.client_id != self.client.id {
            let owner = describable(&grant.client_id);
            let refusal = Refusal::grant(Reason::ForeignClient);
            return Err(refusal.detail(format_args!("the refresh token is of client `{owner}`")));
        }
        if !self.client.may_go_on_with(grant.seen_client.as_deref()) {
            let text =
                "the client proved itself better at its login, and has to refresh in the same way";
            let code = OAuthErrorCode::InvalidClient;
            return Err(Refusal::new(Reason::ClientAuthentication, code, text));
        }
        self.client.spend(proxy).await?;
        let (now, options) = (proxy.now(), &proxy.options);
        let grace = options.refresh_token_grace;
        let rotation = match judge(self.presented, *generation, *rotated_at, grace, now) {
            Err(Reuse) if self.was_good => {
                let detail =
                    "others rotated more than once while this request waited: nothing ends";
                return Err(Refusal::grant(Reason::RefreshReuse).detail(detail));
            }
            Err(Reuse) => {
                let detail = format!(
                    "refresh token number {} came back, and number {generation} is good since {} s: the grant \
                     ends",
                    self.presented,
                    now.since(*rotated_at).as_secs()
                );
                return Err(ended(proxy, self.id, Reason::RefreshReuse, detail).await);
            }
            // The person has to log in again.
            Ok(_) if proxy.freshness.is_past_last_day(grant, now) => {
                proxy.freshness.expire(self.id).await?;
                let refusal = Refusal::grant(Reason::Expired);
                return Err(refusal.detail("`grant_max_age`: the grant is as old as it may get"));
            }
            Ok(_) if grant.upstream.is_over(now) => {
                let detail = "the provider's token is over and cannot be renewed: the grant ends";
                return Err(ended(proxy, self.id, Reason::Expired, detail).await);
            }
            Ok(rotation) => rotation,
        };
        let scope = self.params.get("scope");
        // What only another provider knows was dropped at the login, as what no one knows is.
        let provider = proxy.providers.of(&grant.provider);
        let offered = provider.map_or(&options.scopes, |provider| &provider.terms().scopes);
        Ok(Judged {
            rotation,
            // A mark is kept to know a replay; after the code's own end there is none.
            code: code.clone().filter(|mark| now < mark.expires_at),
            scopes: narrowed(scope, &grant.scopes, offered)?,
            resource: resource(&options.base, self.params, &grant.resource)?,
        })
    }
}
