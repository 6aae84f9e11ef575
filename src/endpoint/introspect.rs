//! `POST {base}/oauth/introspect`: token introspection (RFC 7662), for services that cannot verify a token.
//!
//! Only a configured client that stands for a resource may ask, and only about access tokens for that
//! resource. Of anything else it hears the same: `{"active":false}`. What cannot be known right now is 503.

use std::sync::Arc;

use http::request::Parts;
use http_body::Body;
use serde_json::{Map, Value, json};

use super::{answer, caller::Caller, client_auth::authenticate, refusal::Refusal, request};
use crate::{
    bearer::{Active, NotActive, introspect},
    body::OwnResponse,
    error::{BoxError, OAuthErrorCode},
    event::{Event, Reason, Step},
    oauth::{Params, describable},
    proxy::Proxy,
    time::Unix,
    token::is_protected,
};

pub(super) async fn handle<B>(proxy: &Arc<Proxy>, parts: &Parts, body: B) -> OwnResponse
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    match judge(proxy, parts, body).await {
        Ok(members) => answer::json(http::StatusCode::OK, &Value::Object(members)),
        Err(refusal) => refusal.into_json(proxy, Step::Introspect),
    }
}

async fn judge<B>(proxy: &Arc<Proxy>, parts: &Parts, body: B) -> Result<Map<String, Value>, Refusal>
where
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let params = request::form(parts, body).await?;
    // RFC 7662 section 2.1: "To prevent token scanning attacks, the endpoint MUST also require some form of
    // authorization to access this endpoint, such as client authentication".
    let client = authenticate(proxy, parts, &params).await?;
    let answer = look(proxy, &client, &params).await;
    let settled = client.settle(proxy, answer).await;
    settled.map_err(|no| no.about(client.who()))
}

/// What is said of the token to this client.
async fn look(
    proxy: &Arc<Proxy>,
    client: &Caller,
    params: &Params,
) -> Result<Map<String, Value>, Refusal> {
    let Some(resources) = proxy.options.introspection.resources_of(client) else {
        let text = "the client may not introspect tokens";
        let refusal = Refusal::new(Reason::Forbidden, OAuthErrorCode::AccessDenied, text);
        let option = "configure it with StaticClient::introspects";
        let id = describable(&client.id);
        return Err(refusal.detail(format_args!("client `{id}`: {option}")));
    };
    // `token_type_hint`: "An authorization server MAY ignore this parameter".
    let Some(token) = params.get("token") else {
        let text = "token is missing";
        let code = OAuthErrorCode::InvalidRequest;
        return Err(Refusal::new(Reason::MissingParameter, code, text));
    };
    match introspect(proxy, token, resources).await {
        Ok(active) => Ok(members(&active, proxy.options.base.as_str())),
        Err(why) if why.is_unknown => {
            let refusal = Refusal::unavailable(why.reason);
            let refusal = match why.who {
                Some(who) => refusal.about(client.who().or(*who)),
                None => refusal.about(client.who()),
            };
            Err(match why.detail {
                Some(detail) => refusal.told(detail),
                None => refusal,
            })
        }
        Err(why) => {
            proxy.emit(&event(why, client));
            Ok(inactive())
        }
    }
}

/// RFC 7662 section 2.2: "If the introspection call is properly authorized but the token is not active, does
/// not exist on this server, or the protected resource is not allowed to introspect this particular token,
/// then the authorization server MUST return an introspection response with the "active" field set to
/// "false"." And: it "SHOULD NOT include any additional information about an inactive token, including why
/// the token is inactive."
fn inactive() -> Map<String, Value> {
    Map::from_iter([("active".to_owned(), false.into())])
}

/// The members of RFC 7662 section 2.2, and what the token carries besides. What is the proxy's to say
/// stands over a claim of that name.
fn members(active: &Active, issuer: &str) -> Map<String, Value> {
    let session = &active.session;
    let claims = session.claims().iter();
    let claims = claims.filter(|(name, _)| !is_protected(name));
    let mut members: Map<_, _> = claims
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut say = |name: &str, value: Value| members.insert(name.to_owned(), value);
    if !session.roles().is_empty() {
        say("roles", session.roles().into());
    }
    // "Human-readable identifier for the resource owner who authorized this token."
    if let Some(name) = session.claims().get("preferred_username") {
        say("username", name.clone());
    }
    say("active", true.into());
    say("token_type", "Bearer".into());
    say("iss", issuer.into());
    say("sub", session.subject().into());
    say("aud", session.resource().into());
    say("client_id", session.client_id().into());
    say("scope", session.scopes().to_string().into());
    say("jti", (*active.jti).into());
    say("iat", json!(active.issued_at));
    say("exp", json!(Unix::from(session.expires_at())));
    members
}

/// The client is the one that asks; the person, and what was granted, are the token's.
fn event(why: NotActive, asks: &Caller) -> Event {
    let event = Event::refused(Step::Introspect, why.reason).about(asks.who());
    let event = match why.who {
        Some(token) => event.about(*token),
        None => event,
    };
    let lead = format!("asked by client `{}`", describable(&asks.id));
    event.told(&match why.detail {
        Some(detail) => detail.after(&format!("{lead}: "), &format!("{lead}: ")),
        None => lead.into(),
    })
}
