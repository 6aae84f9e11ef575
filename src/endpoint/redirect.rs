//! Sending a browser back to a client: with a code, or with an error (RFC 6749 sections 4.1.2 and
//! 4.1.2.1), always with `iss` (RFC 9207) and the client's own `state`.
//!
//! The caller has proven that the redirect URI belongs to the client.

use http::{HeaderValue, StatusCode};

use super::{answer, refusal::Refusal};
use crate::{body::OwnResponse, client::RedirectUri, error::OAuthError, proxy::Proxy};

/// A redirect URI that was proven to be the client's, and the `state` to echo.
pub(super) struct Target<'a> {
    pub(super) redirect_uri: &'a RedirectUri,
    pub(super) state: Option<&'a str>,
}

impl Target<'_> {
    pub(super) fn with_code(
        &self,
        proxy: &Proxy,
        code: &str,
        cookies: Vec<HeaderValue>,
    ) -> OwnResponse {
        self.send(proxy, StatusCode::FOUND, &[("code", code)], cookies)
    }

    pub(super) fn with_error(
        &self,
        proxy: &Proxy,
        status: StatusCode,
        error: &OAuthError,
        cookies: Vec<HeaderValue>,
    ) -> OwnResponse {
        let description = crate::oauth::description(&error.description);
        let params = [
            ("error", error.code.as_str()),
            ("error_description", description.as_str()),
        ];
        self.send(proxy, status, &params, cookies)
    }

    /// The same for a refusal after a GET.
    pub(super) fn refuse(
        &self,
        proxy: &Proxy,
        refusal: &Refusal,
        cookies: Vec<HeaderValue>,
    ) -> OwnResponse {
        self.with_error(proxy, StatusCode::FOUND, &refusal.error, cookies)
    }

    fn send(
        &self,
        proxy: &Proxy,
        status: StatusCode,
        params: &[(&str, &str)],
        cookies: Vec<HeaderValue>,
    ) -> OwnResponse {
        let mut all = params.to_vec();
        all.extend(self.state.map(|state| ("state", state)));
        all.push(("iss", proxy.options.base.as_str()));
        answer::redirect(status, &self.redirect_uri.with_query(&all), cookies)
    }
}
