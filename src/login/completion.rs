//! From the provider's answer in the browser to what the login comes to.
//!
//! The provider's code is single-use, and providers revoke what a replayed code gave (RFC 6749
//! section 4.1.2: "If an authorization code is used more than once, the authorization server MUST
//! deny the request and SHOULD revoke (when possible) all tokens previously issued based on that
//! authorization code."). So it is sent once, whatever the browser repeats, and whichever instance
//! the repetition reaches.

use std::sync::Arc;

use bytes::Bytes;
use tracing::Instrument;

use super::{
    AccountName, Login, Outcome,
    admission::{Admission, Admitted, Application},
    arrival::Arrivals,
    claim::{Claimed, Claims},
    departure,
    outcome::{Granted, LoginError, NotNow},
    returned::NoCode,
};
use crate::{
    clock::Clock,
    config::Options,
    event::{Who, mark_span},
    grant::{CodeMark, GrantId, Phase, code_hash, new_code},
    limits::STORE_TIMEOUT,
    provider::TokenAnswer,
    tasks::Tasks,
    time::Unix,
};

/// What it takes to complete the logins of one proxy.
pub(crate) struct Completion {
    pub(crate) arrivals: Arrivals,
    pub(crate) claims: Claims,
    pub(crate) options: Arc<Options>,
    pub(crate) clock: Arc<dyn Clock>,
    /// A login is completed also when the browser that came back is gone.
    pub(crate) tasks: Tasks,
}

impl Completion {
    /// What the login comes to, for the one request that is given it; every other request hears that
    /// it was used. The admission is that of the provider to which the person was sent.
    pub(crate) async fn complete(
        self: &Arc<Self>,
        admission: Arc<Admission>,
        login: Arc<Login>,
        code: Result<String, NoCode>,
    ) -> Result<Arc<Outcome>, NotNow> {
        let place = self.arrivals.place().ok_or(NotNow::Crowded)?;
        let arrival = self.arrivals.of(&login.state, Unix::from(self.clock.now()));
        // In a task of its own: a person who reloads the page must not drop what the provider's
        // single-use code was spent for. The reload finds it.
        let work = {
            let (this, arrival) = (Arc::clone(self), Arc::clone(&arrival));
            let work = async move {
                let _place = place;
                let outcome = arrival
                    .outcome
                    .get_or_try_init(|| this.arrive(&admission, &login, code));
                outcome.await.map(drop)
            };
            self.tasks.spawn(work.in_current_span())
        };
        work.await.unwrap_or(Err(NotNow::Ended))?;
        let given = arrival.give();
        Ok(given.unwrap_or_else(|| Arc::new(Err(LoginError::Replayed))))
    }

    async fn arrive(
        &self,
        admission: &Admission,
        login: &Login,
        code: Result<String, NoCode>,
    ) -> Result<Arc<Outcome>, NotNow> {
        match code {
            Ok(code) => self.redeem(admission, login, &code).await.map(Arc::new),
            Err(error) => Ok(Arc::new(Err(LoginError::NoCode(error)))),
        }
    }

    /// Claim, provider, mark, grant: see `claim` for what a crash between two of them costs.
    async fn redeem(
        &self,
        admission: &Admission,
        login: &Login,
        code: &str,
    ) -> Result<Outcome, NotNow> {
        let patience = self
            .options
            .upstream_request_timeout
            .saturating_add(STORE_TIMEOUT);
        let turn = self.arrivals.turn(patience).await;
        let _turn = turn.ok_or(NotNow::Crowded)?;
        let claimed = self.claims.claim(&login.state, patience).await;
        let claim = match claimed.map_err(NotNow::Store)? {
            Claimed::Ours(claim) => claim,
            Claimed::Used => return Ok(Err(LoginError::Replayed)),
            Claimed::Busy => return Err(NotNow::Contended),
        };
        let answer = match claim
            .keep_during(self.exchange(admission, login, code))
            .await
        {
            Ok(answer) => answer,
            Err(error) => {
                claim.end().await;
                return Ok(Err(error));
            }
        };
        // On a refusal from here on the provider's tokens are dropped and not revoked: many providers
        // would end the person's other grants along with them.
        Ok(match claim.mark_used().await {
            Ok(true) => self.grant(admission, login, &answer).await,
            // Another instance went on with it, and gives the grant.
            Ok(false) => Err(LoginError::Replayed),
            Err(error) => Err(LoginError::Store(error)),
        })
    }

    /// Trades the code for the provider's tokens.
    async fn exchange(
        &self,
        admission: &Admission,
        login: &Login,
        code: &str,
    ) -> Result<TokenAnswer, LoginError> {
        let terms = admission.provider.terms();
        let verifier = terms.uses_pkce.then(|| login.verifier.expose());
        let resource = terms
            .forwards_resource
            .then(|| login.request.resource.as_str());
        let (callback, extra) = (&terms.callback_url, &terms.token_params);
        let exchange = admission
            .provider
            .exchange_code(code, verifier, callback, resource, extra);
        exchange.await.map_err(LoginError::Exchange)
    }

    /// The grant waits for the client to redeem its code. Where the person sees the account page first, it
    /// holds the code back until then.
    async fn grant(&self, admission: &Admission, login: &Login, answer: &TokenAnswer) -> Outcome {
        let now = Unix::from(self.clock.now());
        let (request, options) = (&login.request, &self.options);
        let waits = options.shows_account_page();
        let ttl = match waits {
            true => options.transaction_ttl,
            false => options.authorization_code_ttl,
        };
        let id = GrantId::random();
        mark_span(|| Who::default().grant(id));
        let code = new_code(&id);
        let phase = || {
            Phase::Pending(CodeMark {
                hash: code_hash(&code).into(),
                expires_at: match waits {
                    true => CodeMark::HELD_BACK,
                    false => Unix::from(self.clock.now()) + ttl,
                },
                redirect_uri: request.redirect_uri.as_str().into(),
                challenge: request.challenge.clone(),
            })
        };
        let asked = Application {
            client_id: request.client.id(),
            seen_client: request.client.for_the_record().map(Bytes::from),
            scopes: &request.scopes,
            resource: &request.resource,
            nonce: departure::sent_nonce(
                admission.provider.about(),
                admission.provider.terms(),
                &self.options,
                login,
            ),
            id,
            phase: &phase,
            ttl,
            makes_room: !waits,
        };
        let admitted = admission.admit(asked, answer, now).await;
        let Admitted { person, who } = admitted.map_err(LoginError::NotAdmitted)?;
        let account = waits.then(|| AccountName::of(&person));
        Ok(Granted { code, who, account })
    }
}
