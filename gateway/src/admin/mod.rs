//! The operator's own listener: health, readiness, metrics. Strangers must not reach it.

mod page;
mod readiness;

pub(crate) use page::{Admin, open_admin, serve_admin};
