use std::sync::Arc;

use super::*;
use crate::{
    OAuthProxyConfig,
    client::{AuthRule, ClientAuthMethod},
    config::OAuthProxyConfigBuilder,
    config::PassOn,
    provider,
};

const LOOPBACK: &str = "http://127.0.0.1:1/cb";
const WEB: &str = "https://web.example/cb";
/// Keeps every rule.
const GOOD: &[(&str, &str)] = &[
    ("response_type", "code"),
    (
        "code_challenge",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    ),
    ("code_challenge_method", "S256"),
];

fn options_with(
    set: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> Arc<Options> {
    let provider = provider::github("app", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8");
    let builder = OAuthProxyConfig::builder(provider, "https://mcp.example.com");
    let config = set(builder.scopes(["openid", "read", "write"])).build();
    Arc::clone(&config.unwrap().options)
}

fn options() -> Arc<Options> {
    options_with(|builder| builder)
}

fn client(redirect_uris: &[&str], scope: Option<&str>) -> Client {
    let redirect_uris = redirect_uris.iter();
    Client {
        id: "client".into(),
        name: None,
        redirect_uris: redirect_uris
            .map(|uri| RedirectUri::parse(uri).unwrap())
            .collect(),
        auth: AuthRule::Exactly(ClientAuthMethod::None),
        keys: None,
        scope: scope.map(|scope| ScopeSet::parse(scope).unwrap()),
        kind: ClientKind::Signed,
    }
}

/// The good request with some parameters changed, or left out where the value is empty.
fn params(changes: &[(&str, &str)]) -> Params {
    let unchanged = GOOD
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let all: Vec<_> = unchanged.chain(changes).collect();
    Params::parse(&serde_urlencoded::to_string(all).unwrap()).unwrap()
}

fn validate(
    changes: &[(&str, &str)],
    scope: Option<&str>,
    options: &Options,
) -> Result<AuthorizationRequest, RequestError> {
    let client = client(&[LOOPBACK], scope);
    let redirect_uri = RedirectUri::parse(LOOPBACK).unwrap();
    validated(&params(changes), &client, &redirect_uri, options)
}

#[test]
fn each_rule_refuses_what_breaks_it_with_its_own_error() {
    use Code::{InteractionRequired, InvalidRequest, InvalidScope, UnsupportedResponseType};
    let all = options_with(|builder| builder.pass_on([PassOn::Prompt, PassOn::MaxAge]));
    assert!(validate(&[], None, &all).is_ok());
    for (name, value, error, code) in [
        (
            "response_type",
            "",
            RequestError::NoResponseType,
            InvalidRequest,
        ),
        (
            "response_type",
            "token",
            RequestError::ResponseType,
            UnsupportedResponseType,
        ),
        (
            "response_type",
            "code token",
            RequestError::ResponseType,
            UnsupportedResponseType,
        ),
        (
            "response_mode",
            "fragment",
            RequestError::ResponseMode,
            InvalidRequest,
        ),
        (
            "request",
            "e30.e30.",
            RequestError::RequestObject,
            InvalidRequest,
        ),
        (
            "request_uri",
            "https://x.example",
            RequestError::RequestObject,
            InvalidRequest,
        ),
        (
            "code_challenge",
            "",
            RequestError::NoChallenge,
            InvalidRequest,
        ),
        (
            "code_challenge",
            "short",
            RequestError::Challenge(PkceError::Malformed),
            InvalidRequest,
        ),
        (
            "code_challenge_method",
            "plain",
            RequestError::Challenge(PkceError::PlainNotAllowed),
            InvalidRequest,
        ),
        (
            "scope",
            "claudeai",
            RequestError::NoKnownScope,
            InvalidScope,
        ),
        (
            "resource",
            "https://other.example",
            RequestError::Resource(InvalidTarget),
            Code::InvalidTarget,
        ),
        (
            "prompt",
            "none",
            RequestError::Wish(WishError::PromptNone),
            InteractionRequired,
        ),
        (
            "max_age",
            "soon",
            RequestError::Wish(WishError::MaxAge),
            InvalidRequest,
        ),
    ] {
        let refused = validate(&[(name, value)], None, &all).err();
        assert_eq!(refused, Some(error), "{name}={value}");
        assert_eq!(error.code(), code, "{name}={value}");
    }
}

/// A client that breaks several rules hears of the first.
#[test]
fn the_rules_are_asked_in_their_order() {
    let broken = [
        ("response_type", "token", RequestError::ResponseType),
        ("response_mode", "fragment", RequestError::ResponseMode),
        ("request", "e30.e30.", RequestError::RequestObject),
        ("code_challenge", "", RequestError::NoChallenge),
        ("scope", "claudeai", RequestError::NoKnownScope),
        (
            "resource",
            "https://other.example",
            RequestError::Resource(InvalidTarget),
        ),
        ("prompt", "none", RequestError::Wish(WishError::PromptNone)),
    ];
    assert_eq!(broken.len(), RULES.len());
    let options = options_with(|builder| builder.pass_on([PassOn::Prompt]));
    for (first, (_, _, error)) in broken.iter().enumerate() {
        let changes: Vec<_> = broken[first..].iter().map(|(n, v, _)| (*n, *v)).collect();
        let refused = validate(&changes, None, &options).err();
        assert_eq!(refused, Some(*error), "{changes:?}");
    }
}

#[test]
fn a_request_that_leaves_things_out_gets_the_defaults() {
    let options = options();
    let request = validate(&[], None, &options).unwrap();
    assert_eq!(request.client.id(), "client");
    assert_eq!(request.redirect_uri.as_str(), LOOPBACK);
    assert_eq!(request.state, None);
    assert_eq!(request.scopes.to_string(), "openid read write");
    assert_eq!(request.resource.as_str(), "https://mcp.example.com");
    assert_eq!(request.wishes, Wishes::default());
    // An empty state is a state: it is echoed as it came.
    let empty = Params::parse("response_type=code&state=").unwrap();
    assert_eq!(empty.get_raw("state"), Some(""));
    let named = [("resource", "https://mcp.example.com/mcp"), ("state", "s")];
    let request = validate(&named, None, &options).unwrap();
    assert_eq!(request.resource.as_str(), "https://mcp.example.com/mcp");
    assert_eq!(request.state.as_deref(), Some("s"));
}

#[test]
fn unknown_scopes_are_dropped_and_only_none_left_is_invalid() {
    let options = options();
    let granted = |asked: Option<&str>, registered: Option<&str>| {
        let asked = asked.map(|scope| ("scope", scope));
        validate(asked.as_slice(), registered, &options)
            .map(|request| request.scopes.to_string())
            .map_err(RequestError::code)
    };
    assert_eq!(granted(Some("read claudeai"), None).unwrap(), "read");
    assert_eq!(granted(Some("claudeai"), None), Err(Code::InvalidScope));
    assert_eq!(granted(None, None).unwrap(), "openid read write");
    assert_eq!(granted(None, Some("read")).unwrap(), "read");
    assert_eq!(granted(None, Some("gone")).unwrap(), "openid read write");
    // A registration's scope is a default, never a cap.
    assert_eq!(granted(Some("write"), Some("read")).unwrap(), "write");
    let offline = "read offline_access";
    assert_eq!(granted(Some(offline), None).unwrap(), offline);
    assert_eq!(granted(Some("a\"b"), None), Err(Code::InvalidScope));
    let none = options_with(|builder| builder.scopes([""; 0]));
    let asked = [("scope", "x")];
    let request = validate(&asked, None, &none).unwrap();
    assert_eq!(request.scopes.to_string(), "");
}

#[test]
fn an_answer_goes_only_to_a_registered_and_permitted_uri() {
    use UnprovenRedirect::{Malformed, Missing, NotPermitted, NotRegistered};
    let options = options();
    let proven = |asked: &str, registered: &[&str]| {
        let params = params(&[("redirect_uri", asked)]);
        proven_redirect_uri(&params, &client(registered, None), &options)
            .map(|uri| uri.as_str().to_owned())
    };
    assert_eq!(proven(LOOPBACK, &[LOOPBACK, WEB]).unwrap(), LOOPBACK);
    // It may be left out when exactly one is registered.
    assert_eq!(proven("", &[LOOPBACK]).unwrap(), LOOPBACK);
    assert_eq!(proven("", &[LOOPBACK, WEB]), Err(Missing));
    assert_eq!(proven("", &[]), Err(Missing));
    assert_eq!(proven("/cb", &[LOOPBACK]), Err(Malformed));
    assert_eq!(
        proven("http://127.0.0.1:1/x", &[LOOPBACK]),
        Err(NotRegistered)
    );
    // Registered under another policy.
    assert_eq!(proven(WEB, &[WEB]), Err(NotPermitted));
    let configured = Client {
        kind: ClientKind::Configured,
        ..client(&[WEB], None)
    };
    let params = params(&[("redirect_uri", WEB)]);
    assert!(proven_redirect_uri(&params, &configured, &options).is_ok());
}
