//! What the operator says: the command line, the environment, the file.

use std::env;

use tower_oauth_proxy::{ApiKey, OAuthProxyConfig, provider};

use crate::{
    identity::IdentitySettings,
    settings::{BehindSettings, LimitSettings, Listen, PublicName, Settings, UpstreamSettings},
};

/// All of it, checked.
///
/// # Errors
///
/// What is wrong, in a sentence.
pub(crate) fn read() -> Result<Settings, String> {
    let required = |name: &str| env::var(name).map_err(|_| format!("{name}: not set"));
    let base_url = required("GATEWAY_BASE_URL")?;
    let provider = provider::github("client-id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8");
    let mut oauth = OAuthProxyConfig::builder(provider, &base_url);
    if let Ok(lines) = env::var("GATEWAY_API_KEYS") {
        oauth = oauth.api_keys(ApiKey::parse_all(&lines).map_err(|error| error.to_string())?);
    }
    let listen = required("GATEWAY_LISTEN")?;
    let listen = match listen.strip_prefix("unix:") {
        Some(path) => Listen::Unix(path.into()),
        None => Listen::Tcp(
            listen
                .parse()
                .map_err(|_| format!("{listen}: no address"))?,
        ),
    };
    Ok(Settings {
        listen,
        admin_listen: None,
        oauth: oauth.build().map_err(|error| error.to_string())?,
        public: PublicName::of(&base_url).ok_or("no base URL")?,
        cookie_prefix: "__Host-".to_owned(),
        trusted_proxies: Vec::new(),
        behind: BehindSettings::Http(UpstreamSettings::of(&required("GATEWAY_UPSTREAM_URL")?)?),
        identity: IdentitySettings::default(),
        limits: LimitSettings::default(),
    })
}
