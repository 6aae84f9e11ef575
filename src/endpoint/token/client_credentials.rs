//! `grant_type=client_credentials` (RFC 6749 section 4.4): a token for a machine, in its own name.
//!
//! Nothing is kept: the token says all there is, and ends soon. RFC 6749 section 4.4.3: "A refresh token SHOULD
//! NOT be included."

use serde_json::{Value, json};

use super::{answer::unsigned, request::asked_resource};
use crate::{
    client::Machine,
    endpoint::{caller::Caller, refusal::Refusal},
    error::OAuthErrorCode,
    event::{Event, Reason, Step},
    oauth::{Params, Resource, ScopeSet},
    proxy::Proxy,
    quota::Holder,
    random,
    token::{AccessClaims, AccessTokens},
};

/// The client authenticated, and may use this grant type.
pub(super) async fn issue(
    proxy: &Proxy,
    tokens: &AccessTokens,
    client: &Caller,
    machine: &Machine,
    params: &Params,
) -> Result<Value, Refusal> {
    let scopes = scopes(params.get("scope"), &machine.scopes)?;
    let base = &proxy.options.base;
    let resource = asked_resource(base, params)?.unwrap_or_else(|| Resource::base(base));
    let holder = Holder::Machine(&client.id);
    proxy.quotas.token_request(holder, proxy.clock.now())?;
    client.spend(proxy).await?;
    let (now, ttl) = (proxy.now(), proxy.options.machine_token_ttl);
    let claims = AccessClaims {
        sub: (&client.id).into(),
        aud: resource.as_str().into(),
        client_id: (&client.id).into(),
        scope: scopes.as_str().into(),
        iat: now,
        exp: now + ttl,
        jti: random::token::<16>().into(),
        gid: "".into(),
    };
    let token = tokens.issue(&claims, &serde_json::Map::new());
    let token = token.map_err(unsigned)?;
    let who = client.who().person(Some(&client.id), None);
    let who = who.access(resource.as_str(), &scopes);
    proxy.emit(&Event::done(Step::ClientCredentials).about(who));
    Ok(json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": ttl.as_secs(),
        "scope": scopes.as_str(),
    }))
}

/// What of the requested scopes the machine has; all of them where none is named. Client libraries ask for all
/// that the metadata lists. RFC 6749 section 3.3: the server "MAY fully or partially ignore the scope requested
/// by the client", and the answer says what was granted.
fn scopes(asked: Option<&str>, own: &ScopeSet) -> Result<ScopeSet, Refusal> {
    let refused = |words: String| Refusal::new(Reason::Scope, OAuthErrorCode::InvalidScope, words);
    let Some(asked) = asked else {
        return Ok(own.clone());
    };
    let asked = ScopeSet::parse(asked).map_err(|error| refused(error.to_string()))?;
    let granted = asked.intersection(own);
    match granted.is_empty() && !asked.is_empty() {
        true => {
            let refusal = refused("this client has none of these scopes".to_owned());
            Err(refusal.detail(format_args!(
                "the machine asks for `{asked}`, and has `{own}`"
            )))
        }
        false => Ok(granted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_gets_what_it_asks_for_of_what_it_has_and_all_of_it_by_default() {
        let own = ScopeSet::parse("read write").unwrap();
        let granted = |asked| scopes(asked, &own).map(|granted| granted.to_string()).ok();
        let some = |scopes: &str| Some(scopes.to_owned());
        assert_eq!(granted(None), some("read write"));
        assert_eq!(granted(Some("write")), some("write"));
        assert_eq!(granted(Some("admin write openid")), some("write"));
        assert_eq!(granted(Some("")), some(""));
        assert_eq!(granted(Some("admin")), None);
        assert_eq!(granted(Some("a\"b")), None);
        assert!(scopes(Some("read"), &ScopeSet::default()).is_err());
        assert!(scopes(None, &ScopeSet::default()).unwrap().is_empty());
    }
}
