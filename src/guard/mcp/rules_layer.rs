//! The layer before an MCP server: which call is it, and may this session make it?

use std::task::{Context, Poll};

use http::{HeaderValue, Method, Request, Response, header};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::{
    answer_body::McpAnswer,
    call_headers::{CallHeaders, Claim, Field},
    held_body::McpBody,
    judging::judge_headers,
    refused_call::Unjudged,
    rules::McpRules,
    rules_future::McpRulesFuture,
};
use crate::{
    error::{BoxError, ConfigError},
    session::AuthSession,
};

/// Puts [`McpRules`] before an MCP server, inside the [`OAuthProxyLayer`](crate::OAuthProxyLayer).
///
/// | the request | what becomes of it |
/// |---|---|
/// | `POST`, and every other HTTP method that the next lines do not name | its body is read as JSON-RPC until its method and name are known; it is judged, and handed on as it came |
/// | `GET`, `HEAD`, `DELETE`: a stream, the end of a session | calls nothing: any session; 400 with a body |
/// | `OPTIONS` without a body | handed on |
/// | no session | 401 |
/// | the call's rule denies the session | 403 as of a [`RequireLayer`](crate::guard::RequireLayer): `insufficient_scope` with the scopes that this call needs |
/// | a batch with a call that is denied | 400, all of it |
/// | `Mcp-Method` or `Mcp-Name` that the body contradicts | 400, JSON-RPC error -32020 |
/// | a body that two readers could understand differently | 400 |
/// | a body of another type than `application/json`, or in a content coding | 415 |
/// | method and name later than [`hold_back_at_most`](McpRules::hold_back_at_most) | 413 |
/// | a call that is not known after ten seconds | 408 |
///
/// So put it before the MCP endpoint alone, and other routes beside it. `Upgrade` is removed from requests: what a
/// server would read on another protocol cannot be judged.
///
/// The server gets a `Request<McpBody<B>>`. A body that says one call at its beginning and another one later ends in
/// an error there, and the client is answered 400 where the server has not begun to answer.
///
/// ```
/// use axum::{Router, routing::post};
/// use tower_oauth_proxy::{
///     OAuthProxyLayer,
///     guard::{mcp::{McpRules, McpRulesLayer}, require_role},
/// };
///
/// fn app(layer: OAuthProxyLayer) -> Result<Router, tower_oauth_proxy::ConfigError> {
///     let rules = McpRules::new().tool("delete_*", require_role("admin"));
///     let mcp = post(async |body: String| body).layer(McpRulesLayer::new(rules)?);
///     Ok(Router::new().route("/mcp", mcp).layer(layer))
/// }
/// # let _ = app;
/// ```
#[derive(Debug, Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct McpRulesLayer {
    rules: McpRules,
}

impl McpRulesLayer {
    /// A layer that lets through what the rules admit.
    ///
    /// # Errors
    ///
    /// A pattern or a number that cannot be meant, with the method of [`McpRules`] that was given it.
    pub fn new(rules: McpRules) -> Result<Self, ConfigError> {
        rules.validate()?;
        Ok(Self { rules })
    }
}

impl<S> Layer<S> for McpRulesLayer {
    type Service = McpRulesService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        McpRulesService {
            inner,
            rules: self.rules.clone(),
        }
    }
}

/// The service that [`McpRulesLayer`] makes.
#[derive(Debug, Clone)]
#[must_use = "services do nothing unless called"]
pub struct McpRulesService<S> {
    inner: S,
    rules: McpRules,
}

impl<S, B, ResBody> Service<Request<B>> for McpRulesService<S>
where
    S: Service<Request<McpBody<B>>, Response = Response<ResBody>> + Clone,
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    type Response = Response<McpAnswer<ResBody>>;
    type Error = S::Error;
    type Future = McpRulesFuture<S, B>;

    /// Always ready: a refusal needs nothing of the inner service, and must not reserve a permit of it.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // RFC 9110 section 7.8: "A server MAY ignore a received Upgrade header field if it wishes to continue using the
        // current protocol on that connection."
        request.headers_mut().remove(header::UPGRADE);
        let is_empty = request.body().is_end_stream();
        let (method, headers) = (request.method(), request.headers());
        if is_empty && method == Method::OPTIONS {
            return McpRulesFuture::inner(&mut self.inner, request.map(McpBody::unread));
        }
        let Some(session) = AuthSession::from_extensions(request.extensions()) else {
            return McpRulesFuture::without_session(&request);
        };
        let has_no_call =
            [Method::GET, Method::HEAD, Method::DELETE, Method::OPTIONS].contains(method);
        if has_no_call && is_empty {
            let request = request.map(McpBody::unread);
            return McpRulesFuture::without_call(&mut self.inner, &self.rules, request);
        }
        if has_no_call {
            return McpRulesFuture::by_body(
                &mut self.inner,
                &self.rules,
                request.map(McpBody::empty),
            );
        }
        let headers = CallHeaders::find(headers);
        let claim = match check_content(&headers).and_then(|()| claim(&headers)) {
            Ok(claim) => claim,
            Err(unjudged) => return McpRulesFuture::unjudged(&unjudged, session),
        };
        if self.rules.are_headers_checked_behind()
            && let Some((method, name)) = claim.whole(&headers)
        {
            let judged = judge_headers(&self.rules, (method, name), &request);
            return McpRulesFuture::by_headers(
                &mut self.inner,
                judged,
                request.map(McpBody::unread),
            );
        }
        McpRulesFuture::by_body(&mut self.inner, &self.rules, request.map(McpBody::read))
    }
}

/// Only JSON, in no coding: what else a server makes of the bytes cannot be known.
fn check_content(headers: &CallHeaders<'_>) -> Result<(), Unjudged> {
    if headers.describes_body_oddly {
        let words = "a header that describes the body is written with an underscore";
        return Err(Unjudged::media_type(words));
    }
    if headers.is_coded {
        let words = "the body has a content coding: send it without one, as it is";
        return Err(Unjudged::media_type(words));
    }
    match is_json(headers.content_type) {
        true => Ok(()),
        false => Err(Unjudged::media_type(
            "the body has to be of the type application/json, in UTF-8",
        )),
    }
}

/// RFC 8259 section 8.1: "JSON text exchanged between systems that are not part of a closed ecosystem MUST be encoded
/// using UTF-8". A server could believe another `charset`, however loosely it is written.
fn is_json(content_type: Field<'_>) -> bool {
    let Some(Ok(one)) = content_type.alone().map(HeaderValue::to_str) else {
        return false;
    };
    let mut parts = one.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    essence.eq_ignore_ascii_case("application/json") && parts.all(is_utf8_or_no_charset)
}

/// Less strict readers find a `charset` beside blanks (`charset = utf-7`, as Express does), behind a comma, and in
/// the form of RFC 2231 (`charset*=`): the word stands where it has to, or nowhere.
fn is_utf8_or_no_charset(parameter: &str) -> bool {
    const CHARSET: &[u8] = b"charset";
    let is_word = |bytes: &[u8]| bytes.eq_ignore_ascii_case(CHARSET);
    let has_word = parameter.as_bytes().windows(CHARSET.len()).any(is_word);
    let utf8 = ["charset=utf-8", "charset=\"utf-8\""];
    !has_word || utf8.iter().any(|good| parameter.eq_ignore_ascii_case(good))
}

fn claim<'a>(headers: &CallHeaders<'a>) -> Result<Claim<'a>, Unjudged> {
    Claim::read(headers).map_err(Unjudged::header)
}
