//! What else goes with the requests: parameters of the preset and of the operator.

use super::provider::Provider;

impl Provider {
    /// Adds a parameter to the authorization request, or replaces the preset's. The protocol's own
    /// parameters cannot be changed.
    #[must_use]
    pub fn authorization_param(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        replace(&mut self.authorization_params, name.into(), value.into());
        self
    }

    /// Adds a parameter to the exchange of a code, or replaces the preset's. The protocol's own
    /// parameters cannot be changed.
    #[must_use]
    pub fn token_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        replace(&mut self.token_params, name.into(), value.into());
        self
    }

    /// Adds a parameter to a refresh, or replaces the preset's. The protocol's own parameters
    /// cannot be changed.
    #[must_use]
    pub fn refresh_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        replace(&mut self.refresh_params, name.into(), value.into());
        self
    }

    /// The API that access tokens are for, by the name that the provider gives it: sent as `audience` with
    /// the authorization request, the exchange of a code and each refresh. Auth0 gives a JWT only with one.
    /// Where a provider refuses it in one of the three, set it with the setter of the other two.
    ///
    /// ```
    /// use tower_oauth_proxy::provider;
    ///
    /// let auth0 = provider::auth0("acme.eu.auth0.com", "client-id", "client-secret")
    ///     .audience("https://api.acme.example");
    /// assert!(auth0.check().is_ok());
    /// ```
    #[must_use]
    pub fn audience(self, api: impl Into<String>) -> Self {
        let api = api.into();
        self.authorization_param("audience", api.clone())
            .token_param("audience", api.clone())
            .refresh_param("audience", api)
    }
}

fn replace(params: &mut Vec<(String, String)>, name: String, value: String) {
    params.retain(|(known, _)| *known != name);
    params.push((name, value));
}

#[cfg(test)]
mod tests {
    use crate::provider::google;

    #[test]
    fn setting_a_parameter_again_replaces_it() {
        let provider = google("id", "s").authorization_param("prompt", "select_account");
        let prompts: Vec<_> = provider
            .authorization_params
            .iter()
            .filter(|(name, _)| name == "prompt")
            .collect();
        assert_eq!(
            prompts,
            [&("prompt".to_owned(), "select_account".to_owned())]
        );
    }
}
