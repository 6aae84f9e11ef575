//! `[[machines.trusted_issuers]]`: whose assertions, workloads or access tokens are accepted.

use tower_oauth_proxy::{TrustedIssuer, Workload};

use crate::words::{
    key::{Key, Kind, key},
    refusal::Refusal,
    table::Table,
};

const WORKLOAD: &[Key] = &[
    key(
        "subject",
        Kind::Text,
        "required",
        "\"repo:acme/app:ref:refs/heads/main\"",
        "its `sub`",
    ),
    key(
        "claims",
        Kind::Lists,
        "none",
        "{ environment = [\"production\"] }",
        "claims that its token needs, and their values",
    ),
    key("scopes", Kind::Scopes, "none", "[\"read\"]", "what it may"),
    key("roles", Kind::Words, "none", "[\"ci\"]", "its roles"),
];

pub(super) const KEYS: &[Key] = &[
    key(
        "id",
        Kind::Text,
        "required",
        "\"ci\"",
        "what it is called in events and in names of people",
    ),
    key(
        "issuer",
        Kind::Text,
        "required",
        "\"https://token.actions.githubusercontent.com\"",
        "its `iss`",
    ),
    key(
        "jwks_url",
        Kind::Text,
        "by discovery",
        "\"https://ci.example.com/keys\"",
        "its keys",
    ),
    key(
        "people_of",
        Kind::Text,
        "",
        "\"okta\"",
        "the `id` of the provider whose people it knows",
    ),
    key(
        "access_tokens",
        Kind::Words,
        "none",
        "[\"https://mcp.example.com\"]",
        "the audiences of its access tokens that are good here",
    ),
    key(
        "access_tokens_without_allow_lists",
        Kind::Switch,
        "`false`",
        "false",
        "weak: its people are not asked about in `[people]`",
    ),
    key(
        "assertions",
        Kind::Switch,
        "`false`",
        "true",
        "whether its assertions are exchanged for tokens (enterprise-managed authorization)",
    ),
    key(
        "assertions_for",
        Kind::Words,
        "all clients",
        "[\"desk\"]",
        "the only clients that may bring assertions",
    ),
    key(
        "assertions_of_public_clients",
        Kind::Switch,
        "`false`",
        "false",
        "whether clients without a secret may",
    ),
    key(
        "assertion_claims",
        Kind::Lists,
        "none",
        "{ tenant = [\"acme\"] }",
        "claims that an assertion needs, and their values",
    ),
    key(
        "workloads",
        Kind::Tables(WORKLOAD),
        "none",
        "",
        "programs with a token of this issuer: a CI job, a cloud's instance",
    ),
];

pub(super) fn issuer(said: Table<'_>) -> Result<TrustedIssuer, Refusal> {
    let mut issuer = TrustedIssuer::new(said.required("id")?, said.required("issuer")?);
    if let Some(url) = said.text("jwks_url")? {
        issuer = issuer.jwks_url(url);
    }
    if let Some(provider) = said.text("people_of")? {
        issuer = issuer.people_of(provider);
    }
    if let Some(audiences) = said.words("access_tokens")? {
        issuer = issuer.access_tokens(audiences);
    }
    if said.is_on("access_tokens_without_allow_lists")? {
        issuer = issuer.access_tokens_without_allow_lists();
    }
    issuer = match (said.switch("assertions")?, said.words("assertions_for")?) {
        (Some(false), Some(_)) => {
            let why = "has no meaning while `assertions` is false";
            return Err(said.refuse("assertions_for", why));
        }
        (_, Some(clients)) if clients.is_empty() => {
            let why = "names no client: say `assertions = true` for all, or leave it out";
            return Err(said.refuse("assertions_for", why));
        }
        (_, Some(clients)) => issuer.assertions_for(clients),
        (Some(true), None) => issuer.assertions(),
        (Some(false) | None, None) => issuer,
    };
    if said.is_on("assertions_of_public_clients")? {
        issuer = issuer.assertions_of_public_clients();
    }
    for (claim, values) in said.lists("assertion_claims")? {
        issuer = issuer.assertion_claim(claim, values);
    }
    for said in said.tables("workloads")? {
        let said = said.table();
        let mut workload = Workload::subject(said.required("subject")?);
        for (claim, values) in said.lists("claims")? {
            workload = workload.claim(claim, values);
        }
        if let Some(scopes) = said.words("scopes")? {
            workload = workload.scopes(scopes);
        }
        if let Some(roles) = said.words("roles")? {
            workload = workload.roles(roles);
        }
        issuer = issuer.workload(workload);
    }
    Ok(issuer)
}
