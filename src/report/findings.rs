//! What the operator should look at: what will not work, and what is good to know.

use std::time::Duration;

use super::contents::{Finding, FindingLevel, ReportedMode, ReportedStore};
use crate::{
    config::{OAuthProxyConfig, Options},
    limits::{LONG_UNCHECKED, SHORT_LOGIN},
};

/// The worst first; of one level, in the order of the options.
pub(super) fn findings(
    config: &OAuthProxyConfig,
    mode: ReportedMode,
    store: Option<&ReportedStore>,
) -> Vec<Finding> {
    let of = |level| move |words| Finding { level, words };
    let mut all: Vec<Finding> = broken(config, has_tls())
        .map(of(FindingLevel::Broken))
        .collect();
    let remarks = &config.remarks;
    all.extend(remarks.weak.iter().cloned().map(of(FindingLevel::Weak)));
    all.extend(remarks.odd.iter().cloned().map(of(FindingLevel::Odd)));
    if mode != ReportedMode::ResourceServer {
        let odd = contradictions(&config.options);
        all.extend(odd.into_iter().map(of(FindingLevel::Odd)));
    }
    let notes = notes(config, store);
    all.extend(notes.into_iter().map(of(FindingLevel::Note)));
    all
}

/// Whether anything can be asked over https.
fn has_tls() -> bool {
    cfg!(any(feature = "rustls", feature = "native-tls"))
}

/// What no request can get through.
fn broken(config: &OAuthProxyConfig, has_tls: bool) -> impl Iterator<Item = String> {
    let providers = config
        .server
        .iter()
        .flat_map(|server| server.providers.iter());
    let unreachable = providers.filter(move |provider| {
        let about = provider.about();
        let urls = [&about.endpoints.token, &about.issuer];
        let is_https = |url: &String| url.starts_with("https:");
        !has_tls && urls.into_iter().flatten().any(is_https)
    });
    unreachable.map(|provider| {
        format!(
            "{} is reached over https, and this program was built without TLS: turn the feature `rustls` \
             or `native-tls` on",
            provider.about().name
        )
    })
}

/// Times that make each other pointless.
fn contradictions(options: &Options) -> Vec<String> {
    let mut odd = Vec::new();
    let Options { plain, .. } = options;
    if plain.refresh_token_ttl < plain.access_token_ttl {
        odd.push(format!(
            "refresh_token_ttl: a login that is not used ends after {:?}, before its access token does \
             ({:?})",
            plain.refresh_token_ttl, plain.access_token_ttl
        ));
    }
    if let Some(last) = plain.grant_max_age
        && last <= plain.identity_max_age
    {
        odd.push(format!(
            "identity_max_age: people have to log in again after {last:?} (grant_max_age), so the provider \
             is not asked about them in between"
        ));
    }
    if plain.transaction_ttl < SHORT_LOGIN {
        odd.push(format!(
            "transaction_ttl: {:?} are too short for a person who has to look for a second factor",
            plain.transaction_ttl
        ));
    }
    odd
}

/// What is as it should be, and has a price.
fn notes(config: &OAuthProxyConfig, store: Option<&ReportedStore>) -> Vec<String> {
    let (options, mut notes) = (&config.options, Vec::new());
    if let Some(ReportedStore {
        kind,
        is_shared: Some(false),
        ..
    }) = store
    {
        notes.push(match kind.as_str() {
            MEMORY => "token_storage: the store is the memory of this process: a restart logs everyone out, \
                       and with several instances at this URL each knows its own logins alone (features \
                       `sqlite`, `redis` and `postgres` have others)"
                .to_owned(),
            _ => format!("token_storage: {kind} is for the processes of one host"),
        });
    }
    if config.server.is_some() && !config.remarks.has_secret_key {
        notes.push(
            "secret_key is not set: every key comes from the client secret at the provider, so a new one \
             there logs everyone out"
                .to_owned(),
        );
    }
    if !options.base.is_https() {
        notes.push(
            "base_url is http: only browsers and clients on this machine can use it".to_owned(),
        );
    }
    if options.session_cache_ttl < Duration::from_secs(1) {
        notes.push(
            "session_cache_ttl is zero: every request asks the store or the verifier".to_owned(),
        );
    }
    if options.session_cache_ttl > LONG_UNCHECKED {
        notes.push(format!(
            "session_cache_ttl: what another instance ends is good here for {:?} more",
            options.session_cache_ttl
        ));
    }
    if options.outbound_proxy.is_some() {
        notes.push("outbound_proxy: requests to other servers go by way of your proxy".to_owned());
    }
    notes
}

/// The name of the memory store's type.
pub(super) const MEMORY: &str = "MemoryStorage";
