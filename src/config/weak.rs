//! Options that weaken security: reported at start, in words for the operator.

use crate::{
    config::bearer_sources::BearerSources, config::choices::Consent, config::options::Options,
    grant::RefreshGrace, provider::Providers,
};

const KEEPS_HEADER: &str = "keep_authorization_header: the inner service sees bearer tokens";
const ANY_PATH: &str = "audience_by_path is off: a token for one path is good on all";

/// What is weaker than it could be at a resource server.
pub(super) fn weak_at_resource(options: &Options) -> Vec<String> {
    let rules = [
        (!options.audience_by_path, ANY_PATH),
        (options.keep_authorization_header, KEEPS_HEADER),
    ];
    let weak = rules.into_iter().filter(|(is_weak, _)| *is_weak);
    weak.map(|(_, words)| words.to_owned()).collect()
}

/// What is weaker than it could be.
pub(super) fn weak_options(
    options: &Options,
    providers: &Providers,
    sources: &BearerSources,
    is_passthrough: bool,
) -> Vec<String> {
    let judges_people =
        options.allow_list.is_wanted() || options.people.is_wanted() || options.on_login.is_some();
    let rules = [
        (
            options.neighbours_can_plant_cookies(),
            "cookie_prefix is not __Host-: a neighbouring subdomain can plant a login of its own, and only the \
             account page shows it",
        ),
        (!options.audience_by_path, ANY_PATH),
        (
            options.consent == Consent::Disabled,
            "consent is disabled: any client that registers, or has a metadata document, gets access through a \
             link",
        ),
        (
            options.allow_plain_pkce,
            "allow_plain_pkce: anyone who sees the authorization request can redeem the code",
        ),
        (
            !options.storage_encryption,
            "insecure_without_storage_encryption: the store holds the provider's tokens in the clear",
        ),
        (
            options.allow_list.trust_unverified,
            "insecure_trust_unverified_emails: the allow lists believe any address",
        ),
        (
            is_passthrough,
            "passthrough: clients hold the provider's access tokens",
        ),
        (
            options.refresh_token_grace == RefreshGrace::UntilUsed,
            "refresh_token_grace until used: a stolen refresh token of an idle client goes unseen",
        ),
        (options.keep_authorization_header, KEEPS_HEADER),
    ];
    let weak = rules.into_iter().filter(|(is_weak, _)| *is_weak);
    let mut weak: Vec<_> = weak.map(|(_, words)| words.to_owned()).collect();
    let mut judged = providers
        .iter()
        .map(|provider| provider.about().judges_people());
    if judges_people || judged.any(|judges| judges) {
        weak.extend(sources.unlisted());
    }
    for provider in providers.iter() {
        let name = &provider.about().name;
        let judges_these = judges_people || provider.about().judges_people();
        if provider.about().is_open_to_all() && !judges_these {
            weak.push(format!(
                "anyone with an account of {name} can log in: no allowed_domains, allowed_emails, \
                 allowed_groups, allowed_claim, allowed_organizations or on_login says who may"
            ));
        }
        if !provider.terms().uses_pkce {
            weak.push(format!(
                "upstream_pkce is off: the code of {name} is not bound to this login"
            ));
        }
    }
    weak
}
