//! What a URL says of the server and of the way there.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use tokio_postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};
use url::form_urlencoded;

/// What a URL may say behind its `?`. Whatever else stands there is not repeated in an error: it may be
/// part of a password that was not encoded.
const KNOWN: [&str; 18] = [
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
    /// One for each host, in order: what takes too long at one of them must not be missing at the next.
    pub(super) hosts: Vec<Config>,
    /// Whether the way there is encrypted, and the server's certificate checked.
    pub(super) is_encrypted: bool,
    /// The file of the authority that signed the certificate, if it is not one of the system's.
    #[cfg_attr(
        not(feature = "rustls"),
        expect(dead_code, reason = "TLS is refused before")
    )]
    pub(super) root_file: Option<PathBuf>,
    /// Without user and password.
    pub(super) addresses: String,
}

/// The text of an error says what to change, and nothing of the URL: it holds the password.
pub(super) fn parse(url: &str) -> Result<Target, String> {
    let said = Said::of(url)?;
    let read = |url: &String| {
        url.parse::<Config>().map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let cause = cause.unwrap_or_default();
            format!("the PostgreSQL URL is not valid: {cause}")
        })
    };
    let hosts = said.urls.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    for config in &hosts {
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err("the PostgreSQL URL names no host".to_owned());
        }
        if !config.get_hosts().iter().all(is_plain) {
            return Err(ENCODE.to_owned());
        }
        if config.get_target_session_attrs() == TargetSessionAttrs::ReadOnly {
            return Err("target_session_attrs=read-only: the store has to write".to_owned());
        }
    }
    let is_encrypted = is_encrypted(said.mode.as_deref(), &hosts)?;
    if said.root_file.is_some() && !is_encrypted {
        return Err(
            "sslrootcert is for TLS, and the connection has none: say sslmode=verify-full"
                .to_owned(),
        );
    }
    let names: Vec<_> = hosts.iter().map(addresses).collect();
    let settled = |config| settled(config, is_encrypted, said.keepalives_idle);
    Ok(Target {
        hosts: hosts.into_iter().map(settled).collect(),
        is_encrypted,
        root_file: said.root_file,
        addresses: names.join(", "),
    })
}

/// What the store has to say besides.
fn settled(mut config: Config, is_encrypted: bool, keepalives_idle: bool) -> Config {
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
    if !keepalives_idle {
        config.keepalives_idle(KEEPALIVES_IDLE);
    }
    config
}

const ENCODE: &str = "a PostgreSQL URL looks like postgres://user:password@host:5432/database; special \
                      characters in the password must be percent-encoded";

/// A URL for each host without what the driver does not know, and what that was.
struct Said {
    urls: Vec<String>,
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
        let (login, place) = rest.split_at(rest.find('@').map_or(0, |at| at + 1));
        let (place, query) = place.split_once('?').unwrap_or((place, ""));
        let (hosts, database) = place.split_at(place.find('/').unwrap_or(place.len()));
        let mut said = Self {
            urls: Vec::new(),
            mode: None,
            root_file: None,
            keepalives_idle: false,
        };
        let mut kept = Vec::new();
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
                "host" | "hostaddr" | "port" if value.contains(',') => {
                    return Err(format!(
                        "several of `{name}`: name several hosts in front of the database, as in \
                         postgres://user@db-1,db-2:5433/app"
                    ));
                }
                _ => {
                    said.keepalives_idle |= name == "keepalives_idle";
                    kept.push(pair);
                }
            }
        }
        let options = kept.join("&");
        let mark = if options.is_empty() { "" } else { "?" };
        let urls = hosts.split(',');
        let urls = urls.map(|host| format!("postgres://{login}{host}{database}{mark}{options}"));
        said.urls = urls.collect();
        Ok(said)
    }
}

/// Stricter than libpq: never a mode that falls back to plain text, and never TLS with whoever answers.
fn is_encrypted(mode: Option<&str>, hosts: &[Config]) -> Result<bool, String> {
    match mode {
        Some("disable") => return Ok(false),
        None if hosts.iter().all(is_local) => return Ok(false),
        None | Some("require" | "verify-ca" | "verify-full") => {}
        Some("prefer" | "allow") => {
            return Err(
                "sslmode=prefer and sslmode=allow go on in plain text where the server, or anyone between, \
                 says so: say sslmode=verify-full, or sslmode=disable where the network is yours"
                    .to_owned(),
            );
        }
        Some(_) => {
            return Err("sslmode is one of disable, require, verify-ca, verify-full".to_owned());
        }
    }
    for config in hosts {
        let names = config.get_hosts();
        if names.iter().any(|host| !matches!(host, Host::Tcp(_))) {
            return Err(
                "TLS is not spoken over a Unix socket: name sockets alone, or hosts alone"
                    .to_owned(),
            );
        }
        if names.is_empty() {
            return Err(
                "TLS needs the name that the server's certificate has: say `host` beside `hostaddr`"
                    .to_owned(),
            );
        }
    }
    Ok(true)
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
        let mode = |url: &str| parse(url).unwrap().hosts[0].get_ssl_mode();
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
        for host in &any.hosts {
            let wanted = host.get_target_session_attrs();
            assert_eq!(wanted, TargetSessionAttrs::ReadWrite);
        }
        assert_eq!(any.hosts.len(), 2);
        assert_eq!(any.addresses, "a:5432, b:5432");
        refused("postgres://a/app?target_session_attrs=read-only");
    }

    #[test]
    fn each_host_has_its_own_port_and_all_else_in_common() {
        let all =
            parse("postgres://u:p@a:1,[::1]:2,c/app?application_name=x&sslmode=disable").unwrap();
        assert_eq!(all.addresses, "a:1, ::1:2, c:5432");
        for host in &all.hosts {
            assert_eq!(host.get_hosts().len(), 1);
            assert_eq!(host.get_user(), Some("u"));
            assert_eq!(host.get_dbname(), Some("app"));
            assert_eq!(host.get_application_name(), Some("x"));
        }
        for several in [
            "host=a,b",
            "host=a%2Cb",
            "hostaddr=127.0.0.1,127.0.0.2",
            "port=1,2",
        ] {
            let told = refused(&format!("postgres:///app?{several}"));
            assert!(told.contains("several"), "{told}");
        }
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
            odd.hosts[0].get_password(),
            Some(&b"a?sslmode=disable&b/c"[..])
        );
    }
}
