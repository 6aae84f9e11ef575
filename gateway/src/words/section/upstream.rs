//! `[upstream]` and `[stdio]`: the server behind.

use super::identity;
use crate::{
    settings::{BehindSettings, HostSent, UpstreamSettings},
    stdio::StdioSettings,
    words::{
        key::{Key, Kind, key},
        refusal::Refusal,
        table::Table,
    },
};

/// The keys of `[upstream]`.
pub(crate) const UPSTREAM: &[Key] = &[
    key(
        "url",
        Kind::Text,
        "required, unless `--stdio`",
        "\"http://127.0.0.1:3000\"",
        "the server behind: `http://…`, `https://…` or `unix:/PATH/OF/THE/SOCKET`. A path in it stands before each path that is sent on",
    ),
    key(
        "strip_prefix",
        Kind::Text,
        "none",
        "\"/api\"",
        "what is cut from the front of each path before it is sent on",
    ),
    key(
        "host",
        Kind::Text,
        "`own`",
        "\"own\"",
        "the `Host` that it sees: `own` (that of `url`), `public` (that of `base_url`), or a name",
    ),
    key(
        "http2_without_tls",
        Kind::Switch,
        "`false`",
        "false",
        "for a server that speaks HTTP/2 without TLS",
    ),
    key(
        "root_certificate_file",
        Kind::File,
        "the system's",
        "\"internal-ca.pem\"",
        "the roots (PEM) that its certificate may come from, instead of the system's",
    ),
];

/// The keys of `[stdio]`.
pub(crate) const STDIO: &[Key] = &[
    key(
        "command",
        Kind::Words,
        "what stands after `--stdio --`",
        "[\"npx\", \"-y\", \"@modelcontextprotocol/server-everything\"]",
        "a local MCP server of standard input and output, instead of `upstream`: the program and its arguments, which no shell reads",
    ),
    key(
        "folder",
        Kind::File,
        "the gateway's",
        "\"/srv/mcp\"",
        "where it runs",
    ),
    key(
        "path",
        Kind::Text,
        "`/mcp`",
        "\"/mcp\"",
        "the path of the MCP endpoint",
    ),
    key(
        "variables",
        Kind::Texts,
        "none",
        "{ LANG = \"C.UTF-8\" }",
        "variables of its environment",
    ),
    key(
        "pass",
        Kind::Words,
        "what each program needs",
        "[\"HTTPS_PROXY\"]",
        "variables of the gateway's own environment that it may see",
    ),
    key(
        "tell_identity",
        Kind::Switch,
        "`true`",
        "true",
        "whether its environment says for whom it works: `MCP_AUTH_SUBJECT` and the rest",
    ),
    key(
        "processes",
        Kind::Number(1, 100_000),
        "64",
        "64",
        "processes at once",
    ),
    key(
        "processes_of_one",
        Kind::Number(1, 100_000),
        "8",
        "8",
        "of them, for one person",
    ),
    key(
        "idle",
        Kind::Time,
        "15 minutes",
        "\"15m\"",
        "without a request and without a stream for so long, a process ends",
    ),
    key(
        "start",
        Kind::Time,
        "1 minute",
        "\"1m\"",
        "from the start to the first answer",
    ),
    key(
        "answer",
        Kind::Time,
        "1 hour",
        "\"1h\"",
        "from a request to its answer",
    ),
    key(
        "grace",
        Kind::Time,
        "2 seconds",
        "\"2s\"",
        "from closing its input to the first signal, and from there to the last",
    ),
    key(
        "request_size",
        Kind::Size,
        "4 MiB",
        "\"4MiB\"",
        "of one message of a client",
    ),
    key(
        "message_size",
        Kind::Size,
        "16 MiB",
        "\"16MiB\"",
        "of one message of a process",
    ),
    key(
        "pending",
        Kind::Number(1, 100_000),
        "64",
        "64",
        "requests that wait for one process",
    ),
];

