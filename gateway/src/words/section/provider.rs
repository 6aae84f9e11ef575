//! `[provider]` and `[[also_provider]]`: who knows the people.

use tower_oauth_proxy::{
    Provider,
    provider::{self, ClientKey, TokenEndpointAuth},
};

use crate::words::{
    refusal::{Refusal, words_of},
    table::Table,
};

/// Makes the provider of a table.
pub(crate) fn provider(said: Table<'_>) -> Result<Provider, Refusal> {
    let preset = said.required("preset")?;
    let id = said.required("client_id")?;
    let key = match preset {
        "apple" => None,
        _ => client_key(said)?,
    };
    let is_document = said.is_on("client_metadata_document")?;
    let needs_secret = key.is_none() && !is_document && preset != "apple";
    let secret = match said.secret("client_secret")? {
        None if needs_secret => {
            let why = "is missing: say it, or `client_secret_file`, or give a key with `key_file`";
            return Err(said.refuse("client_secret", why));
        }
        secret => secret.unwrap_or_default(),
    };
    let has_secret = !secret.is_empty();
    let mut made = by_preset(said, preset, id, secret)?;
    if let Some(key) = key {
        made = made.private_key_jwt(key);
    } else if is_document && !has_secret {
        made = made.without_client_secret();
    }
    if is_document {
        made = made.client_metadata_document();
    }
    with_options(said, preset, made)
}

fn by_preset(said: Table<'_>, preset: &str, id: &str, secret: String) -> Result<Provider, Refusal> {
    let domain = || said.required("domain");
    let tenant = || said.required("tenant");
    Ok(match preset {
        "apple" => {
            let missing = || said.refuse("key_file", "is missing");
            let key = said.file("key_file")?.ok_or_else(missing)?;
            provider::apple(
                id,
                said.required("team_id")?,
                said.required("key_id")?,
                key.text,
            )
        }
        "atlassian" => provider::atlassian(id, secret),
        "auth0" => provider::auth0(domain()?, id, secret),
        "authentik" => provider::authentik(domain()?, said.required("slug")?, id, secret),
        "azure" => provider::azure(tenant()?, id, secret),
        "azure-b2c" => {
            provider::azure_b2c(domain()?, tenant()?, said.required("policy")?, id, secret)
        }
        "azure-external" => provider::azure_external(domain()?, tenant()?, id, secret),
        "cognito" => provider::cognito(said.required("pool")?, id, secret),
        "discord" => provider::discord(id, secret),
        "generic" => {
            let authorization = said.required("authorization_url")?;
            let made = provider::generic(authorization, said.required("token_url")?, id, secret);
            match said.text("issuer")? {
                Some(issuer) => made.issuer(issuer),
                None => made,
            }
        }
        "github" => provider::github(id, secret),
        "github-app" => provider::github_app(id, secret),
        "gitlab" => provider::gitlab(said.text("domain")?.unwrap_or("gitlab.com"), id, secret),
        "google" => provider::google(id, secret),
        "hugging-face" => provider::hugging_face(id, secret),
        "keycloak" => provider::keycloak(domain()?, said.required("realm")?, id, secret),
        "linkedin" => provider::linkedin(id, secret),
        "notion" => provider::notion(id, secret),
        "oidc" => provider::oidc(said.required("issuer")?, id, secret),
        "okta" => provider::okta(domain()?, id, secret),
        "salesforce" => provider::salesforce(id, secret),
        "slack" => provider::slack(id, secret),
        "slack-user" => provider::slack_user(id, secret),
        "workos" => provider::workos(domain()?, id, secret),
        other => {
            let why = format!("the gateway makes no provider of {other}");
            return Err(said.refuse("preset", why));
        }
    })
}

/// A key that proves the app.
fn client_key(said: Table<'_>) -> Result<Option<ClientKey>, Refusal> {
    let Some(file) = said.file("key_file")? else {
        return Ok(None);
    };
    let refused = |error| said.refuse("key_file", format!("{}: {error}", file.path.display()));
    let mut key = ClientKey::from_pem(&file.text).map_err(refused)?;
    if let Some(id) = said.text("key_id")? {
        key = key.id(id);
    }
    if let Some(algorithm) = said.text("key_algorithm")? {
        let refused = |error| said.refuse("key_algorithm", words_of(&error));
        key = key.algorithm(algorithm).map_err(refused)?;
    }
    Ok(Some(key))
}

fn with_options(said: Table<'_>, preset: &str, mut made: Provider) -> Result<Provider, Refusal> {
    type Set = fn(Provider, &str) -> Provider;
    const TEXTS: &[(&str, Set)] = &[
        ("userinfo_url", |made, text| made.userinfo_url(text)),
        ("revocation_url", |made, text| made.revocation_url(text)),
        ("jwks_url", |made, text| made.jwks_url(text)),
        ("id", |made, text| made.id(text)),
        ("name", |made, text| made.name(text)),
        ("audience", |made, text| made.audience(text)),
        ("identifier_uri", |made, text| made.identifier_uri(text)),
        ("authority", |made, text| made.authority(text)),
        ("assertion_audience", |made, text| {
            made.assertion_audience(text)
        }),
    ];
    for (name, set) in TEXTS {
        if let Some(text) = said.text(name)? {
            made = set(made, text);
        }
    }
    type Switch = fn(Provider, bool) -> Provider;
    const SWITCHES: &[(&str, Switch)] = &[
        ("form_post", Provider::form_post),
        ("forward_resource", Provider::forward_resource),
        ("always_userinfo", Provider::always_userinfo),
        ("pkce", Provider::uses_pkce),
        ("sends_scope_on_refresh", Provider::sends_scope_on_refresh),
        ("token_exchange", Provider::token_exchange),
    ];
    for (name, set) in SWITCHES {
        if let Some(on) = said.switch(name)? {
            made = set(made, on);
        }
    }
    if let Some(scopes) = said.words("scopes")? {
        made = made.scopes(scopes);
    }
    if let Some(scopes) = said.words("upstream_scopes")? {
        made = made.upstream_scopes(scopes);
    }
    if let Some(organizations) = said.words("allowed_organizations")? {
        made = made.allowed_organizations(organizations);
    }
    for (claim, values) in said.lists("allowed_claims")? {
        made = made.allowed_claim(claim, values);
    }
    for (name, value) in said.pairs("authorization_params")? {
        made = made.authorization_param(name, value);
    }
    for (name, value) in said.pairs("token_params")? {
        made = made.token_param(name, value);
    }
    for (name, value) in said.pairs("refresh_params")? {
        made = made.refresh_param(name, value);
    }
    match said.text("token_endpoint_auth_method")? {
        Some("client_secret_basic") => {
            made = made.token_endpoint_auth_method(TokenEndpointAuth::Basic);
        }
        Some(_) => made = made.token_endpoint_auth_method(TokenEndpointAuth::Post),
        None => {}
    }
    let refused = |error: tower_oauth_proxy::ConfigError| {
        said.refuse("preset", format!("{preset}: {}", words_of(&error)))
    };
    made.check().map_err(refused)?;
    Ok(made)
}
