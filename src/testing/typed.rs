//! The URL that people type.

use url::Url;

use super::mistake::Mistake;

/// The URL that people type, taken apart.
pub(super) struct Typed(Url);

impl Typed {
    pub(super) fn parse(url: &str) -> Result<Self, Mistake> {
        let parsed = Url::parse(url).ok();
        let parsed = parsed.filter(|url| matches!(url.scheme(), "http" | "https"));
        parsed.map(Self).ok_or_else(|| {
            Mistake::new(format!(
                "`{url}` is not the URL of a web page. Give the whole one that people type, such as \
                 `https://mcp.example.com/mcp`."
            ))
        })
    }

    pub(super) fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The path as a document's URL has it at its end. RFC 9728 section 3.1: "any terminating slash (/)
    /// following the host component MUST be removed".
    pub(super) fn path(&self) -> &str {
        match self.0.path() {
            "/" => "",
            path => path,
        }
    }

    /// As the resource's document has to name it.
    pub(super) fn resource(&self) -> String {
        [self.origin().as_str(), self.path()].concat()
    }

    /// Path and query, as they stand in a request.
    pub(super) fn target(&self) -> String {
        let query = self.0.query().map(|query| format!("?{query}"));
        format!("{}{}", self.0.path(), query.unwrap_or_default())
    }

    /// What stands behind this origin in a URL; `None` for a URL of another one.
    pub(super) fn target_of(&self, url: &str) -> Option<String> {
        let other = Self::parse(url).ok()?;
        (other.0.origin() == self.0.origin()).then(|| other.target())
    }

    /// As it stands in a `Host` header.
    pub(super) fn host(&self) -> &str {
        self.0.authority()
    }
}
