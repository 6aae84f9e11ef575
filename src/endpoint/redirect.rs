//! Where a browser is sent during a login: on to the provider, or back to the client with a code or
//! an error (RFC 6749 sections 4.1.2 and 4.1.2.1).

use http::{HeaderMap, HeaderValue, StatusCode};

use super::{answer, refusal::Refusal};
use crate::{
    body::OwnResponse,
    client::RedirectUri,
    error::{OAuthError, OAuthErrorCode},
    event::{Reason, Step},
    login::{AuthorizationRequest, Login, RequestedLogin, departure},
    provider::ProviderClient,
    proxy::Proxy,
};

/// Makes everything that is secret in a login at this provider, seals it into the login cookie, and sends
/// the browser there. `besides` is a cookie that goes along: one that remembers the person's approval, say.
///
/// Where the provider is may have to be asked first. Without an answer to that the client hears that the
/// login cannot be done now.
pub(super) async fn to_provider(
    proxy: &Proxy,
    headers: &HeaderMap,
    mut requested: RequestedLogin,
    client: &ProviderClient,
    status: StatusCode,
    besides: Option<HeaderValue>,
) -> OwnResponse {
    let provider = match client.resolved().await {
        Ok(provider) => provider,
        Err(error) => {
            let who = requested.who().provider(&client.about().id);
            let refusal = Refusal::from(&error).about(who);
            proxy.emit(&refusal.event(Step::Authorize));
            let target = Target::of(&requested.request).in_login(&requested.id);
            let cookies = besides.into_iter().collect();
            return target.with_error(proxy, status, &refusal.error, cookies);
        }
    };
    let (options, now) = (&proxy.options, proxy.now());
    // What another provider knows is not asked of this one, and not granted through it.
    requested.request.scopes = client.terms().grantable(&requested.request.scopes);
    let login = Login::begin(requested, &provider.id, now);
    let ttl = options.transaction_ttl;
    let Ok(mut cookies) = proxy.cookies.set_login(headers, &login, ttl, now) else {
        return too_large(proxy, &login.request, status);
    };
    cookies.extend(besides);
    let url = departure::url(&provider, client.terms(), options, &login);
    answer::redirect(status, &url, cookies)
}

/// The request does not fit into a cookie, or beside the logins that wait: the client's `state` is
/// too long.
pub(super) fn too_large(
    proxy: &Proxy,
    request: &AuthorizationRequest,
    status: StatusCode,
) -> OwnResponse {
    let text =
        "the request is too large: shorten state, or finish the logins that wait in this browser";
    let refusal = Refusal::new(Reason::TooLarge, OAuthErrorCode::InvalidRequest, text);
    let refusal = refusal.about(request.who());
    proxy.emit(&refusal.event(Step::Authorize));
    Target::of(request).with_error(proxy, status, &refusal.error, Vec::new())
}

/// A redirect URI that was proven to be the client's, and the `state` to echo.
pub(super) struct Target<'a> {
    redirect_uri: &'a RedirectUri,
    state: Option<&'a str>,
    login: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// The caller has proven that the redirect URI belongs to the client.
    pub(super) fn new(redirect_uri: &'a RedirectUri, state: Option<&'a str>) -> Self {
        Self {
            redirect_uri,
            state,
            login: None,
        }
    }

    pub(super) fn of(request: &'a AuthorizationRequest) -> Self {
        Self::new(&request.redirect_uri, request.state.as_deref())
    }

    /// An error will name this login, as its pages and events do: the person reads it in the app.
    pub(super) fn in_login(mut self, id: &'a str) -> Self {
        self.login = Some(id);
        self
    }

    pub(super) fn with_code(
        &self,
        proxy: &Proxy,
        status: StatusCode,
        code: &str,
        cookies: Vec<HeaderValue>,
    ) -> OwnResponse {
        self.send(proxy, status, &[("code", code)], cookies)
    }

    pub(super) fn with_error(
        &self,
        proxy: &Proxy,
        status: StatusCode,
        error: &OAuthError,
        cookies: Vec<HeaderValue>,
    ) -> OwnResponse {
        let mut description = crate::oauth::description(&error.description);
        if let Some(login) = self.login {
            description = format!("{description} (ID {login})");
        }
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

    /// RFC 6749 section 4.1.2: `state` is "REQUIRED if the "state" parameter was present in the client
    /// authorization request. The exact value received from the client." RFC 9207 section 2: "In
    /// authorization responses to the client, including error responses, an authorization server
    /// supporting this specification MUST indicate its identity by including the iss parameter in the
    /// response."
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
