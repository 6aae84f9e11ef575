//! What was granted: the record behind a login, from the authorization code to the last refresh.
//!
//! One record holds a grant through its whole life, so that every change that matters (a code
//! redeemed, a refresh token rotated, the provider's token renewed) is one compare-and-swap: two
//! instances, or a crash between two steps, cannot tear it.

mod asserted;
mod at_once;
mod backoff;
mod code;
mod delegated;
mod ending;
mod freshness;
mod grantless;
mod id;
pub(crate) mod lifetime;
mod live;
mod proof;
mod record;
mod record_read;
mod refresh_token;
mod renewal;
mod revocations;
pub(crate) mod rotation;
pub(crate) mod scopes;
mod store;
mod subjects;
mod surplus;
pub(crate) mod term;

pub(crate) use asserted::{Voucher, Vouchers};
pub(crate) use at_once::at_once;
pub(crate) use code::{code_hash, new_code, read_code};
pub(crate) use delegated::{Delegation, DelegationParts, Holder};
pub use delegated::{ExchangedToken, TokenForError};
pub(crate) use ending::{Ending, end_at_provider};
pub(crate) use freshness::Freshness;
pub(crate) use grantless::GrantlessTokens;
pub(crate) use id::{GrantId, GrantName};
use live::LiveGrant;
pub(crate) use proof::{Known, Look, LookFuture, ProofOfLife, Proven};
pub(crate) use record::{About, CodeMark, Grant, Phase, UpstreamGrant};
pub(crate) use refresh_token::RefreshTokens;
pub(crate) use renewal::{FreshnessError, FreshnessParts, FreshnessSettings, Need};
pub(crate) use revocations::{RevocationMark, Revocations};
pub use rotation::RefreshGrace;
pub(crate) use store::{Grants, Listed, Owner, SeenGrant};
pub use subjects::Subjects;
use subjects::listed_as;
pub(crate) use subjects::{is_named_by_provider, unnamed};
