use serde_json::json;

use super::*;

fn base() -> BaseUrl {
    BaseUrl::parse("https://mcp.example.com").unwrap()
}

fn check(issuers: &[TrustedIssuer]) -> Result<(), String> {
    let scopes = ScopeSet::new(["read"]).unwrap();
    check_trusted_issuers(issuers, &["okta"], &base(), &scopes).map_err(|error| error.to_string())
}

fn issuer(id: &str) -> TrustedIssuer {
    TrustedIssuer::new(id, format!("https://{id}.example.com")).assertions()
}

#[test]
fn an_issuer_is_trusted_by_an_id_of_its_own_and_an_https_url() {
    assert_eq!(check(&[issuer("a"), issuer("b").people_of("okta")]), Ok(()));
    for (bad, why) in [
        (issuer("A"), "is no id"),
        (issuer(""), "is no id"),
        (issuer("key"), "is reserved"),
        (issuer("okta"), "is a provider's id"),
        (issuer("a").people_of("nope"), "which is no provider's id"),
        (
            TrustedIssuer::new("a", "http://a.example.com").assertions(),
            "must be https",
        ),
        (
            TrustedIssuer::new("a", "a.example.com").assertions(),
            "the issuer",
        ),
        (
            TrustedIssuer::new("a", "https://a.example.com?x=1").assertions(),
            "query",
        ),
        (
            TrustedIssuer::new("a", "https://mcp.example.com/").assertions(),
            "own base URL",
        ),
        (
            issuer("a").jwks_url("http://a.example.com/jwks"),
            "the jwks_url",
        ),
        (
            TrustedIssuer::new("a", "https://a.example.com"),
            "trusted with nothing",
        ),
        (issuer("a").assertions_for([""]), "empty entry"),
        (issuer("a").assertions_for([""; 0]), "empty entry"),
        (issuer("a").access_tokens([" "]), "empty entry"),
        (issuer("a").assertion_claim("", ["x"]), "cannot be met"),
        (issuer("a").assertion_claim("x", [""; 0]), "cannot be met"),
        (
            issuer("a").workload(Workload::subject("*")),
            "everyone of the issuer",
        ),
        (
            issuer("a").workload(Workload::subject("x").scopes(["write"])),
            "not one of `scopes`",
        ),
        (
            issuer("a").workload(Workload::subject("x").scopes(["a b"])),
            "a b",
        ),
        (
            TrustedIssuer::new("a", "https://a.example.com")
                .access_tokens(["x"])
                .assertion_claim("x", ["y"]),
            "has no assertions",
        ),
        (
            TrustedIssuer::new("a", "https://a.example.com")
                .workload(Workload::subject("x"))
                .people_of("okta"),
            "has no people",
        ),
    ] {
        let error = check(&[bad]).unwrap_err();
        assert!(error.contains(why), "{error} has no {why}");
    }
}

#[test]
fn no_two_issuers_have_one_id_or_one_url() {
    let twice = [
        issuer("a"),
        TrustedIssuer::new("a", "https://b.example.com").assertions(),
    ];
    assert!(check(&twice).unwrap_err().contains("is the id of two"));
    let same = [
        issuer("a"),
        TrustedIssuer::new("b", "https://a.example.com").assertions(),
    ];
    assert!(check(&same).unwrap_err().contains("put them together"));
    let many: Vec<_> = (0..=MAX_TRUSTED_ISSUERS)
        .map(|n| issuer(&format!("i{n}")))
        .collect();
    assert!(check(&many).unwrap_err().contains("more than"));
    assert_eq!(check(many.get(1..).unwrap()), Ok(()));
}

#[test]
fn all_that_assertions_says_adds_up() {
    let of = |issuer: TrustedIssuer| issuer.assertions.unwrap();
    let both = of(issuer("a")
        .assertions_for(["x"])
        .assertions_for(["y"])
        .assertions());
    assert_eq!(
        both.clients.as_deref(),
        Some(["x".to_owned(), "y".to_owned()].as_slice())
    );
    assert!(!both.public_clients);
    assert!(of(issuer("a").assertions_of_public_clients()).public_clients);
}

#[test]
fn an_issuer_of_several_tenants_is_believed_about_the_one_that_was_named() {
    let claims = |claims: Value| claims.as_object().unwrap().clone();
    let (none, acme) = (claims(json!({})), claims(json!({"tenant": "acme"})));
    assert_eq!(issuer("a").refusal(&none), None);
    assert!(
        issuer("a")
            .refusal(&acme)
            .unwrap()
            .to_string()
            .contains("`tenant`")
    );
    let of_acme = issuer("a").assertion_claim("tenant", ["acme"]);
    assert_eq!(of_acme.refusal(&acme), None);
    for other in [none, claims(json!({"tenant": "evil"}))] {
        assert!(
            of_acme
                .refusal(&other)
                .unwrap()
                .to_string()
                .contains("assertion_claim")
        );
    }
    let both = of_acme.assertion_claim("env", ["prod"]);
    assert!(both.refusal(&acme).is_some());
    assert_eq!(
        both.refusal(&claims(json!({"tenant": "acme", "env": ["prod"]}))),
        None
    );
}
