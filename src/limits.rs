//! Every bound and lifetime that is not the operator's to choose, and the defaults of those that
//! are.

use std::time::Duration;

/// An authorization code's life. RFC 6749 section 4.1.2 recommends at most ten minutes; clients
/// redeem within seconds.
pub(crate) const AUTHORIZATION_CODE_TTL: Duration = Duration::from_secs(5 * 60);
/// From the authorization request to the provider's callback: a person may have to find a second
/// factor.
pub(crate) const TRANSACTION_TTL: Duration = Duration::from_secs(10 * 60);
/// A grant that is not used for this long ends.
pub(crate) const REFRESH_TOKEN_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// An access token's life unless the operator says otherwise, whatever the provider's lives: it can
/// be renewed with our refresh token, and one that leaks should not be good for ten years.
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
/// a lost answer, or two processes of one client that share a token file, cost nothing. Processes
/// that came 40 seconds apart were logged out by half a minute.
pub(crate) const REFRESH_GRACE: Duration = Duration::from_secs(60);
/// The longest grace that is a time: a client that comes back every day. An operator who needs more
/// should choose "until the successor is used", and read what it costs.
pub(crate) const MAX_REFRESH_GRACE: Duration = Duration::from_secs(24 * 60 * 60);
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
/// The name of a service or a provider, in characters: what a person reads at one glance.
pub(crate) const MAX_NAME: usize = 100;
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
/// After the first failed renewal of a grant's token the provider is left alone for this long; after
/// each further one twice as long.
pub(crate) const BACK_OFF_FIRST_SECS: u64 = 2;
/// The longest such pause: two requests a minute, and a provider that is well again is seen soon.
pub(crate) const BACK_OFF_MOST_SECS: u64 = 30;
/// So long after a failure its successor counts as the next one in a row.
pub(crate) const BACK_OFF_MEMORY: Duration = Duration::from_secs(2 * 60);
/// The owner of a lease says about this often that it lives.
pub(crate) const LEASE_BEAT: Duration = Duration::from_secs(1);
/// A lease whose owner said nothing for this long is taken over: three beats, and no more than a
/// client waits for an answer.
pub(crate) const LEASE_DEAD_AFTER: Duration = Duration::from_secs(3);
/// The answer to a renewal is awaited this much longer than callers are kept waiting: a provider that
/// rotates its refresh tokens has spent the old one, and says the new one only once.
pub(crate) const LATE_ANSWER: Duration = Duration::from_secs(60);
/// A refusal of the provider that does not name the token ends the grant once it has lasted this
/// long: an operator has a day to mend a configuration.
pub(crate) const REFUSED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// The life of a provider's token that comes with a refresh token and without `expires_in`: what most
/// providers give. Omitted is not endless (RFC 6749 section 5.1).
pub(crate) const ASSUMED_UPSTREAM_TTL: Duration = Duration::from_secs(60 * 60);
/// A provider's token that a handler reports as refused is replaced once in this time: an API that
/// refuses every token must not turn each call into a request at the provider.
pub(crate) const REPLACED_ONCE_IN: Duration = Duration::from_secs(30);
/// What was true of a person is asked again when a client refreshes after this long.
pub(crate) const IDENTITY_MAX_AGE: Duration = Duration::from_secs(60 * 60);
/// The life of a grant where there is no way to ask about its person: no refresh token, no userinfo.
pub(crate) const UNPROVABLE_GRANT_MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A grant's record stays this long after its last day, so that the client that comes back then is
/// told why, and the provider's tokens are revoked.
pub(crate) const AFTER_LAST_DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// What the store has to know and cannot be told is tried again for this long.
pub(crate) const SETTLE_FOR: Duration = Duration::from_secs(10 * 60);
/// Before a grant is ended on the provider's word, the store is looked at once more after this long.
pub(crate) const SECOND_LOOK: Duration = Duration::from_millis(500);
/// A request waits this long for that, then it is told to come back.
pub(crate) const SETTLE_WAIT: Duration = Duration::from_secs(2);
/// The longest pause between two tries.
pub(crate) const SETTLE_PAUSE: Duration = Duration::from_millis(500);
/// One person's live grants. Somebody with five clients on each of five machines has 25; beyond a
/// hundred it is a program that logs in instead of refreshing, and every grant takes some KiB of the
/// store that others need too.
pub(crate) const GRANTS_PER_PERSON: usize = 100;
/// So many more than the limit are looked at, and ended, with one login: each is a read of the store,
/// for which the login waits.
pub(crate) const SURPLUS_AT_ONCE: usize = 100;
/// Grants in one page of a person's or a client's. To show or end a page takes a verb or two of the
/// store for each: a tenth of a second where the store is far.
pub(crate) const GRANTS_PER_PAGE: usize = 256;
/// So many grants are looked at, or ended, at once where a whole list is asked for.
pub(crate) const GRANTS_AT_ONCE: usize = 16;
/// Callbacks that this process remembers as used, besides the store.
pub(crate) const MAX_CALLBACKS: usize = 20_000;
/// Revocations of passthrough mode that this process has at the provider at once. Whoever registers can
/// ask for one with any text: nothing here knows a provider's token.
pub(crate) const MAX_REVOCATIONS_AT_WORK: usize = 64;
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

// ---- login

/// A provider's answer that says why it sends no code: as much as a URI holds here. The client that
/// waits has to hear of it, however much the provider says.
pub(crate) const MAX_ERROR_ANSWER: usize = 64 * 1024;
