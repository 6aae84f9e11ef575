//! The proxy's own URLs: one file answers one URL, and opens with that URL and the RFC clauses it
//! obeys. The paths, methods and callers of all of them are the table in [`route`](crate::route).

mod account;
mod account_decision;
mod account_page;
mod answer;
mod authorize;
mod back_to_client;
mod browser_client;
mod cacheable;
mod callback;
mod caller;
mod client_auth;
mod client_of_code;
mod consent;
mod consent_page;
mod introspect;
mod jwks;
mod metadata;
mod not_here;
mod on_register;
mod onward;
mod over_limit;
mod own_form;
mod redirect;
mod refusal;
mod refusal_hint;
mod refusal_table;
mod register;
mod request;
mod revoke;
mod same_site;
mod token;
mod unserved;
mod visit;

use std::pin::Pin;

use http::{Method, Request};
use http_body::Body;
use tracing::Instrument;

use crate::{
    body::OwnResponse,
    cors,
    error::BoxError,
    event::span,
    resource_server::ResourceServer,
    route::{Caller, Endpoint, Row},
};

/// What comes of a request to one of our URLs; the inner service never sees it.
pub(crate) enum Answer {
    /// It was known at once.
    Ready(OwnResponse),
    /// A body has to be read, or the store or the provider asked. Each endpoint's future is boxed by
    /// itself: the largest would decide for all.
    Pending(Pin<Box<dyn Future<Output = OwnResponse> + Send>>),
}

/// Answers a request to one of our URLs.
pub(crate) fn answer<B>(server: &ResourceServer, row: &'static Row, request: Request<B>) -> Answer
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    if let Some(refusal) = unserved::method_refused(server, row, &parts) {
        return ready(row, refusal);
    }
    let is_post = parts.method == Method::POST;
    match (row.endpoint, server.proxy.clone()) {
        (Endpoint::AuthorizationServerMetadata, _) => {
            ready(row, metadata::authorization_server(server, row, &parts))
        }
        (Endpoint::ProtectedResourceMetadata, _) => {
            ready(row, metadata::protected_resource(server, &parts))
        }
        (Endpoint::ClientDocument, _) => ready(row, metadata::client(server, &parts)),
        (Endpoint::KeySet, _) => ready(row, jwks::handle(server, &parts)),
        // Where no authorization server is here, `route` finds none of its rows.
        (Endpoint::UnknownDocument, _) | (_, None) => ready(row, unserved::not_found(server)),
        (Endpoint::Register, Some(proxy)) => {
            pending(
                row,
                async move { register::handle(&proxy, &parts, body).await },
            )
        }
        (Endpoint::Token, Some(proxy)) => {
            pending(
                row,
                async move { token::handle(&proxy, &parts, body).await },
            )
        }
        (Endpoint::Revoke, Some(proxy)) => {
            pending(
                row,
                async move { revoke::handle(&proxy, &parts, body).await },
            )
        }
        (Endpoint::Introspect, Some(proxy)) => pending(row, async move {
            introspect::handle(&proxy, &parts, body).await
        }),
        (Endpoint::Authorize, Some(proxy)) => {
            pending(row, async move { authorize::handle(&proxy, &parts).await })
        }
        (Endpoint::Consent, Some(proxy)) if is_post => {
            pending(
                row,
                async move { consent::decide(&proxy, &parts, body).await },
            )
        }
        (Endpoint::Consent, Some(proxy)) => ready(row, consent::show(&proxy, &parts)),
        (Endpoint::Account, Some(proxy)) if is_post => {
            pending(
                row,
                async move { account::decide(&proxy, &parts, body).await },
            )
        }
        (Endpoint::Account, Some(proxy)) => ready(row, account::show(&proxy, &parts)),
        (Endpoint::Callback, Some(proxy)) if is_post => {
            pending(
                row,
                async move { callback::posted(&proxy, &parts, body).await },
            )
        }
        (Endpoint::Callback, Some(proxy)) => {
            pending(row, async move { callback::handle(&proxy, &parts).await })
        }
    }
}

fn ready(row: &Row, response: OwnResponse) -> Answer {
    Answer::Ready(readable(row, response))
}

fn pending(row: &'static Row, work: impl Future<Output = OwnResponse> + Send + 'static) -> Answer {
    let work = async move { readable(row, work.await) };
    Answer::Pending(Box::pin(work.instrument(span(row.path))))
}

/// Any origin may read what machines are answered.
fn readable(row: &Row, response: OwnResponse) -> OwnResponse {
    match row.caller {
        Caller::Machine => cors::allow(response),
        Caller::Service | Caller::Browser => response,
    }
}
