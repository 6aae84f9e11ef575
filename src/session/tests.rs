//! Sessions for tests of other rooms, and what they print.

use super::*;

/// Ada's session with these scopes and roles.
pub(crate) fn session(scopes: &str, roles: &[&str]) -> AuthSession {
    of(scopes, roles, "UPSTREAM-SECRET".into())
}

/// One that takes about this many bytes.
pub(crate) fn session_of_size(bytes: usize) -> AuthSession {
    of("", &[], "x".repeat(bytes))
}

fn of(scopes: &str, roles: &[&str], access_token: String) -> AuthSession {
    let base = BaseUrl::parse("https://proxy.example").unwrap();
    AuthSession::new(Inner {
        source: TokenSource::Login,
        subject: "ada".into(),
        provider_subject: None,
        provider: None,
        client_id: "client".into(),
        scopes: HeldScopes::made_up(ScopeSet::parse(scopes).unwrap(), &ScopeSet::default()),
        claims: CarriedClaims::default(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        resource: Resource::base(&base),
        expires_at: Unix::at(1_000),
        grant_id: None,
        renewal: None,
        upstream: UpstreamTokens {
            id_token: Some("UPSTREAM-SECRET".into()),
            ..UpstreamTokens::alone(access_token, None)
        },
        challenges: None,
    })
}

#[test]
fn a_session_prints_no_token() {
    let session = session("read", &[]);
    let printed = format!("{session:?} {:?}", session.upstream());
    assert!(!printed.contains("UPSTREAM-SECRET"), "{printed}");
    assert!(printed.contains("ada"));
}
