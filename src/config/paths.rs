//! The paths that an operator names: one that means something else than it says is not built.

use crate::{
    config::options::Plain,
    error::ConfigError,
    oauth::BaseUrl,
    route::{CALLBACK, Route, Routes},
};

pub(super) fn check_paths(options: &Plain, base: &BaseUrl) -> Result<(), ConfigError> {
    let path = options.redirect_path.as_str();
    let refuse =
        |option, path: &str, why: &str| Err(ConfigError::new(option, format!("{path:?} {why}")));
    if !is_plain(path) || path == "/" {
        let why = "has to be a plain absolute path such as /oauth/callback, without the host and the \
                   base URL's path";
        return refuse("redirect_path", path, why);
    }
    // No callback yet, so that its default stands in nobody's way.
    let others = Routes::new(base, "", &[]);
    let is_ours = others.find(&[base.path(), path].concat()) != Route::Protected;
    // The documents stand first: below their names a login would end in JSON.
    if is_ours || path.starts_with("/.well-known/") {
        return refuse(
            "redirect_path",
            path,
            "is the path of another endpoint or document",
        );
    }
    let routes = Routes::new(base, path, &[]);
    for path in &options.public_paths {
        // `/docs/*` and `/docs/{id}` could be paths, but they are meant as patterns.
        if !is_plain(path) || path.contains(['*', '{', '}', '^']) {
            let why = "is not a plain absolute path: there are no patterns, and no queries";
            return refuse("public_paths", path, why);
        }
        if routes.find(path) != Route::Protected {
            let why = "is answered by this layer itself, without a token: it never reaches your \
                       service";
            return refuse("public_paths", path, why);
        }
    }
    Ok(())
}

/// Told at start, because each can be meant: public paths outside of the base URL's path, which only
/// requests that come around the reverse proxy have, and a callback that repeats the base URL's path.
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
