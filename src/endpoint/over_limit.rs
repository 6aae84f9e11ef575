//! What a client hears when a limit of the operator is reached.

use http::StatusCode;

use super::{refusal::Refusal, refusal_hint::Hint};
use crate::{
    event::Reason,
    quota::{Limit, Over},
};

impl From<Over> for Refusal {
    /// `temporarily_unavailable` in any case: clients keep what they have, and come again. What everybody asks for
    /// together is 503. RFC 6585 section 4, of 429: "the user has sent too many requests in a given amount of time".
    fn from(over: Over) -> Self {
        let secs = over.wait_secs();
        let mut refusal = Self::unavailable(Reason::OverLimit);
        if over.limit == Limit::TokenRequests {
            refusal.error.status = StatusCode::TOO_MANY_REQUESTS;
            refusal = refusal.describe(format!(
                "too many requests for tokens; nothing has changed, try again in {secs} s"
            ));
        }
        refusal.hint = Some(Hint::RetryAfter(secs));
        refusal.detail(over)
    }
}
