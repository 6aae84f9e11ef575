//! The exchange of a refresh in passthrough mode, and the look at the person that comes with it.

use std::sync::Arc;

use crate::{
    endpoint::refusal::Refusal,
    error::OAuthErrorCode,
    event::{Event, Reason, Step, Who},
    grant::{Grant, GrantId, Look, ProofOfLife, UpstreamGrant, end_at_provider, scopes},
    oauth::ScopeSet,
    provider::{Finality, TokenAnswer, UpstreamError},
    proxy::Proxy,
    token::PassedThrough,
};

/// One refresh that may be asked of the provider.
pub(super) struct Renewal {
    pub(super) proxy: Arc<Proxy>,
    pub(super) client_id: String,
    pub(super) id: GrantId,
    pub(super) held: PassedThrough,
    pub(super) who: Who,
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
            .map_err(|error| refused(&error).about(self.who.clone()))?;
        self.look_again(&tokens).await?;
        proxy.emit(&Event::done(Step::Refresh).about(self.who.clone()));
        let token = self.next_refresh_token(&tokens).to_owned();
        let rules = &options.scope_implications;
        Ok(Renewed {
            scopes: scopes::granted(&self.asked, tokens.scope.as_ref(), rules),
            held: PassedThrough {
                token,
                expires_at: proxy.now() + options.refresh_token_ttl,
                ..self.held
            },
            tokens,
        })
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
                proxy.emit(&event.about(self.who.clone()).told(&detail));
                Ok(())
            }
            Look::No { reason, detail } => {
                self.end(tokens);
                Err(Refusal::grant(reason).told(detail).about(self.who.clone()))
            }
        }
    }

    /// Revokes at the provider, in a task of its own: the client does not wait for it. The refresh token
    /// goes first.
    fn end(&self, renewed: &TokenAnswer) {
        let refresh_token = self.next_refresh_token(renewed).to_owned();
        let access_token = renewed.access_token().to_owned();
        let (proxy, who) = (Arc::clone(&self.proxy), self.who.clone());
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

/// What a client hears of the provider's refusal. Nothing is kept here, so the time that a refusal
/// has stood cannot be counted: what a retry cannot mend is said at once.
///
/// | the provider | the client hears | why |
/// |---|---|---|
/// | `invalid_scope` | the same | it can ask for less |
/// | refuses the operator's own credentials | 503 | a login would fail as well, and the token works again once that is mended |
/// | any other code (`invalid_grant`, `interaction_required`, `invalid_request` …) | `invalid_grant` | a person has to come again: only that can help |
/// | 5xx, 429, no code at all, no answer | 503 | nothing was decided; it ends with the refresh token's own end |
fn refused(error: &UpstreamError) -> Refusal {
    let code = match error {
        UpstreamError::Rejected { code, .. } if error.finality() != Finality::Trouble => {
            code.as_str()
        }
        _ => return Refusal::unavailable(error.reason()).told(error.told()),
    };
    if code == "invalid_scope" {
        let text = "the identity provider does not grant this scope, or no longer";
        let code = OAuthErrorCode::InvalidScope;
        return Refusal::new(Reason::ProviderRejected, code, text).told(error.told());
    }
    Refusal::grant(Reason::ProviderRejected).told(error.told())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_repeating_cannot_mend_is_said_at_once_and_trouble_is_no_refusal() {
        let said = |code: &str, finality: Finality| {
            let refusal = refused(&UpstreamError::Rejected {
                status: 400,
                code: code.to_owned(),
                description: None,
                finality,
            });
            refusal.error.code
        };
        for (code, finality) in [
            ("invalid_grant", Finality::Ends),
            ("interaction_required", Finality::Ends),
            ("invalid_request", Finality::Bounded),
            ("odd", Finality::Bounded),
        ] {
            let said = said(code, finality);
            assert_eq!(said, OAuthErrorCode::InvalidGrant, "{code}");
        }
        let scope = said("invalid_scope", Finality::Bounded);
        assert_eq!(scope, OAuthErrorCode::InvalidScope);
        for code in ["invalid_client", "incorrect_client_credentials"] {
            let said = said(code, Finality::Trouble);
            assert_eq!(said, OAuthErrorCode::TemporarilyUnavailable, "{code}");
        }
        for trouble in [
            UpstreamError::Timeout,
            UpstreamError::Transport(String::new()),
            UpstreamError::Malformed(String::new()),
        ] {
            let code = refused(&trouble).error.code;
            assert_eq!(code, OAuthErrorCode::TemporarilyUnavailable, "{trouble}");
        }
    }
}
