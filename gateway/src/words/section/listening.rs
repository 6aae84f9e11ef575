//! Where the gateway listens, and `[limits]`.

use std::net::SocketAddr;

use ipnet::IpNet;
use tower_oauth_proxy::OAuthProxyConfigBuilder;

use crate::{
    settings::{LimitSettings, Listen},
    words::{
        key::{Key, Kind, key, sets},
        refusal::{Refusal, shown},
        table::Table,
    },
};

/// The keys of the root that stand in no table.
pub(crate) const BASE_URL: Key = sets(
    &["base_url"],
    key(
        "base_url",
        Kind::Text,
        "required",
        "\"https://mcp.example.com\"",
        "the URL by which clients know this server, with its path if it has one",
    ),
);
pub(crate) const LISTEN: Key = key(
    "listen",
    Kind::Text,
    "`127.0.0.1:8080`",
    "\"0.0.0.0:8080\"",
    "where clients, or the proxy in front, connect: an address and a port, or `unix:/PATH/OF/THE/SOCKET`",
);
pub(crate) const ADMIN_LISTEN: Key = key(
    "admin_listen",
    Kind::Text,
    "`127.0.0.1:9464`",
    "\"127.0.0.1:9464\"",
    "where `/healthz`, `/readyz`, `/metrics` and `/identity/jwks` are; `off` for nowhere. Not for the world",
);
pub(crate) const TRUSTED_PROXIES: Key = key(
    "trusted_proxies",
    Kind::Words,
    "none",
    "[\"10.0.0.0/8\"]",
    "the proxies in front, whose `X-Forwarded-For` is believed",
);

/// The keys of `[limits]`.
pub(crate) const LIMITS: &[Key] = &[
    key(
        "connections",
        Kind::Number(1, 1_000_000),
        "4096",
        "4096",
        "connections at once",
    ),
    key(
        "requests",
        Kind::Number(1, 1_000_000),
        "4096",
        "4096",
        "requests at the server behind at once, streams included; more are answered 503",
    ),
    key("body", Kind::Size, "64 MiB", "\"64MiB\"", "of a request"),
    key(
        "header_lines",
        Kind::Number(8, 10_000),
        "100",
        "100",
        "lines of a request's header",
    ),
    key(
        "header",
        Kind::Size,
        "64 KiB",
        "\"64KiB\"",
        "of a request's header",
    ),
    key(
        "header_time",
        Kind::Time,
        "10 seconds",
        "\"10s\"",
        "from the start of a connection to the end of its first header",
    ),
    key(
        "idle",
        Kind::Time,
        "75 seconds",
        "\"75s\"",
        "from one request to the next on a connection",
    ),
    key(
        "stall",
        Kind::Time,
        "1 minute",
        "\"1m\"",
        "a client that sends nothing more of its body, or takes nothing of its answer",
    ),
    key(
        "connect",
        Kind::Time,
        "5 seconds",
        "\"5s\"",
        "to reach the server behind",
    ),
    key(
        "answer",
        Kind::Time,
        "5 minutes",
        "\"5m\"",
        "from the end of an upload to the beginning of the answer",
    ),
    key(
        "stream",
        Kind::Time,
        "24 hours",
        "\"24h\"",
        "the longest that an answer may last, a stream of events too",
    ),
    key(
        "finish",
        Kind::Time,
        "20 seconds",
        "\"20s\"",
        "for requests and streams at work when the gateway is told to stop",
    ),
    sets(
        &["registrations_per_minute"],
        key(
            "registrations_per_minute",
            Kind::Number(1, 4_000_000_000),
            "none",
            "60",
            "of all clients, at this process; more are answered 503",
        ),
    ),
    sets(
        &["logins_per_minute"],
        key(
            "logins_per_minute",
            Kind::Number(1, 4_000_000_000),
            "none",
            "120",
            "logins that begin, of all people",
        ),
    ),
    sets(
        &["callbacks_at_once"],
        key(
            "callbacks_at_once",
            Kind::Number(1, 1_000_000),
            "8192",
            "8192",
            "people who come back from the provider",
        ),
    ),
    sets(
        &["token_requests_per_minute"],
        key(
            "token_requests_per_minute",
            Kind::Number(1, 4_000_000_000),
            "none",
            "30",
            "of one grant, machine, or subject of a trusted issuer; more are answered 429",
        ),
    ),
];

