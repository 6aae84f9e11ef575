//! What the settings come to, beside what the library's report says: the server behind, who is told, what is odd.

use std::{fmt::Write as _, net::IpAddr};

use http::uri::Authority;

use crate::settings::{BehindSettings, Listen, ServerAddress, Settings, UpstreamSettings};

/// Where the second column begins, as in the library's report.
const COLUMN: usize = 18;

/// Lines that follow the report.
pub(crate) fn summary(settings: &Settings) -> String {
    let mut text = String::new();
    let mut line = |name: &str, words: &str| {
        let _ = write!(text, "\n  {name:<COLUMN$}{words}");
    };
    let listen = match &settings.listen {
        Listen::Tcp(address) => address.to_string(),
        Listen::Unix(path) => format!("unix:{}", path.display()),
    };
    line("listens at", &listen);
    match settings.admin_listen {
        Some(address) => line("for the operator", &address.to_string()),
        None => line(
            "for the operator",
            "nowhere: no health, readiness or metrics",
        ),
    }
    match &settings.behind {
        BehindSettings::Http(upstream) => line("server behind", &upstream.to_string()),
        BehindSettings::Stdio(stdio) => line(
            "server behind",
            &format!("a process for each session: {}", program(&stdio.command)),
        ),
    }
    let names: Vec<&str> = settings
        .identity
        .names()
        .map(http::HeaderName::as_str)
        .collect();
    match (&settings.behind, names.is_empty()) {
        (BehindSettings::Stdio(_), _) => {}
        (_, true) => line("told who calls", "nothing"),
        (_, false) => line("told who calls", &names.join(", ")),
    }
    line(
        "rules by tool",
        if settings.rules.is_some() {
            "yes"
        } else {
            "none: any session may call anything"
        },
    );
    for odd in odd(settings) {
        line("ODD", &odd);
    }
    text
}

/// The arguments may hold a secret: only the program is shown.
fn program<T: AsRef<std::ffi::OsStr>>(command: &[T]) -> String {
    let program = command
        .first()
        .map(|word| word.as_ref().to_string_lossy().into_owned());
    program.unwrap_or_default()
}

/// What may not mean what it says.
fn odd(settings: &Settings) -> Vec<String> {
    let mut odd = Vec::new();
    if let Some(address) = settings.admin_listen
        && !address.ip().is_loopback()
    {
        odd.push(format!(
            "admin_listen is {address}: whoever reaches it reads the metrics; loopback, or a network of your own"
        ));
    }
    if let BehindSettings::Http(UpstreamSettings {
        server: ServerAddress::Http(host),
        ..
    }) = &settings.behind
        && is_far(host)
    {
        odd.push(format!(
            "upstream.url goes to {host} without TLS, and who is calling goes with it: https, or a network of your own"
        ));
    }
    odd
}

/// An address of the internet. A name may be one of a network of the operator's own: it is let be.
fn is_far(host: &Authority) -> bool {
    let name = host.host().trim_start_matches('[').trim_end_matches(']');
    match name.parse() {
        Ok(IpAddr::V4(address)) => {
            !(address.is_loopback() || address.is_private() || address.is_link_local())
        }
        Ok(IpAddr::V6(address)) => {
            !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local())
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_internet_is_far() {
        for (host, expected) in [
            ("127.0.0.1:3000", false),
            ("10.1.2.3:3000", false),
            ("[::1]:3000", false),
            ("[fd00::1]:3000", false),
            ("notes:3000", false),
            ("203.0.113.7:3000", true),
            ("[2001:db8::1]:3000", true),
        ] {
            assert_eq!(is_far(&host.parse().unwrap()), expected, "{host}");
        }
    }

    #[test]
    fn of_a_command_only_the_program_is_shown() {
        assert_eq!(program(&["npx", "--token=s3cret"]), "npx");
        assert_eq!(program::<&str>(&[]), "");
    }
}
