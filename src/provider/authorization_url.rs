//! The URL at the provider that a browser is sent to.

use url::form_urlencoded;

use super::{dialect::Nonce, provider::Provider};

/// Parameters that belong to the protocol: neither the authorize URL's own query nor an operator's
/// extra can bring them. `response_mode` because the callback has to know ([`Provider::form_post`]),
/// `request` and `request_uri` because they override the others (RFC 9101 section 6.3).
pub(crate) const RESERVED: &[&str] = &[
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
];

impl Provider {
    /// The operator's `extra` parameters, and what a client wishes. What is configured, in
    /// `extra`, in the preset or in the URL, stays; the words of `prompt` are joined.
    pub(crate) fn with_wishes(
        &self,
        extra: &[(String, String)],
        prompt: &[String],
        others: impl Iterator<Item = (&'static str, String)>,
    ) -> Vec<(String, String)> {
        let mut all = extra.to_vec();
        let configured = self.configured("prompt", extra).unwrap_or_default();
        if let Some(prompt) = self.dialect.prompts().joined(&configured, prompt) {
            all.retain(|(name, _)| name != "prompt");
            all.push(("prompt".to_owned(), prompt));
        }
        for (name, value) in others {
            if self.configured(name, extra).is_none() {
                all.push((name.to_owned(), value));
            }
        }
        all
    }

    /// The word of `prompt` that has this provider ask which account it should be; `None` where it has none, or
    /// where the operator's `extra` parameters leave no room for it.
    pub(crate) fn prompt_for_another_account(
        &self,
        extra: &[(String, String)],
    ) -> Option<&'static str> {
        let configured = self.configured("prompt", extra).unwrap_or_default();
        self.dialect.prompts().for_another_account(&configured)
    }

    /// Whether an authorization request for these scopes of the provider's brings a nonce.
    ///
    /// OpenID Connect Core section 3.1.2.1: "OpenID Connect requests MUST contain the openid scope
    /// value."
    pub(crate) fn wants_nonce(&self, scope: &str) -> bool {
        match self.dialect.nonce() {
            Nonce::WithOpenId => scope.split(' ').any(|scope| scope == "openid"),
            Nonce::Always => true,
            Nonce::Never => false,
        }
    }

    /// What is sent by this name without a client's doing.
    fn configured(&self, name: &str, extra: &[(String, String)]) -> Option<String> {
        let pairs = extra.iter().chain(&self.authorization_params);
        let found = pairs.into_iter().find(|(known, _)| known == name);
        if let Some((_, value)) = found {
            return Some(value.clone());
        }
        let (_, query) = self.endpoints.authorize_parts();
        form_urlencoded::parse(query.as_bytes())
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The authorization request (RFC 6749 section 4.1.1): the authorize URL with its own query
    /// kept, `client_id` and `response_type=code`, then `params`, then the preset's parameters as
    /// changed by `extra`. Whatever `params` has (a `resource`, say) cannot come from elsewhere.
    pub(crate) fn authorization_url(
        &self,
        params: &[(&str, &str)],
        extra: &[(String, String)],
    ) -> String {
        let mut sent: Vec<(&str, &str)> =
            vec![("client_id", &self.client_id), ("response_type", "code")];
        if self.posts_answer {
            sent.push(("response_mode", "form_post"));
        }
        for &(name, value) in params {
            if !sent.iter().any(|(known, _)| *known == name) {
                sent.push((name, value));
            }
        }
        let protocol = sent.len();
        let is_protocol = |name: &str, sent: &[(&str, &str)]| {
            RESERVED.contains(&name) || sent.iter().take(protocol).any(|(known, _)| *known == name)
        };
        for (name, value) in &self.authorization_params {
            if !is_protocol(name, &sent) && !extra.iter().any(|(other, _)| other == name) {
                sent.push((name, value));
            }
        }
        for (name, value) in extra {
            if !is_protocol(name, &sent) {
                sent.push((name, value));
            }
        }

        let (base, query) = self.endpoints.authorize_parts();
        let mut url = String::with_capacity(base.len() + query.len() + 512);
        url.push_str(base);
        let mut separator = '?';
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let named = form_urlencoded::parse(pair.as_bytes()).next();
            let name = named.map(|(name, _)| name).unwrap_or_default();
            if !RESERVED.contains(&&*name) && !sent.iter().any(|(known, _)| *known == name) {
                url.push(separator);
                url.push_str(pair);
                separator = '&';
            }
        }
        for (name, value) in sent {
            url.push(separator);
            url.extend(encoded(name));
            url.push('=');
            url.extend(encoded(value));
            separator = '&';
        }
        url
    }
}

