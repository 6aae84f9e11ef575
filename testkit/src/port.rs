//! A port for a server that is somebody else's code, such as an example, and the provider behind it.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::{
    Browser, Client, FakeClock, Pkce, Provider, Tokens, Wire,
    client::{CALLBACK, native_metadata},
    proxy::upstream,
};

/// What speaks to the server at this port.
pub struct Port {
    pub provider: Arc<Provider>,
    /// The provider's and the browsers'; it stands at the time of the start, which is the server's.
    pub clock: FakeClock,
    /// The base URL of the server.
    pub base: String,
    path: &'static str,
    /// Through sockets.
    pub wire: Wire,
}

impl Port {
    /// A free one. `path` is that of the base URL. The listener and the provider are for the server.
    pub async fn open(path: &'static str) -> (Self, TcpListener, tower_oauth_proxy::Provider) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let clock = FakeClock::default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        clock.set_unix(now.as_secs());
        let provider = Arc::new(Provider::start(clock.clone()).await);
        let upstream = upstream(&provider);
        let wire = Wire::new(
            format!("http://{address}"),
            tower::service_fn(move |request| ask(address, request)),
        );
        let base = format!("http://{address}{path}");
        let port = Self {
            provider,
            clock,
            base,
            path,
            wire,
        };
        (port, listener, upstream)
    }

    pub fn browser(&self) -> Browser {
        let browser = Browser::new(&self.clock).knowing(self.wire.clone());
        browser.knowing(self.provider.wire())
    }

    /// A client that registered.
    pub async fn client(&self) -> Client {
        Client::register(&self.wire, self.path, &native_metadata(CALLBACK)).await
    }

    /// A person logs in with a client, for this resource and with these scopes.
    pub async fn login(&self, client: &Client, resource: &str, scope: &str) -> Tokens {
        let (pkce, mut browser) = (Pkce::new(), self.browser());
        let asked = client.authorize(&pkce, "state").with("resource", resource);
        let page = browser.open(&asked.and("scope", scope).url()).await.page();
        page.reply.expect(200);
        let callback = browser.press("approve").await.left();
        Tokens::read(&client.redeem(&callback, &pkce).await)
    }
}

/// One request on a connection of its own.
async fn ask(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> hyper::Result<Response<Incoming>> {
    let stream = TcpStream::connect(address).await.expect("a server");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    sender.send_request(request).await
}
