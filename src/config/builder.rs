//! The builder: one method for each option, none of which can fail before `build`.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use crate::{
    client::{KnownClient, RedirectPolicy, StaticClient},
    clock::{Clock, SystemClock},
    config::{
        allow_list::AllowList,
        hooks::{LoginHook, LoginRequest, Refusal, RegistrationHook, RegistrationRequest, hook},
    },
    event::{Event, EventCallback},
    grant::RefreshGrace,
    key::SecretKey,
    limits,
    login::PassOn,
    outbound::Customize,
    provider::Provider,
    storage::TokenStorage,
    token::{ClaimsPassthrough, TokenVerifier},
};

/// Whether a person is asked before a client gets access in their name.
///
/// The page is what stands between a malicious client and a person who is already logged in at the
/// provider (the confused deputy of the MCP security best practices).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Consent {
    /// The page is always shown.
    #[default]
    Always,
    /// A browser that approved the same client, target and scopes before is not asked again for 30
    /// days, unless another site sent it here, a sibling subdomain included (`Sec-Fetch-Site` has to be
    /// `none` or `same-origin`). A link in a mail counts as the person's own step, and a program on
    /// their computer that knows an approved public client's id passes for it (RFC 8252 section 8.6).
    Remember,
    /// No page: the provider, or something in front of this server, asks for each client.
    External,
    /// No page at all. Any registered client gets access in the name of every person who
    /// follows its link. Told as a weak option at start.
    Disabled,
}

/// Collects the configuration; see each method. Made by
/// [`OAuthProxyConfig::builder`](crate::OAuthProxyConfig::builder).
#[must_use = "a builder does nothing until `build`"]
pub struct OAuthProxyConfigBuilder {
    pub(crate) provider: Provider,
    pub(crate) base_url: String,
    pub(crate) secret_key: Option<SecretKey>,
    pub(crate) previous_secret_keys: Vec<SecretKey>,
    pub(crate) jwt_signing_key: Option<SecretKey>,
    pub(crate) previous_jwt_signing_keys: Vec<SecretKey>,
    pub(crate) encryption_key: Option<SecretKey>,
    pub(crate) previous_encryption_keys: Vec<SecretKey>,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) required_scopes: Vec<String>,
    pub(crate) consent: Consent,
    pub(crate) redirect_policy: RedirectPolicy,
    pub(crate) redirect_patterns: Vec<String>,
    pub(crate) static_clients: Vec<StaticClient>,
    pub(crate) public_paths: Vec<String>,
    pub(crate) redirect_path: String,
    pub(crate) cookie_prefix: Option<String>,
    pub(crate) allow_plain_pkce: bool,
    pub(crate) upstream_pkce: Option<bool>,
    pub(crate) forward_resource: Option<bool>,
    pub(crate) pass_on: Vec<PassOn>,
    pub(crate) token_swap: bool,
    pub(crate) token_verifier: Option<Arc<dyn TokenVerifier>>,
    pub(crate) optional_auth: bool,
    pub(crate) keep_authorization_header: bool,
    pub(crate) cors_on_protected_paths: bool,
    pub(crate) audience_by_path: bool,
    pub(crate) access_token_ttl: Duration,
    pub(crate) refresh_token_ttl: Duration,
    pub(crate) refresh_token_grace: RefreshGrace,
    pub(crate) identity_max_age: Duration,
    pub(crate) grant_max_age: Option<Duration>,
    pub(crate) grants_per_person: usize,
    pub(crate) authorization_code_ttl: Duration,
    pub(crate) transaction_ttl: Duration,
    pub(crate) session_cache_ttl: Duration,
    pub(crate) upstream_timeout: Duration,
    pub(crate) extra_authorization_params: Vec<(String, String)>,
    pub(crate) extra_token_params: Vec<(String, String)>,
    pub(crate) claims: ClaimsPassthrough,
    pub(crate) role_claims: Vec<String>,
    pub(crate) access_token_audiences: Vec<String>,
    pub(crate) storage: Option<Arc<dyn TokenStorage>>,
    pub(crate) storage_encryption: bool,
    pub(crate) allow_list: AllowList,
    pub(crate) on_register: Option<RegistrationHook>,
    pub(crate) on_login: Option<LoginHook>,
    pub(crate) on_event: Option<EventCallback>,
    pub(crate) http_client: Option<Customize>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) service_name: Option<String>,
}

