//! Every bound and lifetime that the operator does not choose, with its reason. The defaults of those
//! that the operator does choose stand in `config/options.rs`.

mod assertions;
mod away;
mod doctor;
mod json_rpc;
mod login;
mod others_tokens;
mod texts;
mod tool_rules;

use std::time::Duration;

pub(crate) use assertions::*;
pub(crate) use away::*;
pub(crate) use doctor::*;
pub(crate) use json_rpc::*;
pub(crate) use login::*;
pub(crate) use others_tokens::*;
pub(crate) use texts::*;
pub(crate) use tool_rules::*;

/// As good as without an end: longer than anything here is in use.
const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

// ---- config: bounds on what the operator writes

/// The longest grace that is a time: a client that comes back every day. An operator who needs more
/// should choose "until the successor is used", and read what it costs.
pub(crate) const MAX_REFRESH_GRACE: Duration = Duration::from_secs(24 * 60 * 60);
/// The prefix of a cookie's name: the name is in every request.
pub(crate) const MAX_COOKIE_PREFIX: usize = 32;
/// The name of a service, a provider or a client, in characters: what a person reads at a glance.
pub(crate) const MAX_NAME: usize = 100;
/// The operator's hooks may take this long, then the step fails closed.
pub(crate) const HOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// How many authorization servers one resource names: they stand in every copy of its metadata.
pub(crate) const MAX_AUTHORIZATION_SERVERS: usize = 16;

// ---- endpoint: requests at our URLs, and how long a caller waits

/// A body at any of our endpoints. The largest honest one is a registration with a few URIs.
pub(crate) const MAX_BODY: usize = 64 * 1024;
/// The time a client may take to send that body.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// A query string; what servers in front commonly accept.
pub(crate) const MAX_QUERY: usize = 16 * 1024;
/// How long caches keep our documents and the key set: five minutes, so that a changed configuration reaches
/// clients soon. `docs::services` names it.
pub(crate) const DOCUMENT_MAX_AGE: &str = "public, max-age=300";
/// What `Retry-After` says, in seconds.
pub(crate) const RETRY_AFTER_SECS: &str = "5";
/// Revocations of passthrough mode that this process has at the provider at once. Any registered client can
/// ask for one with any text: nothing here knows a provider's token.
pub(crate) const MAX_REVOCATIONS_AT_WORK: usize = 64;

// ---- quota: how often

/// Holders of tokens whose requests are counted, where the operator limits them. Of more than these in a minute the
/// older half goes early, and begins anew with a full bucket: rather than refuse those who did nothing. Each takes
/// some 50 bytes, one MiB in all.
pub(crate) const MAX_PACED_HOLDERS: usize = 20_000;

// ---- metrics: labels

/// Configured clients that are counted each by its id. More of them are counted together: each would make a time
/// series for every provider and outcome.
pub(crate) const MAX_CLIENTS_COUNTED: usize = 100;

// ---- bearer, session, challenge: protected requests

/// A bearer token, in bytes. Ours stay below [`MAX_ISSUED`] even with all claims passed through, except
/// where resource, client id and scopes are at their limits: those still have to verify.
pub(crate) const MAX_BEARER: usize = 16 * 1024;
/// How often the grant is reloaded while unrelated revocations invalidate its slot; afterwards it only
/// has to exist, and its old mark keeps the session from being served again.
pub(crate) const MAX_LOOKS: usize = 3;
/// The local cache of sessions, in bytes: some thousands with tokens of ordinary size.
pub(crate) const SESSION_CACHE_BYTES: usize = 32 * 1024 * 1024;
/// A path named in a challenge or a document.
pub(crate) const MAX_CHALLENGED_PATH: usize = 1024;

// ---- client: who asks

