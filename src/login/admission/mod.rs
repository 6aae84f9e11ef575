//! Who is it, and may they come in? Asked when a person logs in, and again for as long as their
//! grant lives: what was true at login does not stay true for ever.
//!
//! Each provider has an admission of its own. `admit` makes every grant of a login, `hand_out` its code's way past the account page, and
//! `vouched` those of assertions, `operator` asks the allow lists and the hook, `known` chooses what
//! sessions show of a person, `renewed` reads what a renewal says of them, and `proof` puts these
//! together for the grants that live. `token_admission` asks about those who come with a token of another server.

mod admissions;
mod admit;
mod hand_out;
mod known;
mod operator;
mod proof;
mod renewed;
mod token_admission;
mod vouched;

pub(crate) use admissions::Admissions;
pub(crate) use admit::{Admission, AdmissionError, Admitted, Application, NotGranted};
pub(crate) use hand_out::HandedOut;
pub(crate) use operator::NotAdmitted;
pub(crate) use token_admission::{TokenAdmission, TokenBearer};
pub(crate) use vouched::{Vouched, VouchedAdmission};
