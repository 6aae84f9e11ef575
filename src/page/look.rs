//! How the pages look: what the operator said about this service.

use crate::oauth::BaseUrl;

/// The same on every page.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// The name that people read.
    pub(crate) service: String,
}

impl Look {
    /// The name that was given, or the host.
    pub(crate) fn new(service_name: Option<&str>, base: &BaseUrl) -> Self {
        let origin = base.origin();
        let host = || origin.split_once("://").map_or(origin, |(_, host)| host);
        let service = service_name.unwrap_or_else(host).to_owned();
        Self { service }
    }
}
