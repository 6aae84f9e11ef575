//! The report as text for the log at start.

use std::fmt;

use super::contents::{FindingLevel, Report, ReportedMode, ReportedProvider, ReportedTime};

/// Where the second column begins.
const COLUMN: usize = 18;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version,
            service_name,
            base_url,
            ..
        } = self;
        write!(
            f,
            "tower-oauth-proxy {version}: {service_name} at {base_url}"
        )?;
        if let Some(instance) = &self.instance {
            line(f, "instance", instance)?;
        }
        let mode = match self.mode {
            ReportedMode::Proxy => "clients get tokens of this proxy",
            ReportedMode::Passthrough => "clients get the provider's own tokens",
            ReportedMode::ResourceServer => "clients bring tokens of another server",
        };
        line(f, "mode", mode)?;
        if self.mode == ReportedMode::ResourceServer {
            line(f, "authorization by", self.authorization_servers.join(", "))?;
        }
        for provider in &self.providers {
            of_provider(f, provider)?;
        }
        line(f, "scopes", self.scopes.to_string())?;
        if !self.required_scopes.is_empty() {
            line(f, "  needed", self.required_scopes.to_string())?;
        }
        for one in &self.implied_scopes {
            line(
                f,
                "  good for more",
                format!("{}: {}", one.scope, one.implies),
            )?;
        }
        for clients in &self.clients {
            line(f, "clients", format!("{}: {}", clients.kind, clients.words))?;
        }
        if let Some(consent) = self.consent {
            let account = match self.shows_account_page {
                true => "; then a page shows people their account",
                false => "",
            };
            line(f, "consent", format!("{consent}{account}"))?;
        }
        if !self.grant_types.is_empty() {
            line(f, "grant types", self.grant_types.join(", "))?;
        }
        for source in &self.bearer_sources {
            line(
                f,
                "bearer tokens",
                format!("{}: {}", source.source, source.words),
            )?;
        }
        if self.is_optional {
            line(f, "", "requests without one reach the service too")?;
        }
        for key in &self.keys {
            line(f, "keys", key)?;
        }
        if let Some(store) = &self.store {
            let sealed = if store.is_encrypted {
                "encrypted"
            } else {
                "in the clear"
            };
            line(f, "store", format!("{}, {sealed}", store.kind))?;
        }
        for url in &self.urls {
            line(f, "answers at", format!("{} ({})", url.url, url.purpose))?;
        }
        if !self.public_paths.is_empty() {
            line(f, "public paths", self.public_paths.join(", "))?;
        }
        for time in &self.times {
            line(
                f,
                "time",
                format!("{} = {}: {}", time.option, length(time), time.of),
            )?;
        }
        for limit in &self.limits {
            if let Some(most) = limit.most {
                let words = format!("{} = {most}: {}, in this process", limit.option, limit.of);
                line(f, "limit", words)?;
            }
        }
        for finding in &self.findings {
            let level = match finding.level {
                FindingLevel::Broken => "WILL NOT WORK",
                FindingLevel::Weak => "WEAK",
                FindingLevel::Odd => "ODD",
                FindingLevel::Note => "note",
            };
            line(f, level, &finding.words)?;
        }
        Ok(())
    }
}

fn of_provider(f: &mut fmt::Formatter<'_>, provider: &ReportedProvider) -> fmt::Result {
    let ReportedProvider {
        id,
        name,
        client_id,
        proof,
        ..
    } = provider;
    line(
        f,
        "provider",
        format!("{name} (id {id}), as the app {client_id}, by {proof}"),
    )?;
    line(
        f,
        "  register there",
        format!("{} as the app's redirect URI", provider.callback_url),
    )?;
    if let Some(issuer) = &provider.issuer {
        line(f, "  issuer", issuer)?;
    }
    line(f, "  scopes", provider.scopes.to_string())?;
    for (at, who) in provider.who_may_log_in.iter().enumerate() {
        let label = if at == 0 {
            "  may log in"
        } else {
            "    and only"
        };
        line(f, label, who)?;
    }
    Ok(())
}

fn line(f: &mut fmt::Formatter<'_>, label: &str, words: impl AsRef<str>) -> fmt::Result {
    write!(f, "\n  {label:COLUMN$}{}", words.as_ref())
}

/// As a person says it: the largest unit that it is a whole number of.
fn length(time: &ReportedTime) -> String {
    const UNITS: [(f64, &str); 3] = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "min")];
    let Some(seconds) = time.seconds else {
        return "no end".to_owned();
    };
    let is_whole = |unit: &f64| seconds >= *unit && (seconds / unit).fract() == 0.0;
    match UNITS.iter().find(|(unit, _)| is_whole(unit)) {
        Some((unit, name)) => format!("{} {name}", seconds / unit),
        None => format!("{seconds} s"),
    }
}
