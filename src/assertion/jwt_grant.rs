//! What a JWT has to say that is brought as an authorization grant (RFC 7523 section 2.1): identity assertions
//! (ID-JAG, draft-ietf-oauth-identity-assertion-authz-grant) and tokens of workloads (SEP-1933), as one pure
//! function. That a key of its issuer signed it, was asked before.

use serde_json::{Map, Value};

use super::checks::{AssertionFault, OneUse};
use crate::{
    event::Reason,
    jose::{Jwt, has_type, numeric_date},
    limits::MAX_SHOWN_CLAIM,
    oauth::{BaseUrl, Resource, ScopeSet, printable},
    provider::subject_of,
    time::Unix,
};

/// The draft, section 3.1: "The typ of the JWT indicated in the JWT header MUST be oauth-id-jag+jwt."
const ID_JAG: &str = "oauth-id-jag+jwt";
/// What the tokens of platforms call themselves, where they do.
const PLAIN: [&str; 2] = ["JWT", "JOSE"];

/// Whom it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GrantKind {
    /// A person: an identity assertion.
    Identity,
    /// A workload: its platform's token.
    Workload,
}

/// What it says, checked.
#[derive(Debug, PartialEq)]
pub(crate) struct JwtGrant {
    pub(crate) kind: GrantKind,
    pub(crate) subject: String,
    /// Of an identity assertion: the client that acts for the person.
    pub(crate) client_id: Option<String>,
    /// The resources that it is for; none where it names none.
    pub(crate) resources: Vec<Resource>,
    /// The scopes that it names; `None` where it does not speak of them.
    pub(crate) scopes: Option<ScopeSet>,
    pub(crate) once: OneUse,
}

/// The rule that it breaks, for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GrantFault {
    #[error("its `typ` is {0}, which is neither an identity assertion's nor a workload's")]
    Type(String),
    #[error(transparent)]
    Use(#[from] AssertionFault),
    #[error("it has no `iat`, or one that is not a number")]
    NoStart,
    #[error("its `sub` is missing, too long, or not printable")]
    Subject,
    #[error("it has no `client_id`, so any client could use it")]
    NoClient,
    #[error("its `resource` is {0}, which is not this service or below it")]
    Resource(String),
    #[error("its `scope` is no list of scopes")]
    Scope,
    #[error("it has `{0}`, which is not understood here: it may allow less than it seems to")]
    Unknown(&'static str),
}

impl GrantFault {
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Use(AssertionFault::Audience { .. }) => Reason::WrongAudience,
            Self::Use(AssertionFault::Expired(_)) => Reason::Expired,
            Self::Resource(_) => Reason::Resource,
            Self::Scope => Reason::Scope,
            Self::NoClient => Reason::ForeignClient,
            _ => Reason::InvalidToken,
        }
    }
}

impl JwtGrant {
    /// Reads a JWT that its issuer signed.
    pub(crate) fn read(
        jwt: &Jwt,
        base: &BaseUrl,
        token_endpoint: &str,
        now: Unix,
    ) -> Result<Self, GrantFault> {
        let (kind, claims) = (kind(&jwt.header)?, &jwt.claims);
        // Of an ID-JAG the draft says: "The aud claim MUST identify the Issuer URL of the Resource Authorization
        // Server". RFC 7523 section 3 allows the token endpoint's URL too, and SEP-1933 wants it.
        let audiences = match kind {
            GrantKind::Identity => &[base.as_str()][..],
            GrantKind::Workload => &[base.as_str(), token_endpoint][..],
        };
        let once = OneUse::of(claims, audiences, now)?;
        // "iat: REQUIRED", in both.
        numeric_date(claims, "iat").ok_or(GrantFault::NoStart)?;
        let subject = subject_of(claims).ok_or(GrantFault::Subject)?.to_owned();
        // `cnf` binds it to a key whose proof is not asked for here (RFC 7800), and `authorization_details`
        // (RFC 9396) says what may be done in another way than by scopes. Who leaves them aside gives more than
        // the issuer did.
        for name in ["cnf", "authorization_details"] {
            if claims.get(name).is_some_and(|claim| !claim.is_null()) {
                return Err(GrantFault::Unknown(name));
            }
        }
        let (client_id, scopes) = match kind {
            GrantKind::Workload => (None, None),
            GrantKind::Identity => {
                let client_id = claims.get("client_id").and_then(Value::as_str);
                let client_id = client_id.ok_or(GrantFault::NoClient)?.to_owned();
                (Some(client_id), scopes(claims)?)
            }
        };
        Ok(Self {
            kind,
            subject,
            client_id,
            resources: resources(claims, base)?,
            scopes,
            once,
        })
    }
}

