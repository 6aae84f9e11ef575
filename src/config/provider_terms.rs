//! The providers of a configuration: what is wrong with them, alone and together, and on which terms each
//! is asked.

use super::{builder::OAuthProxyConfigBuilder, scope_option::scope_set, shown_text::check_name};
use crate::{
    error::ConfigError,
    limits::{MAX_PROVIDER_ID, MAX_PROVIDERS},
    oauth::{BaseUrl, ScopeSet, printable},
    provider::{Provider, Terms},
    route::RETURN,
};

/// The option that names each further provider.
const OPTION: &str = "also_provider";

impl OAuthProxyConfigBuilder {
    /// All of them, the first one first.
    pub(super) fn providers(&self) -> impl Iterator<Item = &Provider> {
        [&self.provider].into_iter().chain(&self.further_providers)
    }
}

/// Each must work by itself, and people and records must be able to tell them apart.
pub(super) fn check_providers(builder: &OAuthProxyConfigBuilder) -> Result<(), ConfigError> {
    let first = &builder.provider;
    first.check()?;
    check_name("provider", &first.name)?;
    if !builder.further_providers.is_empty() && builder.passthrough.is_some() {
        return Err(ConfigError::new(
            "passthrough",
            "a client that holds a provider's token does not say which provider's: leave out \
             also_provider, or let the proxy issue its own tokens",
        ));
    }
    if builder.upstream_verifier.is_some() {
        let why = match (
            builder.passthrough.is_some(),
            builder.further_providers.is_empty(),
        ) {
            (true, _) => {
                "passthrough has the provider's tokens checked already: leave out one of the two"
            }
            (_, false) => {
                "it would check the tokens of several providers: leave out also_provider, or this"
            }
            _ => "",
        };
        if !why.is_empty() {
            return Err(ConfigError::new("upstream_verifier", why));
        }
    }
    if builder.further_providers.len() >= MAX_PROVIDERS {
        let count = builder.providers().count();
        let why = format!("{count} providers are more than {MAX_PROVIDERS}");
        return Err(ConfigError::new(OPTION, why));
    }
    for (before, provider) in (1..).zip(&builder.further_providers) {
        let id = &printable(&provider.id, MAX_PROVIDER_ID);
        provider.check().map_err(|error| error.of(OPTION, id))?;
        check_name(OPTION, &provider.name).map_err(|error| error.of(OPTION, id))?;
        let before = || builder.providers().take(before);
        if before().any(|other| other.id == *id) {
            let why = format!("two providers have the id `{id}`: give one of them another `id`");
            return Err(ConfigError::new(OPTION, why));
        }
        let is_called = |other: &&Provider| shown(&other.name) == shown(&provider.name);
        if let Some(other) = before().find(is_called) {
            let why = format!(
                "`{}` and `{id}` are both called {:?}: people could not tell them apart; give one of \
                 them another `name`",
                other.id, provider.name
            );
            return Err(ConfigError::new(OPTION, why));
        }
    }
    let is_nameless = |provider: &&Provider| provider.has_document && provider.issuer.is_none();
    if shares_document(builder)
        && let Some(provider) = builder.providers().find(is_nameless)
    {
        let why = format!(
            "`{}` shares client_metadata_document with another provider, so it has to name itself when \
             people return: set its `issuer`",
            provider.id
        );
        return Err(ConfigError::new(OPTION, why));
    }
    Ok(())
}

fn shares_document(builder: &OAuthProxyConfigBuilder) -> bool {
    let readers = builder.providers().filter(|provider| provider.has_document);
    readers.count() > 1
}

/// A name as a person reads it: who looks at capitals and spaces?
fn shown(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// The terms of each provider, in their order. What the builder says of "the provider" it says of the
/// first one: so adding another changes nothing about the first.
pub(super) fn terms(
    builder: &OAuthProxyConfigBuilder,
    base: &BaseUrl,
) -> Result<Vec<Terms>, ConfigError> {
    let mut all = Vec::new();
    for provider in &builder.further_providers {
        let scopes = scope_set(OPTION, &provider.scopes);
        let scopes = scopes.map_err(|error| error.of(OPTION, &provider.id))?;
        let path = [RETURN, &provider.id].concat();
        all.push(Terms {
            callback_url: base.join(&path),
            callback_path: [base.path(), &path].concat(),
            offered: scopes.clone(),
            scopes,
            uses_pkce: provider.uses_pkce,
            forwards_resource: provider.forward_resource,
            ..Terms::default()
        });
    }
    let provider = &builder.provider;
    let own = scope_set("provider", &provider.scopes)?;
    let scopes = match &builder.scopes {
        Some(scopes) => scope_set("scopes", scopes)?,
        None => own.clone(),
    };
    let path = builder.plain.redirect_path.as_str();
    let first = Terms {
        callback_url: base.join(path),
        callback_path: [base.path(), path].concat(),
        offered: scopes.union(&own),
        scopes,
        uses_pkce: builder.upstream_pkce.unwrap_or(provider.uses_pkce),
        forwards_resource: builder
            .forward_resource
            .unwrap_or(provider.forward_resource),
        authorization_params: builder.extra_authorization_params.clone(),
        token_params: builder.extra_token_params.clone(),
        names_issuer: false,
    };
    all.insert(0, first);
    // RFC 9700 section 4.4.2.2, of redirect URIs by provider: "it cannot be used in scenarios where clients only
    // register once for the use of many different issuers". One document for several is such a registration:
    // each of them would accept the other's callback.
    if shares_document(builder) {
        for (provider, terms) in builder.providers().zip(&mut all) {
            terms.names_issuer = provider.has_document;
        }
    }
    Ok(all)
}

/// Options that contradict what is known of the providers.
pub(super) fn check_terms(
    builder: &OAuthProxyConfigBuilder,
    terms: &[Terms],
    required: &ScopeSet,
) -> Result<(), ConfigError> {
    let first = &builder.provider;
    if builder.forward_resource == Some(true) && first.dialect.refuses_resource() {
        let why = format!("{} refuses requests with a `resource`", first.name);
        return Err(ConfigError::new("forward_resource", why));
    }
    for (provider, terms) in builder.providers().zip(terms) {
        if let Some(missing) = required.iter().find(|scope| !terms.scopes.contains(scope)) {
            let why = format!(
                "`{missing}` is not one of the scopes of provider `{}`: its people could never get it; \
                 name it in that provider's `scopes`",
                provider.id
            );
            return Err(ConfigError::new("required_scopes", why));
        }
        let list = &builder.plain.allow_list;
        if let Some(option) = list.wanted_by {
            provider
                .vouches_for_email(&terms.offered, list.trust_unverified)
                .map_err(|why| ConfigError::new(option, why))?;
        }
        let rules = builder.plain.people.rules();
        for rule in rules.iter().chain(&provider.people_rules()) {
            let can = provider.can_name(rule, &terms.offered);
            can.map_err(|why| ConfigError::new(rule.option(), why))?;
        }
    }
    Ok(())
}