/// The server behind. `command` stands on the command line, behind `--stdio --`.
pub(crate) fn behind(
    root: Table<'_>,
    command: Option<Vec<String>>,
) -> Result<BehindSettings, Refusal> {
    let (http, stdio) = (root.table("upstream")?, root.table("stdio")?);
    let (http, stdio) = (http.table(), stdio.table());
    let said = stdio.words("command")?;
    let said = said.map(|words| words.into_iter().map(str::to_owned).collect());
    match command.or(said) {
        Some(_) if http.is_said() => {
            let why = "is said besides a command of `stdio`: there is one server behind";
            Err(root.refuse("upstream", why))
        }
        Some(command) => {
            let mut settings = process(stdio, command)?;
            settings.trusts_any_email = process_trusts_any_email(root)?;
            let log = root.table("log")?;
            let detail = log.table().text("event_detail")?;
            settings.logs_persons = detail != Some("no_persons");
            Ok(BehindSettings::Stdio(settings))
        }
        None => Ok(BehindSettings::Http(server(http)?)),
    }
}

fn server(said: Table<'_>) -> Result<UpstreamSettings, Refusal> {
    let url = said.required("url")?;
    let mut server = UpstreamSettings::of(url).map_err(|why| said.refuse("url", why))?;
    if let Some(prefix) = said.text("strip_prefix")? {
        let prefix = prefix.trim_end_matches('/');
        if !prefix.starts_with('/') {
            return Err(said.refuse("strip_prefix", "has to begin with /"));
        }
        prefix.clone_into(&mut server.strip_prefix);
    }
    server.host = match said.text("host")? {
        None | Some("own") => HostSent::Own,
        Some("public") => HostSent::Public,
        Some(name) => {
            let wrong = |_| said.refuse("host", "is neither own, public nor a host");
            HostSent::Other(name.parse().map_err(wrong)?)
        }
    };
    if let Some(on) = said.switch("http2_without_tls")? {
        server.http2_without_tls = on;
    }
    server.root_certificates = said.bytes("root_certificate_file")?;
    Ok(server)
}

/// Of `[identity]`, one key is about a process too. The others would do nothing, and may be meant to keep something.
fn process_trusts_any_email(root: Table<'_>) -> Result<bool, Refusal> {
    let said = root.table("identity")?;
    let said = said.table();
    for key in identity::KEYS {
        if key.name != "unverified_email" && said.says(key.name) {
            let why = "does nothing for a command of `stdio`, which gets no headers: its process is told in its \
                       environment (`stdio.tell_identity`)";
            return Err(said.refuse(key.name, why));
        }
    }
    said.is_on("unverified_email")
}

fn process(said: Table<'_>, command: Vec<String>) -> Result<StdioSettings, Refusal> {
    let mut settings = StdioSettings::new(command.into_iter().map(Into::into).collect());
    settings.folder = said.path("folder")?;
    if let Some(path) = said.text("path")? {
        path.clone_into(&mut settings.path);
    }
    let variables = said.pairs("variables")?.into_iter();
    settings.variables = variables
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let pass = said.words("pass")?.unwrap_or_default().into_iter();
    settings.pass = pass.map(str::to_owned).collect();
    if let Some(tells) = said.switch("tell_identity")? {
        settings.tell_identity = tells;
    }
    let limits = &mut settings.limits;
    for (name, number) in [
        ("processes", &mut limits.processes),
        ("processes_of_one", &mut limits.processes_of_one),
        ("pending", &mut limits.pending),
    ] {
        *number = said.number(name)?.unwrap_or(*number);
    }
    for (name, time) in [
        ("idle", &mut limits.idle),
        ("start", &mut limits.start),
        ("answer", &mut limits.answer),
        ("grace", &mut limits.grace),
    ] {
        *time = said.time(name)?.unwrap_or(*time);
    }
    for (name, size) in [
        ("request_size", &mut limits.request_bytes),
        ("message_size", &mut limits.message_bytes),
    ] {
        if let Some(said) = said.size(name)? {
            *size = usize::try_from(said).unwrap_or(usize::MAX);
        }
    }
    settings
        .check()
        .map_err(|why| said.refuse("command", why))?;
    Ok(settings)
}
