//! A client that authenticated, and the assertion that it may have done so with.

use std::ops::Deref;

use http::StatusCode;
use tokio::sync::OnceCell;

use crate::{
    assertion::{OneUse, UseMark},
    client::Client,
    endpoint::refusal::Refusal,
    error::OAuthErrorCode,
    event::Reason,
    proxy::Proxy,
};

/// A client that authenticated.
pub(in crate::endpoint) struct Caller {
    client: Client,
    /// What its assertion says of its use, where it has one.
    once: Option<OneUse>,
    used: OnceCell<UseMark>,
}

impl Caller {
    pub(super) fn new(client: Client, once: Option<OneUse>) -> Self {
        Self {
            client,
            once,
            used: OnceCell::new(),
        }
    }

    /// Uses the client's assertion up, if it has one; a second time it does nothing. RFC 7523 section 3.2: "If
    /// the client JWT is not valid, the authorization server constructs an error response as defined in OAuth
    /// 2.0 [RFC6749]. The value of the "error" parameter MUST be the "invalid_client" error code."
    ///
    /// Called when the request has shown what only a login gives, or a configured client, and before anything
    /// changes.
    pub(in crate::endpoint) async fn spend(&self, proxy: &Proxy) -> Result<(), Refusal> {
        let Some(once) = &self.once else {
            return Ok(());
        };
        let used = self.used.get_or_try_init(async || {
            let mark = proxy.clients.first_use(&self.client, once, proxy.now());
            let words = "the client_assertion was used before: sign another one for each request";
            let replayed = || Refusal::new(Reason::Replayed, OAuthErrorCode::InvalidClient, words);
            mark.await?.ok_or_else(replayed)
        });
        used.await.map(drop)
    }

    /// Ends a request at the token endpoint. No answer goes out for an assertion that was used before, and one
    /// whose request came to nothing by our own trouble is given back: the client is told to try again.
    pub(in crate::endpoint) async fn settle<T>(
        &self,
        proxy: &Proxy,
        result: Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        match result {
            Ok(answer) => self.spend(proxy).await.map(|()| answer),
            Err(refusal) => {
                self.give_back(proxy, &refusal).await;
                Err(refusal)
            }
        }
    }

    /// Gives the assertion back, where this refusal says "try again".
    pub(in crate::endpoint) async fn give_back(&self, proxy: &Proxy, refusal: &Refusal) {
        let comes_again = matches!(
            refusal.error.status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        );
        if comes_again && let Some(mark) = self.used.get() {
            proxy.clients.give_back(mark).await;
        }
    }
}

impl Deref for Caller {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
