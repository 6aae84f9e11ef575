//! From the checked configuration to the report.

use super::{
    admitted::who_may_log_in,
    contents::{
        Report, ReportedImplication, ReportedLimit, ReportedMode, ReportedProvider, ReportedStore,
        ReportedUrl,
    },
    findings::{MEMORY, findings},
    reached::{clients, sources},
    times::times,
};
use crate::{
    config::{Consent, OAuthProxyConfig, Options, ServerConfig},
    oauth::GrantType,
    provider::ProviderClient,
    quota::Limit,
    resource_server::routes,
    route::Endpoint,
};

impl OAuthProxyConfig {
    /// What this configuration comes to: for the log at start, and for those who compare deployments.
    ///
    /// Nothing is asked: it says what the options say. What answers is for
    /// [`OAuthProxyHandle::probe`](crate::OAuthProxyHandle::probe).
    ///
    /// ```
    /// use tower_oauth_proxy::{FindingLevel, OAuthProxyConfig, provider};
    ///
    /// let provider = provider::github("client-id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8");
    /// let config = OAuthProxyConfig::builder(provider, "https://mcp.example.com").build()?;
    /// let report = config.report();
    /// println!("{report}");
    /// assert_eq!(report.providers[0].callback_url, "https://mcp.example.com/oauth/callback");
    /// // No one said who may log in, and anyone can have an account there.
    /// assert!(report.providers[0].is_open);
    /// assert_eq!(report.findings[0].level, FindingLevel::Weak);
    /// # Ok::<(), tower_oauth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn report(&self) -> Report {
        let (options, server) = (&self.options, self.server.as_ref());
        let mode = match server {
            None => ReportedMode::ResourceServer,
            Some(server) if server.is_passthrough => ReportedMode::Passthrough,
            Some(_) => ReportedMode::Proxy,
        };
        let store = server.map(|server| store(server, options));
        let providers = server.iter().flat_map(|server| server.providers.iter());
        Report {
            version: env!("CARGO_PKG_VERSION"),
            service_name: options.look.service.clone(),
            base_url: options.base.as_str().to_owned(),
            instance: self.events.instance().map(str::to_owned),
            mode,
            authorization_servers: options.authorization_servers.clone(),
            urls: urls(self),
            public_paths: options.public_paths.clone(),
            is_optional: options.optional_auth,
            providers: providers.map(|one| provider(one, options)).collect(),
            scopes: options.scopes.clone(),
            required_scopes: options.required_scopes.clone(),
            implied_scopes: implied_scopes(options),
            bearer_sources: sources(self, mode),
            consent: server.map(|_| consent(options.consent)),
            shows_account_page: server.is_some() && options.shows_account_page(),
            grant_types: options
                .grant_types
                .iter()
                .copied()
                .map(GrantType::as_str)
                .collect(),
            clients: clients(self),
            keys: server
                .map(|server| keys(self, server, mode))
                .unwrap_or_default(),
            times: times(options, server.is_none()),
            limits: server.map(|_| limits(options)).unwrap_or_default(),
            findings: findings(self, mode, store.as_ref()),
            store,
        }
    }
}

fn implied_scopes(options: &Options) -> Vec<ReportedImplication> {
    let all = options.scope_implications.iter();
    let told = all.map(|one| ReportedImplication {
        scope: one.scope.to_string(),
        implies: one.implies.clone(),
    });
    told.collect()
}

fn consent(consent: Consent) -> &'static str {
    match consent {
        Consent::Always => "a page asks each time",
        Consent::Remember => {
            "a page asks, and a browser that approved is not asked again for 30 days"
        }
        Consent::External => "no page: something else asks for each client",
        Consent::Disabled => "NO PAGE: no one is asked",
    }
}

/// Those that somebody outside has to know.
fn urls(config: &OAuthProxyConfig) -> Vec<ReportedUrl> {
    let all = routes(config).urls(&config.options.base).into_iter();
    let known = all.filter_map(|(row, url)| {
        let purpose = match row.endpoint {
            Endpoint::AuthorizationServerMetadata => "metadata of the authorization server",
            Endpoint::ProtectedResourceMetadata => {
                "metadata of the resource; of each path below by its path"
            }
            Endpoint::ClientDocument => "what the provider reads about this proxy",
            Endpoint::KeySet => "keys of access tokens",
            Endpoint::Register => "clients register",
            Endpoint::Authorize => "people begin a login",
            Endpoint::Callback => "people come back from the provider",
            Endpoint::Token => "clients get tokens",
            Endpoint::Revoke => "clients revoke tokens",
            Endpoint::Introspect => "services ask about tokens",
            _ => return None,
        };
        Some(ReportedUrl { purpose, url })
    });
    known.collect()
}

fn provider(client: &ProviderClient, options: &Options) -> ReportedProvider {
    let (about, terms) = (client.about(), client.terms());
    let (is_open, who_may_log_in) = who_may_log_in(about, options);
    ReportedProvider {
        id: about.id.clone(),
        name: about.name.clone(),
        callback_url: terms.callback_url.clone(),
        client_id: about.client_id.clone(),
        proof: about.credential.words(),
        issuer: about.issuer.clone(),
        scopes: terms.scopes.clone(),
        is_open,
        who_may_log_in,
    }
}

fn keys(config: &OAuthProxyConfig, server: &ServerConfig, mode: ReportedMode) -> Vec<String> {
    let mut keys = Vec::new();
    let from = match config.remarks.has_secret_key {
        true => "secret_key",
        false => "the client secret at the provider",
    };
    let previous = match config.remarks.previous_secret_keys {
        0 => String::new(),
        count => format!("; {count} previous accepted"),
    };
    keys.push(format!("all come from {from}{previous}"));
    if mode == ReportedMode::Proxy {
        let signing = server.token_keys.signing.as_ref();
        keys.push(match signing {
            Some(key) => {
                let algorithm = key.public().algorithm().name();
                format!("access tokens are signed with {algorithm}; others can verify them")
            }
            None => {
                "access tokens are signed with HS256; this proxy alone can verify them".to_owned()
            }
        });
    }
    keys
}

fn limits(options: &Options) -> Vec<ReportedLimit> {
    let limit = |limit: Limit| ReportedLimit {
        option: limit.option(),
        most: options.quotas.most(limit),
        of: limit.of(),
    };
    Limit::ALL.map(limit).into()
}

fn store(server: &ServerConfig, options: &Options) -> ReportedStore {
    let kind = server.storage_name.clone();
    ReportedStore {
        is_shared: match kind.as_str() {
            MEMORY | "SqliteStorage" => Some(false),
            "PostgresStorage" | "RedisStorage" => Some(true),
            _ => None,
        },
        is_encrypted: options.storage_encryption,
        kind,
    }
}