impl OAuthProxyConfigBuilder {
    pub(crate) fn new(provider: Provider, base_url: String) -> Self {
        Self {
            provider,
            base_url,
            secret_key: None,
            previous_secret_keys: Vec::new(),
            jwt_signing_key: None,
            previous_jwt_signing_keys: Vec::new(),
            encryption_key: None,
            previous_encryption_keys: Vec::new(),
            scopes: None,
            required_scopes: Vec::new(),
            consent: Consent::default(),
            redirect_policy: RedirectPolicy::default(),
            redirect_patterns: Vec::new(),
            static_clients: Vec::new(),
            public_paths: Vec::new(),
            redirect_path: crate::route::CALLBACK.to_owned(),
            cookie_prefix: None,
            allow_plain_pkce: false,
            upstream_pkce: None,
            forward_resource: None,
            pass_on: Vec::new(),
            token_swap: true,
            token_verifier: None,
            optional_auth: false,
            keep_authorization_header: false,
            cors_on_protected_paths: false,
            audience_by_path: true,
            access_token_ttl: limits::ACCESS_TOKEN_TTL,
            refresh_token_ttl: limits::REFRESH_TOKEN_TTL,
            refresh_token_grace: RefreshGrace::default(),
            identity_max_age: limits::IDENTITY_MAX_AGE,
            grant_max_age: None,
            grants_per_person: limits::GRANTS_PER_PERSON,
            authorization_code_ttl: limits::AUTHORIZATION_CODE_TTL,
            transaction_ttl: limits::TRANSACTION_TTL,
            session_cache_ttl: limits::SESSION_CACHE_TTL,
            upstream_timeout: limits::UPSTREAM_TIMEOUT,
            extra_authorization_params: Vec::new(),
            extra_token_params: Vec::new(),
            claims: ClaimsPassthrough::default(),
            role_claims: ["role", "roles", "realm_access"].map(str::to_owned).into(),
            access_token_audiences: Vec::new(),
            storage: None,
            storage_encryption: true,
            allow_list: AllowList::default(),
            on_register: None,
            on_login: None,
            on_event: None,
            http_client: None,
            clock: Arc::new(SystemClock),
            service_name: None,
        }
    }

    /// The secret that every key is derived from. Unset: the provider's client secret (at least 16
    /// bytes, and none that anybody could guess), so that restarts and replicas agree out of the box.
    pub fn secret_key(mut self, key: SecretKey) -> Self {
        self.secret_key = Some(key);
        self
    }

    /// Secrets that were replaced: they still open and verify, and no longer seal or sign. Each counts
    /// for every purpose; a replaced `jwt_signing_key` or `encryption_key` has an option of its own.
    pub fn previous_secret_keys(mut self, keys: impl IntoIterator<Item = SecretKey>) -> Self {
        self.previous_secret_keys.extend(keys);
        self
    }

    /// A key of its own for signing access tokens. Unset: derived from `secret_key`, which goes on
    /// verifying when this is set.
    pub fn jwt_signing_key(mut self, key: SecretKey) -> Self {
        self.jwt_signing_key = Some(key);
        self
    }

    /// Signing keys that were replaced, or turned off: they still verify access tokens, and serve no
    /// other purpose. Take them out when `access_token_ttl` has passed. Default: none.
    pub fn previous_jwt_signing_keys(mut self, keys: impl IntoIterator<Item = SecretKey>) -> Self {
        self.previous_jwt_signing_keys.extend(keys);
        self
    }

    /// A key of its own for encrypting stored records. Unset: derived from `secret_key`, which goes on
    /// opening when this is set.
    pub fn encryption_key(mut self, key: SecretKey) -> Self {
        self.encryption_key = Some(key);
        self
    }

    /// Encryption keys that were replaced, or turned off: they still open records, and serve no other
    /// purpose. Take them out when `refresh_token_ttl` has passed. Default: none.
    pub fn previous_encryption_keys(mut self, keys: impl IntoIterator<Item = SecretKey>) -> Self {
        self.previous_encryption_keys.extend(keys);
        self
    }

