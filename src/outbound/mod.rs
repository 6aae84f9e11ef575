//! The one door outwards: the HTTP client, and one exchange bounded in time and size.
//!
//! What the answer means is for the room that asked. A guard for addresses that strangers name
//! belongs into `send`, before the request leaves.

mod http_client;
mod send;

pub(crate) use http_client::{Customize, http_client};
pub(crate) use send::{OutboundError, Reply, send};