/// Form-encoded, with a space as `%20`: every decoder reads that, and Cognito's does not read `+`.
pub(super) fn encoded(text: &str) -> impl Iterator<Item = &str> {
    form_urlencoded::byte_serialize(text.as_bytes()).map(|piece| match piece {
        "+" => "%20",
        piece => piece,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;
    use crate::provider::{generic, google};

    fn pairs(url: &str) -> Vec<(String, String)> {
        Url::parse(url)
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect()
    }

    fn values(url: &str, name: &str) -> Vec<String> {
        let named = pairs(url).into_iter().filter(|(n, _)| n == name);
        named.map(|(_, value)| value).collect()
    }

    fn owned(extra: &[(&str, &str)]) -> Vec<(String, String)> {
        extra
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn the_authorize_urls_own_query_is_kept() {
        let idp = generic(
            "https://a.example/auth?p=B2C_1%2Fx&flag",
            "https://a.example/t",
            "id",
            "s",
        );
        let url = idp.authorization_url(&[("state", "a b&c")], &[]);
        assert!(
            url.starts_with("https://a.example/auth?p=B2C_1%2Fx&flag&client_id=id"),
            "{url}"
        );
        assert_eq!(values(&url, "state"), ["a b&c"]);
        assert_eq!(values(&url, "response_type"), ["code"]);
    }

    #[test]
    fn nothing_overrides_or_duplicates_a_protocol_parameter() {
        for name in RESERVED {
            // The second spelling decodes to the same name.
            let encoded = format!("%{:02x}{}", name.as_bytes()[0], &name[1..]);
            let idp = generic(
                format!("https://a.example/auth?{name}=evil&{encoded}=evil"),
                "https://a.example/t",
                "id",
                "s",
            )
            .authorization_param(*name, "evil");
            let sent = [
                ("redirect_uri", "https://p.example/cb"),
                ("state", "s"),
                ("nonce", "n"),
                ("scope", "openid"),
                ("code_challenge", "c"),
                ("code_challenge_method", "S256"),
            ];
            let url = idp.authorization_url(&sent, &owned(&[(name, "evil")]));
            assert!(!url.contains("evil"), "{url}");
            assert_eq!(pairs(&url).len(), sent.len() + 2, "{url}");
        }
    }

    #[test]
    fn a_space_is_written_as_percent_20_and_a_plus_stays_one() {
        let idp = generic("https://a.example/auth", "https://a.example/t", "id", "s");
        let url = idp.authorization_url(&[("scope", "openid email")], &owned(&[("x", "a+b c")]));
        assert!(
            url.contains("scope=openid%20email") && !url.contains('+'),
            "{url}"
        );
        assert_eq!(values(&url, "x"), ["a+b c"]);
    }

    #[test]
    fn a_resource_of_ours_stands_against_an_extra_one() {
        let idp = generic(
            "https://a.example/auth?resource=x",
            "https://a.example/t",
            "id",
            "s",
        );
        let extra = owned(&[("resource", "y")]);
        let url = idp.authorization_url(&[("resource", "https://p.example/mcp")], &extra);
        assert_eq!(values(&url, "resource"), ["https://p.example/mcp"]);
        // AD FS wants one of its own, which an operator can give while none is forwarded.
        assert_eq!(
            values(&idp.authorization_url(&[], &extra), "resource"),
            ["y"]
        );
    }

    #[test]
    fn an_extra_parameter_replaces_the_presets_and_the_urls() {
        let url = google("id", "s").authorization_url(&[], &owned(&[("prompt", "select_account")]));
        assert_eq!(values(&url, "prompt"), ["select_account"]);
        assert_eq!(values(&url, "access_type"), ["offline"]);
    }

    #[test]
    fn what_a_client_wishes_joins_the_configured_and_replaces_nothing() {
        let with = |idp: &Provider, extra: &[(&str, &str)]| {
            let prompt = ["select_account".to_owned()];
            let others = [
                ("login_hint", "ada".to_owned()),
                ("max_age", "60".to_owned()),
            ];
            let extra = idp.with_wishes(&owned(extra), &prompt, others.into_iter());
            idp.authorization_url(&[], &extra)
        };
        let google = google("id", "s");
        let url = with(&google, &[("max_age", "9")]);
        assert_eq!(values(&url, "prompt"), ["consent select_account"]);
        assert_eq!(values(&url, "access_type"), ["offline"]);
        assert_eq!(values(&url, "login_hint"), ["ada"]);
        assert_eq!(values(&url, "max_age"), ["9"], "the operator's");
        let url = with(&google, &[("prompt", "none")]);
        assert_eq!(values(&url, "prompt"), ["none"]);
        let own = "https://a.example/auth?prompt=login&login_hint=root";
        let url = with(&generic(own, "https://a.example/t", "id", "s"), &[]);
        assert_eq!(values(&url, "prompt"), ["login select_account"]);
        assert_eq!(values(&url, "login_hint"), ["root"]);
    }

    proptest! {
        #[test]
        fn any_value_arrives_as_it_was(state in any::<String>(), name in any::<String>(), value in any::<String>()) {
            let idp = generic("https://a.example/auth?x=1", "https://a.example/t", "id", "s");
            let url = idp.authorization_url(&[("state", &state)], &[(name.clone(), value.clone())]);
            prop_assert_eq!(values(&url, "state"), [state]);
            if !RESERVED.contains(&&*name) {
                prop_assert_eq!(values(&url, &name), [value]);
            }
        }
    }
}
