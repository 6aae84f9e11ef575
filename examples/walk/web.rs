//! A small MCP client in the browser, so that a person can watch the journey.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    extract::{Query, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use tokio::net::TcpListener;

use super::{
    journey::{Journey, Return},
    page,
    verdict::Verdict,
    wire::{Wire, Wrong},
};
use crate::support::{
    pages,
    serve::{Limits, never, serve},
};

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
    fn start(&self) -> String {
        format!("{}/start", self.origin)
    }

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
        return told(&journey, Err(Wrong));
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
        return pages::answer(StatusCode::BAD_REQUEST, page::ended(&client.start()));
    };
    let url = format!("{}/callback?{}", client.origin, raw.unwrap_or_default());
    let ended = complete(&mut journey, &url).await;
    told(&journey, ended)
}

fn told(journey: &Journey, ended: Result<Option<String>, Wrong>) -> Response {
    let steps = &journey.wire.steps;
    let verdict = Verdict::of(steps, ended);
    pages::answer(StatusCode::OK, page::journey(steps, &verdict))
}

/// Whom it logged in.
async fn complete(journey: &mut Journey, callback: &str) -> Result<Option<String>, Wrong> {
    let Return::Code(code) = journey.returned(callback)? else {
        return Ok(None);
    };
    journey.redeem(&code).await?;
    let person = journey.whoami(None).await?;
    journey.admin_tool(person == "ada").await?;
    journey.refresh().await?;
    journey.whoami(Some(&person)).await?;
    journey.revoke().await?;
    Ok(Some(person))
}
