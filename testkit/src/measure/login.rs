//! A proxy with a person logging in.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use tokio::task::JoinSet;
use tower::Layer;
use tower_oauth_proxy::{
    OAuthProxyConfig, OAuthProxyConfigBuilder, OAuthProxyLayer, SecretKey, provider::generic,
};

use super::provider::APP;
use crate::{
    Client, Pkce, Reply, Tokens, Wire,
    client::{CALLBACK, native_metadata},
    wire::query_param,
};

pub const BASE: &str = "https://proxy.example";

/// What every deployment has in common.
pub fn config(provider: &str) -> OAuthProxyConfigBuilder {
    let secret = "a provider's client secret of good length";
    let url = |path| format!("{provider}{path}");
    let upstream = generic(url("/authorize"), url("/token"), APP, secret);
    let key = SecretKey::from_bytes(*b"Vq3tY8sLr1ZpK6wXb0NfUe7JmGh2Dc5A").unwrap();
    OAuthProxyConfig::builder(upstream.scopes(["openid", "email"]), BASE)
        .secret_key(key)
        .scopes(["openid", "email"])
        .public_paths(["/health"])
}

/// The layer around a service that says one word, without sockets.
pub fn in_process(layer: &OAuthProxyLayer) -> Wire {
    let inside = tower::service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"inside"))))
    });
    Wire::new(BASE, layer.layer(inside))
}

/// The layer with a registered client. Needs `Consent::Disabled` to log anybody in.
pub struct Deployment {
    pub name: &'static str,
    pub client: Client,
    pub pkce: Pkce,
    /// Grants that live, by what the client holds.
    pub grants: Vec<Grant>,
    people: usize,
}

#[derive(Clone)]
pub struct Grant {
    pub access: String,
    pub refresh: String,
}

impl Grant {
    pub fn of(tokens: Tokens) -> Self {
        Self {
            refresh: tokens.refresh().to_owned(),
            access: tokens.access,
        }
    }
}

impl Deployment {
    pub async fn new(name: &'static str, layer: &OAuthProxyLayer) -> Self {
        let wire = in_process(layer);
        Self {
            name,
            client: Client::register(&wire, "", &native_metadata(CALLBACK)).await,
            pkce: Pkce::new(),
            grants: Vec::new(),
            people: 0,
        }
    }

    /// Logs this many new people in, some at a time; returns the codes that the client received.
    pub async fn log_in(&mut self, people: usize) -> Vec<String> {
        let mut codes = Vec::with_capacity(people);
        let mut logins = JoinSet::new();
        for _ in 0..people {
            if logins.len() == 16 {
                codes.push(logins.join_next().await.unwrap().unwrap());
            }
            self.people += 1;
            let subject = format!("person-{:08}", self.people);
            logins.spawn(log_in(self.client.clone(), self.pkce.clone(), subject));
        }
        codes.extend(logins.join_all().await);
        codes
    }
}

async fn log_in(client: Client, pkce: Pkce, subject: String) -> String {
    let url = client.authorize(&pkce, "client-state").url();
    let sent = client.wire.get(&url, &[]).await;
    let cookies = cookies(&sent);
    let back = callback(&sent, &subject);
    let returned = client.wire.get(&back, &[("cookie", &cookies)]).await;
    code(&returned)
}

/// Where the provider sends the browser that was sent to it, once this person has logged in.
pub fn callback(sent: &Reply, subject: &str) -> String {
    let state = query_param(sent.location(), "state").unwrap();
    let nonce = query_param(sent.location(), "nonce").unwrap_or_default();
    format!("/oauth/callback?code={subject}~{nonce}&state={state}")
}

/// The code that the answer to a callback sends to the client.
pub fn code(returned: &Reply) -> String {
    query_param(returned.location(), "code")
        .unwrap_or_else(|| panic!("a login failed: {returned:?}"))
}

/// The cookies that an answer has set, as the browser sends them.
pub fn cookies(reply: &Reply) -> String {
    let set = reply.headers.get_all(header::SET_COOKIE).iter();
    let pairs = set.map(|line| line.to_str().unwrap().split(';').next().unwrap());
    pairs.collect::<Vec<_>>().join("; ")
}
