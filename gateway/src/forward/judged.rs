//! The rules by tool, before what stands behind.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower::{Layer, Service};
use tower_oauth_proxy::{BoxError, guard::mcp::McpRulesService};

use super::Forward;
use crate::{answer::AnswerBody, settings::RuleSettings};

/// What stands behind, and who may call what of it. Clones are the same.
#[derive(Clone)]
pub(crate) struct Judged {
    forward: Forward,
    rules: Option<McpRulesService<Forward>>,
    /// Paths that no rule is about, compared exactly: everything else is judged.
    except: Arc<[String]>,
}

impl Judged {
    pub(crate) fn new(forward: Forward, rules: Option<RuleSettings>) -> Self {
        let (layer, except) = match rules {
            Some(RuleSettings { layer, except }) => (Some(layer), except),
            None => (None, Vec::new()),
        };
        Self {
            rules: layer.map(|layer| layer.layer(forward.clone())),
            forward,
            except: except.into(),
        }
    }
}

impl<B> Service<Request<B>> for Judged
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<AnswerBody>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let path = request.uri().path();
        match &mut self.rules {
            Some(rules) if !self.except.iter().any(|except| except == path) => {
                let answer = rules.call(request);
                Box::pin(async move { Ok(answer.await?.map(AnswerBody::stream)) })
            }
            _ => self.forward.call(request),
        }
    }
}
