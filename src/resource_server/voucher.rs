//! A server whose tokens are good here, at work.

use std::sync::Arc;

use crate::{
    config::{BearerSources, Options, Vouches},
    grant::is_named_by_provider,
    login::admission::TokenAdmission,
    proxy::Proxy,
    token::TokenVerifier,
};

/// Those that vouch for tokens.
#[derive(Default)]
pub(crate) struct Vouchers {
    pub(crate) issuers: Vec<Arc<Voucher>>,
    pub(crate) introspection: Option<Arc<Voucher>>,
}

/// One of them.
pub(crate) struct Voucher {
    pub(crate) id: String,
    issuer: Option<String>,
    /// The id of the provider whose people they are.
    pub(crate) provider: Option<Arc<str>>,
    pub(crate) verifier: Arc<dyn TokenVerifier>,
    /// `None` where nothing is asked about who comes by its tokens.
    pub(crate) admission: Option<TokenAdmission>,
}

impl Vouchers {
    pub(super) fn new(
        sources: &BearerSources,
        options: &Arc<Options>,
        proxy: Option<&Arc<Proxy>>,
    ) -> Self {
        let voucher = |server: &Vouches| Arc::new(Voucher::new(server, options, proxy));
        Self {
            issuers: sources.issuers.iter().map(voucher).collect(),
            introspection: sources.introspection.as_ref().map(voucher),
        }
    }

    /// The one that issues tokens with this `iss`, byte for byte.
    pub(crate) fn issuing(&self, iss: &str) -> Option<&Arc<Voucher>> {
        let is_it = |voucher: &&Arc<Voucher>| voucher.issuer.as_deref() == Some(iss);
        self.issuers.iter().find(is_it)
    }
}

impl Voucher {
    fn new(server: &Vouches, options: &Arc<Options>, proxy: Option<&Arc<Proxy>>) -> Self {
        let people_of = server.people_of.as_deref();
        let provider = people_of.and_then(|id| proxy?.providers.of(id));
        let about = provider.map(|provider| provider.about());
        let asks = server.asks_lists && proxy.is_some();
        Self {
            admission: asks
                .then(|| TokenAdmission::new(options, &server.id, about))
                .flatten(),
            id: server.id.clone(),
            issuer: server.issuer.clone(),
            provider: provider.map(|provider| Arc::clone(provider.id())),
            verifier: Arc::clone(&server.verifier),
        }
    }

    /// How someone is named here whom its tokens call so; `None` where that could be another's name.
    pub(crate) fn name(&self, proxy: Option<&Arc<Proxy>>, subject: &str) -> Option<String> {
        let Some(provider) = &self.provider else {
            return Some(format!("{}|{subject}", self.id));
        };
        // A name of ours is for those whom the provider does not name.
        let is_theirs = is_named_by_provider(subject);
        let named = proxy.filter(|_| is_theirs)?.grants.name(provider, subject);
        named.map(std::borrow::Cow::into_owned)
    }

    /// In words for the operator.
    pub(crate) fn shown(&self) -> String {
        match self.issuer {
            Some(_) => format!("trusted issuer `{}`", self.id),
            None => format!("introspection `{}`", self.id),
        }
    }
}
