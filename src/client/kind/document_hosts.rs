//! Whose metadata documents are taken: the operator's choice.

use crate::{
    error::ConfigError,
    limits::MAX_REDIRECT_URI,
    oauth::{StrictUri, describable},
};

const OPTION: &str = "metadata_documents";

/// Which clients may be known by the URL of a document about themselves (client ID metadata documents,
/// draft-ietf-oauth-client-id-metadata-document; the way that MCP prefers to registration). By default all.
///
/// A host is written as it stands in URLs (`client.example.com`), without a port; `*.example.com` stands for
/// every host below `example.com`, at any depth, and not for `example.com` itself.
///
/// ```
/// use tower_oauth_proxy::MetadataDocuments;
///
/// // Claude and ChatGPT, and an app of one's own.
/// let known = MetadataDocuments::only_hosts(["claude.ai", "chatgpt.com", "*.apps.example.com"]);
/// # let _ = known;
/// ```
#[derive(Clone, Debug, Default)]
pub struct MetadataDocuments(Hosts);

#[derive(Clone, Debug, Default)]
enum Hosts {
    #[default]
    All,
    None,
    Only(Vec<String>),
    Except(Vec<String>),
}

impl MetadataDocuments {
    /// Those of every host on the public internet; the default.
    #[must_use]
    pub fn on() -> Self {
        Self(Hosts::All)
    }

    /// None: a URL is no client's id, and the metadata does not say that it could be.
    #[must_use]
    pub fn off() -> Self {
        Self(Hosts::None)
    }

    /// Those of these hosts, and of no other.
    #[must_use]
    pub fn only_hosts<I: IntoIterator<Item: Into<String>>>(hosts: I) -> Self {
        Self(Hosts::Only(hosts.into_iter().map(Into::into).collect()))
    }

    /// Those of every host but these.
    #[must_use]
    pub fn except_hosts<I: IntoIterator<Item: Into<String>>>(hosts: I) -> Self {
        Self(Hosts::Except(hosts.into_iter().map(Into::into).collect()))
    }

    /// The same with hosts in lower case, each of which can be one.
    pub(crate) fn checked(self) -> Result<Self, ConfigError> {
        Ok(Self(match self.0 {
            Hosts::Only(hosts) if hosts.is_empty() => {
                let why = "only_hosts names no host, so no document could be taken: MetadataDocuments::off() \
                           says so";
                return Err(ConfigError::new(OPTION, why));
            }
            Hosts::Only(hosts) => Hosts::Only(checked(hosts)?),
            Hosts::Except(hosts) => Hosts::Except(checked(hosts)?),
            all_or_none => all_or_none,
        }))
    }

    /// Whether any client can be known in this way.
    pub(crate) fn is_on(&self) -> bool {
        !matches!(self.0, Hosts::None)
    }

    /// In words for the operator.
    pub(crate) fn words(&self) -> String {
        match &self.0 {
            Hosts::All => "of every host".to_owned(),
            Hosts::None => "off".to_owned(),
            Hosts::Only(hosts) => format!("of {}", hosts.join(", ")),
            Hosts::Except(hosts) => format!("of every host but {}", hosts.join(", ")),
        }
    }

    /// Whether the operator vouches for each host that is let in.
    pub(crate) fn are_of_named_hosts(&self) -> bool {
        matches!(self.0, Hosts::Only(_))
    }

    /// Whether documents of this host, in lower case, are taken.
    pub(crate) fn let_in(&self, host: &str) -> bool {
        let among = |hosts: &[String]| hosts.iter().any(|entry| stands_for(entry, host));
        match &self.0 {
            Hosts::All => true,
            Hosts::None => false,
            Hosts::Only(hosts) => among(hosts),
            Hosts::Except(hosts) => !among(hosts),
        }
    }
}

fn stands_for(entry: &str, host: &str) -> bool {
    match entry.strip_prefix('*') {
        // The rest begins with a dot.
        Some(parent) => host.len() > parent.len() && host.ends_with(parent),
        None => entry == host,
    }
}

fn checked(hosts: Vec<String>) -> Result<Vec<String>, ConfigError> {
    let hosts = hosts.into_iter().map(|entry| entry.to_ascii_lowercase());
    let check = |entry: String| match fault(&entry) {
        None => Ok(entry),
        Some(why) => Err(ConfigError::new(
            OPTION,
            format!("`{}` {why}", describable(&entry)),
        )),
    };
    hosts.map(check).collect()
}

fn fault(entry: &str) -> Option<&'static str> {
    if entry.trim().is_empty() {
        return Some("is an empty entry (is an environment variable unset?)");
    }
    let host = entry.strip_prefix("*.").unwrap_or(entry);
    let as_url = StrictUri::parse(&format!("https://{host}/"), MAX_REDIRECT_URI);
    let is_host = as_url.is_ok_and(|uri| uri.host() == host && uri.port().is_none());
    if !is_host || host.ends_with('.') || host.starts_with('.') {
        return Some(
            "is no host: write the name alone, without https://, port and path; a star stands for whole \
             labels at the beginning, as in *.example.com",
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_choice_lets_in_the_hosts_that_it_says() {
        let lists = ["claude.ai", "*.Example.com"];
        let only = MetadataDocuments::only_hosts(lists).checked().unwrap();
        let except = MetadataDocuments::except_hosts(lists).checked().unwrap();
        for listed in ["claude.ai", "a.example.com", "a.b.example.com"] {
            assert!(only.let_in(listed) && !except.let_in(listed), "{listed}");
        }
        for other in [
            "example.com",
            ".example.com",
            "xclaude.ai",
            "a.claude.ai",
            "claude.ai.evil.example",
            "aexample.com",
            "example.com.evil.example",
            "",
        ] {
            assert!(!only.let_in(other) && except.let_in(other), "{other}");
        }
        assert!(MetadataDocuments::on().let_in("any.example"));
        assert!(MetadataDocuments::default().let_in("any.example"));
        assert!(!MetadataDocuments::off().let_in("any.example"));
        for (choice, is_on, named) in [
            (only, true, true),
            (except, true, false),
            (MetadataDocuments::on(), true, false),
            (MetadataDocuments::off(), false, false),
        ] {
            assert_eq!(
                (choice.is_on(), choice.are_of_named_hosts()),
                (is_on, named)
            );
        }
    }

    #[test]
    fn what_is_no_host_is_a_mistake() {
        for (entry, says) in [
            ("", "empty"),
            (" ", "empty"),
            ("https://claude.ai", "without https://"),
            ("claude.ai/app", "no host"),
            ("claude.ai:443", "no host"),
            ("claude.ai.", "no host"),
            ("a.*.example.com", "no host"),
            ("*example.com", "no host"),
            ("*.", "no host"),
            ("*", "no host"),
            (".example.com", "no host"),
            ("me@claude.ai", "no host"),
            ("m\u{fc}ller.example", "no host"),
            ("127.1", "no host"),
        ] {
            for choice in [
                MetadataDocuments::only_hosts([entry]),
                MetadataDocuments::except_hosts([entry]),
            ] {
                let error = choice.checked().unwrap_err();
                assert_eq!(error.option(), OPTION);
                assert!(error.to_string().contains(says), "{entry}: {error}");
            }
        }
        let none: [&str; 0] = [];
        assert!(MetadataDocuments::only_hosts(none).checked().is_err());
        assert!(MetadataDocuments::except_hosts(none).checked().is_ok());
    }
}
