//! Which `iss` may come from a provider.

use serde_json::{Map, Value};

use super::provider::Provider;

impl Provider {
    /// Whether an `iss` may come from this provider. `id_token` has the claims of the ID token that
    /// it stands in; without them it stands in a redirect back to us, where most providers send
    /// none: its absence is for the caller to accept.
    ///
    /// Compared byte for byte: a trailing slash makes another issuer. RFC 9207 section 2.4: "This
    /// comparison MUST use simple string comparison". OpenID Connect Core section 3.1.3.7 item 2: the
    /// issuer "MUST exactly match the value of the iss (issuer) Claim".
    ///
    /// Where no issuer is configured and the dialect knows none, nothing is checked.
    pub(crate) fn admits_issuer(&self, iss: &str, id_token: Option<&Map<String, Value>>) -> bool {
        match &self.issuer {
            Some(issuer) => issuer == iss,
            None => self.dialect.admits_issuer(iss, id_token),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use crate::provider::generic;

    const IDP: &str = "https://idp.example/x";

    #[test]
    fn an_issuer_is_compared_byte_for_byte() {
        let claims = Map::new();
        let unknown = generic(IDP, IDP, "id", "s");
        let idp = unknown.clone().issuer("https://idp.example/");
        for id_token in [None, Some(&claims)] {
            assert!(idp.admits_issuer("https://idp.example/", id_token));
            for other in [
                "https://idp.example",
                "https://IDP.example/",
                "",
                "https://idp.example//",
            ] {
                assert!(!idp.admits_issuer(other, id_token), "{other}");
                assert!(unknown.admits_issuer(other, id_token), "{other}");
            }
        }
    }
}
