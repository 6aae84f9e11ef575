//! From what the operator said to a configuration that works.

use std::sync::Arc;

use super::{
    builder::OAuthProxyConfigBuilder,
    configuration::{OAuthProxyConfig, ServerConfig},
    faults::{
        check_account_page, check_entries, check_keys, check_lifetimes, check_quotas,
        check_static_clients, cookie_prefix, required_scopes,
    },
    grant_types::grant_types,
    introspection::Introspection,
    machine_faults::check_machines,
    odd::odd_options,
    options::Options,
    outbound::way_out,
    path_faults::check_paths,
    provider_terms::{check_providers, check_terms, terms},
    remarks::Remarks,
    scope_rules::{KnownScopes, scope_implications},
    secrets::Secrets,
    shown_text::check_name,
    trusted_issuer::{check_grants_nothing, check_trusted_issuers},
    trusted_issuers::TrustedIssuers,
    weak::weak_options,
};
use crate::{
    client::{Clients, DeniedClients, DocumentClients, KeyProofs},
    error::ConfigError,
    event::{Event, Reason, Step},
    oauth::{BaseUrl, ScopeSet},
    outbound::{Outbound, WayOut},
    page::Look,
    provider::{AboutUs, Lookups, ProviderClient, Providers, client_document},
    route::CLIENT_DOCUMENT,
    storage::{MemoryStorage, TokenStorage},
    time::Unix,
    token::VerifierContext,
    vault::Vault,
};

