//! Whether a provider can be reached now, and what its clock says: it is asked itself, whatever is kept of it.
//!
//! Nothing that is kept is changed by it, so a probe neither refreshes a document nor uses up a question about a
//! new key.

use std::sync::Arc;

use http::{
    HeaderMap, StatusCode,
    header::{AGE, DATE},
};

use super::{
    discovery::{filled, places},
    discovery_document::Metadata,
    discovery_error::DiscoveryError,
    discovery_lookup::Lookup,
    endpoints::{Discovery, Fills},
    issuer_keys::IssuerKeys,
    provider::Provider,
    requests::ProviderClient,
};
use crate::{
    jose::KeySet,
    limits::{MAX_KEY_SET_BYTES, MAX_KNOCK_BYTES, MAX_METADATA_BYTES},
    outbound::{FetchError, NamedBy, OutboundError, Reply, imf_fixdate},
    time::Unix,
};

/// What came of asking.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    /// What is wrong, in words for the operator.
    pub(crate) fault: Option<String>,
    /// The provider's clock, where an answer says it.
    pub(crate) clock: Option<Unix>,
}

impl ProviderClient {
    /// Asks for its document, where it has one, and for its keys; where it has neither, whether anything
    /// answers at its token endpoint.
    pub(crate) async fn reach(&self) -> Reached {
        self.lookup.reach(&self.provider).await
    }
}

impl IssuerKeys {
    /// The same of an issuer.
    pub(crate) async fn reach(&self) -> Reached {
        self.lookup.reach(&self.about).await
    }
}

impl Lookup {
    async fn reach(&self, stated: &Arc<Provider>) -> Reached {
        let mut reached = Reached::default();
        reached.fault = self.ask(stated, &mut reached.clock).await.err();
        reached
    }

    async fn ask(&self, stated: &Provider, clock: &mut Option<Unix>) -> Result<(), String> {
        let words = |error: DiscoveryError| error.to_string();
        let known = match &stated.discovery {
            // The keys are known without it.
            Some(discovery)
                if discovery.fills == Fills::Keys && stated.endpoints.jwks.is_some() =>
            {
                stated.clone()
            }
            Some(discovery) => {
                let document = self.document_now(discovery, clock).await?;
                filled(stated, discovery, &document).map_err(words)?
            }
            None => stated.clone(),
        };
        if let Some(url) = &known.endpoints.jwks {
            let reply = self.get(url, MAX_KEY_SET_BYTES, clock).await?;
            is_ok(url, &reply).map_err(|error| error.to_string())?;
            let keys = KeySet::parse(&reply.body);
            return keys
                .map(drop)
                .map_err(|why| FetchError::content(url, &why.to_string()).to_string());
        }
        match stated.discovery {
            Some(_) => Ok(()),
            None => {
                self.knock(known.endpoints.token().map_err(words)?, clock)
                    .await
            }
        }
    }

    /// From the place of OpenID Connect, and where there is none from that of RFC 8414.
    async fn document_now(
        &self,
        discovery: &Discovery,
        clock: &mut Option<Unix>,
    ) -> Result<Metadata, String> {
        let mut last = String::new();
        for url in places(&discovery.issuer) {
            let reply = self.get(&url, MAX_METADATA_BYTES, clock).await?;
            match is_ok(&url, &reply) {
                Ok(()) => {
                    let document = Metadata::parse(&reply.body);
                    return document.map_err(|why| FetchError::content(&url, &why).to_string());
                }
                Err(error) => last = error.to_string(),
            }
            if reply.status != StatusCode::NOT_FOUND {
                break;
            }
        }
        Err(last)
    }

    /// Whether anything answers. It is not asked for anything, so no refusal is a fault.
    async fn knock(&self, url: &str, clock: &mut Option<Unix>) -> Result<(), String> {
        let answer = self
            .outbound
            .get(url, NamedBy::Operator, MAX_KNOCK_BYTES, "*/*")
            .await;
        let status = match answer {
            Ok(reply) => {
                heed(&reply.headers, clock);
                reply.status
            }
            Err(OutboundError::Coded { status, .. }) => status,
            // It answered, and at length.
            Err(OutboundError::TooLarge(_)) => return Ok(()),
            Err(error) => return Err(FetchError::new(url, error).to_string()),
        };
        match status.is_server_error() {
            true => Err(FetchError::status(url, status).to_string()),
            false => Ok(()),
        }
    }

    async fn get(
        &self,
        url: &str,
        limit: usize,
        clock: &mut Option<Unix>,
    ) -> Result<Reply, String> {
        let reply = self
            .outbound
            .get(url, NamedBy::Operator, limit, "application/json")
            .await;
        let reply = reply.map_err(|error| FetchError::new(url, error).to_string())?;
        heed(&reply.headers, clock);
        Ok(reply)
    }
}

fn is_ok(url: &str, reply: &Reply) -> Result<(), FetchError> {
    match reply.status {
        StatusCode::OK => Ok(()),
        status => Err(FetchError::status(url, status)),
    }
}

/// RFC 9110 section 6.6.1: `Date` is when the message was made. RFC 9111 section 5.1: `Age` is how long it lay in
/// a cache since.
fn heed(headers: &HeaderMap, clock: &mut Option<Unix>) {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let age = text(AGE).and_then(|age| age.trim().parse::<u32>().ok());
    if let Some(date) = text(DATE).and_then(imf_fixdate) {
        *clock = Some(Unix::at(
            date.saturating_add(age.unwrap_or_default().into()),
        ));
    }
}
