//! Configuration by environment: what is set, what is wrong with it, and by which name.

use std::{
    collections::BTreeMap, fmt, future::Future, net::SocketAddr, process::ExitCode, str::FromStr,
    time::Duration,
};

use axum::Router;
use tower_oauth_proxy::{
    ConfigError, Consent, OAuthProxyAdmin, OAuthProxyConfig, OAuthProxyConfigBuilder, PassOn,
    RefreshGrace, SecretKey,
};

use tracing_subscriber::filter::LevelFilter;

use super::{
    known, log,
    serve::{self, Limits, Stop, stop_signals},
};

/// The variables of a process, and its stop signals.
pub struct Env {
    variables: BTreeMap<String, String>,
    stop: Stop,
}

/// Why the process cannot start. Names the variable, or the option of the configuration.
#[derive(Debug)]
pub struct Refusal(pub(super) String);

/// Names alone: some values are secrets.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ConfigError> for Refusal {
    fn from(error: ConfigError) -> Self {
        let variable = match error.option() {
            "allowed_redirect_uri_patterns" => "ALLOWED_REDIRECT_URIS",
            "allowed_claim" => "ALLOWED_CLAIMS",
            "cors_on_protected_paths" => "CORS",
            "outbound_private_networks" => "PRIVATE_NETWORKS",
            "outbound_root_certificates" => "ROOT_CERTIFICATES_FILE",
            "static_clients" => "CLIENTS_FILE",
            "api_keys" => "API_KEYS_FILE",
            "token_key" | "published_token_keys" => "SIGNING_KEY_FILE",
            "trusted_issuer" => "TRUSTED_ISSUERS",
            "token_storage" => "STORAGE",
            "upstream_request_timeout" => "UPSTREAM_TIMEOUT",
            // Says itself which part of the provider it is about.
            "provider" => return Self(error.to_string()),
            // `base_url` is BASE_URL, and so on.
            option => &option.to_uppercase(),
        };
        Self(format!("{variable}: {error}"))
    }
}

/// Runs a server until it stops. A configuration that cannot work ends the process with status 2
/// and one line on standard error.
pub async fn run<F: Future<Output = Result<(), Refusal>>>(
    start: impl FnOnce(Env) -> F,
) -> ExitCode {
    match begin(start).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            eprintln!("{refusal}");
            ExitCode::from(2)
        }
    }
}

async fn begin<F: Future<Output = Result<(), Refusal>>>(
    start: impl FnOnce(Env) -> F,
) -> Result<(), Refusal> {
    log::start(LevelFilter::INFO)?;
    // Before anything else: a stop signal may come while the store is being opened.
    let stop = stop_signals();
    let stop = stop.map_err(|error| Refusal(format!("no handler for signals: {error}")))?;
    let variables = std::env::vars_os().map(|(name, value)| {
        let name = name.to_string_lossy().into_owned();
        let text = value.into_string();
        let text = text.map_err(|_| Refusal(format!("{name}: the value is not UTF-8")));
        (name, text)
    });
    // Those of others may be anything.
    let variables =
        variables.filter(|(name, text)| text.is_ok() || known::KNOWN.contains(&&**name));
    let variables: Result<Vec<_>, Refusal> =
        variables.map(|(name, text)| Ok((name, text?))).collect();
    start(Env::new(variables?, stop)).await
}

/// What the configuration comes to, on standard error, before anything is served.
pub fn tell(config: &OAuthProxyConfig) {
    eprintln!("{}", config.report());
}

/// Listens at `LISTEN` until SIGTERM or SIGINT (Ctrl-C).
pub async fn serve(env: &Env, app: Router, admin: OAuthProxyAdmin) -> Result<(), Refusal> {
    let address = env.required("LISTEN")?;
    let mut limits = Limits::default();
    if let Some(connections) = env.number("MAX_CONNECTIONS")? {
        limits.connections = connections;
    }
    let refused = |error| Refusal(format!("LISTEN: {address}: {error}"));
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(refused)?;
    let here: SocketAddr = listener.local_addr().map_err(refused)?;
    println!("listening on {here}");
    serve::serve(listener, app, limits, env.stop.clone()).await;
    serve::drain(&[admin], env.stop.clone()).await;
    Ok(())
}

