//! A server of this bench, as a process of its own.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tower::{Layer, layer::util::Identity};
use tower_oauth_proxy::{Consent, OAuthProxyLayer};

use testkit::Tokens;
use testkit::measure::{
    child::{Child, live_as_long_as_parent},
    host,
    login::{Deployment, config},
    provider::provider,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Axum,
    /// Beside a layer that does nothing: axum boxes the future and the body of every layered route.
    AxumLayered,
    Hyper,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Axum, Self::AxumLayered, Self::Hyper];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::AxumLayered => "axum-empty-layer",
            Self::Hyper => "hyper",
        }
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) process: Child,
    pub(crate) address: String,
    /// What it accepts; empty without the layer.
    pub(crate) token: String,
}

impl Server {
    pub(crate) fn start(kind: Kind, is_layered: bool, workers: usize) -> Self {
        let layer = if is_layered { "on" } else { "off" };
        let mut process = Child::start(&format!("{} {layer} {workers}", kind.name()));
        let mut words = process.words().into_iter();
        Self {
            process,
            address: words.next().unwrap(),
            token: words.next().unwrap_or_default(),
        }
    }
}

/// The server's process: `{kind} {on|off} {workers}`.
pub(crate) fn run(role: &[String]) {
    live_as_long_as_parent();
    let [kind, layer, workers] = role else {
        panic!("no such role: {role:?}");
    };
    host::block_on(workers.parse().unwrap(), async {
        let (listener, address) = host::listen().await;
        let hyper = tower::service_fn(async |_: Request<Incoming>| {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"inside"))))
        });
        if layer == "off" {
            println!("{address}");
            match kind.as_str() {
                "axum" => axum::serve(listener, host::app()).await.unwrap(),
                "axum-empty-layer" => {
                    let app = host::app().layer(Identity::new());
                    axum::serve(listener, app).await.unwrap();
                }
                _ => host::serve_hyper(listener, hyper).await,
            }
        } else {
            let (layer, token) = logged_in().await;
            println!("{address} {token}");
            match kind.as_str() {
                "axum" | "axum-empty-layer" => {
                    let app = host::app().layer(layer);
                    axum::serve(listener, app).await.unwrap();
                }
                _ => host::serve_hyper(listener, layer.layer(hyper)).await,
            }
        }
    });
}

/// A layer, and the access token of a person who has logged in through it.
async fn logged_in() -> (OAuthProxyLayer, String) {
    let (provider, _stop) = provider().await;
    let config = config(&provider)
        .consent(Consent::Disabled)
        .build()
        .unwrap();
    let layer = OAuthProxyLayer::new(config);
    let mut on = Deployment::new("http", &layer).await;
    let code = on.log_in(1).await.remove(0);
    let tokens = Tokens::read(&on.client.redeem_code(&code, &on.pkce).await);
    (layer, tokens.access)
}
