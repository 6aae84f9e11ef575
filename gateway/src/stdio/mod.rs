//! A local MCP server of standard input and output, as Streamable HTTP.

use std::fmt;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use tower_oauth_proxy::{AuthSession, BoxError};

use crate::answer::AnswerBody;

/// The command, and what its processes are granted.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) struct StdioSettings {
    /// The program and its arguments.
    #[allow(
        dead_code,
        reason = "said by the words of the operator, which are not read yet"
    )]
    pub(crate) command: Vec<std::ffi::OsString>,
}

/// The processes.
pub(crate) struct StdioBehind {
    settings: StdioSettings,
}

impl StdioBehind {
    pub(crate) fn new(settings: StdioSettings) -> Self {
        Self { settings }
    }

    /// One request of Streamable HTTP.
    pub(crate) async fn handle<B>(
        &self,
        request: Request<B>,
        session: &AuthSession,
    ) -> Response<AnswerBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let _ = (&self.settings, request, session);
        let mut answer = Response::new(AnswerBody::default());
        *answer.status_mut() = StatusCode::NOT_IMPLEMENTED;
        answer
    }

    /// Whether it can be started at all, for the readiness endpoint: `Err` says why not.
    pub(crate) async fn probe(&self) -> Result<(), String> {
        Ok(())
    }

    /// Ends all processes: called once, when no request is left.
    pub(crate) async fn stop(&self) {}
}

impl fmt::Debug for StdioBehind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdioBehind").finish_non_exhaustive()
    }
}
