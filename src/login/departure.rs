//! Off to the provider: where the browser is sent once the person has approved, or needs no page.

use super::Login;
use crate::{
    config::Options,
    oauth::ScopeSet,
    provider::{ClaimRule, Provider, Terms},
};

/// The provider's URL for this login (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1).
pub(crate) fn url(provider: &Provider, terms: &Terms, options: &Options, login: &Login) -> String {
    let scope = upstream_scopes(provider, terms, options, &login.request.scopes).join(" ");
    let challenge = login.verifier.challenge_s256();
    let mut params = vec![
        ("redirect_uri", terms.callback_url.as_str()),
        // RFC 6749 section 10.12: "The client MUST implement CSRF protection for its redirection
        // URI."
        ("state", login.state.as_str()),
    ];
    if !scope.is_empty() {
        params.push(("scope", scope.as_str()));
    }
    if provider.wants_nonce(&scope) {
        params.push(("nonce", login.nonce.as_str()));
    }
    if terms.uses_pkce {
        params.push(("code_challenge", challenge.as_str()));
        params.push(("code_challenge_method", "S256"));
    }
    if terms.forwards_resource {
        params.push(("resource", login.request.resource.as_str()));
    }
    let wishes = &login.request.wishes;
    let extra = provider.with_wishes(
        &terms.authorization_params,
        wishes.prompt(),
        wishes.others(&options.pass_on),
    );
    provider.authorization_url(&params, &extra)
}

/// The nonce that an ID token of this login has to carry, when one was sent.
///
/// OpenID Connect Core section 3.1.3.7: "If a nonce value was sent in the Authentication Request, a
/// nonce Claim MUST be present and its value checked to verify that it is the same value as the one
/// that was sent in the Authentication Request."
pub(crate) fn sent_nonce<'a>(
    provider: &Provider,
    terms: &Terms,
    options: &Options,
    login: &'a Login,
) -> Option<&'a str> {
    let scope = upstream_scopes(provider, terms, options, &login.request.scopes).join(" ");
    provider.wants_nonce(&scope).then_some(login.nonce.as_str())
}

/// The scopes of the request by the provider's names, and those by which the proxy itself learns who
/// the person is.
fn upstream_scopes(
    provider: &Provider,
    terms: &Terms,
    options: &Options,
    requested: &ScopeSet,
) -> Vec<String> {
    let mut asked = requested.clone();
    let email = match options.allow_list.is_wanted() {
        true => provider.email_scope(&terms.offered),
        false => None,
    };
    let rules = options.people.rules().into_iter();
    let rules: Vec<ClaimRule> = rules.chain(provider.people_rules()).collect();
    let named = provider.scopes_for(&rules);
    for scope in ["openid"].into_iter().chain(email).chain(named) {
        if terms.offered.contains(scope) {
            asked = asked.with(scope).unwrap_or(asked);
        }
    }
    provider.scopes_to_upstream(&asked, &terms.offered)
}
