//! Rules on header fields, without I/O: what ends at this hop, what a name may look like, which cookies are the
//! proxy's own, and what the server behind is told about the client's connection.

mod cookies;
mod forwarded;
mod hop;
mod spelling;

pub(crate) use cookies::drop_own_cookies;
pub(crate) use forwarded::{Peer, tell_of_peer};
pub(crate) use hop::{Hop, end_hop, end_hop_of_answer, end_hop_of_trailers};
pub(crate) use spelling::drop_odd_names;