    /// The scopes that clients may ask for. Unset: the provider's defaults.
    pub fn scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Scopes that every request on a protected path needs; without them 403
    /// `insufficient_scope`. Each has to be one of `scopes`, and none `offline_access`.
    pub fn required_scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.required_scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Whether a person is asked; see [`Consent`].
    pub fn consent(mut self, consent: Consent) -> Self {
        self.consent = consent;
        self
    }

    /// Where registered clients may have their codes sent. Default: loopback only. One that permits
    /// nothing needs a static client beside it.
    pub fn redirect_policy(mut self, policy: RedirectPolicy) -> Self {
        self.redirect_policy = policy;
        self
    }

    /// Adds patterns such as `https://*.example.com/callback/*` to the redirect policy; see
    /// [`RedirectPolicy::allow`].
    pub fn allowed_redirect_uri_patterns<I>(mut self, patterns: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.redirect_patterns
            .extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Adds a well-known client's callbacks to the redirect policy.
    pub fn allow_client(mut self, client: KnownClient) -> Self {
        self.redirect_policy = self.redirect_policy.allow_client(client);
        self
    }

    /// Adds a client that does not register itself.
    pub fn static_client(mut self, client: StaticClient) -> Self {
        self.static_clients.push(client);
        self
    }

    /// Paths that need no token, compared exactly with the request's whole path: where the base URL has
    /// a path, they mostly begin with it. One that this layer answers itself is refused.
    pub fn public_paths<I: IntoIterator<Item: Into<String>>>(mut self, paths: I) -> Self {
        self.public_paths.extend(paths.into_iter().map(Into::into));
        self
    }

    /// The provider's callback below the base URL. Default: `/oauth/callback`.
    pub fn redirect_path(mut self, path: impl Into<String>) -> Self {
        self.redirect_path = path.into();
        self
    }

    /// The prefix of the cookies' names, for platforms that rewrite cookies and so break
    /// `__Host-`. Default: `__Host-` on https, empty on loopback http.
    ///
    /// Weak: without `__Host-`, those who control a neighbouring subdomain can plant cookies here. They
    /// cannot make one, but they can plant a whole login that they began and approved themselves,
    /// and the victim's app is then logged in to the attacker's account: that the browser which
    /// consents is the browser which returns no longer holds. On loopback http it never does,
    /// because cookies do not tell ports apart: every web page that some program on this computer
    /// serves can do the same. `__Secure-` is no better in this.
    pub fn cookie_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.cookie_prefix = Some(prefix.into());
        self
    }

    /// Accepts PKCE with `plain`, or without a method. Weak: those who see the authorization request
    /// can redeem the code. Default: off, S256 only.
    pub fn allow_plain_pkce(mut self, allow: bool) -> Self {
        self.allow_plain_pkce = allow;
        self
    }

    /// Whether the proxy uses PKCE towards the provider. Turn off only for a provider that knows no
    /// PKCE. Default: the provider's.
    pub fn upstream_pkce(mut self, on: bool) -> Self {
        self.upstream_pkce = Some(on);
        self
    }

    /// Whether the provider is told the `resource` (RFC 8707). Default: the provider's, mostly off:
    /// Entra ID rejects the parameter.
    pub fn forward_resource(mut self, on: bool) -> Self {
        self.forward_resource = Some(on);
        self
    }

    /// Which parameters of a client's authorization request the provider is told (OpenID Connect
    /// Core section 3.1.2.1), so that people can change accounts, say. Default: none.
    ///
    /// What is configured stays, here and in the provider's preset: the words of `prompt` are
    /// joined (Google's preset asks for `consent`), and of the others a configured one wins. Words
    /// that the provider does not know are left out, as are a `login_hint` over 320 bytes and
    /// `ui_locales` over 100. `prompt=none` is answered with `interaction_required`, because a person
    /// is asked here. With `prompt=consent` a remembered approval does not count. The proxy asks the
    /// provider for `max_age` and does not check the answer's `auth_time`.
    ///
    /// ```
    /// use tower_oauth_proxy::{OAuthProxyConfig, PassOn, provider};
    ///
    /// let provider = provider::google("id.apps.googleusercontent.com", "GOCSPX-of-the-console-0123456789");
    /// let config = OAuthProxyConfig::builder(provider, "https://mcp.example.com")
    ///     .pass_on([PassOn::Prompt, PassOn::LoginHint])
    ///     .build()?;
    /// # let _ = config;
    /// # Ok::<(), tower_oauth_proxy::ConfigError>(())
    /// ```
    pub fn pass_on(mut self, params: impl IntoIterator<Item = PassOn>) -> Self {
        self.pass_on = params.into_iter().collect();
        self
    }

