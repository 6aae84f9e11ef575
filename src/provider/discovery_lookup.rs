//! The documents of one provider, looked up when they are needed: what it says of itself, and its keys.

use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;

use super::{
    discovery::{filled, places},
    discovery_document::Metadata,
    discovery_error::DiscoveryError,
    endpoints::{Discovery, Fills},
    key_sets::KeySets,
    provider::Provider,
    upstream_error::UpstreamError,
};
use crate::{
    clock::Clock,
    jose::KeySet,
    limits::MAX_METADATA_BYTES,
    outbound::{Document, Documents, FetchError, NamedBy, Outbound, Reply},
};

/// What providers say of themselves, and their keys; one for all of them. Clones share the documents.
#[derive(Clone)]
pub(crate) struct Lookups {
    outbound: Outbound,
    metadata: Documents<Metadata>,
    keys: KeySets,
}

impl Lookups {
    /// The operator named the provider; the provider names its keys, and is trusted with all that a
    /// login comes to.
    pub(crate) fn new(outbound: &Outbound, clock: &Arc<dyn Clock>) -> Self {
        let parse = |reply: &Reply| Metadata::parse(&reply.body);
        Self {
            outbound: outbound.clone(),
            metadata: Documents::new(
                outbound.clone(),
                Arc::clone(clock),
                NamedBy::Operator,
                MAX_METADATA_BYTES,
                parse,
            ),
            keys: KeySets::new(outbound, clock),
        }
    }
}

/// The documents of one provider; clones share them.
#[derive(Clone)]
pub(super) struct Lookup {
    pub(super) outbound: Outbound,
    metadata: Documents<Metadata>,
    keys: KeySets,
    last: Arc<Mutex<Option<Filled>>>,
}

/// The last document that was used, and the provider with it filled in.
struct Filled {
    document: Arc<Document<Metadata>>,
    provider: Arc<Provider>,
}

/// The keys that a provider signs with, as they are known now.
pub(super) struct Keys {
    url: String,
    pub(super) set: Arc<Document<KeySet>>,
}

impl Lookup {
    pub(super) fn new(lookups: &Lookups) -> Self {
        Self {
            outbound: lookups.outbound.clone(),
            metadata: lookups.metadata.clone(),
            keys: lookups.keys.clone(),
            last: Arc::default(),
        }
    }

    /// The provider with its document filled in.
    pub(super) async fn resolved(
        &self,
        stated: &Arc<Provider>,
    ) -> Result<Arc<Provider>, DiscoveryError> {
        match &stated.discovery {
            Some(discovery) if discovery.fills == Fills::Everything => {
                self.filled(stated, discovery).await
            }
            _ => Ok(Arc::clone(stated)),
        }
    }

    /// The same as far as it is known, without asking.
    pub(super) fn known(&self, stated: &Arc<Provider>) -> Option<Arc<Provider>> {
        match &stated.discovery {
            Some(discovery) if discovery.fills == Fills::Everything => self.last(),
            _ => Some(Arc::clone(stated)),
        }
    }

    /// The keys that ID tokens are verified with; `None` where the provider is not asked for any.
    pub(super) async fn keys(&self, stated: &Arc<Provider>) -> Result<Option<Keys>, UpstreamError> {
        let url = match (&stated.endpoints.jwks, &stated.discovery) {
            (Some(url), _) => url.clone(),
            (None, None) => return Ok(None),
            (None, Some(discovery)) => {
                let provider = self.filled(stated, discovery).await?;
                let url = provider.endpoints.jwks.clone();
                url.ok_or(DiscoveryError::Missing("jwks_uri"))?
            }
        };
        let set = self
            .keys
            .get(&url)
            .await
            .map_err(|error| unreadable(&error))?;
        Ok(Some(Keys { url, set }))
    }

    /// The keys as they are at the provider now, because these lack one.
    pub(super) async fn newer(&self, keys: &Keys) -> Result<Keys, UpstreamError> {
        let set = self.keys.newer(&keys.url, &keys.set).await;
        Ok(Keys {
            url: keys.url.clone(),
            set: set.map_err(|error| unreadable(&error))?,
        })
    }

    /// The keys, where they are known and fresh, and so is the document that names them.
    pub(super) fn keys_here(&self, stated: &Arc<Provider>) -> Option<Arc<Document<KeySet>>> {
        if let Some(url) = &stated.endpoints.jwks {
            return self.keys.here(url);
        }
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last
            .as_ref()
            .filter(|it| self.metadata.is_fresh(&it.document))?;
        let provider = Arc::clone(&known.provider);
        drop(last);
        self.keys.here(provider.endpoints.jwks.as_deref()?)
    }

    async fn filled(
        &self,
        stated: &Arc<Provider>,
        discovery: &Discovery,
    ) -> Result<Arc<Provider>, DiscoveryError> {
        let (url, document) = self.document(&discovery.issuer).await?;
        match self.with(stated, discovery, &document) {
            Ok(provider) => Ok(provider),
            Err(error) => match self.metadata.newer(&url, &document).await {
                // What an operator has mended at the provider is seen within seconds.
                Ok(newer) => self.with(stated, discovery, &newer),
                Err(_) => Err(error),
            },
        }
    }

    fn with(
        &self,
        stated: &Arc<Provider>,
        discovery: &Discovery,
        document: &Arc<Document<Metadata>>,
    ) -> Result<Arc<Provider>, DiscoveryError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*last
            && Arc::ptr_eq(&known.document, document)
        {
            return Ok(Arc::clone(&known.provider));
        }
        let provider = Arc::new(filled(stated, discovery, document)?);
        *last = Some(Filled {
            document: Arc::clone(document),
            provider: Arc::clone(&provider),
        });
        Ok(provider)
    }

    /// From the place of OpenID Connect, and where there is none from that of RFC 8414.
    async fn document(
        &self,
        issuer: &str,
    ) -> Result<(String, Arc<Document<Metadata>>), DiscoveryError> {
        let [openid, oauth] = places(issuer);
        for url in [&openid, &oauth] {
            if let Some(document) = self.metadata.cached(url) {
                return Ok((url.clone(), document));
            }
        }
        match self.metadata.get(&openid).await {
            Ok(document) => Ok((openid, document)),
            Err(error) if is_not_found(&error) => match self.metadata.get(&oauth).await {
                Ok(document) => Ok((oauth, document)),
                Err(error) if is_not_found(&error) => {
                    let why = format!("404 there, and at {oauth}");
                    Err(DiscoveryError::Fetch { url: openid, why })
                }
                Err(error) => Err(unusable(oauth, &error)),
            },
            Err(error) => Err(unusable(openid, &error)),
        }
    }

    fn last(&self) -> Option<Arc<Provider>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().map(|known| Arc::clone(&known.provider))
    }
}

fn is_not_found(error: &FetchError) -> bool {
    matches!(error, FetchError::Status { status, .. } if *status == StatusCode::NOT_FOUND)
}

fn unusable(url: String, error: &FetchError) -> DiscoveryError {
    let why = error.to_string();
    match error {
        FetchError::Content { .. } | FetchError::Refused { .. } => {
            DiscoveryError::Unusable(format!("{url} cannot be used: {why}"))
        }
        _ => DiscoveryError::Fetch { url, why },
    }
}

fn unreadable(error: &FetchError) -> UpstreamError {
    UpstreamError::Keys(error.to_string())
}
