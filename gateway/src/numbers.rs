//! What the gateway counts beside the layer: `/metrics` shows both.

use std::time::Duration;

use http::StatusCode;
use metrics::{
    Gauge, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

const CONNECTIONS: &str = "oauth_gateway_connections";
const REQUESTS: &str = "oauth_gateway_requests";
const ANSWERS: &str = "oauth_gateway_answers_total";
const ANSWER_SECONDS: &str = "oauth_gateway_answer_seconds";
const FAILURES: &str = "oauth_gateway_failures_total";

/// Says what each number means, once a recorder is there.
pub(crate) fn describe() {
    describe_gauge!(CONNECTIONS, "Connections of clients that are open.");
    describe_gauge!(REQUESTS, "Requests at the server behind, streams included.");
    describe_counter!(
        ANSWERS,
        "Answers of the server behind, by the first digit of their status."
    );
    describe_histogram!(
        ANSWER_SECONDS,
        Unit::Seconds,
        "From the request to the beginning of the server's answer."
    );
    describe_counter!(
        FAILURES,
        "Requests that the server behind did not answer, by the reason."
    );
}

/// One of those that are at work now, until dropped.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Counted {
    /// A connection.
    pub(crate) fn connection() -> Self {
        Self::of(gauge!(CONNECTIONS))
    }

    /// A request at the server behind.
    pub(crate) fn request() -> Self {
        Self::of(gauge!(REQUESTS))
    }

    fn of(gauge: Gauge) -> Self {
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// The server behind began an answer.
pub(crate) fn answered(status: StatusCode, took: Duration) {
    // As few values as there are: the label is the server's choice.
    let class = match status.as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    };
    counter!(ANSWERS, "status" => class).increment(1);
    histogram!(ANSWER_SECONDS).record(took);
}

/// It did not.
pub(crate) fn failed(reason: &'static str) {
    counter!(FAILURES, "reason" => reason).increment(1);
}
