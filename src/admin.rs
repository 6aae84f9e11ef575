//! Administration of a running proxy: list and end grants, deny clients.

mod grant_info;

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use self::grant_info::info;
use crate::{
    error::StorageError,
    event::{Event, Step},
    grant::{GrantId, Listed, Owner, at_once},
    proxy::Proxy,
    resource_server::ResourceServer,
    session::{AuthSession, SessionCache},
};

pub use grant_info::{GrantInfo, GrantPage};

/// Lists and ends grants, and denies clients; made by
/// [`OAuthProxyLayer::admin`](crate::OAuthProxyLayer::admin).
///
/// A [resource server](crate::OAuthProxyConfig::resource_server) keeps no grants: its lists are empty, there
/// is nothing to end, and [`deny_client`](Self::deny_client) is an error. Only [`revoke`](Self::revoke) does
/// something: it forgets the session, and the verifier is asked about the token's next request.
///
/// What is ended here is refused at once by this process, and by other instances within the session
/// cache's life. The provider's tokens are revoked where the provider can.
///
/// What ends something goes on until it is done, in a task of its own, whether or not its caller waits:
/// a request for it that is given up half way leaves nothing half done.
///
/// ```
/// # async fn administer(layer: &tower_oauth_proxy::OAuthProxyLayer)
/// # -> Result<(), tower_oauth_proxy::StorageError> {
/// let admin = layer.admin();
/// for grant in admin.grants_of_subject("248289761001").await? {
///     println!("{} may {} since {:?}", grant.client_id, grant.scopes, grant.refreshed_at);
/// }
/// let ended = admin.revoke_subject("248289761001").await?;
/// println!("{ended} grants ended");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct OAuthProxyAdmin {
    sessions: Arc<SessionCache>,
    /// `None` where the provider is the authorization server.
    proxy: Option<Arc<Proxy>>,
}

impl OAuthProxyAdmin {
    pub(crate) fn new(server: &ResourceServer) -> Self {
        Self {
            sessions: Arc::clone(&server.sessions),
            proxy: server.proxy.clone(),
        }
    }

    /// The live grants of a person, from a list (a read for each, never the whole store). In
    /// passthrough mode nothing is kept and nothing is listed.
    ///
    /// A grant that could not be listed, because the store failed just then, is missing until its
    /// client redeems or refreshes; an event of [`Step::Storage`](crate::Step::Storage) names it.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store could not be reached.
    pub async fn grants_of_subject(&self, subject: &str) -> Result<Vec<GrantInfo>, StorageError> {
        let Some(proxy) = &self.proxy else {
            return Ok(Vec::new());
        };
        let ids = proxy.grants.listed_of_person(subject).await?;
        let mut found = look_up(proxy, ids).await?;
        found.retain(|grant| grant.subject == subject);
        Ok(found)
    }

    /// The live grants of a client: all of them, which can be many thousands where all people use one
    /// hosted client. [`grants_of_client_page`](Self::grants_of_client_page) has some at a time.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store could not be reached.
    pub async fn grants_of_client(&self, client_id: &str) -> Result<Vec<GrantInfo>, StorageError> {
        self.all(Owner::Client(client_id)).await
    }

    /// Some of the live grants of a client, those that were used longest ago first: the first ones, or
    /// those after another page's [`next`](GrantPage::next).
    ///
    /// A grant that lives all the time is in at least one page; one that is used meanwhile can be in
    /// two.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store could not be reached, or `after` was not a `next`.
    pub async fn grants_of_client_page(
        &self,
        client_id: &str,
        after: Option<&str>,
    ) -> Result<GrantPage, StorageError> {
        let owner = Owner::Client(client_id);
        let Some(proxy) = &self.proxy else {
            return Ok(GrantPage {
                grants: Vec::new(),
                next: None,
            });
        };
        let Listed { ids, next } = proxy.grants.listed(owner, after).await?;
        let grants = look_up(proxy, ids).await?;
        Ok(GrantPage { grants, next })
    }

