//! The bounds of texts: what a person or the operator reads, parameters, URIs.

use super::{MAX_CLIENT_ID, MAX_PERSON_TEXT};

// ---- page: what a person reads

/// The longest name or address that is shown, in characters. Both are bounded where they are made;
/// this keeps a record of an older version in its place too.
pub(crate) const MAX_SHOWN: usize = 300;

/// The longest text of a page, in characters: some sentences. The longest that is shipped has 340.
pub(crate) const MAX_PAGE_TEXT: usize = 600;
/// The most languages of the pages: each takes some 10 KiB, and is looked at for each page.
pub(crate) const MAX_LANGUAGES: usize = 64;
/// The most of a host that the consent page shows, in characters, from its end: three lines of a small phone. Hosts of
/// real clients have up to 50.
pub(crate) const MAX_HOST_SHOWN: usize = 60;
/// Scopes that a person takes in at one look: more of them get headings.
pub(crate) const FEW_RIGHTS: usize = 6;
/// The most bytes of an icon: each page holds it twice, a third larger.
pub(crate) const MAX_ICON: usize = 16 * 1024;
/// The most links of the operator's at the foot of a page: privacy, terms, imprint, home.
pub(crate) const MAX_PAGE_LINKS: usize = 4;
/// The longest of their URLs, in bytes.
pub(crate) const MAX_PAGE_URL: usize = 1024;
/// The longest address for mail, in bytes (RFC 5321 section 4.5.3.1.3, less the angle brackets).
pub(crate) const MAX_MAIL_ADDRESS: usize = 254;
/// The longest text of a scope, in characters: a sentence that a person reads.
pub(crate) const MAX_SCOPE_TEXT: usize = 200;
/// The most texts of scopes, in all languages: a hundred scopes in ten of them.
pub(crate) const MAX_SCOPE_TEXTS: usize = 1000;
/// The most bytes of a page that the operator writes: what is ours of it has some 20 KiB.
pub(crate) const MAX_CUSTOM_PAGE: usize = 256 * 1024;

/// The languages of `Accept-Language` that are looked at. A browser names a handful.
pub(crate) const MAX_LANGUAGES_READ: usize = 32;
/// The longest language tag, in bytes (RFC 5646 section 4.4.1 has 35 suffice for all but private use).
pub(crate) const MAX_LANGUAGE_TAG: usize = 35;

/// The media ranges of an `Accept` that are looked at; browsers send some eight.
pub(crate) const MAX_MEDIA_RANGES: usize = 32;

// ---- oauth: parameters and URIs

/// The longest base URL, in bytes: it stands in every token and every discovery document.
pub(crate) const MAX_BASE_URL: usize = 512;
/// The longest resource, in bytes: it stands in every access token.
pub(crate) const MAX_RESOURCE: usize = 2048;
/// The most scopes that one string may name. The longest list seen with a real provider is Google's, a
/// little over twenty.
pub(crate) const MAX_SCOPES: usize = 64;
/// The longest scope, in bytes: URLs are in use as scopes.
pub(crate) const MAX_SCOPE: usize = 256;
/// The most parameters of one query or form; real requests have about ten.
pub(crate) const MAX_PARAMS: usize = 64;
/// The longest name or value of a parameter, in bytes: a provider's token of 16 KiB, sealed for its client
/// in passthrough mode, with what was granted beside it. (Some clients keep a whole session in `state`; of
/// a query the whole is shorter than this.)
pub(crate) const MAX_PARAM: usize = 24 * 1024;
/// The longest piece of a stranger's input inside an `error_description`, in characters: a redirect URI of
/// any real client fits.
pub(crate) const MAX_QUOTED: usize = 200;
/// The longest `error_description`, in characters: a sentence with such a piece in it.
pub(crate) const MAX_DESCRIPTION: usize = 600;
/// Marks on one character that are kept. Vietnamese, Hebrew and Thai need three; fifty hide the
/// lines above and below.
pub(crate) const MAX_MARKS: usize = 4;

// ---- event: what the operator reads

/// The longest detail of an event, in characters: a sentence of ours, with what the provider said and a redirect URI
/// beside those that are registered.
pub(crate) const MAX_DETAIL: usize = 600;
/// Codes of another server that are kept of its words, where those may name a person.
pub(crate) const MAX_QUOTED_CODES: usize = 5;
/// Registered addresses that an event shows beside one that is not.
pub(crate) const MAX_SHOWN_URIS: usize = 3;
/// The longest id, name, address or host in an event, in characters: the longest address fits.
pub(crate) const MAX_EVENT_TEXT: usize = MAX_PERSON_TEXT;
/// The longest `client_id` or resource in an event, in characters: each id that is a client's is shown whole, so that
/// it can be denied.
pub(crate) const MAX_EVENT_CLIENT: usize = MAX_CLIENT_ID;
/// The longest list of scopes in an event, in characters.
pub(crate) const MAX_EVENT_SCOPES: usize = 600;