impl Env {
    /// From pairs of name and value.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>, stop: Stop) -> Self {
        Self {
            variables: variables.into_iter().collect(),
            stop,
        }
    }

    /// A variable; set to nothing counts as not set.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(|v| v.trim())
            .filter(|v| !v.is_empty())
    }

    /// A variable that has to be set.
    pub fn required(&self, name: &str) -> Result<&str, Refusal> {
        let missing = || Refusal(format!("{name}: not set"));
        self.optional(name).ok_or_else(missing)
    }

    /// A list, separated by spaces.
    pub fn words(&self, name: &str) -> Option<Vec<&str>> {
        Some(self.optional(name)?.split_whitespace().collect())
    }

    /// A list, separated by spaces or commas. Nothing but commas is a mistake.
    pub fn list(&self, name: &str) -> Result<Option<Vec<&str>>, Refusal> {
        let Some(value) = self.optional(name) else {
            return Ok(None);
        };
        let entries = value.split(|c: char| c == ',' || c.is_whitespace());
        let entries: Vec<_> = entries.filter(|entry| !entry.is_empty()).collect();
        match entries.is_empty() {
            true => Err(Self::wrong(name, value, "an empty list")),
            false => Ok(Some(entries)),
        }
    }

    /// A list of those who may log in. An empty one is refused: it would count as not set and let
    /// anyone in, and it is what a variable looks like whose value was lost.
    pub fn people(&self, name: &str) -> Result<Option<Vec<&str>>, Refusal> {
        match self.variables.get(name) {
            Some(value) if value.trim().is_empty() => {
                let what = "an empty list; unset it to let anyone in";
                Err(Self::wrong(name, value, what))
            }
            _ => self.list(name),
        }
    }

    /// Entries `name=value`, with the values of each name together.
    pub(super) fn pairs<'a>(
        &self,
        name: &str,
        entries: Option<Vec<&'a str>>,
    ) -> Result<BTreeMap<&'a str, Vec<&'a str>>, Refusal> {
        let mut pairs = BTreeMap::<_, Vec<_>>::new();
        for entry in entries.into_iter().flatten() {
            let wrong = || Self::wrong(name, entry, "not of the form name=value");
            let (claim, value) = entry.split_once('=').ok_or_else(wrong)?;
            pairs.entry(claim).or_default().push(value);
        }
        Ok(pairs)
    }

    /// The same for names that may have spaces: separated by commas alone.
    fn groups(&self, name: &str) -> Result<Option<Vec<&str>>, Refusal> {
        self.people(name)?;
        let entries = self
            .optional(name)
            .map(|value| value.split(',').map(str::trim));
        Ok(entries.map(Iterator::collect))
    }

    /// A length of time in whole seconds.
    pub fn seconds(&self, name: &str) -> Result<Option<Duration>, Refusal> {
        let seconds = self.parsed(name, "not a number of seconds")?;
        Ok(seconds.map(Duration::from_secs))
    }

    /// How many, from 1.
    pub fn number(&self, name: &str) -> Result<Option<u32>, Refusal> {
        let number = self.parsed(name, "not a whole number from 1")?;
        Ok(number.map(std::num::NonZeroU32::get))
    }

    /// `on` or `off`; `true` and `false` are the same.
    pub fn switch(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.optional(name) {
            None => Ok(None),
            Some("on" | "true") => Ok(Some(true)),
            Some("off" | "false") => Ok(Some(false)),
            Some(other) => Err(Self::wrong(name, other, "neither on nor off")),
        }
    }

    fn parsed<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, Refusal> {
        let Some(value) = self.optional(name) else {
            return Ok(None);
        };
        let wrong = |_| Self::wrong(name, value, what);
        value.parse().map(Some).map_err(wrong)
    }

    pub(super) fn wrong(name: &str, value: &str, what: &str) -> Refusal {
        Refusal(format!("{name}: `{value}` is {what}"))
    }

    /// A time in seconds, or `until-used`.
    fn grace(&self, name: &str) -> Result<Option<RefreshGrace>, Refusal> {
        match self.optional(name) {
            Some("until-used") => Ok(Some(RefreshGrace::UntilUsed)),
            _ => Ok(self.seconds(name)?.map(RefreshGrace::from)),
        }
    }

    /// `PROTECTED_PATH` as requests have it: below the path of `BASE_URL`.
    pub fn protected_path(&self) -> Result<String, Refusal> {
        let path = self.optional("PROTECTED_PATH").unwrap_or("/mcp");
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
        if !path.starts_with('/') || !path.chars().all(plain) {
            return Err(Self::wrong("PROTECTED_PATH", path, "not a plain path"));
        }
        let base = self.required("BASE_URL")?;
        let base = url::Url::parse(base)
            .map_err(|error| Refusal(format!("BASE_URL: `{base}`: {error}")))?;
        Ok(format!("{}{path}", base.path().trim_end_matches('/')))
    }

    /// The options that all examples share. Opens the store.
    pub async fn options(
        &self,
        mut builder: OAuthProxyConfigBuilder,
    ) -> Result<OAuthProxyConfigBuilder, Refusal> {
        known::check(self.variables.keys().map(String::as_str))?;
        if let Some(secret) = self.optional("SECRET_KEY") {
            builder = builder.secret_key(self.secret_key("SECRET_KEY", secret)?);
        }
        let previous = self.optional("SECRET_KEY_PREVIOUS").unwrap_or_default();
        for secret in previous.split(',').map(str::trim).filter(|s| !s.is_empty()) {
            let key = self.secret_key("SECRET_KEY_PREVIOUS", secret)?;
            builder = builder.previous_secret_keys([key]);
        }
        if let Some(scopes) = self.words("SCOPES") {
            builder = builder.scopes(scopes);
        }
        if let Some(scopes) = self.words("REQUIRED_SCOPES") {
            builder = builder.required_scopes(scopes);
        }
        for (scope, implied) in self.pairs("SCOPES_IMPLY", self.list("SCOPES_IMPLY")?)? {
            builder = builder.scopes_imply(scope, implied);
        }
        if let Some(patterns) = self.list("ALLOWED_REDIRECT_URIS")? {
            builder = builder.allowed_redirect_uri_patterns(patterns);
        }
        if let Some(domains) = self.people("ALLOWED_DOMAINS")? {
            builder = builder.allowed_domains(domains);
        }
        if let Some(emails) = self.people("ALLOWED_EMAILS")? {
            builder = builder.allowed_emails(emails);
        }
        if let Some(groups) = self.groups("ALLOWED_GROUPS")? {
            builder = builder.allowed_groups(groups);
        }
        if let Some(claims) = self.list("GROUP_CLAIMS")? {
            builder = builder.group_claims(claims);
        }
        for (claim, values) in self.pairs("ALLOWED_CLAIMS", self.people("ALLOWED_CLAIMS")?)? {
            builder = builder.allowed_claim(claim, values);
        }
        if let Some(claims) = self.list("ROLE_CLAIMS")? {
            builder = builder.role_claims(claims);
        }
        if let Some(on) = self.switch("CORS")? {
            builder = builder.cors_on_protected_paths(on);
        }
        if let Some(names) = self.list("PASS_ON")? {
            let names: Result<Vec<PassOn>, ConfigError> =
                names.into_iter().map(str::parse).collect();
            builder = builder.pass_on(names?);
        }
        if let Some(audiences) = self.list("ACCESS_TOKEN_AUDIENCES")? {
            builder = builder.access_token_audiences(audiences);
        }
        if let Some(limit) = self.number("GRANTS_PER_PERSON")? {
            builder = builder.grants_per_person(limit as usize);
        }
        if let Some(time) = self.seconds("ACCESS_TOKEN_TTL")? {
            builder = builder.access_token_ttl(time);
        }
        if let Some(time) = self.seconds("REFRESH_TOKEN_TTL")? {
            builder = builder.refresh_token_ttl(time);
        }
        if let Some(grace) = self.grace("REFRESH_TOKEN_GRACE")? {
            builder = builder.refresh_token_grace(grace);
        }
        if let Some(time) = self.seconds("IDENTITY_MAX_AGE")? {
            builder = builder.identity_max_age(time);
        }
        if let Some(time) = self.seconds("GRANT_MAX_AGE")? {
            builder = builder.grant_max_age(time);
        }
        if let Some(time) = self.seconds("SESSION_CACHE_TTL")? {
            builder = builder.session_cache_ttl(time);
        }
        if let Some(time) = self.seconds("TRANSACTION_TTL")? {
            builder = builder.transaction_ttl(time);
        }
        if let Some(prefix) = self.optional("COOKIE_PREFIX") {
            builder = builder.cookie_prefix(prefix);
        }
        if let Some(name) = self.optional("SERVICE_NAME") {
            builder = builder.service_name(name);
        }
        if let Some(time) = self.seconds("UPSTREAM_TIMEOUT")? {
            builder = builder.upstream_request_timeout(time);
        }
        builder = self.outbound(builder)?;
        builder = self.clients(builder)?;
        builder = self.machines(builder)?;
        builder = self.signing(builder)?;
        Ok(self.storage(builder).await?.consent(self.consent()?))
    }

    async fn storage(
        &self,
        builder: OAuthProxyConfigBuilder,
    ) -> Result<OAuthProxyConfigBuilder, Refusal> {
        let storage = self.optional("STORAGE").unwrap_or("memory");
        match storage.split_once(':') {
            None if storage == "memory" => Ok(builder),
            Some(("sqlite", path)) => sqlite(builder, path),
            Some(("redis" | "rediss", _)) => redis(builder, storage).await,
            Some(("postgres" | "postgresql", _)) => postgres(builder, storage).await,
            // Not shown: it may hold a password.
            _ => Err(Refusal(
                "STORAGE: not one of memory, sqlite:PATH, redis://HOST:PORT, rediss://HOST:PORT, \
                 postgres://USER@HOST:PORT/DATABASE"
                    .to_owned(),
            )),
        }
    }

    fn consent(&self) -> Result<Consent, Refusal> {
        match self.optional("CONSENT") {
            None | Some("always") => Ok(Consent::Always),
            Some("remember") => Ok(Consent::Remember),
            Some("external") => Ok(Consent::External),
            Some("disabled") => Ok(Consent::Disabled),
            Some(other) => {
                let what = "not one of always, remember, external, disabled";
                Err(Self::wrong("CONSENT", other, what))
            }
        }
    }

    /// Long secrets are taken as they are; shorter ones are stretched as passphrases.
    fn secret_key(&self, name: &str, secret: &str) -> Result<SecretKey, Refusal> {
        let key = match secret.len() {
            32.. => SecretKey::from_bytes(secret),
            _ => SecretKey::from_passphrase(secret, self.required("BASE_URL")?),
        };
        key.map_err(|error| Refusal(format!("{name}: {error}")))
    }
}

