//! `[provider]` and `[[also_provider]]`: who knows the people.

use tower_oauth_proxy::{
    Provider,
    provider::{self, ClientKey, TokenEndpointAuth},
};

use crate::words::{
    key::{Key, Kind, key, sets},
    refusal::Refusal,
    table::Table,
};

/// The presets of the library, and `generic` for any OAuth server by its URLs.
const PRESETS: &[&str] = &[
    "apple",
    "atlassian",
    "auth0",
    "authentik",
    "azure",
    "azure-b2c",
    "azure-external",
    "cognito",
    "discord",
    "generic",
    "github",
    "github-app",
    "gitlab",
    "google",
    "hugging-face",
    "keycloak",
    "linkedin",
    "notion",
    "oidc",
    "okta",
    "salesforce",
    "slack",
    "slack-user",
    "workos",
];

/// The keys of a provider.
pub(crate) const KEYS: &[Key] = &[
    key(
        "preset",
        Kind::Choice(PRESETS),
        "required",
        "\"google\"",
        "who it is: `google`, `github`, `azure` (Entra ID), `okta`, `auth0`, `keycloak`, …; `oidc` for any OpenID provider by its issuer; `generic` for any OAuth server by its URLs",
    ),
    key(
        "client_id",
        Kind::Text,
        "required",
        "\"client-id\"",
        "the app that you registered there, with the callback `{base_url}/oauth/callback`",
    ),
    key(
        "client_secret",
        Kind::Secret,
        "required, unless a key proves the app",
        "\"c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8\"",
        "the app's secret",
    ),
    key(
        "domain",
        Kind::Text,
        "",
        "\"acme.okta.com\"",
        "of `auth0`, `authentik`, `keycloak`, `okta`, `workos`: the server; of `gitlab`: the instance, if it is not gitlab.com; of `azure-external` and `azure-b2c`: the tenant's name",
    ),
    key(
        "tenant",
        Kind::Text,
        "",
        "\"11111111-2222-3333-4444-555555555555\"",
        "of `azure`, `azure-external`, `azure-b2c`: the tenant's id",
    ),
    key(
        "policy",
        Kind::Text,
        "",
        "\"B2C_1_signin\"",
        "of `azure-b2c`: the user flow",
    ),
    key("realm", Kind::Text, "", "\"acme\"", "of `keycloak`"),
    key(
        "slug",
        Kind::Text,
        "",
        "\"mcp\"",
        "of `authentik`: the application's slug",
    ),
    key(
        "pool",
        Kind::Text,
        "",
        "\"eu-west-1_a1B2c3D4e\"",
        "of `cognito`: the user pool's id",
    ),
    key("team_id", Kind::Text, "", "\"A1B2C3D4E5\"", "of `apple`"),
    key(
        "key_id",
        Kind::Text,
        "",
        "\"2026-11\"",
        "of `apple`, required: the key's id there; with `key_file`: the `kid` of what the key signs",
    ),
    key(
        "key_file",
        Kind::File,
        "",
        "\"app.pem\"",
        "of `apple`: the `.p8` file; of others a private key (PEM) that proves the app instead of a secret (`private_key_jwt`)",
    ),
    key(
        "key_algorithm",
        Kind::Text,
        "by the key",
        "\"PS256\"",
        "what the key of `key_file` signs with",
    ),
    key(
        "issuer",
        Kind::Text,
        "",
        "\"https://idp.example.com\"",
        "of `oidc`, required; of `generic` optional: what its ID tokens name",
    ),
    key(
        "authorization_url",
        Kind::Text,
        "",
        "\"https://idp.example.com/authorize\"",
        "of `generic`, required",
    ),
    key(
        "token_url",
        Kind::Text,
        "",
        "\"https://idp.example.com/token\"",
        "of `generic`, required",
    ),
    key(
        "userinfo_url",
        Kind::Text,
        "the preset's",
        "\"https://idp.example.com/userinfo\"",
        "who logged in",
    ),
    key(
        "revocation_url",
        Kind::Text,
        "the preset's",
        "\"https://idp.example.com/revoke\"",
        "where its tokens are ended",
    ),
    key(
        "jwks_url",
        Kind::Text,
        "the preset's",
        "\"https://idp.example.com/keys\"",
        "the keys of its ID tokens",
    ),
    key(
        "id",
        Kind::Text,
        "the preset's",
        "\"staff\"",
        "what it is called in events, and in the names of the people of a second provider",
    ),
    key(
        "name",
        Kind::Text,
        "the preset's",
        "\"Acme\"",
        "what people read on the pages",
    ),
    key(
        "scopes",
        Kind::Scopes,
        "the preset's",
        "[\"openid\", \"email\", \"profile\"]",
        "what clients may ask for",
    ),
    key(
        "upstream_scopes",
        Kind::Scopes,
        "none",
        "[\"openid\", \"email\"]",
        "what is asked for at each login, besides what the client asks for",
    ),
    key(
        "allowed_organizations",
        Kind::Words,
        "everyone",
        "[\"acme\"]",
        "whose people may log in: GitHub organizations and teams, Google Workspaces, Entra tenants",
    ),
    key(
        "allowed_claims",
        Kind::Lists,
        "everyone",
        "{ department = [\"research\"] }",
        "values of a claim that this provider's people need",
    ),
    key(
        "audience",
        Kind::Text,
        "none",
        "\"https://api.example.com\"",
        "the `audience` that logins ask for",
    ),
    key(
        "identifier_uri",
        Kind::Text,
        "the preset's",
        "\"api://client-id\"",
        "of `azure`: the app's Application ID URI",
    ),
    key(
        "authority",
        Kind::Text,
        "the preset's",
        "\"https://login.microsoftonline.us\"",
        "another cloud or instance of the same provider",
    ),
    key(
        "form_post",
        Kind::Switch,
        "the preset's",
        "false",
        "the provider answers logins by a form",
    ),
    key(
        "forward_resource",
        Kind::Switch,
        "the preset's",
        "false",
        "send the `resource` to it",
    ),
    key(
        "always_userinfo",
        Kind::Switch,
        "the preset's",
        "false",
        "ask userinfo besides the ID token",
    ),
    key(
        "pkce",
        Kind::Switch,
        "the preset's",
        "true",
        "`false` only for a provider that knows no PKCE",
    ),
    key(
        "sends_scope_on_refresh",
        Kind::Switch,
        "the preset's",
        "true",
        "name the scopes at each renewal",
    ),
    key(
        "token_exchange",
        Kind::Switch,
        "the preset's",
        "false",
        "the provider gives tokens for other APIs by RFC 8693",
    ),
    key(
        "token_endpoint_auth_method",
        Kind::Choice(&["client_secret_basic", "client_secret_post"]),
        "the preset's",
        "\"client_secret_post\"",
        "how the secret is sent",
    ),
    key(
        "client_metadata_document",
        Kind::Switch,
        "`false`",
        "false",
        "the gateway's own metadata document is the `client_id` there",
    ),
    key(
        "assertion_audience",
        Kind::Text,
        "the issuer",
        "\"https://idp.example.com\"",
        "the `aud` of what `key_file` signs",
    ),
    key(
        "authorization_params",
        Kind::Texts,
        "none",
        "{ access_type = \"offline\" }",
        "parameters of each login",
    ),
    key(
        "token_params",
        Kind::Texts,
        "none",
        "{ realm = \"acme\" }",
        "parameters of each exchange of a code",
    ),
    key(
        "refresh_params",
        Kind::Texts,
        "none",
        "{ realm = \"acme\" }",
        "parameters of each renewal",
    ),
];

/// The first; the library calls its mistakes by this name.
pub(crate) const PROVIDER: Key = sets(
    &["provider"],
    key(
        "provider",
        Kind::Table(KEYS),
        "required",
        "",
        "the identity provider: who knows the people",
    ),
);

/// The others.
pub(crate) const ALSO_PROVIDER: Key = sets(
    &["also_provider"],
    key(
        "also_provider",
        Kind::Tables(KEYS),
        "none",
        "",
        "another provider, from which people choose; the same keys as `provider`",
    ),
);

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
        let refused = |error| said.refuse("key_algorithm", error);
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
    let refused =
        |error: tower_oauth_proxy::ConfigError| said.refuse("preset", format!("{preset}: {error}"));
    made.check().map_err(refused)?;
    Ok(made)
}
