//! The URL that is a client's id (draft-ietf-oauth-client-id-metadata-document-00 section 3).

use crate::{
    limits::MAX_DOCUMENT_CLIENT_ID,
    oauth::{StrictUri, UriFault},
};

/// How the id of such a client begins, and that of no other: a registration's is base64url.
const BEGINNING: &str = "https://";

/// A client's id that leads to its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::client) struct DocumentUrl<'a> {
    raw: &'a str,
    uri: StrictUri,
}

/// Why a URL is no client's id; each text goes on from "the client_id".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlFault {
    #[error("{0}")]
    Uri(UriFault),
    #[error("has no path")]
    NoPath,
    #[error("has a host that ends with a dot")]
    Dot,
}

impl<'a> DocumentUrl<'a> {
    /// Whether the id is meant to be one.
    pub(in crate::client) fn is_meant(client_id: &str) -> bool {
        let beginning = client_id.get(..BEGINNING.len());
        beginning.is_some_and(|text| text.eq_ignore_ascii_case(BEGINNING))
    }

    /// Reads an id that is meant to be one.
    ///
    /// "Client identifier URLs MUST have an "https" scheme, MUST contain a path component, MUST NOT contain
    /// single-dot or double-dot path segments, MUST NOT contain a fragment component and MUST NOT contain a
    /// username or password". A query is left to the client (it "SHOULD NOT" be there).
    pub(in crate::client) fn parse(raw: &'a str) -> Result<Self, UrlFault> {
        let uri = StrictUri::parse(raw, MAX_DOCUMENT_CLIENT_ID).map_err(UrlFault::Uri)?;
        if uri.scheme() != "https" {
            return Err(UrlFault::Uri(UriFault::NotAbsolute));
        }
        if uri.path().is_empty() {
            return Err(UrlFault::NoPath);
        }
        // The same place under a name that no list of hosts has.
        if uri.host().ends_with('.') {
            return Err(UrlFault::Dot);
        }
        Ok(Self { raw, uri })
    }

    pub(in crate::client) fn as_str(&self) -> &'a str {
        self.raw
    }

    /// In lower case.
    pub(in crate::client) fn host(&self) -> &str {
        self.uri.host()
    }

    /// Whom the document is from, in words for the consent page. Not escaped for HTML.
    pub(in crate::client) fn shown_host(&self) -> String {
        match self.uri.port() {
            None | Some(443) => self.host().to_owned(),
            Some(port) => format!("{}:{port}", self.host()),
        }
    }

    /// Whether this is a URL of the very server that the document comes from: who answers for the one answers
    /// for the other.
    pub(in crate::client) fn is_origin_of(&self, uri: &StrictUri) -> bool {
        let own = (
            self.uri.scheme(),
            self.uri.host(),
            self.uri.effective_port(),
        );
        (uri.scheme(), uri.host(), uri.effective_port()) == own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_https_url_with_a_path_is_a_clients_id_to_the_byte() {
        for (raw, host) in [
            ("https://client.example/app.json", "client.example"),
            ("https://client.example/", "client.example"),
            ("https://client.example:443/app", "client.example"),
            ("https://Client.Example:8443/app?v=2", "client.example:8443"),
            ("HTTPS://client.example/app", "client.example"),
            ("https://[2001:db8::1]/app", "[2001:db8::1]"),
            (
                "https://client.example/.well-known/a..b/c",
                "client.example",
            ),
        ] {
            assert!(DocumentUrl::is_meant(raw));
            let url = DocumentUrl::parse(raw).unwrap();
            assert_eq!((url.as_str(), &*url.shown_host()), (raw, host));
        }
    }

    #[test]
    fn what_the_draft_forbids_and_what_two_parsers_read_differently_is_none() {
        let long = format!(
            "https://client.example/{}",
            "a".repeat(MAX_DOCUMENT_CLIENT_ID)
        );
        for raw in [
            "https://client.example",
            "https://client.example?app.json",
            "https://client.example/app#",
            "https://client.example/app#me",
            "https://me@client.example/app",
            "https://me:secret@client.example/app",
            "https://@client.example/app",
            "https://client.example/../app",
            "https://client.example/a/./app",
            "https://client.example/a/..",
            "https://client.example/a/%2e%2e/app",
            "https://client.example/a/.%2E/app",
            "https://client.example/a/%2e",
            "https://client.example/a/%252e%252e/app",
            "https://client.example/a%2f..%2fapp",
            "https://client.example/a\\app",
            "https://client.example/a b",
            "https://client.example/\u{e9}",
            "https://client.example./app",
            "https://2130706433/app",
            "https://0x7f.1/app",
            "https://127.1/app",
            "https://client.example:0443/app",
            "https://client.example:/app",
            "https:///app",
            "https://",
            &long,
        ] {
            assert!(DocumentUrl::is_meant(raw), "{raw}");
            assert!(DocumentUrl::parse(raw).is_err(), "{raw}");
        }
        for raw in [
            "",
            "http://client.example/app",
            "https:/client.example/app",
            "ftp://x/y",
            "app",
        ] {
            assert!(!DocumentUrl::is_meant(raw), "{raw}");
        }
        assert!(DocumentUrl::parse("http://client.example/app").is_err());
    }

    #[test]
    fn a_document_answers_for_urls_of_its_own_origin_alone() {
        let url = DocumentUrl::parse("https://Client.example/app.json").unwrap();
        let is_own = |raw| url.is_origin_of(&StrictUri::parse(raw, 1000).unwrap());
        for own in [
            "https://client.example/callback",
            "https://CLIENT.example:443/any?x=1",
        ] {
            assert!(is_own(own), "{own}");
        }
        for other in [
            "http://client.example/callback",
            "https://client.example:8443/callback",
            "https://a.client.example/callback",
            "https://client.example.evil.example/callback",
            "https://lient.example/callback",
            "client.example://client.example/callback",
            "http://localhost/callback",
        ] {
            assert!(!is_own(other), "{other}");
        }
    }
}
