//! What an answer has to look like, and what is wrong where it does not.

use http::{Response, StatusCode};
use serde_json::Value;

use super::{mistake::Mistake, typed::Typed};

/// RFC 9728 section 3.1: inserted "between the host component and the path" of the resource.
const RESOURCE_DOCUMENT: &str = "/.well-known/oauth-protected-resource";
/// RFC 8414 section 3.1: inserted likewise, for the issuer.
const SERVER_DOCUMENT: &str = "/.well-known/oauth-authorization-server";

/// A request without a token was not refused.
pub(super) fn unprotected(
    typed: &Typed,
    status: StatusCode,
    with_bad_token: StatusCode,
) -> Mistake {
    let (path, code) = (typed.target(), status.as_u16());
    if with_bad_token == StatusCode::UNAUTHORIZED {
        return Mistake::new(format!(
            "`{path}` answers {code} without a token and 401 with a bad one: `optional_auth` is on, \
             and lets requests without a token in. Put a `RequireLayer` of `require_auth()` before \
             this route, or turn it off."
        ));
    }
    match status {
        StatusCode::NOT_FOUND => Mistake::new(format!(
            "`{path}` answers 404 without a token, where the layer would say 401 whether or not there \
             is such a route. Put it outermost: with `Router::layer` after the last route, not with \
             `route_layer` and not inside `Router::nest`."
        )),
        _ => Mistake::new(format!(
            "`{path}` answers {code} without a token, so nothing protects it. Add its route before \
             `.layer(OAuthProxyLayer::new(..))`: what a router gets later is outside of the layer. If \
             the path stands in `public_paths`, take it out."
        )),
    }
}

/// The target of the document that the challenge names, if it is the one of this URL.
pub(super) fn challenged(typed: &Typed, challenge: &str) -> Result<String, Mistake> {
    let path = typed.target();
    let Some(named) = parameter(challenge, "resource_metadata") else {
        return Mistake::err(match challenge {
            "" => format!(
                "`{path}` answers 401 without `WWW-Authenticate`: something in front of the layer \
                 refuses the request. Put the layer outermost."
            ),
            _ => format!(
                "`{path}` answers 401, and its challenge `{challenge}` names no `resource_metadata`: a \
                 client cannot find the login. Put the `OAuthProxyLayer` outermost, around guards and \
                 other layers that refuse."
            ),
        });
    };
    let wanted = [RESOURCE_DOCUMENT, typed.path()].concat();
    match typed.target_of(named) {
        Some(found) if found == wanted => Ok(found),
        Some(found) => Mistake::err(format!(
            "The challenge of `{path}` points to `{found}`, and the document of this URL is \
             `{wanted}`: the layer sees another path than the client asks for. Inside `Router::nest` \
             the front of the path is cut off: put the layer outermost. Outermost, check that the URL \
             is the base URL of the configuration or below it."
        )),
        None => Mistake::err(format!(
            "The challenge of `{path}` points to `{named}`, which is not at `{}`: give \
             `OAuthProxyConfig::builder` the base URL that people type, and check the URL that this \
             test gives.",
            typed.origin()
        )),
    }
}

/// The value of a quoted parameter in a challenge; none of ours holds a quote.
fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = challenge.split_once(&format!("{name}=\""))?;
    value.split_once('"').map(|(value, _)| value)
}

/// The issuer that a protected resource's document names. RFC 9728 section 3.3: "The `resource` value
/// returned MUST be identical to the protected resource's resource identifier value into which the
/// well-known URI path suffix was inserted".
pub(super) fn described(
    typed: &Typed,
    document: &str,
    resource: &Value,
) -> Result<String, Mistake> {
    let named = resource.get("resource").and_then(Value::as_str);
    let wanted = typed.resource();
    if named != Some(&*wanted) {
        return Mistake::err(format!(
            "`{document}` names the resource `{}`, and clients refuse it for `{wanted}`: give \
             `OAuthProxyConfig::builder` the base URL exactly as people type it.",
            named.unwrap_or_default()
        ));
    }
    let servers = resource.get("authorization_servers");
    match servers.and_then(|servers| servers.get(0)?.as_str()) {
        Some(issuer) => Ok(issuer.to_owned()),
        None => Mistake::err(format!(
            "`{document}` names no authorization server, so it is not the layer's. Put the layer \
             outermost."
        )),
    }
}