    /// Ends every grant of a person and returns how many there were.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store failed on the way; what was ended until then stays ended.
    pub async fn revoke_subject(&self, subject: &str) -> Result<usize, StorageError> {
        let Some(proxy) = self.proxy.clone() else {
            return Ok(0);
        };
        let subject = subject.to_owned();
        finish(&Arc::clone(&proxy), async move {
            let ids = proxy.grants.listed_of_person(&subject).await?;
            let theirs = proxy.grants.not_of_others(ids, &subject).await?;
            let ended = proxy.ending.end_many(theirs).await?;
            let event = Event::done(Step::Revoke).person(Some(&subject), None);
            proxy.emit(&event.detail(format_args!("by the operator; grants ended: {ended}")));
            Ok(ended)
        })
        .await
    }

    /// Ends every grant of a client, page by page, and returns how many there were. To keep it from
    /// logging people in again, [`deny_client`](Self::deny_client) first.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store failed on the way; what was ended until then stays ended.
    pub async fn revoke_client(&self, client_id: &str) -> Result<usize, StorageError> {
        let Some(proxy) = self.proxy.clone() else {
            return Ok(0);
        };
        let client_id = client_id.to_owned();
        finish(&Arc::clone(&proxy), async move {
            let ended = end_all(&proxy, Owner::Client(&client_id)).await?;
            let event = Event::done(Step::Revoke).client(&client_id, None);
            proxy.emit(&event.detail(format_args!("by the operator; grants ended: {ended}")));
            Ok(ended)
        })
        .await
    }

    /// Ends one grant by its name; `false` when there is none.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store did not answer: the grant may or may not have ended, ask again.
    pub async fn revoke_grant(&self, id: &str) -> Result<bool, StorageError> {
        let (Some(id), Some(proxy)) = (GrantId::parse(id), self.proxy.clone()) else {
            return Ok(false);
        };
        finish(&Arc::clone(&proxy), async move {
            let ended = proxy.ending.end(id).await?;
            if ended {
                let event = Event::done(Step::Revoke).grant(id);
                proxy.emit(&event.detail("by the operator"));
            }
            Ok(ended)
        })
        .await
    }

    /// Ends the login behind a session; behind a machine's, the one token. In passthrough mode only this process's
    /// cached session is forgotten. An API key and a token of another server end where they are issued: nothing
    /// happens here.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store did not answer: the grant may or may not have ended, ask again.
    pub async fn revoke(&self, session: &AuthSession) -> Result<(), StorageError> {
        if let (Some(jti), Some(proxy)) = (session.grantless_token(), &self.proxy) {
            let (of, end) = (session.client_id(), session.expires_at().into());
            proxy.grantless.revoke(jti, of, end, proxy.now()).await?;
            proxy.emit(&by_the_application(session));
            return Ok(());
        }
        match (session.grant_id().and_then(GrantId::parse), &self.proxy) {
            (Some(id), Some(proxy)) => {
                if proxy.ending.end(id).await? {
                    proxy.emit(&by_the_application(session));
                }
                Ok(())
            }
            _ => {
                let upstream = session.upstream();
                self.sessions.forget(upstream.access_token().as_bytes());
                Ok(())
            }
        }
    }

    /// Denies a client from now on: it can neither log anyone in nor redeem, refresh or revoke.
    /// Registrations live in the `client_id` itself, so this is how one is deleted. Access tokens of logins
    /// end at their own expiry, or with [`revoke_client`](Self::revoke_client); those of a machine, which that
    /// does not find, are refused from now on, and elsewhere within the session cache's life.
    ///
    /// **It denies one registration, not the app behind it.** Anyone may register, so the same app is
    /// back with another `client_id` after one anonymous request. Against an app, and not a
    /// registration, use what every registration has to pass:
    ///
    /// - the [redirect policy](crate::OAuthProxyConfigBuilder::redirect_policy): a host that it no
    ///   longer permits gets no codes, whenever the client registered;
    /// - [`on_register`](crate::OAuthProxyConfigBuilder::on_register) for new registrations, by name,
    ///   redirect URI or scope;
    /// - [`on_login`](crate::OAuthProxyConfigBuilder::on_login) and the allow lists for the person.
    ///
    /// What identifies an app is where its answers go: any app can claim any name, and apps on
    /// loopback look alike.
    ///
    /// The denial lives in the store: in the memory store it is forgotten at restart.
    ///
    /// # Errors
    ///
    /// [`StorageError`] when the store did not answer: the client may or may not be denied, ask again.
    pub async fn deny_client(&self, client_id: &str) -> Result<(), StorageError> {
        let Some(proxy) = self.proxy.clone() else {
            return Err(StorageError::unavailable(
                "a resource server knows no clients: deny it at the authorization server",
            ));
        };
        let client_id = client_id.to_owned();
        finish(&Arc::clone(&proxy), async move {
            let denied = proxy.clients.deny(&client_id).await;
            proxy.grantless.forget(&client_id);
            denied?;
            let event = Event::done(Step::Revoke).client(&client_id, None);
            proxy.emit(&event.detail("denied by the operator"));
            Ok(())
        })
        .await
    }

