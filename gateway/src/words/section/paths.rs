//! `[paths]`: which requests need a session.

use tower_oauth_proxy::OAuthProxyConfigBuilder;

use crate::words::{
    key::{Key, Kind, key, sets},
    refusal::Refusal,
    table::Table,
};

/// The keys of `[paths]`.
pub(crate) const KEYS: &[Key] = &[
    sets(
        &["public_paths"],
        key(
            "public",
            Kind::Words,
            "none",
            "[\"/health\"]",
            "paths without a session, compared exactly; everything else is protected",
        ),
    ),
    sets(
        &["optional_auth"],
        key(
            "optional_auth",
            Kind::Switch,
            "`false`",
            "false",
            "a request without a token passes without a session; a bad one is refused",
        ),
    ),
    sets(
        &["required_scopes"],
        key(
            "required_scopes",
            Kind::Scopes,
            "none",
            "[\"read\"]",
            "for each protected path",
        ),
    ),
    sets(
        &["audience_by_path"],
        key(
            "audience_by_path",
            Kind::Switch,
            "`true`",
            "true",
            "`false` (weak): a token for one path is good on all",
        ),
    ),
    sets(
        &["cors_on_protected_paths"],
        key(
            "cors",
            Kind::Switch,
            "`false`",
            "true",
            "answers preflights of any origin, without credentials: for clients in browsers",
        ),
    ),
    sets(
        &["redirect_path"],
        key(
            "callback",
            Kind::Text,
            "`/oauth/callback`",
            "\"/oauth/callback\"",
            "where the provider sends people back to",
        ),
    ),
];

pub(crate) fn apply(
    said: Table<'_>,
    mut builder: OAuthProxyConfigBuilder,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    if let Some(paths) = said.words("public")? {
        builder = builder.public_paths(paths);
    }
    if let Some(on) = said.switch("optional_auth")? {
        builder = builder.optional_auth(on);
    }
    if let Some(scopes) = said.words("required_scopes")? {
        builder = builder.required_scopes(scopes);
    }
    if let Some(on) = said.switch("audience_by_path")? {
        builder = builder.audience_by_path(on);
    }
    if let Some(on) = said.switch("cors")? {
        builder = builder.cors_on_protected_paths(on);
    }
    if let Some(path) = said.text("callback")? {
        builder = builder.redirect_path(path);
    }
    Ok(builder)
}