/// A `client_id`, in characters: it has to fit into URLs, with a `state` and a redirect URI beside it,
/// that common proxies cut off at 8 KiB or less.
pub(crate) const MAX_CLIENT_ID: usize = 1600;
/// A `client_id` that is the URL of a document, in bytes: it stands in cookies, tokens and records. Those in use
/// have some 60.
pub(crate) const MAX_DOCUMENT_CLIENT_ID: usize = 512;
/// A client's document, in bytes. The draft recommends to read 5 kilobytes; some hold a key set, or the callback of
/// each of their apps.
pub(crate) const MAX_CLIENT_DOCUMENT_BYTES: usize = 16 * 1024;
/// Redirect URIs in such a document, which is one for all servers and all installations of an app.
pub(crate) const MAX_DOCUMENT_REDIRECT_URIS: usize = 100;
/// The id of a configured client, in bytes.
pub(crate) const MAX_CONFIGURED_ID: usize = 256;
/// A client's secret, in bytes, whether configured or presented.
pub(crate) const MAX_CLIENT_SECRET: usize = 1024;
/// The shortest secret of a configured client, in bytes. RFC 6749 section 2.3.1: "the authorization
/// server MUST protect any endpoint utilizing it against brute force attacks". Guesses are not counted,
/// so a secret has to be too long to guess.
pub(crate) const MIN_CLIENT_SECRET: usize = 16;
/// An `Authorization` header of the scheme `Basic`, in bytes: an id and a secret of full length, each
/// character form-encoded as three, then base64.
pub(crate) const MAX_BASIC: usize = (MAX_CLIENT_ID + MAX_CLIENT_SECRET) * 4;
/// A redirect URI, or a pattern for some, in bytes; the longest of a known client has about 120.
pub(crate) const MAX_REDIRECT_URI: usize = 1024;
/// Redirect URIs in one registration; the most seen with a real client is four.
pub(crate) const MAX_REDIRECT_URIS: usize = 10;
/// A URI of the client metadata that is echoed and not kept, in bytes.
pub(crate) const MAX_ECHOED_URI: usize = 2048;
/// A denied client stays denied this long: signed registrations have no end of their own.
pub(crate) const DENIED_CLIENT_TTL: Duration = TEN_YEARS;

// ---- grant: its life

/// The immediate predecessor of a refresh token is answered with the same successor for this long:
/// a lost answer, or two processes of one client that share a token file, cost nothing. Processes
/// that came 40 seconds apart were logged out by half a minute.
pub(crate) const REFRESH_GRACE: Duration = Duration::from_secs(60);
/// Attempts to win a compare-and-swap on one grant before answering "try again".
pub(crate) const SWAP_ATTEMPTS: usize = 16;
/// The life of a grant where there is no way to ask about its person: no refresh token, no userinfo.
pub(crate) const UNPROVABLE_GRANT_MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A grant's record stays this long after its last day, so that the client that comes back then is
/// told why, and the provider's tokens are revoked.
pub(crate) const AFTER_LAST_DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Before a grant is ended on the provider's word, the store is looked at once more after this long.
pub(crate) const SECOND_LOOK: Duration = Duration::from_millis(500);
/// A refusal of the provider that does not name the token ends the grant once it has lasted this
/// long: an operator has a day to mend a configuration.
pub(crate) const REFUSED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// An answer to a revocation waits this long for the provider's; the provider's goes on alone.
pub(crate) const REVOKE_WAIT: Duration = Duration::from_secs(2);
/// Counters of revocations, 16 KiB in all: a grant falls into one of them by its id, and a revocation
/// costs the cached sessions of those that share it a look at the store.
pub(crate) const REVOCATION_SLOTS: u16 = 4096;

// ---- grant: renewals of the provider's token

/// The provider's token is renewed this long before its end at most, or a tenth of its life where
/// that is shorter.
pub(crate) const RENEW_AHEAD: Duration = Duration::from_secs(60);
/// The life of a provider's token that comes with a refresh token and without `expires_in`: what most
/// providers give. Omitted is not endless (RFC 6749 section 5.1).
pub(crate) const ASSUMED_UPSTREAM_TTL: Duration = Duration::from_secs(60 * 60);
/// A provider's token that a handler reports as refused is replaced once in this time: an API that
/// refuses every token must not turn each call into a request at the provider.
pub(crate) const REPLACED_ONCE_IN: Duration = Duration::from_secs(30);
/// While the provider's old token is still good, a request waits this long for a new one; then the
/// renewal goes on alone.
pub(crate) const RENEWAL_PATIENCE: Duration = Duration::from_millis(500);
/// The answer to a renewal is awaited this much longer than callers are kept waiting: a provider that
/// rotates its refresh tokens has spent the old one, and says the new one only once.
pub(crate) const LATE_ANSWER: Duration = Duration::from_secs(60);
/// How often the owner of a lease says that it lives.
pub(crate) const LEASE_BEAT: Duration = Duration::from_secs(1);
/// A lease whose owner was silent for this long is taken over: three beats, and no more than a
/// client waits for an answer.
pub(crate) const LEASE_DEAD_AFTER: Duration = Duration::from_secs(3);
/// After the first failed renewal of a grant's token the provider is left alone for this long; after
/// each further one twice as long.
pub(crate) const BACK_OFF_FIRST: Duration = Duration::from_secs(2);
/// The longest such pause: two requests a minute, and a provider that is well again is seen soon.
pub(crate) const BACK_OFF_MOST: Duration = Duration::from_secs(30);
/// A failure within this time after another counts as the next one in a row.
pub(crate) const BACK_OFF_MEMORY: Duration = Duration::from_secs(2 * 60);
/// Grants that this process remembers as failed to renew just now.
pub(crate) const MAX_BACK_OFFS: u64 = 10_000;

