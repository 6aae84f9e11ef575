//! The exchange of a refresh in passthrough mode, and the look at the person that comes with it.

use std::sync::Arc;

use super::heard::heard;
use crate::{
    endpoint::refusal::Refusal,
    event::{Event, Step, Who},
    grant::{Grant, GrantId, Look, ProofOfLife, UpstreamGrant, end_at_provider, scopes},
    oauth::ScopeSet,
    provider::TokenAnswer,
    proxy::Proxy,
    token::PassedThrough,
};

/// One refresh that may be asked of the provider.
pub(super) struct Renewal {
    pub(super) proxy: Arc<Proxy>,
    pub(super) client_id: String,
    pub(super) id: GrantId,
    pub(super) held: PassedThrough,
    /// The scopes that the client wants.
    pub(super) asked: ScopeSet,
}

/// What came of it.
pub(super) struct Renewed {
    pub(super) tokens: TokenAnswer,
    pub(super) scopes: ScopeSet,
    /// What the client's next refresh token holds.
    pub(super) held: PassedThrough,
}

impl Renewal {
    pub(super) async fn run(self) -> Result<Renewed, Refusal> {
        let (proxy, options) = (&self.proxy, &self.proxy.options);
        let (provider, terms) = (proxy.providers.main(), proxy.providers.main().terms());
        let scope = provider.about().scope_param(&self.asked, &terms.offered);
        let tokens = provider
            .refresh(&self.held.token, Some(&scope), &terms.token_params)
            .await
            .map_err(|error| heard(&error).about(self.who()))?;
        self.look_again(&tokens).await?;
        proxy.emit(&Event::done(Step::Refresh).about(self.who()));
        let token = self.next_refresh_token(&tokens).to_owned();
        Ok(Renewed {
            scopes: scopes::granted(&self.asked, tokens.scope.as_ref()),
            held: PassedThrough {
                token,
                expires_at: proxy.now() + options.refresh_token_ttl,
                ..self.held
            },
            tokens,
        })
    }

    /// For events.
    fn who(&self) -> Who {
        who(&self.client_id, self.id, &self.held)
    }

    /// RFC 6749 section 6: "The authorization server MAY issue a new refresh token, in which case the
    /// client MUST discard the old refresh token": without a new one the old one stands.
    fn next_refresh_token<'a>(&'a self, renewed: &'a TokenAnswer) -> &'a str {
        renewed.refresh_token().unwrap_or(&self.held.token)
    }

    /// What was true at login must not stay true for ever: each renewal is a proof of life. A no ends
    /// the tokens at the provider, too. Trouble is no answer: the provider has just renewed, its new
    /// token must not be lost, and the verifier judges it when it is first seen.
    async fn look_again(&self, tokens: &TokenAnswer) -> Result<(), Refusal> {
        let (proxy, held) = (&self.proxy, &self.held);
        // Nothing is kept of the person but `sub`: who is allowed by e-mail address would be refused
        // because the address cannot be looked up again.
        if tokens.id_token().is_none() && !proxy.admissions.can_ask_provider(&held.provider) {
            return Ok(());
        }
        let now = proxy.now();
        let mut grant = Grant::passed_through(
            &self.client_id,
            &held.subject,
            &held.scopes,
            &held.resource,
            UpstreamGrant::new(tokens, now),
        );
        grant.provider.clone_from(&held.provider);
        let look = match proxy.admissions.read(self.id, &grant, tokens, now) {
            Some(look) => look,
            None => {
                let ask = proxy.admissions.ask(self.id, &grant, Some(tokens), now);
                ask.await
            }
        };
        match look {
            Look::Proven(_) | Look::TokenRefused => Ok(()),
            Look::Later { reason, detail } => {
                let event = Event::refused(Step::UpstreamRefresh, reason);
                proxy.emit(&event.about(self.who()).told(&detail));
                Ok(())
            }
            Look::No { reason, detail } => {
                self.end(tokens);
                Err(Refusal::grant(reason).told(detail).about(self.who()))
            }
        }
    }

    /// Revokes at the provider, in a task of its own: the client does not wait for it. The refresh token
    /// goes first.
    fn end(&self, renewed: &TokenAnswer) {
        let refresh_token = self.next_refresh_token(renewed).to_owned();
        let access_token = renewed.access_token().to_owned();
        let (proxy, who) = (Arc::clone(&self.proxy), self.who());
        self.proxy.tasks.spawn(async move {
            let given = [
                (&*refresh_token, "refresh_token"),
                (&*access_token, "access_token"),
            ];
            end_at_provider(
                proxy.providers.main(),
                &proxy.events,
                &who,
                given.into_iter(),
            )
            .await;
        });
    }
}

/// For events: the client, and whose refresh token it holds.
pub(super) fn who(client_id: &str, id: GrantId, held: &PassedThrough) -> Who {
    Who::default()
        .grant(id)
        .client(client_id, None)
        .person(Some(&held.subject), None)
        .provider(&held.provider)
        .access(held.resource.as_str(), &held.scopes)
}
