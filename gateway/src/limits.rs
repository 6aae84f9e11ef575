//! Every bound that the operator does not choose, with its reason.

use std::time::Duration;

/// After an error of a listener: nearly always, no file descriptor is left.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);

/// How long a new connection may take to ask even when others want its place: a request comes a round trip after
/// its connection.
pub(crate) const MOMENT: Duration = Duration::from_millis(500);

/// For work of the proxy that goes on behind requests, after the last of them. A lost answer of the provider can cost
/// a login.
pub(crate) const DRAIN: Duration = Duration::from_secs(20);

/// A peer that is gone without a word is noticed by what the system sends into the silence: the first after this long.
pub(crate) const KEEPALIVE: Duration = Duration::from_secs(45);
/// … and again each …
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// … so many times.
pub(crate) const KEEPALIVE_PROBES: u32 = 4;

/// HTTP/2 has its own question, and this long to answer it.
pub(crate) const PING_ANSWER: Duration = Duration::from_secs(20);

/// Streams of one HTTP/2 connection at once: the usual number.
pub(crate) const STREAMS_PER_CONNECTION: u32 = 100;

/// What may wait in memory for one HTTP/2 stream to be taken.
pub(crate) const SEND_BUFFER: usize = 64 * 1024;

/// Of HTTP/1, both for what is read and what is written.
pub(crate) const CONNECTION_BUFFER: usize = 64 * 1024;

/// Connections to the server behind that wait for the next request.
pub(crate) const IDLE_TO_SERVER: usize = 64;

/// … for this long. Shorter than what servers commonly grant (uvicorn 5 s, Node.js 5 s): a request that is sent while
/// the other side closes is lost, and one that is not idempotent must not be sent again.
pub(crate) const IDLE_TO_SERVER_FOR: Duration = Duration::from_secs(4);

/// Of what is told about the server behind in a log line.
pub(crate) const MAX_REASON: usize = 300;

/// Connections of the admin listener: probes and a Prometheus.
pub(crate) const ADMIN_CONNECTIONS: usize = 32;

/// The server behind is asked whether it takes connections for readiness, and has this long.
pub(crate) const REACHED_WITHIN: Duration = Duration::from_secs(2);

/// Open files that are no connections of clients or to the server behind: the store, the provider, the admin pages.
pub(crate) const FILES_BESIDES: u64 = 512;
