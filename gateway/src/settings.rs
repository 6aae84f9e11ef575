//! All that the operator says, checked, as plain data. `words` fills it.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use http::{Uri, uri::Authority};
use ipnet::IpNet;
use tower_oauth_proxy::{OAuthProxyConfig, guard::mcp::McpRulesLayer};

use crate::{identity::IdentitySettings, stdio::StdioSettings};

/// What the gateway runs by.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) listen: Listen,
    /// Health, readiness and metrics; `None`: not served.
    pub(crate) admin_listen: Option<SocketAddr>,
    pub(crate) oauth: OAuthProxyConfig,
    /// As clients know this server, from the base URL.
    pub(crate) public: PublicName,
    /// As the configuration says it: cookies of that prefix are the proxy's own and stay here.
    pub(crate) cookie_prefix: String,
    /// Proxies in front whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) behind: BehindSettings,
    pub(crate) identity: IdentitySettings,
    /// Who may call what.
    pub(crate) rules: Option<RuleSettings>,
    pub(crate) limits: LimitSettings,
    pub(crate) log: LogSettings,
}

/// Rules by tool.
#[derive(Debug)]
pub(crate) struct RuleSettings {
    pub(crate) layer: McpRulesLayer,
    /// Paths that no rule is about, compared exactly.
    pub(crate) except: Vec<String>,
}

/// How the log is written, on standard error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogSettings {
    pub(crate) level: tracing::Level,
    /// An object a line, for programs.
    pub(crate) is_json: bool,
}

/// Where to listen.
#[derive(Debug, Clone)]
pub(crate) enum Listen {
    Tcp(SocketAddr),
    /// Connections of a Unix socket come from a trusted proxy: no other has an address to tell.
    Unix(PathBuf),
}

/// Scheme and authority of the base URL.
#[derive(Debug, Clone)]
pub(crate) struct PublicName {
    pub(crate) is_https: bool,
    pub(crate) host: Authority,
}

/// What stands behind.
#[derive(Debug)]
pub(crate) enum BehindSettings {
    Http(UpstreamSettings),
    Stdio(StdioSettings),
}

/// An HTTP server behind.
#[derive(Debug, Clone)]
pub(crate) struct UpstreamSettings {
    pub(crate) server: ServerAddress,
    /// Before each path that is sent on: the path of the server's URL, without a slash at its end.
    pub(crate) path: String,
    /// Cut from the front of each path before.
    pub(crate) strip_prefix: String,
    pub(crate) host: HostSent,
    /// HTTP/2 without TLS, to a server that is known to speak it. Over TLS both sides agree.
    pub(crate) http2_without_tls: bool,
    /// PEM of the roots that are trusted instead of the system's.
    pub(crate) root_certificates: Option<Vec<u8>>,
}

/// Its URL, as `upstream.url` says it.
impl fmt::Display for UpstreamSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.server {
            ServerAddress::Http(host) => write!(f, "http://{host}{path}"),
            ServerAddress::Https(host) => write!(f, "https://{host}{path}"),
            ServerAddress::Unix(socket) => write!(f, "unix:{}", socket.display()),
        }
    }
}

/// Where the server behind listens.
#[derive(Debug, Clone)]
pub(crate) enum ServerAddress {
    Http(Authority),
    Https(Authority),
    Unix(PathBuf),
}

/// The `Host` that the server behind sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostSent {
    /// That of its own URL: MCP servers refuse others unless they are told not to.
    Own,
    /// The public one.
    Public,
    Other(Authority),
}