    /// `true` (default): clients hold the proxy's own tokens. `false`: clients hold the provider's
    /// access token, which a [`TokenVerifier`] has to check on each first sight. Nothing is kept of such
    /// a grant: an answer that is lost, or two processes of a client that refresh at once, are the
    /// provider's to forgive, and one that takes reuse for theft ends the login.
    pub fn token_swap(mut self, on: bool) -> Self {
        self.token_swap = on;
        self
    }

    /// Checks the provider's access tokens when `token_swap` is off.
    pub fn token_verifier(mut self, verifier: impl TokenVerifier) -> Self {
        self.token_verifier = Some(Arc::new(verifier));
        self
    }

    /// `true`: a request without a token reaches the inner service without a session; one with a
    /// bad token is still refused. Default: `false`.
    pub fn optional_auth(mut self, on: bool) -> Self {
        self.optional_auth = on;
        self
    }

    /// `true`: the inner service sees the `Authorization` header. Default: `false`, so that the
    /// token cannot leak further (to a proxied service, to logs).
    pub fn keep_authorization_header(mut self, on: bool) -> Self {
        self.keep_authorization_header = on;
        self
    }

    /// `true`: the layer answers CORS preflights on protected paths for any origin, without
    /// credentials, and exposes the headers that browser MCP clients read. Leave off where an outer
    /// CORS layer does this. Default: `false`.
    pub fn cors_on_protected_paths(mut self, on: bool) -> Self {
        self.cors_on_protected_paths = on;
        self
    }

    /// `true` (default): a token for `{base}/mcp` is good at `/mcp` and below it only (RFC 8707).
    /// `false`: a token for any resource of this server is good on all of its paths, as the older
    /// two-path SSE transport needs.
    pub fn audience_by_path(mut self, on: bool) -> Self {
        self.audience_by_path = on;
        self
    }

    /// An access token's life, from one second to a year. Default: one hour, also where the
    /// provider's own lives ten minutes or ten years: this token may outlive it, and the provider's is
    /// renewed meanwhile. Only where the provider's token ends and cannot be renewed does this one
    /// end with it.
    pub fn access_token_ttl(mut self, ttl: Duration) -> Self {
        self.access_token_ttl = ttl;
        self
    }

    /// How long an unused grant lives; each refresh starts it anew. Default: 30 days.
    pub fn refresh_token_ttl(mut self, ttl: Duration) -> Self {
        self.refresh_token_ttl = ttl;
        self
    }

    /// How long a refresh token that was exchanged is still answered with its successor: for a time
    /// of up to 24 hours, or [until the successor is used](RefreshGrace::UntilUsed). Default: 60
    /// seconds.
    ///
    /// A longer grace forgives an answer that was lost and processes of one client that share a
    /// token file. It costs the same time in which a stolen token goes unseen: see
    /// [`RefreshGrace`]. The clocks of all instances have to agree within a fraction of it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tower_oauth_proxy::{OAuthProxyConfigBuilder, RefreshGrace};
    /// # fn both(builder: OAuthProxyConfigBuilder, other: OAuthProxyConfigBuilder) {
    /// builder.refresh_token_grace(Duration::from_secs(5 * 60));
    /// other.refresh_token_grace(RefreshGrace::UntilUsed);
    /// # }
    /// ```
    pub fn refresh_token_grace(mut self, grace: impl Into<RefreshGrace>) -> Self {
        self.refresh_token_grace = grace.into();
        self
    }

