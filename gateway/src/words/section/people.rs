//! `[people]`: who may log in, and what is known of them.

use tower_oauth_proxy::{OAuthProxyConfigBuilder, Subjects};

use crate::words::{
    key::{Key, Kind, key, sets},
    refusal::Refusal,
    table::Table,
};

/// The keys of `[people]`.
pub(crate) const KEYS: &[Key] = &[
    sets(
        &["allowed_domains"],
        key(
            "allowed_domains",
            Kind::Words,
            "everyone",
            "[\"example.com\"]",
            "domains of verified addresses; a domain does not include its subdomains",
        ),
    ),
    sets(
        &["allowed_emails"],
        key(
            "allowed_emails",
            Kind::Words,
            "everyone",
            "[\"ada@example.com\"]",
            "verified addresses",
        ),
    ),
    sets(
        &["allowed_groups"],
        key(
            "allowed_groups",
            Kind::Words,
            "everyone",
            "[\"engineering\"]",
            "groups of which a person needs one",
        ),
    ),
    sets(
        &["group_claims"],
        key(
            "group_claims",
            Kind::Words,
            "`groups`",
            "[\"groups\"]",
            "the claims that name groups",
        ),
    ),
    sets(
        &["allowed_claim"],
        key(
            "allowed_claims",
            Kind::Lists,
            "everyone",
            "{ department = [\"research\", \"sales\"] }",
            "claims, and the values of which a person needs one",
        ),
    ),
    sets(
        &["identity_max_age"],
        key(
            "identity_max_age",
            Kind::Time,
            "1 hour",
            "\"1h\"",
            "a client that refreshes later has the provider and the lists asked again",
        ),
    ),
    sets(
        &["grant_max_age"],
        key(
            "grant_max_age",
            Kind::Time,
            "none; 30 days where the provider can never be asked again",
            "\"90d\"",
            "the last day of a grant, however often it is used",
        ),
    ),
    sets(
        &["grants_per_person"],
        key(
            "grants_per_person",
            Kind::Number(1, 1_000_000),
            "100",
            "100",
            "a login that makes one more ends the one that was used longest ago",
        ),
    ),
    sets(
        &["role_claims"],
        key(
            "role_claims",
            Kind::Words,
            "`role`, `roles`, `realm_access`",
            "[\"roles\"]",
            "the claims that name roles",
        ),
    ),
    sets(
        &["subjects"],
        key(
            "subjects",
            Kind::Choice(&["first_bare", "qualified"]),
            "`first_bare`",
            "\"qualified\"",
            "how people of several providers are named: those of the first by `sub` alone, or all by `{id}|{sub}`",
        ),
    ),
    sets(
        &["insecure_trust_unverified_emails"],
        key(
            "insecure_trust_unverified_emails",
            Kind::Switch,
            "`false`",
            "false",
            "weak: the lists believe any address",
        ),
    ),
];

pub(crate) fn apply(
    said: Table<'_>,
    mut builder: OAuthProxyConfigBuilder,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    if let Some(domains) = said.words("allowed_domains")? {
        builder = builder.allowed_domains(domains);
    }
    if let Some(emails) = said.words("allowed_emails")? {
        builder = builder.allowed_emails(emails);
    }
    if let Some(groups) = said.words("allowed_groups")? {
        builder = builder.allowed_groups(groups);
    }
    if let Some(claims) = said.words("group_claims")? {
        builder = builder.group_claims(claims);
    }
    for (claim, values) in said.lists("allowed_claims")? {
        builder = builder.allowed_claim(claim, values);
    }
    if let Some(time) = said.time("identity_max_age")? {
        builder = builder.identity_max_age(time);
    }
    if let Some(time) = said.time("grant_max_age")? {
        builder = builder.grant_max_age(time);
    }
    if let Some(limit) = said.number("grants_per_person")? {
        builder = builder.grants_per_person(limit);
    }
    if let Some(claims) = said.words("role_claims")? {
        builder = builder.role_claims(claims);
    }
    match said.text("subjects")? {
        Some("qualified") => builder = builder.subjects(Subjects::qualified()),
        Some(_) => builder = builder.subjects(Subjects::first_bare()),
        None => {}
    }
    if said.is_on("insecure_trust_unverified_emails")? {
        builder = builder.insecure_trust_unverified_emails();
    }
    Ok(builder)
}
