//! The bounds of what goes to other servers.

use std::time::Duration;

// ---- outbound: connections to other servers

/// A connection that takes longer will not come.
pub(crate) const MAX_CONNECT_TIME: Duration = Duration::from_secs(5);
/// Idle connections are dropped before the usual gateway drops them in silence.
pub(crate) const POOL_IDLE_TIME: Duration = Duration::from_secs(50);
/// Idle connections that are kept for one host.
pub(crate) const POOL_IDLE_CONNECTIONS: usize = 16;
/// One exchange with a server that a stranger named, from the first byte to the last: a person waits for it.
pub(crate) const MAX_STRANGERS_TIME: Duration = Duration::from_secs(5);
/// Names of strangers that are looked up at once. Each takes one of the 512 threads that a runtime has for
/// such work, for as long as the operating system likes.
pub(crate) const MAX_STRANGERS_LOOKUPS: usize = 16;
/// Addresses of one name of a stranger that are tried: we are no tool to knock at other people's doors.
pub(crate) const MAX_STRANGERS_ADDRESSES: usize = 8;
/// The first port that a stranger may name beside 443. Below it are other protocols, to which a greeting
/// in our name would go.
pub(crate) const UNPRIVILEGED_PORT: u16 = 1024;
/// A URL of a document, in bytes: it is the key under which the document is kept.
pub(crate) const MAX_DOCUMENT_URL: usize = 2048;
/// The longest description of a transport error, in characters.
pub(crate) const MAX_TRANSPORT_WORDS: usize = 300;

// ---- outbound: documents that are kept

/// Documents of one kind together, in bytes of their URLs and bodies: some thousands of ordinary size.
pub(crate) const MAX_DOCUMENTS_BYTES: u64 = 16 * 1024 * 1024;
/// What a document takes beside its URL and its body, in bytes; so tiny ones are bounded in number.
pub(crate) const DOCUMENT_OVERHEAD: usize = 1024;
/// A document is used for this long without asking again, whatever its source says: a source that says
/// `no-store` would be asked with each request.
pub(crate) const DOCUMENT_LIFE_LEAST: Duration = Duration::from_secs(60);
/// And for no longer than this: a key or a client that was withdrawn is gone within the hour.
pub(crate) const DOCUMENT_LIFE_MOST: Duration = Duration::from_secs(60 * 60);
/// The same where the source says nothing.
pub(crate) const DOCUMENT_LIFE_ASSUMED: Duration = Duration::from_secs(10 * 60);
/// A document stands in for this long after its life while its source is down: a night and a morning.
pub(crate) const DOCUMENT_STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// Where an old document is at hand, a slow source is awaited for this long.
pub(crate) const DOCUMENT_PATIENCE: Duration = Duration::from_secs(1);
/// A URL that failed is not asked again for this long.
pub(crate) const FAILED_FETCH_MEMORY: Duration = Duration::from_secs(5);
/// Failures that are remembered, of each kind of document. Each holds a URL and a sentence.
pub(crate) const MAX_FAILED_FETCHES: u64 = 1_000;
/// A document that lacks a key is asked for again, and then once in this time: keys can be invented.
pub(crate) const REFETCH_COOLDOWN: Duration = Duration::from_secs(10);
/// Fetches of one kind of document at once. Each holds a task and a connection.
pub(crate) const MAX_FLIGHTS: usize = 64;
/// Those at one host that a stranger named: we are no tool to flood it, and it cannot take all of them.
pub(crate) const MAX_FLIGHTS_PER_HOST: usize = 8;
/// Those beside, at any host, for clients that have a login here: strangers cannot keep them out.
pub(crate) const MAX_FLIGHTS_OF_LOGINS: usize = 16;
/// Documents of one kind that strangers make us ask one host for within a minute: as often as one polite
/// client would. What was fetched before and is only fetched again does not count.
pub(crate) const MAX_STRANGERS_FETCHES_PER_MINUTE: u32 = 60;
/// Hosts that are counted for this at once, each with its name: half a MiB at most.
pub(crate) const MAX_PACED_HOSTS: usize = 1_024;
/// A fetch that has not ended this long after its time will not: it is begun anew.
pub(crate) const FLIGHT_GRACE: Duration = Duration::from_secs(1);
