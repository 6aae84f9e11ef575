//! One HTTP exchange, bounded in time and size.

use std::{error::Error as _, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH},
};
use reqwest::{RequestBuilder, Response};

use super::destination::Refusal;
use crate::{
    limits::MAX_TRANSPORT_WORDS,
    metrics::{Ended, Peer, Stopwatch},
    oauth::printable,
};

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why there is no whole answer.
#[derive(Debug)]
pub(crate) enum OutboundError {
    /// No request goes to such a place.
    Refused(Refusal),
    /// No connection, or it broke. The words name no URL.
    Transport(String),
    /// The whole exchange took longer than it may.
    Timeout,
    /// The body is larger than this, in bytes.
    TooLarge(usize),
    /// The body comes in a content coding, and none was accepted.
    Coded { status: StatusCode, coding: String },
}

/// Sends and reads everything within `timeout`, a slow drip of a body included. Reads at most
/// `limit` bytes of body.
pub(crate) async fn send(
    request: RequestBuilder,
    to: Peer<'_>,
    timeout: Duration,
    limit: usize,
) -> Result<Reply, OutboundError> {
    // RFC 9110 section 12.5.3: without this field "any content coding is considered acceptable".
    let request = request.header(ACCEPT_ENCODING, "identity");
    let exchange = async {
        let response = request.send().await.map_err(transport)?;
        read(response, limit).await
    };
    let watch = Stopwatch::start();
    let outcome = tokio::time::timeout(timeout, exchange)
        .await
        .unwrap_or(Err(OutboundError::Timeout));
    watch.outbound(to, ended(&outcome));
    outcome
}

fn ended(outcome: &Result<Reply, OutboundError>) -> Ended {
    match outcome {
        Ok(reply) => Ended::with(reply.status),
        Err(OutboundError::Refused(_)) => Ended::Forbidden,
        Err(OutboundError::Transport(_)) => Ended::Unreachable,
        Err(OutboundError::Timeout) => Ended::Timeout,
        Err(OutboundError::TooLarge(_) | OutboundError::Coded { .. }) => Ended::Unusable,
    }
}

async fn read(mut response: Response, limit: usize) -> Result<Reply, OutboundError> {
    let status = response.status();
    let headers = response.headers().clone();
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(coding) = text(CONTENT_ENCODING).filter(|coding| !is_plain(coding)) {
        // Something on the way packs what was asked for unpacked. (Where the operator's own `reqwest`
        // is built with a decoder, it has unpacked the body before we see it.)
        let coding = coding.to_owned();
        return Err(OutboundError::Coded { status, coding });
    }
    let announced = text(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(OutboundError::TooLarge(limit));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(transport)? {
        if body.len() + chunk.len() > limit {
            return Err(OutboundError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply {
        status,
        headers,
        body: body.freeze(),
    })
}

fn is_plain(coding: &str) -> bool {
    let coding = coding.trim();
    coding.is_empty() || coding.eq_ignore_ascii_case("identity")
}

fn transport(error: reqwest::Error) -> OutboundError {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(refusal) = error.downcast_ref::<Refusal>() {
            return OutboundError::Refused(refusal.clone());
        }
        cause = error.source();
    }
    if error.is_timeout() {
        return OutboundError::Timeout;
    }
    OutboundError::Transport(describe(error))
}

/// The error and what caused it, without the URL: an operator's may hold a key in its query.
pub(super) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    printable(&text, MAX_TRANSPORT_WORDS)
}