/// Where the metadata of this issuer are; `None` where it is the provider itself, at its own host.
pub(super) fn server_document(typed: &Typed, issuer: &str) -> Option<String> {
    let path = typed.target_of(issuer)?;
    Some([SERVER_DOCUMENT, path.trim_end_matches('/')].concat())
}

/// The targets of the endpoints that clients post to. RFC 8414 section 3.3: "The `issuer` value returned
/// MUST be identical to the authorization server's issuer identifier value into which the well-known
/// URI string was inserted".
pub(super) fn endpoints(
    typed: &Typed,
    document: &str,
    issuer: &str,
    server: &Value,
) -> Result<[String; 2], Mistake> {
    let text = |name: &str| server.get(name).and_then(Value::as_str);
    if text("issuer") != Some(issuer) {
        return Mistake::err(format!(
            "`{document}` names the issuer `{}`, and clients refuse it for `{issuer}`: another \
             authorization server answers in front of the layer. Put the layer outermost.",
            text("issuer").unwrap_or_default()
        ));
    }
    let target = |name: &str| match text(name).and_then(|url| typed.target_of(url)) {
        Some(target) => Ok(target),
        None => Mistake::err(format!(
            "`{document}` names no `{name}` at `{}`, so it is not the layer's. Put the layer outermost.",
            typed.origin()
        )),
    };
    Ok([target("registration_endpoint")?, target("token_endpoint")?])
}

pub(super) fn preflight_answered<R>(
    path: &str,
    origin: &str,
    reply: &Response<R>,
) -> Result<(), Mistake> {
    if !reply.status().is_success() {
        return Mistake::err(format!(
            "The preflight of `{path}` is answered {}: browsers send it without a token. Put the \
             `CorsLayer` outside of the `OAuthProxyLayer` (in axum: after it), or set \
             `cors_on_protected_paths(true)`.",
            reply.status().as_u16()
        ));
    }
    origin_allowed(&format!("The preflight of `{path}`"), origin, reply)?;
    let allowed = list(reply, "access-control-allow-headers");
    for name in ["authorization", "content-type"] {
        // Fetch, "CORS non-wildcard request-header name": `*` does not stand for `Authorization`.
        let by_wildcard = name != "authorization" && names(&allowed, "*");
        if !by_wildcard && !names(&allowed, name) {
            return Mistake::err(format!(
                "The preflight of `{path}` does not allow the header `{name}`, which MCP clients send: \
                 name it in `Access-Control-Allow-Headers`."
            ));
        }
    }
    Ok(())
}

pub(super) fn challenge_readable<R>(
    path: &str,
    origin: &str,
    reply: &Response<R>,
) -> Result<(), Mistake> {
    origin_allowed(&format!("The answer of `{path}`"), origin, reply)?;
    let exposed = list(reply, "access-control-expose-headers");
    if names(&exposed, "www-authenticate") || names(&exposed, "*") {
        return Ok(());
    }
    Mistake::err(format!(
        "Scripts cannot read the challenge of `{path}`: name `WWW-Authenticate` in \
         `Access-Control-Expose-Headers`."
    ))
}

fn origin_allowed<R>(subject: &str, origin: &str, reply: &Response<R>) -> Result<(), Mistake> {
    let allowed = list(reply, "access-control-allow-origin");
    if allowed == "*" || allowed == origin {
        return Ok(());
    }
    Mistake::err(format!(
        "{subject} does not allow `{origin}` (`Access-Control-Allow-Origin: {allowed}`): a `CorsLayer` \
         inside of the `OAuthProxyLayer` does not see refusals, so put it outside and allow this \
         origin, or set `cors_on_protected_paths(true)`."
    ))
}

/// Whether a list of header names has this one.
fn names(list: &str, name: &str) -> bool {
    list.split(',')
        .any(|listed| listed.trim().eq_ignore_ascii_case(name))
}

/// All lines of a header, as one list.
pub(super) fn list<R>(reply: &Response<R>, name: &str) -> String {
    let lines = reply.headers().get_all(name).iter();
    let lines: Vec<_> = lines.filter_map(|line| line.to_str().ok()).collect();
    lines.join(", ")
}
