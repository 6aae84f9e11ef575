//! The configuration of a resource server: only the options that mean something where another server
//! registers the clients, logs people in and issues the tokens.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    authorization_servers::check_issuers,
    bearer_sources::{SaidSources, check_at_resource},
    configuration::OAuthProxyConfig,
    faults::{check_entries, check_lifetimes, required_scopes},
    introspection::Introspection,
    odd::{odd_authorization_servers, odd_paths},
    options::{Options, Plain},
    outbound::way_out,
    page_languages::SaidLanguages,
    path_faults::check_public_paths,
    remarks::Remarks,
    scope_option::scope_set,
    scope_rules::scope_implications,
    shown_text::check_name,
    trusted_issuer::{TrustedIssuer, check_trusted_issuers},
    weak::weak_at_resource,
};
use crate::{
    client::RedirectPolicy,
    clock::{Clock, SystemClock},
    error::ConfigError,
    event::{Detail, Event, EventCallback, Reason, Step},
    oauth::BaseUrl,
    outbound::Outbound,
    page::Look,
    provider::Lookups,
    route::Routes,
    time::Unix,
    token::{TokenVerifier, VerifierContext},
};

/// Collects the configuration of a resource server; see each method. Made by
/// [`OAuthProxyConfig::resource_server`], and checked as a whole by [`build`](Self::build).
///
/// It has no options for registration, logins, cookies, keys or storage: none of that happens here. Who may
/// come in is said by [guards](crate::guard) on the session.
#[must_use = "a builder does nothing until `build`"]
pub struct ResourceServerBuilder {
    pub(super) plain: Plain,
    base_url: String,
    authorization_servers: Vec<String>,
    scopes: Vec<String>,
    required_scopes: Vec<String>,
    scopes_imply: Vec<(String, Vec<String>)>,
    redirects_metadata: bool,
    verifier: Arc<dyn TokenVerifier>,
    pub(super) trusted_issuers: Vec<TrustedIssuer>,
    pub(super) sources: SaidSources,
    pub(super) languages: SaidLanguages,
    on_event: Option<EventCallback>,
    clock: Arc<dyn Clock>,
}

impl OAuthProxyConfig {
    /// Starts the configuration of a resource server, for a provider that registers clients itself
    /// (Descope, Supabase, Scalekit, Clerk, WorkOS; Auth0 and Keycloak where that is turned on).
    ///
    /// The layer then has no endpoints of its own. It publishes the metadata of each resource (RFC 9728),
    /// which names the provider as the [`authorization_server`](ResourceServerBuilder::authorization_server);
    /// clients register and log in there. `verifier` checks the tokens that they bring, and has to check the
    /// audience. Challenges, guards and the [`AuthSession`](crate::AuthSession) are those of a proxy. No
    /// secret and no store is needed.
    ///
    /// `base_url` is where the world reaches this server, as for [`builder`](Self::builder).
    ///
    /// ```
    /// use tower_oauth_proxy::{JwksVerifier, OAuthProxyConfig, OAuthProxyLayer};
    ///
    /// let issuer = "https://acme.authkit.app";
    /// let verifier = JwksVerifier::for_issuer(issuer).audience("https://mcp.example.com/mcp");
    /// let config = OAuthProxyConfig::resource_server("https://mcp.example.com", verifier)
    ///     .authorization_server(issuer)
    ///     .required_scopes(["openid"])
    ///     .build()?;
    /// let layer = OAuthProxyLayer::new(config);
    /// # let _ = layer;
    /// # Ok::<(), tower_oauth_proxy::ConfigError>(())
    /// ```
    #[doc(alias = "RemoteAuthProvider")]
    pub fn resource_server(
        base_url: impl Into<String>,
        verifier: impl TokenVerifier,
    ) -> ResourceServerBuilder {
        ResourceServerBuilder {
            plain: Plain::default(),
            base_url: base_url.into(),
            authorization_servers: Vec::new(),
            scopes: Vec::new(),
            required_scopes: Vec::new(),
            scopes_imply: Vec::new(),
            redirects_metadata: false,
            verifier: Arc::new(verifier),
            trusted_issuers: Vec::new(),
            sources: SaidSources::default(),
            languages: SaidLanguages::default(),
            on_event: None,
            clock: Arc::new(SystemClock),
        }
    }
}