#[cfg(feature = "sqlite")]
fn sqlite(
    builder: OAuthProxyConfigBuilder,
    path: &str,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    let store = tower_oauth_proxy::storage::SqliteStorage::open(path)?;
    Ok(builder.token_storage(store))
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_: OAuthProxyConfigBuilder, _: &str) -> Result<OAuthProxyConfigBuilder, Refusal> {
    Err(without("sqlite"))
}

#[cfg(feature = "redis")]
async fn redis(
    builder: OAuthProxyConfigBuilder,
    url: &str,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    let store = tower_oauth_proxy::storage::RedisStorage::connect(url).await?;
    Ok(builder.token_storage(store))
}

#[cfg(not(feature = "redis"))]
async fn redis(_: OAuthProxyConfigBuilder, _: &str) -> Result<OAuthProxyConfigBuilder, Refusal> {
    Err(without("redis"))
}

#[cfg(feature = "postgres")]
async fn postgres(
    builder: OAuthProxyConfigBuilder,
    url: &str,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    let store = tower_oauth_proxy::storage::PostgresStorage::connect(url).await?;
    Ok(builder.token_storage(store))
}

#[cfg(not(feature = "postgres"))]
async fn postgres(_: OAuthProxyConfigBuilder, _: &str) -> Result<OAuthProxyConfigBuilder, Refusal> {
    Err(without("postgres"))
}

#[cfg(not(all(feature = "sqlite", feature = "redis", feature = "postgres")))]
fn without(feature: &str) -> Refusal {
    Refusal(format!(
        "STORAGE: this program was built without {feature}; add `--features {feature}`"
    ))
}