// ---- grant: tokens for other APIs

/// A token for another API that comes without `expires_in` is kept this long: a burst of calls costs one
/// exchange, and a token that lives for minutes is not kept past its end.
pub(crate) const ASSUMED_EXCHANGED_TTL: Duration = Duration::from_secs(60);
/// A failure to get one is repeated to callers for this long: a loop in a handler must not become one at
/// the provider.
pub(crate) const EXCHANGE_FAILED_FOR: Duration = Duration::from_secs(5);
/// Those that this process keeps, in bytes: some thousands of ordinary size. One that goes too early is
/// asked for again.
pub(crate) const EXCHANGED_BYTES: u64 = 16 * 1024 * 1024;
/// Exchanges that this process has at the provider at once, each a task and a connection, as with logins
/// at the provider.
pub(crate) const MAX_EXCHANGES_AT_WORK: usize = 256;

// ---- grant: writes whose outcome is unknown

/// What the store has to know and cannot be told is tried again for this long.
pub(crate) const SETTLE_FOR: Duration = Duration::from_secs(10 * 60);
/// A request waits this long for that, then it is told to come back.
pub(crate) const SETTLE_WAIT: Duration = Duration::from_secs(2);
/// How often a waiter checks whether the one before it is done.
pub(crate) const POLL: Duration = Duration::from_millis(50);
/// The longest pause between two tries.
pub(crate) const SETTLE_PAUSE: Duration = Duration::from_millis(500);
/// How often the store has to say that nothing is to be taken back, or nothing more: a server that was
/// frozen may carry out late what was sent before.
pub(crate) const CLEAN_READS: usize = 4;

// ---- grant: lists of grants

/// Grants beyond the limit that one login looks at and ends, at most: each is a read of the store, for
/// which the login waits.
pub(crate) const SURPLUS_AT_ONCE: usize = 100;
/// Grants in one page of a person's or a client's. To show or end a page takes a verb or two of the
/// store for each: a tenth of a second where the store is far.
pub(crate) const GRANTS_PER_PAGE: usize = 256;
/// Grants that are looked at, or ended, at once where a whole list is asked for.
pub(crate) const GRANTS_AT_ONCE: usize = 16;

// ---- token: the proxy's own tokens

/// Claims are passed on into an access token of up to this many bytes: common servers take 8 KiB of
/// headers.
pub(crate) const MAX_ISSUED: usize = 7 * 1024;
/// How far ahead another instance's clock may be. `exp` has no such leeway: a token may
/// end early by a client's clock, never late by ours.
pub(crate) const MAX_CLOCK_AHEAD: Duration = Duration::from_secs(60);
/// The id of a key of access tokens, in characters: it stands in the header of every token.
pub(crate) const MAX_KEY_ID: usize = 100;
/// Keys of access tokens. A rotation has two or three; each is one more comparison for a token of another.
pub(crate) const MAX_TOKEN_KEYS: usize = 16;
/// Beyond this, in bytes, an RSA signature is reported as odd: a key of 4096 bits takes some milliseconds to
/// sign each token.
pub(crate) const LARGE_RSA_SIGNATURE: usize = 512;
/// Services that verify tokens by the key set do not hear of a revocation. A longer life of tokens is reported
/// as odd where keys are published.
pub(crate) const LONG_UNHEARD: Duration = Duration::from_secs(24 * 60 * 60);
/// All passed claims together, in bytes of JSON. A bearer token travels in one header line; base64
/// makes a third more of it, and common servers take 8 KiB of headers.
pub(crate) const MAX_PASSED_CLAIMS_BYTES: usize = 4 * 1024;
/// How many claims pass at most.
pub(crate) const MAX_PASSED_CLAIMS: usize = 64;
/// More roles than this are dropped: they stand in every session.
pub(crate) const MAX_ROLES: usize = 64;
/// A longer role is none, in bytes.
pub(crate) const MAX_ROLE_BYTES: usize = 256;

// ---- provider: what it answers