/// RFC 8725 section 3.11: "use explicit typing". Another type than an identity assertion's is a workload's only
/// where it says nothing more than "JWT": an access token or a logout token of the same issuer has a type of its
/// own, and is none.
fn kind(header: &Map<String, Value>) -> Result<GrantKind, GrantFault> {
    if has_type(header, ID_JAG) {
        return Ok(GrantKind::Identity);
    }
    match header.get("typ") {
        None => Ok(GrantKind::Workload),
        Some(_) if PLAIN.iter().any(|plain| has_type(header, plain)) => Ok(GrantKind::Workload),
        Some(typ) => Err(GrantFault::Type(shown(typ))),
    }
}

/// "resource: OPTIONAL - The Resource Identifier [...] of the Resource Server (either a single URI or an array of
/// URIs)". All of them must be ours: MCP's profile has the server reject another with `invalid_grant`.
fn resources(claims: &Map<String, Value>, base: &BaseUrl) -> Result<Vec<Resource>, GrantFault> {
    let claim = match claims.get("resource") {
        None => return Ok(Vec::new()),
        Some(claim) => claim,
    };
    let fault = || GrantFault::Resource(shown(claim));
    let single = std::slice::from_ref(claim);
    let named = match claim {
        Value::Array(list) if list.is_empty() => return Err(fault()),
        Value::Array(list) => list,
        _ => single,
    };
    let mut resources: Vec<Resource> = Vec::new();
    for one in named {
        let one = one.as_str().and_then(|uri| Resource::parse(uri, base).ok());
        let one = one.ok_or_else(fault)?;
        if !resources.contains(&one) {
            resources.push(one);
        }
    }
    Ok(resources)
}

fn scopes(claims: &Map<String, Value>) -> Result<Option<ScopeSet>, GrantFault> {
    match claims.get("scope") {
        None => Ok(None),
        Some(Value::String(scope)) => {
            let scopes = ScopeSet::parse(scope).map_err(|_| GrantFault::Scope)?;
            Ok(Some(scopes))
        }
        Some(_) => Err(GrantFault::Scope),
    }
}

