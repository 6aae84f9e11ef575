//! Who is calling, told to the server behind.

use http::HeaderMap;
use tower_oauth_proxy::AuthSession;

/// What the server behind is told.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub(crate) struct IdentitySettings {}

/// Tells the server behind who is calling, and keeps everyone else from it.
#[derive(Debug, Clone)]
pub(crate) struct Identity {}

impl Identity {
    pub(crate) fn new(settings: IdentitySettings) -> Self {
        let IdentitySettings {} = settings;
        Self {}
    }

    /// Removes what only this gateway may say, in every spelling. Headers and trailers of each request go through it
    /// before anything else reads them.
    pub(crate) fn strip(&self, headers: &mut HeaderMap) {
        headers.remove("x-auth-subject");
    }

    /// Says who is calling. Of a request without a session (a public path) nothing is said.
    pub(crate) fn apply(&self, session: Option<&AuthSession>, headers: &mut HeaderMap) {
        let subject = session.map(AuthSession::subject);
        if let Some(subject) = subject.and_then(|subject| subject.parse().ok()) {
            headers.insert("x-auth-subject", subject);
        }
    }
}
