//! The bounds of one person's login in one browser: cookies, hints, callbacks.

use std::time::Duration;

/// A `login_hint`, in bytes: an address, or a name of that length.
pub(crate) const MAX_HINT: usize = 320;
/// `ui_locales`, in bytes: some dozen languages.
pub(crate) const MAX_LOCALES: usize = 100;
/// A cookie with its name; browsers guarantee 4096 bytes (RFC 6265 section 6.1).
pub(crate) const MAX_COOKIE: usize = 4096;
/// All our cookies in one browser together: they go with every request to this host, and servers
/// in front commonly refuse more than 8 KiB of headers.
pub(crate) const MAX_COOKIES_BYTES: usize = 6 * 1024;
/// The same where a cookie of higher rank would have to go: up to here both stay.
pub(crate) const MAX_COOKIES_BYTES_EVER: usize = 7 * 1024 + 512;
/// Cookies of ours that are read in one request. A browser has a handful; a stranger's header of
/// thousands is not worth opening.
pub(crate) const MAX_COOKIES_OPENED: usize = 32;
/// Logins in progress per browser, of each of the two cookies; as many again that other sites'
/// pages started.
pub(crate) const MAX_LOGINS_PER_BROWSER: usize = 3;
/// A name on the account page, in bytes: it travels in a cookie.
pub(crate) const MAX_ACCOUNT_NAME: usize = 96;
/// The same of an e-mail address, which is longer.
pub(crate) const MAX_ACCOUNT_ADDRESS: usize = 128;
/// What a login's cookie may grow by, in characters, when it becomes one of the account page: these, the code
/// and their lengths. A login that leaves less room is refused before the person goes to the provider.
pub(crate) const ACCOUNT_ROOM: usize = 480;
/// How often a code is tried to be handed out while others change its grant: a second click, the operator.
pub(crate) const HAND_OUT_TRIES: usize = 3;
/// Remembered approvals per browser; the oldest goes first.
pub(crate) const MAX_APPROVALS: usize = 32;
/// How long a browser's approval is remembered with `Consent::Remember`.
pub(crate) const APPROVAL_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A provider's answer that says why it sends no code: as much as a URI holds here. The client that
/// waits has to hear of it, however much the provider says.
pub(crate) const MAX_ERROR_ANSWER: usize = 64 * 1024;
/// Callbacks that this process remembers as used, besides the store.
pub(crate) const MAX_CALLBACKS: usize = 20_000;
/// Codes of callbacks that this process has at the provider at once. Each holds a task and a
/// connection, some 58 KiB as measured: 15 MiB while a provider is slow, and a quarter of the usual
/// 1,024 descriptors. A provider that takes 200 ms still sees more than a thousand logins a second.
pub(crate) const MAX_CALLBACKS_AT_WORK: usize = 256;
/// Callbacks that this process answers at once, those that wait for one of the above included: some
/// 8 KiB each as measured, 64 MiB in all. A burst of some thousand people waits a moment; further ones are
/// told to come again.
pub(crate) const MAX_CALLBACKS_AT_ONCE: usize = 8 * 1024;
/// A claim on a callback outlives its owner by this much at most: the person's reload then gets
/// through on another instance.
pub(crate) const CLAIM_TTL: Duration = Duration::from_secs(3);
/// A living owner prolongs its claim this often: two tries may fail before it is lost.
pub(crate) const CLAIM_AGAIN: Duration = Duration::from_secs(1);
/// How often those who wait for a claim look again.
pub(crate) const CLAIM_POLL: Duration = Duration::from_millis(100);