impl OAuthProxyConfigBuilder {
    /// Checks every option, and reports each one that weakens security or looks like a slip as an event
    /// of [`Step::Configuration`](crate::Step::Configuration).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the option to change.
    pub fn build(mut self) -> Result<OAuthProxyConfig, ConfigError> {
        let base = BaseUrl::parse(&self.base_url)?;
        check_providers(&self)?;
        self.provider = self.provider.at_document(base.join(CLIENT_DOCUMENT))?;
        let further = std::mem::take(&mut self.further_providers).into_iter();
        let further = further.map(|provider| provider.at_document(base.join(CLIENT_DOCUMENT)));
        self.further_providers = further.collect::<Result<_, _>>()?;
        check_paths(&self, &base)?;
        let mut remarks = Remarks::of(&self);
        check_lifetimes(&self.plain)?;
        check_quotas(&self.plain.quotas)?;
        check_keys(&self)?;
        check_entries(&self.plain)?;
        self.plain.people.check()?;
        if let Some(name) = &self.plain.service_name {
            check_name("service_name", name)?;
        }
        if let Some(name) = &self.plain.instance_name {
            check_name("instance_name", name)?;
        }
        let terms = terms(&self, &base)?;
        let scopes = terms.iter().map(|terms| &terms.scopes);
        let scopes = scopes.fold(ScopeSet::default(), |all, these| all.union(these));
        let required_scopes = required_scopes(&self.required_scopes, &scopes)?;
        check_terms(&self, &terms, &required_scopes)?;
        check_static_clients(&self, &scopes)?;
        let introspection =
            Introspection::of(&self.static_clients, &base, self.passthrough.is_some())?;
        let sources = std::mem::take(&mut self.sources);
        let ids: Vec<&str> = self
            .providers()
            .map(|provider| provider.id.as_str())
            .collect();
        check_trusted_issuers(&self.trusted_issuers, &ids, &base, &scopes)?;
        if self.passthrough.is_some() {
            check_grants_nothing(&self.trusted_issuers)?;
        }
        let sources = sources.checked(&self.trusted_issuers, &ids, &base)?;
        let known = KnownScopes {
            all: scopes.union(&sources.scopes_of_keys()),
            and_others: self.passthrough.is_some() || sources.are_of_other_servers(),
        };
        let scope_implications = scope_implications(&self.scopes_imply, Some(&known))?;
        check_machines(&self, &scopes, &required_scopes, &scope_implications)?;
        let mut odd = odd_options(&self, &base);
        let now = Unix::from(self.clock.now());
        odd.extend(sources.odd(&required_scopes, &scope_implications, now));
        let brand = self.plain.pages.checked()?;
        odd.extend(self.plain.pages.odd(&brand, &scopes));
        let grant_types = grant_types(&self);

        let mut plain = self.plain;
        plain.allow_list = plain.allow_list.checked()?;
        plain.metadata_documents = plain.metadata_documents.checked()?;
        let reserved = sources.reserved(&self.trusted_issuers);
        plain.subjects = plain.subjects.reserving(reserved);
        let secrets = Secrets::new(self.secret_keys, &self.provider, &base)?;
        let mut redirect_policy = self.redirect_policy;
        for pattern in &self.redirect_patterns {
            redirect_policy = redirect_policy.allow(pattern)?;
        }
        let look = Look::new(plain.service_name.as_deref(), &base, brand);
        let mut options = Options {
            authorization_servers: vec![base.as_str().to_owned()],
            redirects_metadata: false,
            client_document: None,
            grant_types,
            accepts_identity_assertions: (self.trusted_issuers.iter())
                .any(|issuer| issuer.assertions.is_some()),
            key_set: self.token_keys.document(),
            scopes,
            required_scopes,
            scope_implications,
            introspection,
            redirect_policy,
            cookie_prefix: cookie_prefix(self.cookie_prefix, &base)?,
            base,
            look,
            languages: self.languages.checked()?,
            plain,
        };

        check_account_page(&options)?;

        let events = Arc::new(options.events(self.on_event));
        let storage_name = self
            .storage_name
            .unwrap_or_else(|| "MemoryStorage".to_owned());
        let storage: Arc<dyn TokenStorage> = match self.storage {
            Some(storage) => storage,
            None => Arc::new(MemoryStorage::new().with_clock(Arc::clone(&self.clock))),
        };
        let keys = secrets.seal_with("storage", &self.encryption_keys);
        let keys = options.storage_encryption.then_some(keys);
        let vault = Arc::new(Vault::new(storage, keys, Arc::clone(&events)));
        let timeout = options.upstream_request_timeout;
        let outbound = Outbound::new(&WayOut {
            events: Arc::clone(&events),
            ..way_out(&options)?
        })?;
        let lookups = Lookups::new(&outbound, &self.clock);
        let trusted_issuers = TrustedIssuers::new(self.trusted_issuers, &lookups);
        let context =
            VerifierContext::new(&outbound, &lookups, &self.clock, &options.base, &events);
        for verifier in self.passthrough.iter().chain(&self.upstream_verifier) {
            verifier.connect(&context)?;
        }
        sources.connect(&context)?;
        let mut terms = terms.into_iter();
        let mut client = |provider| {
            let (about, clock) = (Arc::new(provider), Arc::clone(&self.clock));
            let client = ProviderClient::new(about, &outbound, &lookups, timeout, clock);
            Arc::new(client.on(terms.next().unwrap_or_default()))
        };
        let first = client(self.provider);
        let further = self.further_providers.into_iter().map(client);
        let providers = Providers::new(first, further.collect());
        let us = AboutUs {
            home: options.base.as_str(),
            name: &options.look.service,
        };
        options.client_document = client_document(us, &providers)?;
        let clients = Clients::new(
            secrets.mac("registration"),
            secrets.mac("client secret"),
            DeniedClients::new(Arc::clone(&vault)),
            DocumentClients::new(options.metadata_documents.clone(), &outbound, &self.clock),
            KeyProofs::new(&outbound, &self.clock, Arc::clone(&vault)),
            self.static_clients,
        )?;
        let clients = Arc::new(clients);
        let known = Arc::downgrade(&clients);
        events.know_clients(move |id| known.upgrade()?.name(id));
        remarks.weak = weak_options(&options, &providers, &sources, self.passthrough.is_some());
        remarks.odd = odd;
        for words in &remarks.weak {
            events.emit(&Event::refused(Step::Configuration, Reason::WeakOption).detail(words));
        }
        for words in &remarks.odd {
            events.emit(&Event::refused(Step::Configuration, Reason::OddOption).detail(words));
        }
        Ok(OAuthProxyConfig {
            options: Arc::new(options),
            clock: self.clock,
            events,
            remarks: Arc::new(remarks),
            server: Some(ServerConfig {
                providers,
                trusted_issuers,
                clients,
                vault,
                storage_name,
                secrets,
                signing_keys: self.signing_keys,
                token_keys: self.token_keys,
                is_passthrough: self.passthrough.is_some(),
                upstream_verifier: self.upstream_verifier,
            }),
            verifier: self.passthrough,
            sources,
        })
    }
}
