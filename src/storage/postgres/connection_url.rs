//! What a URL says of the server and of the way there.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use tokio_postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};
use url::form_urlencoded;

/// What a URL may say behind its `?`. Whatever else stands there is not repeated in an error: it may be
/// part of a password that was not encoded.
const KNOWN: [&str; 19] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "target_session_attrs",
    "user",
];
/// Networks forget connections that are silent for some minutes, without a word to either side.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(60);

/// A URL that was understood.
pub(super) struct Target {
    pub(super) config: Config,
    /// Whether the way there is encrypted, and the server's certificate checked.
    pub(super) is_encrypted: bool,
    /// The file of the authority that signed the certificate, if it is not one of the system's.
    pub(super) root_file: Option<PathBuf>,
    /// Without user and password.
    pub(super) addresses: String,
}

/// The text of an error says what to change, and nothing of the URL: it holds the password.
pub(super) fn parse(url: &str) -> Result<Target, String> {
    let said = Said::of(url)?;
    let mut config: Config = said.plain_url.parse().map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        format!(
            "the PostgreSQL URL is not valid: {}",
            cause.unwrap_or_default()
        )
    })?;
    let hosts = config.get_hosts();
    if hosts.is_empty() && config.get_hostaddrs().is_empty() {
        return Err("the PostgreSQL URL names no host".to_owned());
    }
    if !hosts.iter().all(is_plain) {
        return Err(ENCODE.to_owned());
    }
    if config.get_target_session_attrs() == TargetSessionAttrs::ReadOnly {
        return Err("target_session_attrs=read-only: the store has to write".to_owned());
    }
    let is_encrypted = is_encrypted(said.mode.as_deref(), &config)?;
    if said.root_file.is_some() && !is_encrypted {
        return Err(
            "sslrootcert is for TLS, and the connection has none: say sslmode=verify-full"
                .to_owned(),
        );
    }
    let addresses = addresses(&config);
    config.ssl_mode(if is_encrypted {
        SslMode::Require
    } else {
        SslMode::Disable
    });
    // Of several hosts the one that takes writes: a standby's answers are old.
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    if config.get_application_name().is_none() {
        config.application_name("tower-oauth-proxy");
    }
    if !said.keepalives_idle {
        config.keepalives_idle(KEEPALIVES_IDLE);
    }
    Ok(Target {
        config,
        is_encrypted,
        root_file: said.root_file,
        addresses,
    })
}

const ENCODE: &str = "a PostgreSQL URL looks like postgres://user:password@host:5432/database; special \
                      characters in the password must be percent-encoded";

/// The URL without what the driver does not know, and what that was.
struct Said {
    plain_url: String,
    mode: Option<String>,
    root_file: Option<PathBuf>,
    keepalives_idle: bool,
}

impl Said {
    fn of(url: &str) -> Result<Self, String> {
        let schemes = ["postgres://", "postgresql://"];
        let rest = schemes.iter().find_map(|scheme| url.strip_prefix(scheme));
        let rest = rest.ok_or_else(|| ENCODE.to_owned())?;
        // As the driver reads it: the first `@` ends the password.
        let from = rest.find('@').unwrap_or(0);
        let query = rest.get(from..).and_then(|place| place.split_once('?'));
        let (query, length) = query.map_or(("", 0), |(_, query)| (query, query.len() + 1));
        let mut said = Self {
            plain_url: url.get(..url.len() - length).unwrap_or_default().to_owned(),
            mode: None,
            root_file: None,
            keepalives_idle: false,
        };
        let mut separator = '?';
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let Some((name, value)) = form_urlencoded::parse(pair.as_bytes()).next() else {
                continue;
            };
            if !KNOWN.contains(&&*name) {
                return Err(format!(
                    "the PostgreSQL URL has an option that is not known here; those known are {}",
                    KNOWN.join(", ")
                ));
            }
            match &*name {
                "sslmode" => said.mode = Some(value.into_owned()),
                "sslrootcert" if value == "system" => said.root_file = None,
                "sslrootcert" => said.root_file = Some(value.into_owned().into()),
                _ => {
                    said.keepalives_idle |= name == "keepalives_idle";
                    said.plain_url.push(separator);
                    said.plain_url.push_str(pair);
                    separator = '&';
                }
            }
        }
        Ok(said)
    }
}

/// Stricter than libpq: never a mode that falls back to plain text, and never TLS with whoever answers.
fn is_encrypted(mode: Option<&str>, config: &Config) -> Result<bool, String> {
    let hosts = config.get_hosts();
    let is_socket = |host: &Host| !matches!(host, Host::Tcp(_));
    let sockets = hosts.iter().filter(|host| is_socket(host)).count();
    match mode {
        Some("disable") => Ok(false),
        None if is_local(config) => Ok(false),
        None | Some("require" | "verify-ca" | "verify-full") if sockets > 0 => Err(
            "TLS is not spoken over a Unix socket: name sockets alone, or hosts alone".to_owned(),
        ),
        // Without a name there is nothing to compare with the certificate.
        None | Some("require" | "verify-ca" | "verify-full") if hosts.is_empty() => Err(
            "TLS needs the name that the server's certificate has: say `host` beside `hostaddr`"
                .to_owned(),
        ),
        None | Some("require" | "verify-ca" | "verify-full") => Ok(true),
        Some("prefer" | "allow") => Err(
            "sslmode=prefer and sslmode=allow go on in plain text where the server, or anyone between, \
             says so: say sslmode=verify-full, or sslmode=disable where the network is yours"
                .to_owned(),
        ),
        Some(_) => Err("sslmode is one of disable, require, verify-ca, verify-full".to_owned()),
    }
}