impl ResourceServerBuilder {
    /// Adds an issuer that clients may get their tokens from, byte for byte as it calls itself, a trailing
    /// slash included (`https://tenant.eu.auth0.com/`). At least one is needed; clients mostly take the
    /// first.
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.authorization_servers.push(issuer.into());
        self
    }

    /// Scopes that the metadata names, so that clients ask for them, beside the required ones. Default:
    /// none.
    pub fn scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Scopes that every request on a protected path needs, and that metadata and challenges name; without
    /// them the answer is 403 `insufficient_scope`. Default: none.
    pub fn required_scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.required_scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// As [`OAuthProxyConfigBuilder::scopes_imply`](crate::OAuthProxyConfigBuilder::scopes_imply), of whatever scopes
    /// the authorization servers know.
    pub fn scopes_imply<I: IntoIterator<Item: Into<String>>>(
        mut self,
        scope: impl Into<String>,
        implied: I,
    ) -> Self {
        let implied = implied.into_iter().map(Into::into).collect();
        self.scopes_imply.push((scope.into(), implied));
        self
    }

    /// `true`: clients that look for the authorization server's metadata at this server are sent on (307) to
    /// the first authorization server's own. Only clients of the MCP revision 2025-03-26 look here, and only
    /// those that do not compare the `issuer` get on (RFC 8414 section 3.3). Default: `false`; these paths
    /// are protected like any other.
    pub fn redirect_metadata(mut self, on: bool) -> Self {
        self.redirects_metadata = on;
        self
    }

    /// As [`OAuthProxyConfigBuilder::audience_by_path`](crate::OAuthProxyConfigBuilder::audience_by_path),
    /// for tokens whose verifier names a resource below the base URL. Default: `true`.
    pub fn audience_by_path(mut self, on: bool) -> Self {
        self.plain.audience_by_path = on;
        self
    }

    /// As [`OAuthProxyConfigBuilder::public_paths`](crate::OAuthProxyConfigBuilder::public_paths).
    pub fn public_paths<I: IntoIterator<Item: Into<String>>>(mut self, paths: I) -> Self {
        let paths = paths.into_iter().map(Into::into);
        self.plain.public_paths.extend(paths);
        self
    }

    /// As [`OAuthProxyConfigBuilder::optional_auth`](crate::OAuthProxyConfigBuilder::optional_auth).
    pub fn optional_auth(mut self, on: bool) -> Self {
        self.plain.optional_auth = on;
        self
    }

    /// As
    /// [`OAuthProxyConfigBuilder::keep_authorization_header`](crate::OAuthProxyConfigBuilder::keep_authorization_header).
    pub fn keep_authorization_header(mut self, on: bool) -> Self {
        self.plain.keep_authorization_header = on;
        self
    }

    /// As
    /// [`OAuthProxyConfigBuilder::cors_on_protected_paths`](crate::OAuthProxyConfigBuilder::cors_on_protected_paths).
    pub fn cors_on_protected_paths(mut self, on: bool) -> Self {
        self.plain.cors_on_protected_paths = on;
        self
    }

    /// The name that the metadata gives this service: 1 to 100 visible characters. Default: none.
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.plain.service_name = Some(name.into());
        self
    }

    /// The claims of the verified token that hold a person's roles: a string or an array of strings each.
    /// Default: `role`, `roles`, and `realm_access` (Keycloak).
    pub fn role_claims<I: IntoIterator<Item: Into<String>>>(mut self, names: I) -> Self {
        self.plain.role_claims = names.into_iter().map(Into::into).collect();
        self
    }

    /// How long a verified token is believed without asking the verifier again, in whole seconds up to an
    /// hour, and never beyond the token's end; less than one asks for each request. Default: 10 seconds.
    pub fn session_cache_ttl(mut self, ttl: Duration) -> Self {
        self.plain.session_cache_ttl = ttl;
        self
    }

    /// The limit on one question to the verifier, from 10 milliseconds to an hour; then the answer is 503.
    /// Default: 10 seconds.
    pub fn upstream_request_timeout(mut self, timeout: Duration) -> Self {
        self.plain.upstream_request_timeout = timeout;
        self
    }

    /// As [`OAuthProxyConfigBuilder::outbound_proxy`](crate::OAuthProxyConfigBuilder::outbound_proxy), for the
    /// verifiers of this crate.
    pub fn outbound_proxy(mut self, url: impl Into<String>) -> Self {
        self.plain.outbound_proxy = Some(url.into());
        self
    }

    /// As
    /// [`OAuthProxyConfigBuilder::outbound_root_certificates`](crate::OAuthProxyConfigBuilder::outbound_root_certificates),
    /// for the verifiers of this crate.
    pub fn outbound_root_certificates<I: IntoIterator<Item: Into<String>>>(
        mut self,
        pem: I,
    ) -> Self {
        let pem = pem.into_iter().map(Into::into);
        self.plain.outbound_root_certificates.extend(pem);
        self
    }

    /// As [`OAuthProxyConfigBuilder::on_event`](crate::OAuthProxyConfigBuilder::on_event).
    pub fn on_event(mut self, callback: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Box::new(callback));
        self
    }

    /// As [`OAuthProxyConfigBuilder::instance_name`](crate::OAuthProxyConfigBuilder::instance_name).
    pub fn instance_name(mut self, name: impl Into<String>) -> Self {
        self.plain.instance_name = Some(name.into());
        self
    }

    /// As [`OAuthProxyConfigBuilder::event_detail`](crate::OAuthProxyConfigBuilder::event_detail).
    pub fn event_detail(mut self, detail: Detail) -> Self {
        self.plain.event_detail = detail;
        self
    }

    /// The source of time, for tests. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Checks every option, and reports each one that weakens security or looks like a slip as an event of
    /// [`Step::Configuration`].
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the option to change.
    pub fn build(mut self) -> Result<OAuthProxyConfig, ConfigError> {
        let base = BaseUrl::parse(&self.base_url)?;
        check_issuers(&self.authorization_servers)?;
        check_public_paths(
            &self.plain,
            &Routes::of_resource(&base, self.redirects_metadata, &[]),
        )?;
        check_lifetimes(&self.plain)?;
        check_entries(&self.plain)?;
        if let Some(name) = &self.plain.service_name {
            check_name("service_name", name)?;
        }
        let outbound = Outbound::new(&way_out(&self.plain)?)?;
        let scopes = scope_set("scopes", &self.scopes)?;
        let named = scopes.union(&scope_set("required_scopes", &self.required_scopes)?);
        let required_scopes = required_scopes(&self.required_scopes, &named)?;
        let scope_implications = scope_implications(&self.scopes_imply, None)?;
        check_trusted_issuers(&self.trusted_issuers, &[], &base, &named)?;
        check_at_resource(&self.trusted_issuers)?;
        let sources = self.sources.checked(&self.trusted_issuers, &[], &base)?;
        let reserved = sources.reserved(&self.trusted_issuers);
        self.plain.subjects = self.plain.subjects.reserving(reserved);
        let mut odd = odd_paths(&self.plain, &base);
        let now = Unix::from(self.clock.now());
        odd.extend(sources.odd(&required_scopes, &scope_implications, now));
        odd.extend(odd_authorization_servers(
            &self.authorization_servers,
            &self.plain,
            &base,
        ));
        let brand = self.plain.pages.checked()?;
        odd.extend(self.plain.pages.odd(&brand, &named));
        let look = Look::new(self.plain.service_name.as_deref(), &base, brand);
        let options = Options {
            authorization_servers: self.authorization_servers,
            redirects_metadata: self.redirects_metadata,
            client_document: None,
            grant_types: Vec::new(),
            accepts_identity_assertions: false,
            key_set: None,
            scopes: named,
            required_scopes,
            scope_implications,
            introspection: Introspection::default(),
            redirect_policy: RedirectPolicy::none(),
            cookie_prefix: String::new(),
            base,
            look,
            languages: self.languages.checked()?,
            plain: self.plain,
        };
        let events = Arc::new(options.events(self.on_event));
        let lookups = Lookups::new(&outbound, &self.clock);
        let context =
            VerifierContext::new(&outbound, &lookups, &self.clock, &options.base, &events);
        self.verifier.connect(&context)?;
        sources.connect(&context)?;
        let weak = weak_at_resource(&options);
        for words in &weak {
            events.emit(&Event::refused(Step::Configuration, Reason::WeakOption).detail(words));
        }
        for words in &odd {
            events.emit(&Event::refused(Step::Configuration, Reason::OddOption).detail(words));
        }
        Ok(OAuthProxyConfig {
            options: Arc::new(options),
            verifier: Some(self.verifier),
            sources,
            clock: self.clock,
            events,
            remarks: Arc::new(Remarks {
                weak,
                odd,
                ..Remarks::default()
            }),
            server: None,
        })
    }
}

impl fmt::Debug for ResourceServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceServerBuilder")
            .field("base_url", &self.base_url)
            .field("authorization_servers", &self.authorization_servers)
            .finish_non_exhaustive()
    }
}
