//! The proxy's own URLs: one file answers one URL, and opens with that URL and the RFC clauses it
//! obeys.

mod answer;
mod authorize;
mod callback;
mod client_auth;
mod consent;
mod cors;
mod metadata;
mod redirect;
mod refusal;
mod register;
mod request;
mod revoke;
mod same_site;
mod token;

use std::{pin::Pin, sync::Arc};

use http::{Method, Request};
use http_body::Body;

pub(crate) use revoke::{end_grant, end_grants};

use crate::{body::OwnResponse, error::BoxError, proxy::Proxy, route::Route};

/// What comes of a request to one of our URLs; the inner service never sees it.
pub(crate) enum Answer {
    /// It was known at once.
    Ready(OwnResponse),
    /// A body has to be read, or the store or the provider asked. Each endpoint's future is boxed by
    /// itself: the largest would decide for all.
    Pending(Pin<Box<dyn Future<Output = OwnResponse> + Send>>),
}

/// Answers a request to one of our URLs.
pub(crate) fn answer<B>(proxy: Arc<Proxy>, route: Route, request: Request<B>) -> Answer
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    if let Some(refusal) = method_refused(&proxy, route, &parts.method) {
        return Answer::Ready(refusal);
    }
    match route {
        Route::AuthorizationServerMetadata => {
            let document = metadata::authorization_server(&proxy, &parts.method);
            Answer::Ready(cors::allow(document))
        }
        Route::ProtectedResourceMetadata { suffix_at } => {
            let suffix = parts.uri.path().get(suffix_at..).unwrap_or_default();
            let document = metadata::protected_resource(&proxy, &parts.method, suffix);
            Answer::Ready(cors::allow(document))
        }
        Route::UnknownDocument => Answer::Ready(cors::allow(answer::not_found(&proxy))),
        Route::Register => Answer::Pending(Box::pin(async move {
            cors::allow(register::handle(&proxy, &parts, body).await)
        })),
        Route::Token => Answer::Pending(Box::pin(async move {
            cors::allow(token::handle(&proxy, &parts, body).await)
        })),
        Route::Revoke => Answer::Pending(Box::pin(async move {
            cors::allow(revoke::handle(&proxy, &parts, body).await)
        })),
        Route::Authorize => {
            Answer::Pending(Box::pin(
                async move { authorize::handle(&proxy, &parts).await },
            ))
        }
        Route::Consent if parts.method == Method::POST => Answer::Pending(Box::pin(async move {
            consent::decide(&proxy, &parts, body).await
        })),
        Route::Consent => {
            Answer::Pending(Box::pin(async move { consent::show(&proxy, &parts).await }))
        }
        Route::Callback if parts.method == Method::POST => Answer::Pending(Box::pin(async move {
            callback::posted(&proxy, &parts, body).await
        })),
        Route::Callback => {
            Answer::Pending(Box::pin(
                async move { callback::handle(&proxy, &parts).await },
            ))
        }
        // The layer sends these elsewhere.
        Route::Public | Route::Protected => Answer::Ready(answer::not_found(&proxy)),
    }
}

/// The answer to a method that the endpoint does not serve, or to a preflight.
fn method_refused(proxy: &Proxy, route: Route, method: &Method) -> Option<OwnResponse> {
    let (is_machines, methods): (bool, &'static [Method]) = match route {
        Route::AuthorizationServerMetadata
        | Route::ProtectedResourceMetadata { .. }
        | Route::UnknownDocument => (true, &[Method::GET, Method::HEAD]),
        Route::Register | Route::Token | Route::Revoke => (true, &[Method::POST]),
        Route::Callback if proxy.provider.about().posts_answer => {
            (false, &[Method::GET, Method::POST])
        }
        Route::Authorize | Route::Callback => (false, &[Method::GET]),
        Route::Consent => (false, &[Method::GET, Method::POST]),
        Route::Public | Route::Protected => (false, &[]),
    };
    if is_machines && *method == Method::OPTIONS {
        return Some(cors::preflight(methods));
    }
    if methods.contains(method) {
        return None;
    }
    let refusal = answer::method_not_allowed(proxy, methods, is_machines);
    Some(match is_machines {
        true => cors::allow(refusal),
        false => refusal,
    })
}
