//! A small MCP client in the browser, so that a person can watch the journey.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    extract::{Query, RawQuery, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use tokio::net::TcpListener;

use super::{
    journey::Journey,
    page,
    wire::{Wire, Wrong},
};
use crate::support::serve::{Limits, never, serve};

/// Journeys that wait for their person to come back.
const MAX_WAITING: usize = 50;

#[derive(Clone)]
struct Client(Arc<Inner>);

struct Inner {
    origin: String,
    mcp_url: String,
    waiting: Mutex<HashMap<String, Journey>>,
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, HashMap<String, Journey>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves the client on a loopback listener; `/start` begins a journey.
pub(crate) fn start(listener: TcpListener, origin: String, mcp_url: String) {
    let client = Client(Arc::new(Inner {
        origin,
        mcp_url,
        waiting: Mutex::default(),
    }));
    let app = Router::new()
        .route("/start", get(begin))
        .route("/callback", get(finish))
        .with_state(client);
    tokio::spawn(serve(listener, app, Limits::small(), never()));
}

async fn begin(State(Client(client)): State<Client>) -> Response {
    let Ok(wire) = Wire::new(false) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let callback = format!("{}/callback", client.origin);
    let mut journey = Journey::new(wire, &client.mcp_url, &callback);
    let Ok(url) = journey.prepare().await else {
        return Html(page::journey(&journey.wire.steps, false)).into_response();
    };
    let mut waiting = client.waiting();
    if waiting.len() >= MAX_WAITING {
        // Abandoned ones, most likely.
        waiting.clear();
    }
    waiting.insert(journey.state.clone(), journey);
    Redirect::to(&url).into_response()
}

async fn finish(
    State(Client(client)): State<Client>,
    RawQuery(raw): RawQuery,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let state = query.get("state").map(String::as_str).unwrap_or_default();
    let Some(mut journey) = client.waiting().remove(state) else {
        return (
            StatusCode::BAD_REQUEST,
            "this journey has ended; start again",
        )
            .into_response();
    };
    let url = format!("{}/callback?{}", client.origin, raw.unwrap_or_default());
    let done = complete(&mut journey, &url).await;
    Html(page::journey(&journey.wire.steps, done.is_ok())).into_response()
}

async fn complete(journey: &mut Journey, callback: &str) -> Result<(), Wrong> {
    journey.redeem(callback).await?;
    let person = journey.whoami(None).await?;
    journey.admin_tool(person == "ada").await?;
    journey.refresh().await?;
    journey.whoami(Some(&person)).await?;
    journey.revoke().await
}