/// Whether nothing leaves this machine.
fn is_local(config: &Config) -> bool {
    let addresses = config.get_hostaddrs();
    if !addresses.is_empty() {
        return addresses.iter().all(IpAddr::is_loopback);
    }
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    })
}

/// A password with an `@` in it would stand here.
fn is_plain(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:%".contains(&byte);
            !name.is_empty() && name.bytes().all(is_good)
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn addresses(config: &Config) -> String {
    let ports = config.get_ports();
    let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or(5432);
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    let mut names: Vec<String> = hosts.collect();
    if names.is_empty() {
        let found = config.get_hostaddrs().iter();
        names.extend(found.map(ToString::to_string));
    }
    let named = names.iter().enumerate();
    let named = named.map(|(at, name)| format!("{name}:{}", port(at)));
    named.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypted(url: &str) -> bool {
        parse(url).unwrap().is_encrypted
    }

    fn refused(url: &str) -> String {
        parse(url).err().unwrap_or_else(|| panic!("{url} is taken"))
    }

    #[test]
    fn what_leaves_this_machine_is_encrypted_unless_the_url_says_disable() {
        for url in [
            "postgres://db.internal/app",
            "postgresql://u:p@db.internal:6432/app",
            "postgres://10.0.0.7/app",
            "postgres://[2001:db8::1]/app",
            "postgres://localhost,db.internal/app",
            "postgres://localhost/app?hostaddr=10.0.0.7",
            "postgres://localhost.example/app",
            "postgres://localhost/app?sslmode=require",
            "postgres://127.0.0.1/app?sslmode=verify-full",
            "postgres://db.internal/app?sslmode=verify-ca",
            "postgres://db.internal/app?application_name=x&sslmode=require",
        ] {
            assert!(encrypted(url), "{url}");
        }
        for url in [
            "postgres://localhost/app",
            "postgres://127.0.0.1:6432/app",
            "postgres://[::1]/app",
            "postgres:///app?host=/var/run/postgresql",
            "postgres://%2Fvar%2Frun%2Fpostgresql/app",
            "postgres://db.internal/app?sslmode=disable",
        ] {
            assert!(!encrypted(url), "{url}");
        }
    }

    /// The driver's own modes are set, so that it falls back to nothing either.
    #[test]
    fn the_driver_is_told_require_or_disable() {
        let mode = |url: &str| parse(url).unwrap().config.get_ssl_mode();
        assert_eq!(mode("postgres://db.internal/a"), SslMode::Require);
        assert_eq!(mode("postgres://localhost/a"), SslMode::Disable);
    }

    #[test]
    fn a_mode_that_may_end_in_plain_text_is_refused() {
        for mode in ["prefer", "allow", "", "DISABLE", "require\0", "verify"] {
            let told = refused(&format!("postgres://localhost/app?sslmode={mode}"));
            assert!(told.contains("sslmode"), "{told}");
        }
        let told = refused("postgres://%2Frun%2Fpg/app?sslmode=require");
        assert!(told.contains("Unix socket"), "{told}");
        let told = refused("postgres:///app?hostaddr=10.0.0.7");
        assert!(told.contains("hostaddr"), "{told}");
        refused("postgres://localhost/app?sslrootcert=/ca.pem");
    }

    #[test]
    fn the_file_of_an_authority_is_taken_from_the_url_and_system_means_none() {
        let root = |url: &str| parse(url).unwrap().root_file;
        let file = root("postgres://db/app?sslrootcert=%2Fetc%2Fca.pem&sslmode=verify-full");
        assert_eq!(file, Some(PathBuf::from("/etc/ca.pem")));
        assert_eq!(root("postgres://db/app?sslrootcert=system"), None);
    }

    #[test]
    fn a_store_that_writes_is_looked_for_and_one_that_only_reads_is_refused() {
        let any = parse("postgres://a,b/app?target_session_attrs=any").unwrap();
        let wanted = any.config.get_target_session_attrs();
        assert_eq!(wanted, TargetSessionAttrs::ReadWrite);
        assert_eq!(any.addresses, "a:5432, b:5432");
        refused("postgres://a/app?target_session_attrs=read-only");
    }

    #[test]
    fn no_error_repeats_a_part_of_the_password() {
        for url in [
            "",
            "hunter2",
            "http://u:hunter2@db/app",
            "host=db password=hunter2",
            "postgres://u:hun@hunter2@db/app",
            "postgres://u:hunter2@",
            "postgres://u:hunter2@db:99999/app",
            "postgres://u:x@db/app?hunter2=1",
            "postgres://u:x@db/app?hunter2",
            "postgres://u:x@db/app?sslmode=hunter2",
            "postgres://u:x@db/app?port=hunter2",
            "postgres://u:hunter2%ff@db,/app",
        ] {
            let told = refused(url);
            assert!(!told.contains("hunter2"), "{url}: {told}");
        }
        // What stands before the first `@` is the password, whatever it looks like.
        let odd = parse("postgres://u:a?sslmode=disable&b/c@db.internal/app").unwrap();
        assert!(odd.is_encrypted);
        assert_eq!(odd.addresses, "db.internal:5432");
        assert_eq!(
            odd.config.get_password(),
            Some(&b"a?sslmode=disable&b/c"[..])
        );
    }
}