    /// How long a look at a person is good. A client that refreshes later has the provider asked
    /// again: for a new token, or for the person with the one that is there. A no ends the grant;
    /// trouble at the provider is no answer, and what was known stands for twice this time. Counted
    /// in whole seconds, at least one. Default: 1 hour.
    pub fn identity_max_age(mut self, age: Duration) -> Self {
        self.identity_max_age = age;
        self
    }

    /// How old a grant may get, counted from the login, however often it is used: then the person has
    /// to log in again. With [`token_swap(false)`](Self::token_swap) it is asked at each refresh, and the
    /// provider's last access token lives to its own end. Default: without end, but 30 days where the
    /// provider gives no refresh token and nobody can be asked whether the person may still come in.
    pub fn grant_max_age(mut self, age: Duration) -> Self {
        self.grant_max_age = Some(age);
        self
    }

    /// How many live grants one person has, over all clients; at least 1. A login that makes one more
    /// ends the one that was used longest ago, with an event of
    /// [`Reason::TooMany`](crate::Reason::TooMany). Its tokens stay good at the provider until they end
    /// there: many providers would end the person's other grants with them. Default: 100.
    ///
    /// A client that logs in instead of refreshing leaves a grant behind each time. Without a limit
    /// one account fills the store, and pushes other people out of one that has bounds. A login reads
    /// the names of up to so many grants, and where it ends some, the grants themselves.
    pub fn grants_per_person(mut self, limit: usize) -> Self {
        self.grants_per_person = limit;
        self
    }

    /// An authorization code's life. Default: 5 minutes.
    pub fn authorization_code_ttl(mut self, ttl: Duration) -> Self {
        self.authorization_code_ttl = ttl;
        self
    }

    /// How long a person may take to decide on the consent page, and then again at the provider.
    /// Default: 10 minutes each.
    pub fn transaction_ttl(mut self, ttl: Duration) -> Self {
        self.transaction_ttl = ttl;
        self
    }

    /// How long a validated session is served from memory: the longest time that a revocation on
    /// another instance can go unseen. Counted in whole seconds; less than one turns the cache off.
    /// Default: 10 seconds.
    pub fn session_cache_ttl(mut self, ttl: Duration) -> Self {
        self.session_cache_ttl = ttl;
        self
    }

    /// The limit on one request to the provider. Default: 10 seconds. The answer to a renewal is
    /// awaited for a minute more, while callers are told to come back: a provider that rotates its
    /// refresh tokens says the new one only once.
    pub fn upstream_request_timeout(mut self, timeout: Duration) -> Self {
        self.upstream_timeout = timeout;
        self
    }

    /// Parameters added to the provider's authorization URL. Those of the protocol itself
    /// (`client_id`, `state`, …) cannot be overridden: they are dropped, which is told at start.
    pub fn extra_authorization_params<I, K, V>(mut self, params: I) -> Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: Into<String>,
        V: Into<String>,
    {
        self.extra_authorization_params = pairs(params);
        self
    }

    /// Parameters added to every request at the provider's token endpoint; the protocol's own
    /// cannot be overridden.
    pub fn extra_token_params<I, K, V>(mut self, params: I) -> Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: Into<String>,
        V: Into<String>,
    {
        self.extra_token_params = pairs(params);
        self
    }

    /// Which of the provider's claims reach sessions and tokens.
    pub fn custom_claims_passthrough(mut self, claims: ClaimsPassthrough) -> Self {
        self.claims = claims;
        self
    }

    /// The claims that hold a person's roles, in the ID token, userinfo or a JWT access token that is
    /// for this service (see [`access_token_audiences`](Self::access_token_audiences)): a string or an
    /// array of strings each. Default: `role`, `roles`, and `realm_access` (Keycloak).
    pub fn role_claims<I: IntoIterator<Item: Into<String>>>(mut self, names: I) -> Self {
        self.role_claims = names.into_iter().map(Into::into).collect();
        self
    }

