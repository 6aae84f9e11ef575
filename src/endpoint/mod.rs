//! The proxy's own URLs: one file answers one URL, and opens with that URL and the RFC clauses it
//! obeys.

mod answer;
mod authorize;
mod callback;
mod consent;
mod cors;
mod metadata;
mod redirect;
mod refusal;
mod register;
mod request;
mod revoke;
mod token;

use std::sync::Arc;

use http::{Method, Request};
use http_body::Body;

pub(crate) use revoke::{end_grant, end_grants};

use crate::{body::OwnResponse, error::BoxError, proxy::Proxy, route::Route};

/// Answers a request to one of our URLs; the inner service never sees it.
pub(crate) async fn answer<B>(proxy: Arc<Proxy>, route: Route, request: Request<B>) -> OwnResponse
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    let (is_machines, methods): (bool, &'static [Method]) = match route {
        Route::AuthorizationServerMetadata
        | Route::ProtectedResourceMetadata { .. }
        | Route::UnknownDocument => (true, &[Method::GET, Method::HEAD]),
        Route::Register | Route::Token | Route::Revoke => (true, &[Method::POST]),
        Route::Authorize | Route::Callback => (false, &[Method::GET]),
        Route::Consent => (false, &[Method::GET, Method::POST]),
        Route::Public | Route::Protected => (false, &[]),
    };
    if is_machines && parts.method == Method::OPTIONS {
        return cors::preflight(methods);
    }
    if !methods.contains(&parts.method) {
        let refusal = answer::method_not_allowed(&proxy, methods, is_machines);
        return if is_machines {
            cors::allow(refusal)
        } else {
            refusal
        };
    }
    match route {
        Route::AuthorizationServerMetadata => {
            cors::allow(metadata::authorization_server(&proxy, &parts.method))
        }
        Route::ProtectedResourceMetadata { suffix_at } => {
            let suffix = parts.uri.path().get(suffix_at..).unwrap_or_default();
            cors::allow(metadata::protected_resource(&proxy, &parts.method, suffix))
        }
        Route::UnknownDocument => cors::allow(answer::not_found(&proxy)),
        Route::Register => cors::allow(register::handle(&proxy, &parts, body).await),
        Route::Token => cors::allow(token::handle(&proxy, &parts, body).await),
        Route::Revoke => cors::allow(revoke::handle(&proxy, &parts, body).await),
        Route::Authorize => authorize::handle(&proxy, &parts).await,
        Route::Consent if parts.method == Method::POST => {
            consent::decide(&proxy, &parts, body).await
        }
        Route::Consent => consent::show(&proxy, &parts),
        Route::Callback => callback::handle(&proxy, &parts).await,
        // The layer sends these elsewhere.
        Route::Public | Route::Protected => answer::not_found(&proxy),
    }
}