    /// Waits until no work is left that goes on behind requests, or until the deadline has passed, and
    /// returns how much is left: renewals of the provider's tokens (an answer that is not heard ends
    /// the grant at a provider that rotates its refresh tokens), logins that came back from the
    /// provider, revocations at the provider, and writes that the store has not confirmed.
    ///
    /// Call it at shutdown, after the server has answered its last request, and before the runtime
    /// ends. New work is still accepted, and waited for. An answer of the provider is awaited for
    /// [`upstream_request_timeout`](crate::OAuthProxyConfigBuilder::upstream_request_timeout) and a
    /// minute, and a store that is down for 10 minutes; 15 seconds are enough when both are well.
    ///
    /// ```
    /// # async fn stop(layer: &tower_oauth_proxy::OAuthProxyLayer) {
    /// use std::time::Duration;
    ///
    /// let left = layer.admin().drain(Duration::from_secs(15)).await;
    /// if left > 0 {
    ///     eprintln!("{left} tasks did not finish: some people may have to log in again");
    /// }
    /// # }
    /// ```
    pub async fn drain(&self, deadline: Duration) -> usize {
        match &self.proxy {
            Some(proxy) => proxy.tasks.drained(deadline).await,
            None => 0,
        }
    }

    async fn all(&self, owner: Owner<'_>) -> Result<Vec<GrantInfo>, StorageError> {
        let (mut found, mut seen, mut after) = (Vec::new(), HashSet::new(), None);
        let Some(proxy) = &self.proxy else {
            return Ok(found);
        };
        loop {
            let page = proxy.grants.listed(owner, after.as_deref()).await?;
            let mut ids = page.ids;
            ids.retain(|id| seen.insert(*id));
            found.extend(look_up(proxy, ids).await?);
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }
}

/// In a task of its own: what was begun is finished whether or not its caller waits.
async fn finish<T: Send + 'static>(
    proxy: &Proxy,
    work: impl Future<Output = Result<T, StorageError>> + Send + 'static,
) -> Result<T, StorageError> {
    let ended_early = |_| Err(StorageError::unavailable("the task ended early"));
    let work = proxy.tasks.spawn(work);
    work.await.unwrap_or_else(ended_early)
}

/// A handler ended what it was called with.
fn by_the_application(session: &AuthSession) -> Event {
    let event = Event::done(Step::Revoke).about(session.who());
    event.detail("by the application")
}

/// Those that still live.
async fn look_up(proxy: &Proxy, ids: Vec<GrantId>) -> Result<Vec<GrantInfo>, StorageError> {
    let look = |id: GrantId| {
        let grants = Arc::clone(&proxy.grants);
        async move { Ok((id, grants.stored(&id).await?)) }
    };
    let (found, outcome) = at_once(ids, look).await;
    outcome?;
    let live = found
        .into_iter()
        .filter_map(|(id, grant)| info(proxy, id, *grant?));
    Ok(live.collect())
}

/// A page at a time: the list of a client that all people share has many thousands.
async fn end_all(proxy: &Arc<Proxy>, owner: Owner<'_>) -> Result<usize, StorageError> {
    let (mut ended, mut after) = (0, None);
    loop {
        let page = proxy.grants.listed(owner, after.as_deref()).await?;
        ended += proxy.ending.end_many(page.ids).await?;
        after = page.next;
        if after.is_none() {
            return Ok(ended);
        }
    }
}

impl fmt::Debug for OAuthProxyAdmin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthProxyAdmin").finish_non_exhaustive()
    }
}
