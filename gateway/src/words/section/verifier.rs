//! Who checks the provider's own access tokens: its keys, its introspection, or its userinfo.

use tower_oauth_proxy::{
    IntrospectionVerifier, JwksVerifier, OAuthProxyConfigBuilder, Provider, UserInfoVerifier,
};

use crate::words::{
    key::{Key, Kind, key},
    refusal::Refusal,
    table::Table,
};

/// The keys of a verifier.
pub(super) const KEYS: &[Key] = &[
    key(
        "by",
        Kind::Choice(&["jwks", "introspection", "userinfo"]),
        "required",
        "\"introspection\"",
        "how: by the provider's keys, by its introspection endpoint, or by its userinfo",
    ),
    key(
        "issuer",
        Kind::Text,
        "",
        "\"https://idp.example.com\"",
        "of `jwks`, required: the `iss` that a token needs",
    ),
    key(
        "jwks_url",
        Kind::Text,
        "by discovery",
        "\"https://idp.example.com/keys\"",
        "of `jwks`: where the keys are",
    ),
    key(
        "token_type",
        Kind::Text,
        "any",
        "\"at+jwt\"",
        "of `jwks`: the `typ` that a token needs",
    ),
    key(
        "claims",
        Kind::Texts,
        "none",
        "{ tid = \"11111111-2222-3333-4444-555555555555\" }",
        "of `jwks`: claims that a token needs",
    ),
    key(
        "url",
        Kind::Text,
        "",
        "\"https://idp.example.com/introspect\"",
        "of `introspection`, required: where tokens are asked about",
    ),
    key(
        "client_id",
        Kind::Text,
        "",
        "\"mcp\"",
        "of `introspection`, required: who asks",
    ),
    key(
        "client_secret",
        Kind::Secret,
        "",
        "\"c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8\"",
        "of `introspection`",
    ),
    key(
        "token_client",
        Kind::Text,
        "any",
        "\"mcp\"",
        "of `introspection`: the `client_id` that a token needs",
    ),
    key(
        "audience",
        Kind::Text,
        "",
        "\"https://mcp.example.com\"",
        "the `aud` that a token needs; required, unless `without_audience`",
    ),
    key(
        "without_audience",
        Kind::Switch,
        "`false`",
        "false",
        "of `introspection` and `userinfo`: the provider names none",
    ),
    key(
        "subject_claim",
        Kind::Text,
        "`sub`",
        "\"sub\"",
        "the claim that names who it is",
    ),
    key(
        "scopes",
        Kind::Scopes,
        "none",
        "[\"read\"]",
        "of `userinfo`: the scopes of a session, as userinfo names none",
    ),
    key(
        "cache_ttl",
        Kind::Time,
        "1 minute",
        "\"1m\"",
        "how long a yes is kept",
    ),
];

enum Verifier {
    Jwks(JwksVerifier),
    Introspection(IntrospectionVerifier),
    UserInfo(UserInfoVerifier),
}

pub(super) fn passthrough(
    said: Table<'_>,
    builder: OAuthProxyConfigBuilder,
    provider: &Provider,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    Ok(match verifier(said, provider)? {
        Verifier::Jwks(verifier) => builder.passthrough(verifier),
        Verifier::Introspection(verifier) => builder.passthrough(verifier),
        Verifier::UserInfo(verifier) => builder.passthrough(verifier),
    })
}

pub(super) fn upstream(
    said: Table<'_>,
    builder: OAuthProxyConfigBuilder,
    provider: &Provider,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    Ok(match verifier(said, provider)? {
        Verifier::Jwks(verifier) => builder.upstream_verifier(verifier),
        Verifier::Introspection(verifier) => builder.upstream_verifier(verifier),
        Verifier::UserInfo(verifier) => builder.upstream_verifier(verifier),
    })
}

fn verifier(said: Table<'_>, provider: &Provider) -> Result<Verifier, Refusal> {
    match said.required("by")? {
        "jwks" => jwks(said).map(Verifier::Jwks),
        "introspection" => introspection(said).map(Verifier::Introspection),
        "userinfo" => userinfo(said, provider).map(Verifier::UserInfo),
        other => Err(said.refuse("by", format!("{other} is unknown"))),
    }
}

fn jwks(said: Table<'_>) -> Result<JwksVerifier, Refusal> {
    let issuer = said.required("issuer")?;
    let verifier = match said.text("jwks_url")? {
        Some(url) => JwksVerifier::new(url).issuer(issuer),
        None => JwksVerifier::for_issuer(issuer),
    };
    let mut verifier = verifier.audience(said.required("audience")?);
    if let Some(kind) = said.text("token_type")? {
        verifier = verifier.token_type(kind);
    }
    for (claim, value) in said.pairs("claims")? {
        verifier = verifier.require_claim(claim, value);
    }
    if let Some(claim) = said.text("subject_claim")? {
        verifier = verifier.subject_claim(claim);
    }
    Ok(verifier)
}

fn introspection(said: Table<'_>) -> Result<IntrospectionVerifier, Refusal> {
    let missing = || said.refuse("client_secret", "is missing");
    let secret = said.secret("client_secret")?.ok_or_else(missing)?;
    let url = said.required("url")?;
    let mut verifier = IntrospectionVerifier::new(url, said.required("client_id")?, secret);
    match (said.text("audience")?, said.is_on("without_audience")?) {
        (Some(audience), false) => verifier = verifier.audience(audience),
        (None, true) => verifier = verifier.without_audience(),
        _ => {
            let why = "says whom a token is for: give it, or `without_audience = true`";
            return Err(said.refuse("audience", why));
        }
    }
    if let Some(client) = said.text("token_client")? {
        verifier = verifier.client(client);
    }
    if let Some(claim) = said.text("subject_claim")? {
        verifier = verifier.subject_claim(claim);
    }
    if let Some(time) = said.time("cache_ttl")? {
        verifier = verifier.cache_ttl(time);
    }
    Ok(verifier)
}

fn userinfo(said: Table<'_>, provider: &Provider) -> Result<UserInfoVerifier, Refusal> {
    let mut verifier = UserInfoVerifier::new(provider.clone());
    if said.is_on("without_audience")? {
        verifier = verifier.without_audience();
    }
    if let Some(scopes) = said.words("scopes")? {
        verifier = verifier.scopes(scopes);
    }
    if let Some(time) = said.time("cache_ttl")? {
        verifier = verifier.cache_ttl(time);
    }
    Ok(verifier)
}
