//! The page that a login waits at: who asks, for what, and at which provider the person logs in.

use http::StatusCode;

use super::{answer, refusal::Refusal, visit::Visit};
use crate::{
    body::OwnResponse,
    client::{Client, ClientKind, RedirectUri},
    config::Consent,
    error::OAuthErrorCode,
    event::{Reason, Step},
    login::{
        RequestedLogin,
        choice::{self, ChoiceError},
    },
    page::{ConsentPage, Page, ProviderOption, ProviderPage, Situation, Target, Trust},
    proxy::Proxy,
    route,
};

/// What the person is asked. `again` says that they sent the form without a provider that is open to them.
pub(super) fn page(
    proxy: &Proxy,
    requested: &RequestedLogin,
    again: bool,
    visit: &Visit<'_>,
) -> OwnResponse {
    let visit = &visit.of_requested(requested);
    let request = &requested.request;
    let chosen = requested.start.provider.as_deref();
    let open = match choice::open(&proxy.providers, chosen, &request.scopes) {
        Ok(open) => open,
        Err(error) => {
            let refusal = Refusal::from(&error).about(requested.who());
            return refusal.into_page(proxy, Step::Consent, Situation::NotWaiting, visit);
        }
    };
    let client = match proxy.clients.recall(&request.client) {
        Ok(client) => client,
        Err(why) => {
            let code = OAuthErrorCode::InvalidRequest;
            let refusal = Refusal::new(Reason::Browser, code, why.to_string());
            let refusal = refusal.about(requested.who());
            return refusal.into_page(proxy, Step::Consent, Situation::NotWaiting, visit);
        }
    };
    let options = open.iter().map(|provider| ProviderOption {
        id: &provider.about().id,
        name: &provider.about().name,
    });
    let options: Vec<_> = options.collect();
    let action = proxy.options.base.join(route::CONSENT);
    let (login, form_token) = (&*requested.id, &*requested.form_token);
    let status = match again {
        true => StatusCode::BAD_REQUEST,
        false => StatusCode::OK,
    };
    let is_about_provider =
        options.len() > 1 && matches!(proxy.options.consent, Consent::External | Consent::Disabled);
    if is_about_provider {
        let page = Page::Provider(ProviderPage {
            options: &options,
            again,
            action: &action,
            login,
            form_token,
        });
        return answer::page(visit, status, &page);
    }
    let scopes = match open.as_slice() {
        [only] => only.terms().grantable(&request.scopes),
        _ => request.scopes.clone(),
    };
    let (host, uri) = (client.document_host(), &request.redirect_uri);
    let address = uri.shown_address();
    let page = Page::Consent(ConsentPage {
        options: &options,
        again,
        client: client.name.as_deref(),
        host: host.as_deref(),
        target: target(uri, &address),
        redirect_uri: uri.as_str(),
        trust: trust(&client, uri),
        scopes: &scopes,
        resource: request.resource.as_str(),
        action: &action,
        login,
        form_token,
    });
    answer::page(visit, status, &page)
}

/// Where the answer goes, in a person's words.
pub(super) fn target<'a>(uri: &RedirectUri, address: &'a str) -> Target<'a> {
    match () {
        () if uri.is_loopback() => Target::ThisComputer(uri.uri().port()),
        () if uri.is_on_this_computer() => Target::App(address),
        () => Target::Host(address),
    }
}

/// What speaks for the client's name, where the answer goes to this URI.
pub(super) fn trust(client: &Client, uri: &RedirectUri) -> Trust {
    match client.kind {
        ClientKind::Configured => Trust::Configured,
        _ if uri.is_on_this_computer() => Trust::Local,
        ClientKind::Document if client.vouches_for(uri) => Trust::Host,
        ClientKind::Document => Trust::OtherAddress,
        ClientKind::Signed => Trust::Address,
    }
}

impl From<&ChoiceError> for Refusal {
    fn from(error: &ChoiceError) -> Self {
        let text = "this login can go to no identity provider";
        Self::new(error.reason(), error.code(), text).detail(error)
    }
}
