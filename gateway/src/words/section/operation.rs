//! `[logins]`: what goes to the provider with a login; `[outbound]`: the way out; `[log]`: what is told.

use tower_oauth_proxy::{Detail, OAuthProxyConfigBuilder, PassOn};

use crate::{
    settings::LogSettings,
    words::{
        key::{Key, Kind, key, sets},
        refusal::Refusal,
        table::Table,
    },
};

const PASS_ON: &[&str] = &["prompt", "login_hint", "max_age", "ui_locales"];

/// The keys of `[logins]`.
pub(crate) const LOGINS: &[Key] = &[
    sets(
        &["pass_on"],
        key(
            "pass_on",
            Kind::Choices(PASS_ON),
            "none",
            "[\"login_hint\"]",
            "which parameters go on from a client's request to the provider: `prompt`, `login_hint`, `max_age`, `ui_locales`",
        ),
    ),
    sets(
        &["extra_authorization_params"],
        key(
            "extra_authorization_params",
            Kind::Texts,
            "none",
            "{ hd = \"example.com\" }",
            "parameters of each login, at each provider",
        ),
    ),
    sets(
        &["extra_token_params"],
        key(
            "extra_token_params",
            Kind::Texts,
            "none",
            "{ realm = \"acme\" }",
            "parameters of each exchange of a code",
        ),
    ),
    sets(
        &["upstream_pkce"],
        key(
            "upstream_pkce",
            Kind::Switch,
            "the preset's: on",
            "true",
            "`false` (weak) only for a provider that knows no PKCE",
        ),
    ),
    sets(
        &["forward_resource"],
        key(
            "forward_resource",
            Kind::Switch,
            "the preset's: off",
            "false",
            "send the `resource` to the provider too",
        ),
    ),
];

/// The keys of `[outbound]`.
pub(crate) const OUTBOUND: &[Key] = &[
    sets(
        &["upstream_request_timeout"],
        key(
            "timeout",
            Kind::Time,
            "10 seconds",
            "\"10s\"",
            "how long the provider and others may take",
        ),
    ),
    sets(
        &["outbound_proxy"],
        key(
            "proxy",
            Kind::Secret,
            "from the environment",
            "\"http://proxy.example.com:3128\"",
            "the HTTP proxy for what goes to the provider and others",
        ),
    ),
    sets(
        &["outbound_root_certificates"],
        key(
            "root_certificate_files",
            Kind::Files,
            "none",
            "[\"company-ca.pem\"]",
            "roots (PEM) that certificates of the provider and others may come from, besides the usual ones",
        ),
    ),
    sets(
        &["outbound_private_networks"],
        key(
            "private_networks",
            Kind::Words,
            "none",
            "[\"10.1.0.0/16\"]",
            "private networks that documents may come from which strangers name",
        ),
    ),
];

/// The keys of `[log]`.
pub(crate) const LOG: &[Key] = &[
    key(
        "level",
        Kind::Choice(&["error", "warn", "info", "debug", "trace"]),
        "`info`",
        "\"info\"",
        "what is told",
    ),
    key(
        "format",
        Kind::Choice(&["text", "json"]),
        "`text`",
        "\"json\"",
        "lines for people, or a JSON object each",
    ),
    sets(
        &["event_detail"],
        key(
            "event_detail",
            Kind::Choice(&["full", "no_persons"]),
            "`full`",
            "\"no_persons\"",
            "`no_persons` leaves subject, address and claims out of each event",
        ),
    ),
    sets(
        &["instance_name"],
        key(
            "instance_name",
            Kind::Text,
            "a random one at each start",
            "\"gateway-1\"",
            "the name of this process in each event",
        ),
    ),
];

pub(crate) fn logins(
    said: Table<'_>,
    mut builder: OAuthProxyConfigBuilder,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    if let Some(names) = said.words("pass_on")? {
        let refused = |error| said.refuse("pass_on", error);
        let names: Result<Vec<PassOn>, _> = names.into_iter().map(str::parse).collect();
        builder = builder.pass_on(names.map_err(refused)?);
    }
    builder = builder
        .extra_authorization_params(said.pairs("extra_authorization_params")?)
        .extra_token_params(said.pairs("extra_token_params")?);
    if let Some(on) = said.switch("upstream_pkce")? {
        builder = builder.upstream_pkce(on);
    }
    if let Some(on) = said.switch("forward_resource")? {
        builder = builder.forward_resource(on);
    }
    Ok(builder)
}

pub(crate) fn outbound(
    said: Table<'_>,
    mut builder: OAuthProxyConfigBuilder,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    if let Some(time) = said.time("timeout")? {
        builder = builder.upstream_request_timeout(time);
    }
    if let Some(proxy) = said.secret("proxy")? {
        builder = builder.outbound_proxy(proxy);
    }
    let roots = said.files("root_certificate_files")?;
    builder = builder.outbound_root_certificates(roots.into_iter().map(|file| file.text));
    if let Some(networks) = said.words("private_networks")? {
        builder = builder.outbound_private_networks(networks);
    }
    Ok(builder)
}

pub(crate) fn log(
    said: Table<'_>,
    mut builder: OAuthProxyConfigBuilder,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    if said.text("event_detail")? == Some("no_persons") {
        builder = builder.event_detail(Detail::NoPersons);
    }
    if let Some(name) = said.text("instance_name")? {
        builder = builder.instance_name(name);
    }
    Ok(builder)
}

/// How the log is written.
pub(crate) fn log_settings(said: Table<'_>) -> Result<LogSettings, Refusal> {
    let level = match said.text("level")?.unwrap_or("info") {
        "error" => tracing::Level::ERROR,
        "warn" => tracing::Level::WARN,
        "debug" => tracing::Level::DEBUG,
        "trace" => tracing::Level::TRACE,
        _ => tracing::Level::INFO,
    };
    Ok(LogSettings {
        level,
        is_json: said.text("format")? == Some("json"),
    })
}