/// The id of a provider, in bytes: it stands in every login's cookie and every grant's record.
pub(crate) const MAX_PROVIDER_ID: usize = 32;
/// How many providers one layer has: all of them stand on one page, for a person to choose from.
pub(crate) const MAX_PROVIDERS: usize = 32;
/// How many issuers are trusted beside the providers: each has its document and its keys in memory.
pub(crate) const MAX_TRUSTED_ISSUERS: usize = 32;
/// An answer of the provider. No token answer or userinfo document comes near; a peer's process was
/// filled by one that never ended.
pub(crate) const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// The longest media type that an error quotes, in characters.
pub(crate) const MAX_MEDIA_TYPE: usize = 60;
/// The longest name of a content coding that an error quotes, in characters.
pub(crate) const MAX_CODING: usize = 40;
/// The longest `error` that is kept, in characters.
pub(crate) const MAX_ERROR_CODE: usize = 100;
/// The longest `error_description` that is kept and sent on, in characters.
pub(crate) const MAX_ERROR_DESCRIPTION: usize = 300;
/// The shortest word that can be a token: 128 bits in base64url have 22 characters. A sentence has no
/// such word with a digit in it.
pub(crate) const SHORTEST_TOKEN: usize = 22;
/// The longest token that is accepted, in bytes: with the grant's other parts it has to fit into
/// one record. Entra's with 200 groups has some 10 KiB.
pub(crate) const MAX_UPSTREAM_TOKEN: usize = 16 * 1024;
/// The longest `scope` that is read, in bytes.
pub(crate) const MAX_UPSTREAM_SCOPE: usize = 8 * 1024;
/// More names than this in one answer are dropped: a bound against a provider gone wrong.
pub(crate) const MAX_UPSTREAM_SCOPES: usize = 256;
/// The longest lifetime that is believed: ten years.
pub(crate) const MAX_EXPIRES_IN: Duration = TEN_YEARS;
/// The longest e-mail address (RFC 5321 section 4.5.3.1) and display name, in bytes.
pub(crate) const MAX_PERSON_TEXT: usize = 320;
/// The longest `sub`, in bytes (OpenID Connect Core section 2).
pub(crate) const MAX_SUBJECT: usize = 255;
/// The most that a person's claims may take, in bytes of JSON: they are stored with the grant.
pub(crate) const MAX_PERSON_CLAIMS: usize = 32 * 1024;
/// The most organizations whose members may log in, where each may take a request at a login.
pub(crate) const MAX_ALLOWED_ORGANIZATIONS: usize = 20;
/// Entries of a claim, and of the list that it is compared with, that an event shows.
pub(crate) const MAX_SHOWN_ENTRIES: usize = 3;
/// The longest of them, in characters: a group's id fits.
pub(crate) const MAX_SHOWN_ENTRY: usize = 36;
/// How far the provider's clock may be behind ours when a token ends.
pub(crate) const ID_TOKEN_EXPIRY_LEEWAY: Duration = Duration::from_secs(60);
/// How far the provider's clock may be ahead of ours when a token begins.
pub(crate) const ID_TOKEN_ISSUE_LEEWAY: Duration = Duration::from_secs(300);

/// What makes a credential of the operator's side may take this long: a key vault, a metadata server of
/// the cloud. A person waits for it in the browser.
pub(crate) const CREDENTIAL_TIMEOUT: Duration = Duration::from_secs(10);
/// An assertion that we sign is good for this long: clocks differ, and it is made for the request that
/// carries it.
pub(crate) const ASSERTION_LIFE: Duration = Duration::from_secs(2 * 60);
/// Its `iat` lies back by this: a server whose clock is a little behind refuses what comes from its future.
pub(crate) const ASSERTION_BACKDATED: Duration = Duration::from_secs(10);
/// A client secret or an assertion that is supplied, in bytes.
pub(crate) const MAX_CREDENTIAL: usize = MAX_UPSTREAM_TOKEN;

/// A provider's document about itself, in bytes. The largest seen with a real provider, with every scope of
/// its API, has 20 KiB.
pub(crate) const MAX_METADATA_BYTES: usize = 256 * 1024;

// ---- vault, storage: records

/// One verb of the store may take this long, then the store counts as down.
pub(crate) const STORE_TIMEOUT: Duration = Duration::from_secs(3);
/// Longer times to live count as this: nothing here lives longer, and no clock or sum can overflow.
pub(crate) const MAX_RECORD_TTL: Duration = TEN_YEARS;
/// A list's name, or a member, in bytes. Names of grants have 22; a store that has no lists of its
/// own appends to the list's name.
pub(crate) const MAX_LIST_NAME: usize = 100;
/// How many names of unknown secrets are reported, each once. A store of garbage holds any number.
pub(crate) const MAX_REPORTED_SECRETS: usize = 16;

// ---- key: secrets and MACs

/// The shortest secret that is used as it is, in bytes. RFC 7518 section 3.2: "A key of the same size
/// as the hash output (for instance, 256 bits for "HS256") or larger MUST be used with this algorithm."
pub(crate) const MIN_SECRET_BYTES: usize = 32;
/// The shortest provider's client secret that keys may be stretched from, in bytes.
pub(crate) const MIN_STRETCHED_SECRET_BYTES: usize = 16;
/// The shortest passphrase, in bytes; stretched, but a guessable one stays guessable.
pub(crate) const MIN_PASSPHRASE_BYTES: usize = 12;
/// The shortest truncated MAC that verifies, in bytes.
pub(crate) const MIN_TAG_BYTES: usize = 16;
