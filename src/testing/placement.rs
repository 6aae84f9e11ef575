//! Whether the layer stands where it has to: what a client sees of the finished app.

use std::{future::Future, panic::Location};

use http::{Method, StatusCode};

use super::{
    app::{App, Stranger},
    mistake::Mistake,
    rules::{
        challenge_readable, challenged, described, endpoints, list, preflight_answered,
        server_document, unprotected,
    },
    typed::Typed,
};

/// Checks that a URL of the finished app is protected, and that a client that is refused there finds
/// its way to the login.
///
/// It sends a few requests without a token, and wants
///
/// 1. 401 with a challenge that names the metadata of this very URL (RFC 9728 section 5.1),
/// 2. that document, with the URL as its `resource` (section 3.3),
/// 3. the metadata of the authorization server that it names, with the same `issuer` (RFC 8414
///    section 3.3),
/// 4. the layer behind the endpoints of that metadata.
///
/// Of a [resource server](crate::OAuthProxyConfig::resource_server) it wants the first two: the rest is at the
/// provider, which is not asked.
///
/// `url` is what people give their client: the base URL of the configuration, or one below it.
///
/// # Errors
///
/// [`Mistake`]: the first thing that is not so, and where the layer probably stands instead.
pub async fn check_protected(app: &impl App, url: &str) -> Result<(), Mistake> {
    let typed = &Typed::parse(url)?;
    let stranger = Stranger { app, typed };
    let refused = stranger.ask(Method::GET, &typed.target(), &[]).await?;
    if refused.status() != StatusCode::UNAUTHORIZED {
        let bad = [("authorization", "Bearer bad")];
        let with_bad_token = stranger.ask(Method::GET, &typed.target(), &bad).await?;
        return Err(unprotected(
            typed,
            refused.status(),
            with_bad_token.status(),
        ));
    }
    let document = challenged(typed, &list(&refused, "www-authenticate"))?;
    let resource = stranger.document(&document).await?;
    let issuer = described(typed, &document, &resource)?;
    let Some(document) = server_document(typed, &issuer) else {
        return Ok(());
    };
    let server = stranger.document(&document).await?;
    for target in endpoints(typed, &document, &issuer, &server)? {
        let status = stranger.ask(Method::GET, &target, &[]).await?.status();
        // Neither takes a GET from anyone (RFC 6749 section 3.2, RFC 7591 section 3).
        if status != StatusCode::METHOD_NOT_ALLOWED {
            return Mistake::err(format!(
                "`{target}` answers {} where the layer would say 405 to a GET, so something in front \
                 of the layer answers it. Put the layer outermost.",
                status.as_u16()
            ));
        }
    }
    Ok(())
}

/// [`check_protected`] as an assertion.
///
/// # Panics
///
/// With the [`Mistake`], at the line of the call.
#[track_caller]
pub fn assert_protected<'a, A: App>(
    app: &'a A,
    url: &'a str,
) -> impl Future<Output = ()> + use<'a, A> {
    asserted(Location::caller(), check_protected(app, url))
}

/// Checks that a URL of the finished app is open to anyone: it answers without a token, with neither
/// 401, 403, 404 nor an error of the server.
///
/// # Errors
///
/// [`Mistake`], with what to do about it.
pub async fn check_public(app: &impl App, url: &str) -> Result<(), Mistake> {
    let typed = &Typed::parse(url)?;
    let stranger = Stranger { app, typed };
    let path = typed.target();
    let status = stranger.ask(Method::GET, &path, &[]).await?.status();
    let code = status.as_u16();
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Mistake::err(format!(
            "`{path}` answers {code} without a token, so it is not public. Add exactly this path to \
             `public_paths`: a slash or an escape more is another path. If it stands there, a guard or \
             another layer refuses the request."
        )),
        StatusCode::NOT_FOUND => Mistake::err(format!(
            "`{path}` answers 404: it may be public, but no route has this path."
        )),
        status if status.is_server_error() => {
            Mistake::err(format!("`{path}` is public, but answers {code}."))
        }
        _ => Ok(()),
    }
}

/// [`check_public`] as an assertion.
///
/// # Panics
///
/// With the [`Mistake`], at the line of the call.
#[track_caller]
pub fn assert_public<'a, A: App>(
    app: &'a A,
    url: &'a str,
) -> impl Future<Output = ()> + use<'a, A> {
    asserted(Location::caller(), check_public(app, url))
}

/// Checks that a web client at `origin` can use a protected URL: the preflight is answered without a
/// token, and the script can read the challenge.
///
/// # Errors
///
/// [`Mistake`]; mostly a `CorsLayer` on the wrong side of the layer.
pub async fn check_cors(app: &impl App, url: &str, origin: &str) -> Result<(), Mistake> {
    let typed = &Typed::parse(url)?;
    let stranger = Stranger { app, typed };
    let path = typed.target();
    let preflight = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "authorization,content-type",
        ),
    ];
    let allowed = stranger.ask(Method::OPTIONS, &path, &preflight).await?;
    preflight_answered(&path, origin, &allowed)?;
    let refused = stranger
        .ask(Method::GET, &path, &[("origin", origin)])
        .await?;
    challenge_readable(&path, origin, &refused)
}

/// [`check_cors`] as an assertion.
///
/// # Panics
///
/// With the [`Mistake`], at the line of the call.
#[track_caller]
pub fn assert_cors<'a, A: App>(
    app: &'a A,
    url: &'a str,
    origin: &'a str,
) -> impl Future<Output = ()> + use<'a, A> {
    asserted(Location::caller(), check_cors(app, url, origin))
}

/// `#[track_caller]` does not reach into an async function.
#[allow(clippy::panic, reason = "an assertion")]
async fn asserted(
    called_at: &'static Location<'static>,
    check: impl Future<Output = Result<(), Mistake>>,
) {
    if let Err(mistake) = check.await {
        panic!("{called_at}: {mistake}");
    }
}
