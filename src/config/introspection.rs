//! Which configured clients may ask about tokens (RFC 7662), and about tokens for what.

use std::collections::HashMap;

use crate::{
    client::{Client, ClientAuthMethod, ClientKind, StaticClient},
    error::ConfigError,
    limits::MAX_SHOWN,
    oauth::{BaseUrl, Resource, printable},
};

const OPTION: &str = "static_clients";

/// The services that may ask. Without one the endpoint is not there.
#[derive(Debug, Default)]
pub(crate) struct Introspection {
    callers: HashMap<String, Vec<Resource>>,
    methods: Vec<&'static str>,
}

impl Introspection {
    /// # Errors
    ///
    /// [`ConfigError`] when a resource is not at or below the base URL, and when clients hold the provider's
    /// own tokens: those are the provider's to introspect.
    pub(super) fn of(
        clients: &[StaticClient],
        base: &BaseUrl,
        is_passthrough: bool,
    ) -> Result<Self, ConfigError> {
        let mut this = Self::default();
        let clients = clients.iter();
        for client in clients.filter(|client| !client.introspected().is_empty()) {
            let refuse = |why: String| {
                let words = format!("client `{}` {why}", client.shown_id());
                ConfigError::new(OPTION, words)
            };
            if is_passthrough {
                return Err(refuse(
                    "introspects tokens, and passthrough hands out the provider's: ask the provider's \
                     introspection endpoint"
                        .to_owned(),
                ));
            }
            let resources = client.introspected().iter().map(|url| {
                Resource::parse(url, base).map_err(|_| {
                    refuse(format!(
                        "introspects `{}`, which is not {} or a URL below it",
                        printable(url, MAX_SHOWN),
                        base.as_str()
                    ))
                })
            });
            let resources = resources.collect::<Result<_, _>>()?;
            this.callers.insert(client.id().to_owned(), resources);
            for method in ClientAuthMethod::ALL {
                if client.admits(method) && !this.methods.contains(&method.as_str()) {
                    this.methods.push(method.as_str());
                }
            }
        }
        Ok(this)
    }

    /// Whether anyone may ask.
    pub(crate) fn is_served(&self) -> bool {
        !self.callers.is_empty()
    }

    /// How they authenticate, as metadata lists it.
    pub(crate) fn auth_methods(&self) -> &[&'static str] {
        &self.methods
    }

    /// What the client stands for; `None` when it may not ask.
    pub(crate) fn resources_of(&self, client: &Client) -> Option<&[Resource]> {
        let caller = self.callers.get(&client.id).map(Vec::as_slice);
        caller.filter(|_| client.kind == ClientKind::Configured)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn introspection(resources: &[&str]) -> Result<Introspection, String> {
        let client = StaticClient::confidential("search", "r7Kq2ZtV9wLx4MbY");
        let client = resources
            .iter()
            .fold(client, |client, resource| client.introspects(*resource));
        let base = BaseUrl::parse("https://h.example/api").unwrap();
        Introspection::of(&[client], &base, false).map_err(|error| error.to_string())
    }

    #[test]
    fn a_service_stands_for_urls_at_or_below_the_base_url() {
        let one = introspection(&["https://h.example/api/search", "https://H.example/api"]);
        let one = one.unwrap();
        assert!(one.is_served());
        assert_eq!(
            one.auth_methods(),
            ["client_secret_basic", "client_secret_post"]
        );
        let shown = |resource: &Resource| resource.as_str().to_owned();
        let resources: Vec<_> = one.callers["search"].iter().map(shown).collect();
        assert_eq!(
            resources,
            ["https://h.example/api/search", "https://h.example/api"]
        );
        assert!(!introspection(&[]).unwrap().is_served());
    }

    #[test]
    fn a_resource_elsewhere_is_told_with_the_client_and_the_url() {
        for url in [
            "",
            "/api/search",
            "https://h.example",
            "https://h.example/apix",
            "https://other.example/api/search",
            "https://h.example/api/../x",
            "https://h.example/api/a//b",
        ] {
            let said = introspection(&["https://h.example/api/fine", url]).unwrap_err();
            assert!(said.contains("`search`"), "{said}");
            assert!(said.contains(&format!("`{url}`")), "{said}");
        }
    }
}
