//! Paths that the operator names, and that would not mean what they say.

use crate::{
    config::{builder::OAuthProxyConfigBuilder, options::Plain},
    error::ConfigError,
    oauth::BaseUrl,
    route::{Endpoint, Route, Routes},
};

pub(super) fn check_paths(
    builder: &OAuthProxyConfigBuilder,
    base: &BaseUrl,
) -> Result<(), ConfigError> {
    let options = &builder.plain;
    let further = || builder.further_providers.iter().map(|of| of.id.as_str());
    let path = options.redirect_path.as_str();
    let refuse =
        |option, path: &str, why: &str| Err(ConfigError::new(option, format!("{path:?} {why}")));
    if !is_plain(path) || path == "/" {
        let why = "has to be a plain absolute path such as /oauth/callback, without the host and the \
                   base URL's path";
        return refuse("redirect_path", path, why);
    }
    // Without a callback: its default path is free for another one.
    let others = Routes::new(base, "", &[])
        .with(Endpoint::ClientDocument, true)
        .with(Endpoint::Introspect, true)
        .with(Endpoint::KeySet, true)
        .returning_from(further());
    let is_ours = others.find(&[base.path(), path].concat()) != Route::Protected;
    // The router finds documents first: below their names a login would end in JSON.
    if is_ours || path.starts_with("/.well-known/") {
        return refuse(
            "redirect_path",
            path,
            "is the path of another endpoint or document",
        );
    }
    let has_document = builder.providers().any(|provider| provider.has_document);
    let may_ask = builder
        .static_clients
        .iter()
        .any(|client| !client.introspected().is_empty());
    let routes = Routes::new(base, path, &[])
        .with(Endpoint::ClientDocument, has_document)
        .with(Endpoint::Introspect, may_ask)
        .with(Endpoint::KeySet, builder.token_keys.is_given())
        .returning_from(further());
    check_public_paths(options, &routes)
}

/// Public paths; the routes are those without them.
pub(super) fn check_public_paths(options: &Plain, routes: &Routes) -> Result<(), ConfigError> {
    let refuse =
        |path: &str, why: &str| Err(ConfigError::new("public_paths", format!("{path:?} {why}")));
    for path in &options.public_paths {
        // `/docs/*` and `/docs/{id}` could be paths, but they are meant as patterns.
        if !is_plain(path) || path.contains(['*', '{', '}', '^']) {
            let why = "is not a plain absolute path: there are no patterns, and no queries";
            return refuse(path, why);
        }
        if routes.find(path) != Route::Protected {
            let why = "is answered by this layer itself, without a token: it never reaches your \
                       service";
            return refuse(path, why);
        }
    }
    Ok(())
}

fn is_plain(path: &str) -> bool {
    path.starts_with('/')
        && !path.contains("//")
        && path
            .split('/')
            .all(|segment| segment != "." && segment != "..")
        && path
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"?#%\\\"<>".contains(&b))
}
