//! Programs without a person: `API_KEYS_FILE` and `TRUSTED_ISSUERS`.
//!
//! `API_KEYS_FILE` has the form of [`ApiKey::parse_all`]. `TRUSTED_ISSUERS` is a file, or the list itself:
//!
//! ```json
//! [
//!   { "id": "acme", "issuer": "https://acme.okta.com", "people_of": "okta", "assertions": true },
//!   { "id": "ci", "issuer": "https://token.actions.githubusercontent.com",
//!     "workloads": [ { "subject": "repo:acme/app:ref:refs/heads/main", "scopes": ["read"] } ] }
//! ]
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;
use tower_oauth_proxy::{ApiKey, OAuthProxyConfigBuilder, TrustedIssuer, Workload};

use super::env::{Env, Refusal};

/// An issuer as it stands in the list. A member that is not known is a mistake.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidIssuer {
    id: String,
    issuer: String,
    jwks_url: Option<String>,
    people_of: Option<String>,
    #[serde(default)]
    access_tokens: Vec<String>,
    assertions: Option<SaidAssertions>,
    #[serde(default)]
    assertions_of_public_clients: bool,
    #[serde(default)]
    workloads: Vec<SaidWorkload>,
}

/// Whether its assertions are accepted, or of which clients.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "`assertions` is true, false or a list of client ids"
)]
enum SaidAssertions {
    Any(bool),
    Of(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidWorkload {
    subject: String,
    #[serde(default)]
    claims: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    roles: Vec<String>,
}

impl Env {
    /// The keys and issuers of the environment.
    pub(super) fn machines(
        &self,
        mut builder: OAuthProxyConfigBuilder,
    ) -> Result<OAuthProxyConfigBuilder, Refusal> {
        for (path, text) in self.files("API_KEYS_FILE")? {
            let refused = |error| Refusal(format!("API_KEYS_FILE: {path}: {error}"));
            builder = builder.api_keys(ApiKey::parse_all(&text).map_err(refused)?);
        }
        for entry in self.entries::<SaidIssuer>("TRUSTED_ISSUERS")? {
            if let Some(SaidAssertions::Of(clients)) = &entry.value.assertions
                && clients.is_empty()
            {
                let why = "`assertions` names no client: give true for all, or leave it out";
                return Err(entry.refusal(&entry.value.id, why));
            }
            builder = builder.trusted_issuer(issuer(entry.value));
        }
        Ok(builder)
    }
}

fn issuer(said: SaidIssuer) -> TrustedIssuer {
    let mut issuer = TrustedIssuer::new(said.id, said.issuer).access_tokens(said.access_tokens);
    if let Some(url) = said.jwks_url {
        issuer = issuer.jwks_url(url);
    }
    if let Some(provider) = said.people_of {
        issuer = issuer.people_of(provider);
    }
    match said.assertions {
        Some(SaidAssertions::Any(true)) => issuer = issuer.assertions(),
        Some(SaidAssertions::Of(clients)) => issuer = issuer.assertions_for(clients),
        Some(SaidAssertions::Any(false)) | None => {}
    }
    if said.assertions_of_public_clients {
        issuer = issuer.assertions_of_public_clients();
    }
    for said in said.workloads {
        let workload = Workload::subject(said.subject).scopes(said.scopes);
        let workload = said
            .claims
            .into_iter()
            .fold(workload.roles(said.roles), |workload, (claim, values)| {
                workload.claim(claim, values)
            });
        issuer = issuer.workload(workload);
    }
    issuer
}
