//! Options that can be meant, and mostly are a slip: reported at start, in words for the operator.

use crate::{
    config::{builder::OAuthProxyConfigBuilder, options::Plain},
    oauth::BaseUrl,
    provider::{RESERVED_AT_AUTHORIZE, RESERVED_AT_TOKEN},
    route::CALLBACK,
};

/// What may mean something else than it says.
pub(super) fn odd_options(builder: &OAuthProxyConfigBuilder, base: &BaseUrl) -> Vec<String> {
    let mut odd = odd_paths(&builder.plain, base);
    if builder.further_providers.is_empty() && builder.plain.choose_provider.is_some() {
        odd.push("choose_provider: there is one provider, and nothing to choose".to_owned());
    }
    if !builder.further_providers.is_empty() && !builder.secret_keys.is_given() {
        odd.push(format!(
            "secret_key is not set: every key comes from the client secret of the first provider, `{}`; \
             another one in its place logs everyone out",
            builder.provider.id
        ));
    }
    let (has_mac_key, ttl) = (
        builder.signing_keys.is_given(),
        builder.plain.access_token_ttl,
    );
    odd.extend(builder.token_keys.odd(has_mac_key, ttl));
    odd.extend(dropped(
        "extra_authorization_params",
        &builder.extra_authorization_params,
        RESERVED_AT_AUTHORIZE,
    ));
    odd.extend(dropped(
        "extra_token_params",
        &builder.extra_token_params,
        RESERVED_AT_TOKEN,
    ));
    odd
}

/// An authorization server at this very URL, none of whose documents a client could read.
pub(super) fn odd_authorization_servers(
    issuers: &[String],
    options: &Plain,
    base: &BaseUrl,
) -> Option<String> {
    let is_here = |issuer: &String| issuer.strip_suffix('/').unwrap_or(issuer) == base.as_str();
    let mut public = options.public_paths.iter();
    let is_served = public.any(|path| path.contains("/.well-known/"));
    (issuers.iter().any(is_here) && !is_served).then(|| {
        format!(
            "authorization_server: {} is this server's own base URL; your service has to answer the \
             metadata and the endpoints there, as public_paths",
            base.as_str()
        )
    })
}

/// Public paths outside of the base URL's path, which only requests that come around the reverse proxy
/// have, and a callback that repeats the base URL's path.
pub(super) fn odd_paths(options: &Plain, base: &BaseUrl) -> Vec<String> {
    if base.path().is_empty() {
        return Vec::new();
    }
    let is_below = |path: &str| {
        let rest = path.strip_prefix(base.path());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let outside = options.public_paths.iter().filter(|path| !is_below(path));
    let mut odd: Vec<String> = outside
        .map(|path| {
            format!(
                "public_paths: {path} is outside of the base URL's path {}, which public paths begin \
                 with too",
                base.path()
            )
        })
        .collect();
    if options.redirect_path != CALLBACK && is_below(&options.redirect_path) {
        odd.push(format!(
            "redirect_path is below the base URL: the provider has to know {}",
            base.join(&options.redirect_path)
        ));
    }
    odd
}

/// Extra parameters that are dropped, because they are the protocol's own.
fn dropped(
    option: &str,
    params: &[(String, String)],
    reserved: &[&str],
) -> impl Iterator<Item = String> {
    let names = params.iter().map(|(name, _)| name.as_str());
    names
        .filter(|name| reserved.contains(name))
        .map(move |name| {
            format!("{option}: `{name}` is the protocol's own, and what it says here is dropped")
        })
}
