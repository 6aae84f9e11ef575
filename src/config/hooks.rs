//! The operator's own code: what it is shown, and how it says no.

use std::{borrow::Cow, future::Future, pin::Pin, sync::Arc};

use crate::{login::Identity, oauth::ScopeSet};

/// A hook's "no", with words that the client or the person may read.
///
/// ```
/// use tower_oauth_proxy::Refusal;
///
/// let refusal = Refusal::new("this service is for members only");
/// assert_eq!(refusal.description(), "this service is for members only");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    description: Cow<'static, str>,
}

impl Refusal {
    /// A refusal with a description that is safe to show.
    pub fn new(description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            description: description.into(),
        }
    }

    /// What is shown.
    pub fn description(&self) -> &str {
        &self.description
    }

    pub(crate) fn into_description(self) -> Cow<'static, str> {
        self.description
    }
}

/// A registration (RFC 7591) that passed every rule and waits for the operator's word.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RegistrationRequest {
    /// The name that the client gives itself; anybody can claim any name.
    pub client_name: Option<String>,
    /// Where the client wants its codes sent.
    pub redirect_uris: Vec<String>,
    /// The scopes that the client names, of those that exist.
    pub scopes: ScopeSet,
}

type HookFuture = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;
type Hook<T> = Arc<dyn Fn(T) -> HookFuture + Send + Sync>;
pub(crate) type RegistrationHook = Hook<RegistrationRequest>;
pub(crate) type LoginHook = Hook<Identity>;

/// Turns an async closure into a stored hook.
pub(crate) fn hook<T, F, Fut>(closure: F) -> Hook<T>
where
    T: 'static,
    F: Fn(T) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
{
    Arc::new(move |input| Box::pin(closure(input)))
}