    /// More names by which the provider's access tokens are for this service (`aud`). Roles and
    /// claims of an access token count only when it is a JWT, its `aud` names us and its `sub` is
    /// the same person: what another API's token says is not said to us. The client id, the
    /// [identifier URI](crate::Provider::identifier_uri), an `audience` or `resource` that is asked
    /// for, and the base URL with `forward_resource` are names already. Default: no others.
    ///
    /// Keycloak puts `account` into `aud` unless a mapper adds the client: add the mapper, or name
    /// `account` here to read `realm_access` from its access tokens.
    ///
    /// ```
    /// # use tower_oauth_proxy::OAuthProxyConfigBuilder;
    /// # fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// builder.access_token_audiences(["api://reports", "account"])
    /// # }
    /// ```
    pub fn access_token_audiences<I: IntoIterator<Item: Into<String>>>(
        mut self,
        audiences: I,
    ) -> Self {
        self.access_token_audiences = audiences.into_iter().map(Into::into).collect();
        self
    }

    /// Where grants live. Default: in this process's memory.
    pub fn token_storage(mut self, storage: impl TokenStorage) -> Self {
        self.storage = Some(Arc::new(storage));
        self
    }

    /// Stores records in the clear. Weak: a stolen copy of the store holds the provider's tokens.
    pub fn insecure_without_storage_encryption(mut self) -> Self {
        self.storage_encryption = false;
        self
    }

    /// Lets only people with these verified addresses log in (besides `allowed_domains`). The provider
    /// has to vouch for addresses, with the scopes that are asked for: Entra ID never does. Asked at
    /// login, at each renewal of the provider's token, and when a client refreshes and the last look
    /// is older than `identity_max_age`: a person who was taken off the list is out by then.
    pub fn allowed_emails<I: IntoIterator<Item: Into<String>>>(mut self, emails: I) -> Self {
        self.allow_list
            .want_emails(emails.into_iter().map(Into::into));
        self
    }

    /// Lets only people with a verified address of these domains log in (besides
    /// `allowed_emails`). Subdomains are not included; an international domain may be written in
    /// either form.
    pub fn allowed_domains<I: IntoIterator<Item: Into<String>>>(mut self, domains: I) -> Self {
        self.allow_list
            .want_domains(domains.into_iter().map(Into::into));
        self
    }

    /// Lets the allow lists accept an address that the provider does not call verified. Weak where
    /// people can choose their address, as in a multi-tenant Entra app. Refused without a list.
    pub fn insecure_trust_unverified_emails(mut self) -> Self {
        self.allow_list.trust_unverified = true;
        self
    }

    /// Asked for each registration that passed every rule.
    pub fn on_register<F, Fut>(mut self, closure: F) -> Self
    where
        F: Fn(RegistrationRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.on_register = Some(hook(closure));
        self
    }

    /// Asked for each person that the provider let in, after the allow lists; and again whenever the
    /// person is looked at while their grant lives ([`Occasion::Recheck`](crate::Occasion::Recheck)):
    /// a no then ends the grant. May take 10 seconds; at login no answer is a no for now, later what
    /// was known stands for a while.
    ///
    /// ```
    /// # use tower_oauth_proxy::{OAuthProxyConfigBuilder, Refusal};
    /// # fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// builder.on_login(async |request| match request.person.claims.get("hd") {
    ///     Some(domain) if domain == "example.com" => Ok(()),
    ///     _ => Err(Refusal::new("this service is for example.com only")),
    /// })
    /// # }
    /// ```
    pub fn on_login<F, Fut>(mut self, closure: F) -> Self
    where
        F: Fn(LoginRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.on_login = Some(hook(closure));
        self
    }

    /// Told of each step and refusal; must not block.
    pub fn on_event(mut self, callback: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Box::new(callback));
        self
    }

    /// Adjusts the HTTP client towards the provider: a corporate proxy, a private root
    /// certificate. Redirects and timeouts stay as this crate sets them.
    pub fn http_client<F>(mut self, customize: F) -> Self
    where
        F: FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + 'static,
    {
        self.http_client = Some(Box::new(customize));
        self
    }

    /// The source of time, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The name that the consent page and the resource metadata give this service: 1 to 100 visible
    /// characters. Default: the host of the base URL.
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }
}

impl fmt::Debug for OAuthProxyConfigBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthProxyConfigBuilder")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

fn pairs<K: Into<String>, V: Into<String>>(
    params: impl IntoIterator<Item = (K, V)>,
) -> Vec<(String, String)> {
    params
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}
