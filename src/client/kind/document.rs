//! Clients that are known by the URL of a document about themselves
//! (draft-ietf-oauth-client-id-metadata-document-00, and -02 where it says more; MCP authorization 2026-07-28).
//!
//! Nothing of them is stored. What a document said at authorize goes along with the login (see
//! [`SeenClient`](crate::client::SeenClient)); everywhere else counts what it says now, which is at most as old
//! as its source allows, and an hour.

use std::sync::Arc;

use http::{HeaderMap, header::CONTENT_TYPE};

use super::{
    document_hosts::MetadataDocuments, document_metadata::Published, document_url::DocumentUrl,
};
use crate::{
    client::identified::{Client, ClientKind, Identified, Unknown},
    clock::Clock,
    limits::MAX_CLIENT_DOCUMENT_BYTES,
    outbound::{AskedBy, Documents, FetchError, NamedBy, Outbound, Reply},
};

/// Every client with a document, of those that the operator lets in.
pub(crate) struct DocumentClients {
    hosts: MetadataDocuments,
    documents: Documents<Published>,
}

impl DocumentClients {
    pub(crate) fn new(
        hosts: MetadataDocuments,
        outbound: &Outbound,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let documents = Documents::by_url(
            outbound.clone(),
            Arc::clone(clock),
            NamedBy::Stranger,
            MAX_CLIENT_DOCUMENT_BYTES,
            parse,
        );
        Self { hosts, documents }
    }

    /// The URL that an id is. Nothing is fetched for one that can be no client's, or whose host is not let in.
    pub(in crate::client) fn url<'a>(
        &self,
        id: &'a str,
    ) -> Result<DocumentUrl<'a>, Box<Identified>> {
        if !self.hosts.is_on() {
            return Err(Box::new(Identified::Unknown(Unknown::NoDocuments)));
        }
        let url = DocumentUrl::parse(id);
        let url = url.map_err(|fault| Box::new(Identified::Unknown(Unknown::Url(fault))))?;
        match self.hosts.let_in(url.host()) {
            true => Ok(url),
            false => Err(Box::new(Identified::NotLetIn(url.shown_host()))),
        }
    }

    /// The client as its document has it now.
    pub(in crate::client) async fn find(
        &self,
        url: &DocumentUrl<'_>,
        asked_by: AskedBy,
    ) -> Result<Client, FetchError> {
        let document = self.documents.get_for(url.as_str(), asked_by).await?;
        let published = &document.value;
        Ok(Client {
            id: url.as_str().to_owned(),
            name: Some(String::from(&*published.name)),
            redirect_uris: published.redirect_uris(),
            auth: published.auth,
            keys: published.keys.clone(),
            scope: published.scope.clone(),
            kind: ClientKind::Document,
        })
    }
}

fn parse(url: &str, reply: &Reply) -> Result<Published, String> {
    if !is_json(&reply.headers) {
        return Err(
            "its media type is neither application/json nor of the kind application/…+json"
                .to_owned(),
        );
    }
    Published::parse(url, &reply.body)
}

/// "The client metadata document MAY also be served with more specific content types as long as the response is
/// JSON and conforms to application/<AS-defined>+json." A page that people see, or a file that they uploaded,
/// is not taken for one.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = value.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    match essence.strip_prefix("application/") {
        Some("json") => true,
        Some(specific) => specific
            .strip_suffix("+json")
            .is_some_and(|it| !it.is_empty()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_is_taken_for_a_document() {
        let is_json = |value: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.extend(value.map(|value| (CONTENT_TYPE, value.parse().unwrap())));
            is_json(&headers)
        };
        for good in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/client+json",
            "application/cimd+json;v=1",
        ] {
            assert!(is_json(Some(good)), "{good}");
        }
        for bad in [
            "text/html",
            "text/plain",
            "text/json",
            "application/octet-stream",
            "application/+json",
            "application/jsonp",
            "application/javascript",
            "image/svg+xml",
            "",
        ] {
            assert!(!is_json(Some(bad)), "{bad}");
        }
        assert!(!is_json(None));
    }
}