/// What is granted to clients, and to the server behind.
#[derive(Debug, Clone)]
pub(crate) struct LimitSettings {
    /// Connections at once.
    pub(crate) connections: usize,
    /// Requests at the server behind at once, streams included. More are answered with 503.
    pub(crate) requests: usize,
    /// Bytes of a request's body.
    pub(crate) body: u64,
    /// Header lines of a request.
    pub(crate) header_lines: usize,
    /// Bytes of a request's header.
    pub(crate) header: usize,
    /// From the start of a connection to the end of its first header.
    pub(crate) header_time: Duration,
    /// From one request to the end of the next one's header.
    pub(crate) idle: Duration,
    /// A client that sends nothing more of its body, or takes nothing of its answer.
    pub(crate) stall: Duration,
    /// To reach the server behind.
    pub(crate) connect: Duration,
    /// From the end of the upload to the beginning of the answer.
    pub(crate) answer: Duration,
    /// The longest that an answer may last, a stream of events too.
    pub(crate) stream: Duration,
    /// For requests and streams at work when the gateway is told to stop.
    pub(crate) finish: Duration,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            connections: 4096,
            requests: 4096,
            body: 64 * 1024 * 1024,
            header_lines: 100,
            header: 64 * 1024,
            header_time: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            stall: Duration::from_secs(60),
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(300),
            stream: Duration::from_secs(24 * 60 * 60),
            finish: Duration::from_secs(20),
        }
    }
}

impl PublicName {
    /// Of a base URL that the library has accepted.
    pub(crate) fn of(base_url: &str) -> Option<Self> {
        let uri: Uri = base_url.parse().ok()?;
        Some(Self {
            is_https: uri.scheme_str() == Some("https"),
            host: uri.authority()?.clone(),
        })
    }
}

impl UpstreamSettings {
    /// From `http://HOST:PORT/PATH`, `https://…` or `unix:/PATH/OF/THE/SOCKET`, and the rest as usual.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub(crate) fn of(url: &str) -> Result<Self, String> {
        let (server, path) = match url.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => (ServerAddress::Unix(path.into()), ""),
            Some(_) => return Err(format!("{url}: the path of the socket has to begin with /")),
            None => server_of(url)?,
        };
        Ok(Self {
            server,
            path: path.trim_end_matches('/').to_owned(),
            strip_prefix: String::new(),
            host: HostSent::Own,
            http2_without_tls: false,
            root_certificates: None,
        })
    }
}

fn server_of(url: &str) -> Result<(ServerAddress, &str), String> {
    let wrong = |why: &str| format!("{url}: {why}");
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| wrong("not a URL: it begins with http://, https:// or unix:/"))?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if rest.contains(['?', '#', '@']) {
        return Err(wrong(
            "a query, a fragment or a user name has no place in it",
        ));
    }
    let authority: Authority = authority
        .parse()
        .map_err(|_| wrong("no host, or one that cannot be"))?;
    match scheme {
        "http" => Ok((ServerAddress::Http(authority), path)),
        "https" => Ok((ServerAddress::Https(authority), path)),
        _ => Err(wrong("the scheme has to be http, https or unix")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_behind_is_a_url_or_a_socket() {
        let settings = UpstreamSettings::of("http://127.0.0.1:9000/app/").unwrap();
        assert!(matches!(&settings.server, ServerAddress::Http(host) if host == "127.0.0.1:9000"));
        assert_eq!(settings.path, "/app");
        let settings = UpstreamSettings::of("unix:/run/mcp.sock").unwrap();
        assert!(
            matches!(&settings.server, ServerAddress::Unix(path) if path.ends_with("mcp.sock"))
        );
        assert_eq!(settings.path, "");
    }

    #[test]
    fn what_is_no_url_is_refused_in_words() {
        for wrong in [
            "",
            "127.0.0.1:9000",
            "ftp://host",
            "http://",
            "http://user@host",
            "http://host/?a=b",
            "unix:relative",
        ] {
            let error = UpstreamSettings::of(wrong).unwrap_err();
            assert!(error.starts_with(wrong), "{error}");
        }
    }

    #[test]
    fn the_public_name_is_that_of_the_base_url() {
        let name = PublicName::of("https://mcp.example.com/api").unwrap();
        assert!(name.is_https);
        assert_eq!(name.host, "mcp.example.com");
    }
}
