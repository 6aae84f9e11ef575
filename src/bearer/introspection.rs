//! What a token of ours says now, for a service that asks about it (RFC 7662 section 4).
//!
//! The same check as at a protected path, with two differences: no provider is asked, because a question
//! must not renew or prolong anything; and the deny list is, because the answer may be kept for longer than
//! a session is here.

use std::sync::Arc;

use super::{objection::Objection, source::as_it_stands};
use crate::{
    event::{Reason, Told, Who},
    mode::Mode,
    oauth::Resource,
    proxy::Proxy,
    session::AuthSession,
    time::Unix,
};

/// A token that is good now.
pub(crate) struct Active {
    /// As a request with this token would be let in.
    pub(crate) session: AuthSession,
    pub(crate) issued_at: Unix,
    pub(crate) jti: Box<str>,
}

/// Why a token is not reported as active, for the operator: the service learns nothing of it.
pub(crate) struct NotActive {
    pub(crate) reason: Reason,
    /// Whether the store could not say.
    pub(crate) is_unknown: bool,
    pub(crate) who: Option<Box<Who>>,
    pub(crate) detail: Option<Told>,
}

/// Looks at a token for a service that stands for these resources.
///
/// RFC 7662 section 4: "If the token can be used only at certain resource servers, the authorization
/// server MUST determine whether or not the token can be used at the resource server making the introspection
/// call." That is known before the store is asked, so a token for another resource takes the way of an
/// unknown one.
pub(crate) async fn introspect(
    proxy: &Arc<Proxy>,
    token: &str,
    resources: &[Resource],
) -> Result<Active, NotActive> {
    let Mode::Swap(tokens) = &proxy.mode else {
        // The configuration lets no client ask there.
        return Err(Objection::invalid().into());
    };
    let now = proxy.now();
    let stamp = tokens.verify(token, now, |claims| {
        let audience = Resource::of_issued(&claims.aud);
        let is_for_caller = resources.iter().any(|own| audience.is_within(own));
        (is_for_caller, claims.iat, Box::from(&*claims.jti))
    });
    if let Ok((false, ..)) = stamp {
        return Err(Objection::elsewhere().into());
    }
    let session = as_it_stands(proxy, tokens, token, now).await?;
    if proxy
        .clients
        .is_denied(session.client_id())
        .await
        .map_err(Objection::from)?
    {
        let mut denied = NotActive::from(Objection::invalid().of(&session));
        denied.reason = Reason::DeniedClient;
        return Err(denied);
    }
    let (_, issued_at, jti) = stamp.map_err(|_| Objection::invalid())?;
    Ok(Active {
        session,
        issued_at,
        jti,
    })
}

impl From<Objection> for NotActive {
    fn from(objection: Objection) -> Self {
        Self {
            reason: objection.reason,
            is_unknown: objection.words.is_none(),
            who: objection.who,
            detail: objection.detail,
        }
    }
}
