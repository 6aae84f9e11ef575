//! Which provider a login goes to: the operator's rule says so, or only one can grant what is asked, or
//! the person chooses.

use std::sync::Arc;

use super::{AuthorizationRequest, approvals::Approvals};
use crate::{
    client::Client,
    config::{Options, ProviderChoice, ProviderRequest},
    error::OAuthErrorCode as Code,
    event::Reason,
    limits::{MAX_HINT, MAX_PROVIDER_ID},
    oauth::{ScopeSet, printable},
    provider::{ProviderClient, Providers},
};

/// Why a login can go to no provider.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChoiceError {
    /// Never a guess: sent to another, a person would log in where the operator does not want them to.
    #[error("the provider `{0}`, which was chosen for this login, is not configured")]
    Unknown(String),
    #[error(
        "the provider `{0}`, which was chosen for this login, knows none of the requested scopes"
    )]
    NoScope(String),
}

impl ChoiceError {
    /// What the client hears.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Unknown(_) => Code::ServerError,
            Self::NoScope(_) => Code::InvalidScope,
        }
    }

    /// The reason that the operator counts.
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Unknown(_) => Reason::UnknownProvider,
            Self::NoScope(_) => Reason::Scope,
        }
    }
}

/// The id that the operator's rule names; `None` where there is no rule, or it leaves the choice.
pub(crate) fn by_rule(
    options: &Options,
    client: &Client,
    request: &AuthorizationRequest,
    login_hint: Option<&str>,
) -> Option<String> {
    let rule = options.choose_provider.as_ref()?;
    let is_hint = |hint: &&str| hint.len() <= MAX_HINT && !hint.contains(char::is_control);
    let asked = ProviderRequest {
        client_id: client.id.clone(),
        client_name: client.name.clone(),
        scopes: request.scopes.clone(),
        login_hint: login_hint.filter(is_hint).map(str::to_owned),
        ..ProviderRequest::new(request.resource.as_str())
    };
    match rule(&asked) {
        ProviderChoice::Provider(id) => Some(id),
        ProviderChoice::Person => None,
    }
}

/// The providers that the login can go to: the one that was chosen for it, or each that can grant some of
/// what is asked. Where it is one, there is nothing to choose.
pub(crate) fn open<'a>(
    providers: &'a Providers,
    chosen: Option<&str>,
    scopes: &ScopeSet,
) -> Result<Vec<&'a Arc<ProviderClient>>, ChoiceError> {
    let Some(id) = chosen else {
        return Ok(providers
            .iter()
            .filter(|of| can_grant(of, scopes))
            .collect());
    };
    let shown = || printable(id, MAX_PROVIDER_ID);
    let provider = providers
        .of(id)
        .ok_or_else(|| ChoiceError::Unknown(shown()))?;
    match can_grant(provider, scopes) {
        true => Ok(vec![provider]),
        false => Err(ChoiceError::NoScope(shown())),
    }
}

/// The one that the person approved last for just this, in this browser.
pub(crate) fn approved<'a>(
    open: &[&'a Arc<ProviderClient>],
    approvals: &Approvals,
    request: &AuthorizationRequest,
) -> Option<&'a Arc<ProviderClient>> {
    let mut open = open.iter().copied();
    open.find(|provider| approvals.covers(request, &provider.about().id))
}

/// `offline_access` alone is granted anywhere, and says nothing about what for.
fn can_grant(provider: &ProviderClient, scopes: &ScopeSet) -> bool {
    let named = scopes.retain(|scope| scope != "offline_access");
    let granted = provider.terms().grantable(&named);
    named.is_empty() || !granted.is_empty()
}
