//! Which clients there can be, and what is good as a bearer token.

use super::contents::{ReportedClients, ReportedMode, ReportedSource};
use crate::{config::OAuthProxyConfig, limits::MAX_REPORTED_ENTRIES, session::TokenSource};

pub(super) fn clients(config: &OAuthProxyConfig) -> Vec<ReportedClients> {
    if config.server.is_none() {
        return Vec::new();
    }
    let options = &config.options;
    let registered = match options.dynamic_registration {
        true => {
            let hook = match options.on_register {
                Some(_) => ", where your hook lets them in (on_register)",
                None => "",
            };
            let permitted = options.redirect_policy.words();
            match permitted.is_empty() {
                true => "no callback is permitted".to_owned(),
                false => format!("callbacks: {}{hook}", permitted.join(", ")),
            }
        }
        false => "off".to_owned(),
    };
    vec![
        ReportedClients {
            kind: "registered",
            words: registered,
        },
        ReportedClients {
            kind: "metadata document",
            words: options.metadata_documents.words(),
        },
        ReportedClients {
            kind: "configured",
            words: configured(config),
        },
    ]
}

fn configured(config: &OAuthProxyConfig) -> String {
    let clients = &config.remarks.clients;
    if clients.is_empty() {
        return "none".to_owned();
    }
    let first = clients.iter().take(MAX_REPORTED_ENTRIES).map(|client| {
        let machine = if client.is_machine { ", a machine" } else { "" };
        let service = if client.introspects {
            ", introspects tokens"
        } else {
            ""
        };
        format!("`{}`{machine}{service}", client.id)
    });
    let first: Vec<String> = first.collect();
    match clients.len().saturating_sub(MAX_REPORTED_ENTRIES) {
        0 => first.join("; "),
        more => format!("{}; and {more} more", first.join("; ")),
    }
}

/// In the order of `bearer/source/mod.rs`.
pub(super) fn sources(config: &OAuthProxyConfig, mode: ReportedMode) -> Vec<ReportedSource> {
    let source = |source: TokenSource, words: String| ReportedSource {
        source: source.as_str(),
        words,
    };
    let mut all = Vec::new();
    if mode == ReportedMode::Proxy {
        all.push(source(
            TokenSource::Login,
            "tokens of this proxy".to_owned(),
        ));
    }
    let keys = &config.sources.keys;
    if !keys.is_empty() {
        all.push(source(
            TokenSource::ApiKey,
            format!("{} API keys of the configuration", keys.len()),
        ));
    }
    let asks = |asks: bool| match asks {
        true => "",
        false => "; the allow lists are not asked",
    };
    for issuer in &config.sources.issuers {
        let (id, iss) = (&issuer.id, issuer.issuer.as_deref().unwrap_or_default());
        let words = format!("access tokens of `{id}`, {iss}{}", asks(issuer.asks_lists));
        all.push(source(TokenSource::TrustedIssuer, words));
    }
    if let Some(other) = &config.sources.introspection {
        let words = format!(
            "what the introspection endpoint of `{}` calls active{}",
            other.id,
            asks(other.asks_lists)
        );
        all.push(source(TokenSource::Introspection, words));
    }
    if config.verifier.is_some() {
        let words = match mode {
            ReportedMode::Passthrough => "the provider's own tokens".to_owned(),
            _ => format!(
                "tokens of {}",
                config.options.authorization_servers.join(", ")
            ),
        };
        all.push(source(TokenSource::Provider, words));
    }
    all
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_sources_stand_in_the_order_in_which_they_are_asked() {
        let order = include_str!("../bearer/source/mod.rs");
        let order = order.lines().filter_map(|line| {
            let (_, judge) = line.trim().split_once(", ")?;
            judge.strip_suffix("::judge),")
        });
        let order: Vec<&str> = order.collect();
        assert_eq!(
            order,
            ["own", "api_key", "by_issuer", "introspected", "upstream"]
        );
    }
}