/// Where clients connect.
pub(crate) fn listen(root: Table<'_>) -> Result<Listen, Refusal> {
    let text = root.text("listen")?.unwrap_or("127.0.0.1:8080");
    match text.strip_prefix("unix:") {
        Some(path) if path.starts_with('/') => Ok(Listen::Unix(path.into())),
        Some(_) => Err(root.refuse("listen", "the path of a socket has to begin with /")),
        None => address(root, "listen", text).map(Listen::Tcp),
    }
}

/// Where the operator looks.
pub(crate) fn admin(root: Table<'_>) -> Result<Option<SocketAddr>, Refusal> {
    match root.text("admin_listen")?.unwrap_or("127.0.0.1:9464") {
        "off" => Ok(None),
        text => address(root, "admin_listen", text).map(Some),
    }
}

fn address(root: Table<'_>, name: &str, text: &str) -> Result<SocketAddr, Refusal> {
    let wrong = |_| {
        let text = shown(text);
        root.refuse(
            name,
            format!("{text} is no address and port, such as 127.0.0.1:8080"),
        )
    };
    text.parse().map_err(wrong)
}

/// Who is believed about where a request came from.
pub(crate) fn trusted_proxies(root: Table<'_>) -> Result<Vec<IpNet>, Refusal> {
    let read = |text: &str| {
        let network = text.parse();
        let network =
            network.or_else(|_| text.parse().map(|address: std::net::IpAddr| address.into()));
        network.map_err(|_| {
            let text = shown(text);
            let why = format!("{text} is no address or network, such as 10.0.0.0/8");
            root.refuse("trusted_proxies", why)
        })
    };
    let said = root.words("trusted_proxies")?.unwrap_or_default();
    said.into_iter().map(read).collect()
}

/// The limits that the library keeps.
pub(crate) fn of_logins(
    said: Table<'_>,
    mut builder: OAuthProxyConfigBuilder,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    if let Some(most) = said.number("registrations_per_minute")? {
        builder = builder.registrations_per_minute(most);
    }
    if let Some(most) = said.number("logins_per_minute")? {
        builder = builder.logins_per_minute(most);
    }
    if let Some(most) = said.number("callbacks_at_once")? {
        builder = builder.callbacks_at_once(most);
    }
    if let Some(most) = said.number("token_requests_per_minute")? {
        builder = builder.token_requests_per_minute(most);
    }
    Ok(builder)
}

/// The limits of the gateway itself.
pub(crate) fn limits(said: Table<'_>) -> Result<LimitSettings, Refusal> {
    let mut limits = LimitSettings::default();
    for (name, limit) in [
        ("connections", &mut limits.connections),
        ("requests", &mut limits.requests),
        ("header_lines", &mut limits.header_lines),
    ] {
        if let Some(number) = said.number(name)? {
            *limit = number;
        }
    }
    if let Some(bytes) = said.size("body")? {
        limits.body = bytes;
    }
    if let Some(bytes) = said.size("header")? {
        // The reader of HTTP/1 has no smaller buffer.
        const LEAST: u64 = 8192;
        if !(LEAST..=16 << 20).contains(&bytes) {
            return Err(said.refuse(
                "header",
                format!("{bytes} bytes are not from 8 KiB to 16 MiB"),
            ));
        }
        limits.header = usize::try_from(bytes).unwrap_or(usize::MAX);
    }
    for (name, limit) in [
        ("header_time", &mut limits.header_time),
        ("idle", &mut limits.idle),
        ("stall", &mut limits.stall),
        ("connect", &mut limits.connect),
        ("answer", &mut limits.answer),
        ("stream", &mut limits.stream),
        ("finish", &mut limits.finish),
    ] {
        if let Some(time) = said.time(name)? {
            if time.is_zero() && name != "finish" {
                return Err(said.refuse(name, "cannot be 0"));
            }
            *limit = time;
        }
    }
    Ok(limits)
}