fn shown(claim: &Value) -> String {
    printable(&claim.to_string(), MAX_SHOWN_CLAIM)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    const NOW: Unix = Unix::at(1_800_000_000);
    const TOKEN: &str = "https://mcp.example.com/oauth/token";

    fn base() -> BaseUrl {
        BaseUrl::parse("https://mcp.example.com").unwrap()
    }

    fn good() -> Value {
        json!({
            "iss": "https://acme.example", "sub": "U1", "aud": "https://mcp.example.com",
            "client_id": "app", "jti": "1", "iat": NOW.secs(), "exp": NOW.secs() + 300,
        })
    }

    fn read(typ: &Value, claims: Value) -> Result<JwtGrant, GrantFault> {
        let object = |value: Value| value.as_object().unwrap().clone();
        let jwt = Jwt {
            header: object(json!({"alg": "ES256", "typ": typ})),
            claims: object(claims),
        };
        JwtGrant::read(&jwt, &base(), TOKEN, NOW)
    }

    fn with(name: &str, value: Value) -> Result<JwtGrant, GrantFault> {
        let mut claims = good();
        claims[name] = value;
        read(&json!(ID_JAG), claims)
    }

    fn without(name: &str) -> Result<JwtGrant, GrantFault> {
        let mut claims = good();
        claims.as_object_mut().unwrap().remove(name);
        read(&json!(ID_JAG), claims)
    }

    #[test]
    fn the_type_says_whom_it_is_about_and_any_other_token_of_the_issuer_is_refused() {
        for typ in ["oauth-id-jag+jwt", "application/oauth-id-jag+jwt"] {
            assert_eq!(read(&json!(typ), good()).unwrap().kind, GrantKind::Identity);
        }
        for typ in ["JWT", "jwt", "JOSE"] {
            assert_eq!(read(&json!(typ), good()).unwrap().kind, GrantKind::Workload);
        }
        for typ in [
            json!("at+jwt"),
            json!("logout+jwt"),
            json!(""),
            json!(1),
            json!(null),
        ] {
            let fault = read(&typ, good()).unwrap_err();
            assert!(matches!(fault, GrantFault::Type(_)), "{typ}");
        }
    }

    #[test]
    fn an_identity_assertion_is_for_our_issuer_alone_and_a_workloads_token_may_name_the_endpoint() {
        assert!(with("aud", json!(["https://mcp.example.com"])).is_ok());
        for aud in [
            json!(TOKEN),
            json!("https://mcp.example.com/"),
            json!("https://other.example"),
            json!(["https://mcp.example.com", "https://other.example"]),
            json!([]),
            json!(null),
        ] {
            let fault = with("aud", aud.clone()).unwrap_err();
            assert_eq!(fault.reason(), Reason::WrongAudience, "{aud}");
        }
        let mut claims = good();
        claims["aud"] = json!(TOKEN);
        assert!(read(&json!("JWT"), claims.clone()).is_ok());
        claims["aud"] = json!([TOKEN, "https://mcp.example.com"]);
        assert!(read(&json!("JWT"), claims).is_err());
    }

    #[test]
    fn what_is_required_is_there() {
        for name in ["sub", "aud", "exp", "iat", "jti", "client_id"] {
            assert!(without(name).is_err(), "{name}");
        }
        for (name, value) in [
            ("sub", json!("")),
            ("sub", json!("a\nb")),
            ("iat", json!("now")),
            ("iat", json!(NOW.secs() + 120)),
            ("exp", json!(NOW.secs() - 120)),
            ("exp", json!(NOW.secs() + 2 * 3_600)),
            ("jti", json!("")),
            ("client_id", json!(1)),
        ] {
            assert!(with(name, value.clone()).is_err(), "{name} {value}");
        }
        let mut workload = good();
        workload.as_object_mut().unwrap().remove("client_id");
        assert_eq!(read(&json!("JWT"), workload).unwrap().client_id, None);
    }

    #[test]
    fn what_narrows_it_in_a_way_that_is_not_kept_here_is_refused() {
        for name in ["cnf", "authorization_details"] {
            assert_eq!(with(name, json!({"x": 1})), Err(GrantFault::Unknown(name)));
            assert!(with(name, json!(null)).is_ok());
        }
    }

    #[test]
    fn each_resource_that_it_names_is_ours() {
        let of = |value: Value| {
            let resources = with("resource", value)?.resources;
            Ok::<_, GrantFault>(
                resources
                    .iter()
                    .map(|it| it.as_str().to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            of(json!("https://mcp.example.com/")).unwrap(),
            ["https://mcp.example.com"]
        );
        let two = json!([
            "https://mcp.example.com/a",
            "https://mcp.example.com/b",
            "https://mcp.example.com/a"
        ]);
        assert_eq!(of(two).unwrap().len(), 2);
        for bad in [
            json!("https://other.example"),
            json!(["https://mcp.example.com", "https://other.example"]),
            json!([]),
            json!(null),
            json!(1),
        ] {
            let fault = of(bad.clone()).unwrap_err();
            assert_eq!(fault.reason(), Reason::Resource, "{bad}");
        }
    }

    #[test]
    fn scopes_are_text_and_their_absence_says_nothing() {
        let scopes = with("scope", json!("read write")).unwrap().scopes.unwrap();
        assert_eq!(scopes.to_string(), "read write");
        assert_eq!(
            with("scope", json!("")).unwrap().scopes,
            Some(ScopeSet::default())
        );
        assert_eq!(without("scope").unwrap().scopes, None);
        for bad in [json!(["read"]), json!(1), json!(null), json!("a\"b")] {
            assert_eq!(with("scope", bad.clone()), Err(GrantFault::Scope), "{bad}");
        }
    }

    #[test]
    fn it_is_used_up_until_its_end() {
        let once = read(&json!(ID_JAG), good()).unwrap().once;
        assert_eq!(once.jti, "1");
        assert!(once.until >= NOW + Duration::from_secs(300));
    }
}
