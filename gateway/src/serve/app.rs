//! One request, from the door through the layer to its answer.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tower::{Layer, ServiceExt};
use tower_oauth_proxy::{OAuthProxyLayer, OAuthProxyService};

use super::{
    activity::OpenRequest,
    delivered::Delivered,
    door::{self, DoorLimits, Refusal},
};
use crate::{
    answer::refusal,
    forward::Judged,
    headers::Peer,
    identity::Identity,
    inbound::{Arrival, Place, Upload},
    settings::LimitSettings,
};

/// What answers requests; clones are the same.
#[derive(Clone)]
pub(crate) struct App {
    service: OAuthProxyService<Judged>,
    identity: Arc<Identity>,
    door: DoorLimits,
    stall: Duration,
}

impl App {
    pub(crate) fn new(
        layer: &OAuthProxyLayer,
        forward: Judged,
        identity: Arc<Identity>,
        limits: &LimitSettings,
    ) -> Self {
        Self {
            service: layer.layer(forward),
            identity,
            door: DoorLimits {
                body: limits.body,
                header_lines: limits.header_lines,
            },
            stall: limits.stall,
        }
    }

    pub(super) async fn answer(
        self,
        mut request: Request<Incoming>,
        peer: Peer,
        place: Place,
        open: OpenRequest,
    ) -> Result<Response<Delivered>, Infallible> {
        let client_side = hyper::upgrade::on(&mut request);
        let (mut parts, body) = request.into_parts();
        let hop = match door::enter(&mut parts, self.door) {
            Ok(hop) => hop,
            Err(refused) => return Ok(refuse(refused).map(|body| Delivered::of_door(body, open))),
        };
        if let Some(keys) = key_set(&parts, &self.identity) {
            return Ok(keys.map(|body| Delivered::of_door(body, open)));
        }
        self.identity.strip(&mut parts.headers);
        let identity = Arc::clone(&self.identity);
        let named = hop.named.clone();
        let body = Upload::new(body, self.door.body, self.stall, named, identity);
        let upload = body.state();
        parts.extensions.insert(Arrival {
            peer,
            upload: Arc::clone(&upload),
            takes_trailers: hop.takes_trailers,
            tunnel: hop.upgrades.then(|| (client_side, place).into()),
        });
        let request = Request::from_parts(parts, body);
        let Ok(answer) = self.service.oneshot(request).await;
        // Whoever read it, the layer or a rule, could only say that it is broken.
        if answer.status() == StatusCode::BAD_REQUEST
            && let Some(error) = upload.error()
        {
            return Ok(error.answer().map(|body| Delivered::of_door(body, open)));
        }
        Ok(answer.map(|body| Delivered::of_layer(body, open)))
    }
}

/// The keys that the server behind verifies by who is calling, at the path that the operator made public. As in
/// `{base_url}/oauth/jwks`, they may be kept for a while: a new key is published before it signs.
fn key_set(
    parts: &http::request::Parts,
    identity: &Identity,
) -> Option<Response<crate::answer::AnswerBody>> {
    let is_asked = identity.key_set_path() == Some(parts.uri.path());
    let is_read = matches!(parts.method, http::Method::GET | http::Method::HEAD);
    let keys = identity.key_set().filter(|_| is_asked && is_read)?;
    let mut answer = Response::new(crate::answer::AnswerBody::own(keys.to_owned()));
    let headers = answer.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    let kept = HeaderValue::from_static("public, max-age=300");
    headers.insert(header::CACHE_CONTROL, kept);
    Some(answer)
}

fn refuse(refused: Refusal) -> Response<crate::answer::AnswerBody> {
    let mut answer = refusal(refused.status, "invalid_request", refused.words);
    if refused.ends_connection {
        let close = HeaderValue::from_static("close");
        answer.headers_mut().insert(header::CONNECTION, close);
    }
    if refused.status == StatusCode::METHOD_NOT_ALLOWED {
        let allowed = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        answer.headers_mut().insert(header::ALLOW, allowed);
    }
    answer
}
