//! Every time that the operator can set.

use std::time::Duration;

use super::contents::ReportedTime;
use crate::{config::Options, grant::RefreshGrace};

/// Those that have a meaning; at a resource server most have none.
pub(super) fn times(options: &Options, is_resource_server: bool) -> Vec<ReportedTime> {
    let grace = match options.refresh_token_grace {
        RefreshGrace::For(grace) => Some(grace),
        RefreshGrace::UntilUsed => None,
    };
    let known = [
        (
            "access_token_ttl",
            Some(options.access_token_ttl),
            "an access token",
        ),
        (
            "machine_token_ttl",
            Some(options.machine_token_ttl),
            "a machine's access token",
        ),
        (
            "assertion_token_ttl",
            Some(options.assertion_token_ttl),
            "an access token for an assertion",
        ),
        (
            "refresh_token_ttl",
            Some(options.refresh_token_ttl),
            "a login that is not used",
        ),
        (
            "refresh_token_grace",
            grace,
            "a refresh token that was exchanged",
        ),
        (
            "identity_max_age",
            Some(options.identity_max_age),
            "until the provider is asked about a person again",
        ),
        (
            "grant_max_age",
            options.grant_max_age,
            "a login, whatever happens",
        ),
        (
            "authorization_code_ttl",
            Some(options.authorization_code_ttl),
            "a code that waits for its client",
        ),
        (
            "transaction_ttl",
            Some(options.transaction_ttl),
            "a login in a browser, from begin to end",
        ),
    ];
    let everywhere = [
        (
            "session_cache_ttl",
            Some(options.session_cache_ttl),
            "a token that was checked, until it is checked again",
        ),
        (
            "upstream_request_timeout",
            Some(options.upstream_request_timeout),
            "a request to the provider",
        ),
    ];
    let known = known.into_iter().filter(|_| !is_resource_server);
    known.chain(everywhere).map(time).collect()
}

fn time((option, length, of): (&'static str, Option<Duration>, &'static str)) -> ReportedTime {
    ReportedTime {
        option,
        seconds: length.map(|length| length.as_secs_f64()),
        of,
    }
}

#[cfg(test)]
mod tests {
    use crate::{OAuthProxyConfig, provider};

    /// A time that is added to the options is reported too.
    #[test]
    fn every_time_of_the_options_is_reported() {
        let source = include_str!("../config/options.rs");
        let fields = source.lines().filter_map(|line| {
            let field = line.trim().strip_prefix("pub(crate) ")?;
            let (name, kind) = field.split_once(": ")?;
            (kind.contains("Duration") || kind.contains("RefreshGrace")).then_some(name)
        });
        let fields: Vec<&str> = fields.collect();
        assert!(fields.len() >= 10, "{fields:?}");
        let at = "https://sso.example";
        let provider = provider::generic(at, at, "id", "c1f4a96e2b7d58033e9d6ab84f7520ce");
        let config = OAuthProxyConfig::builder(provider, "https://mcp.example").build();
        let report = config.unwrap().report();
        for field in fields {
            let is_it = |time: &crate::ReportedTime| time.option == field;
            assert!(report.times.iter().any(is_it), "{field} is not reported");
        }
    }
}
