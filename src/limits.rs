//! Every bound and lifetime that is not the operator's to choose, and the defaults of those that
//! are.

use std::time::Duration;

/// An authorization code's life. RFC 6749 section 4.1.2 recommends at most ten minutes; clients
/// redeem within seconds.
pub(crate) const AUTHORIZATION_CODE_TTL: Duration = Duration::from_secs(5 * 60);
/// From the authorization request to the provider's callback: a person may have to find a second
/// factor.
pub(crate) const TRANSACTION_TTL: Duration = Duration::from_secs(10 * 60);
/// A grant that is not used for this long is over.
pub(crate) const REFRESH_TOKEN_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// An access token's life where neither the operator nor the provider says.
pub(crate) const ACCESS_TOKEN_TTL: Duration = Duration::from_secs(60 * 60);
/// How long a revocation on another instance can go unseen.
pub(crate) const SESSION_CACHE_TTL: Duration = Duration::from_secs(10);
/// The local cache of sessions, in bytes: some thousands with tokens of ordinary size.
pub(crate) const SESSION_CACHE_BYTES: usize = 32 * 1024 * 1024;
/// One request to the provider, from connect to the last byte.
pub(crate) const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a browser's approval is remembered with `Consent::Remember`.
pub(crate) const APPROVAL_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A denied client stays denied this long: sealed registrations have no end of their own.
pub(crate) const DENIED_CLIENT_TTL: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The immediate predecessor of a refresh token is answered with the same successor for this long:
/// a lost answer, or two processes of one client that share a token file, cost nothing.
pub(crate) const REFRESH_GRACE_SECS: u64 = 30;
/// The provider's token is renewed this long before its end at most, or a tenth of its life where
/// that is shorter.
pub(crate) const RENEW_AHEAD_SECS: u64 = 60;

/// A body at any of our endpoints. The largest honest one is a registration with a few URIs.
pub(crate) const MAX_BODY: usize = 64 * 1024;
/// The time a client may take to send that body.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// A query string; what servers in front commonly accept.
pub(crate) const MAX_QUERY: usize = 16 * 1024;
/// A bearer token. Ours stay below 8 KiB even with all claims passed through.
pub(crate) const MAX_BEARER: usize = 16 * 1024;
/// A path named in a challenge or a document.
pub(crate) const MAX_CHALLENGED_PATH: usize = 1024;
/// A cookie with its name; browsers guarantee 4096 bytes (RFC 6265 section 6.1).
pub(crate) const MAX_COOKIE: usize = 4096;
/// All our cookies in one browser together: they go with every request to this host, and servers
/// in front commonly refuse more than 8 KiB of headers.
pub(crate) const MAX_COOKIES_BYTES: usize = 6 * 1024;
/// The same where it would cost somebody else's login: up to here both stay.
pub(crate) const MAX_COOKIES_BYTES_EVER: usize = 7 * 1024 + 512;
/// Logins in progress per browser, of each of the two cookies; as many again that other sites'
/// pages started.
pub(crate) const MAX_LOGINS_PER_BROWSER: usize = 3;
/// Remembered approvals per browser; the oldest goes first.
pub(crate) const MAX_APPROVALS: usize = 32;
/// Grants that this process remembers as failed to renew just now.
pub(crate) const MAX_BACK_OFFS: u64 = 10_000;
/// What the store has to know and cannot be told is tried again for this long.
pub(crate) const SETTLE_FOR: Duration = Duration::from_secs(10 * 60);
/// Before a grant is ended on the provider's word, the store is looked at once more after this long.
pub(crate) const SECOND_LOOK: Duration = Duration::from_millis(500);
/// A request waits this long for that, then it is told to come back.
pub(crate) const SETTLE_WAIT: Duration = Duration::from_secs(2);
/// The longest pause between two tries.
pub(crate) const SETTLE_PAUSE: Duration = Duration::from_millis(500);
/// The parts that the list of a person's or a client's grants is cut into.
pub(crate) const INDEX_SHARDS: u8 = 16;
/// Grants in one part: 16 of them hold some 32,000, in records below the stores' limit.
pub(crate) const INDEX_SHARD_ENTRIES: usize = 2_000;
/// Callbacks that this process remembers as used, besides the store.
pub(crate) const MAX_CALLBACKS: usize = 20_000;
/// Codes of callbacks that this process has at the provider at once. Each holds a task and a
/// connection, some 58 KiB as measured: 15 MiB while a provider is slow, and a quarter of the usual
/// 1,024 descriptors. A provider that takes 200 ms still sees more than a thousand logins a second.
pub(crate) const MAX_CALLBACKS_AT_WORK: usize = 256;
/// Callbacks that this process answers at once, those that wait for one of the above included: some
/// 8 KiB each as measured, 64 MiB in all. A burst of some thousand people waits a moment; what comes on
/// top is told to come again.
pub(crate) const MAX_CALLBACKS_AT_ONCE: usize = 8 * 1024;
/// A claim on a callback outlives its owner by this much at most: the person's reload then gets
/// through on another instance.
pub(crate) const CLAIM_TTL: Duration = Duration::from_secs(3);
/// A living owner prolongs its claim this often: two tries may fail before it is lost.
pub(crate) const CLAIM_AGAIN: Duration = Duration::from_secs(1);
/// How often those who wait for a claim look again.
pub(crate) const CLAIM_POLL: Duration = Duration::from_millis(100);
/// The operator's hooks may take this long, then the step fails closed.
pub(crate) const HOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// One verb of the store may take this long, then the store counts as down.
pub(crate) const STORE_TIMEOUT: Duration = Duration::from_secs(3);
/// Attempts to win a compare-and-swap on one grant before answering "try again".
pub(crate) const SWAP_ATTEMPTS: usize = 16;
/// What `Retry-After` says, in seconds.
pub(crate) const RETRY_AFTER_SECS: &str = "5";
/// An answer to a revocation waits this long for the provider's; the provider's goes on alone.
pub(crate) const REVOKE_WAIT: Duration = Duration::from_secs(2);
