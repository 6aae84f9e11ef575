//! Two gRPC services: one for everybody who is logged in, one for those with a scope.

use std::{convert::Infallible, error::Error, future::Future, pin::Pin};

use bytes::{Buf, BufMut};
use http::{Request as HttpRequest, Response as HttpResponse};
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status,
    body::Body,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    server::{Grpc, NamedService},
    service::LayerExt,
    transport::{Server, server::TcpIncoming},
};
use tower::{Service, ServiceBuilder};
use tower_oauth_proxy::{
    AuthSession, OAuthProxyConfig, OAuthProxyLayer, Provider,
    guard::{RequireLayer, require_scopes},
};

/// Serves until the process ends.
///
/// The layer stands around the whole server, and the base URL is the one resource of it: a channel of a gRPC client has
/// one credential, whichever services and methods are called on it. So the challenge to a gRPC client names the base
/// URL, and a token for that is good for each path below it. What a method needs more is a scope or a role.
pub(crate) async fn serve(
    listener: TcpListener,
    base_url: &str,
    upstream: Provider,
) -> Result<(), Box<dyn Error>> {
    let config = OAuthProxyConfig::builder(upstream, base_url)
        .scopes(["openid", "read", "write"])
        .build()?;
    let writers = RequireLayer::new(require_scopes(["write"])?);
    Server::builder()
        // For the documents and the login, which come by HTTP/1 too.
        .accept_http1(true)
        .layer(OAuthProxyLayer::new(config))
        .add_service(People)
        .add_service(ServiceBuilder::new().layer(writers).named_layer(Notes))
        .serve_with_incoming(TcpIncoming::from(listener))
        .await?;
    Ok(())
}

async fn who_am_i(request: Request<String>) -> Result<Response<String>, Status> {
    // The layer let only those in who have one.
    let session = request.extensions().get::<AuthSession>();
    let session = session.ok_or_else(|| Status::internal("the layer is not around this server"))?;
    Ok(Response::new(format!(
        "{}, {}",
        request.get_ref(),
        session.subject()
    )))
}

async fn write(request: Request<String>) -> Result<Response<String>, Status> {
    Ok(Response::new(format!("written: {}", request.get_ref())))
}

/// `example.People`, as generated code would have it.
#[derive(Clone)]
struct People;

/// `example.Notes`, the same.
#[derive(Clone)]
struct Notes;

impl NamedService for People {
    const NAME: &'static str = "example.People";
}

impl NamedService for Notes {
    const NAME: &'static str = "example.Notes";
}

type Answer = Pin<Box<dyn Future<Output = Result<HttpResponse<Body>, Infallible>> + Send>>;

macro_rules! service {
    ($service:ident, $path:literal, $method:path) => {
        impl Service<HttpRequest<Body>> for $service {
            type Response = HttpResponse<Body>;
            type Error = Infallible;
            type Future = Answer;

            fn poll_ready(
                &mut self,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Result<(), Infallible>> {
                std::task::Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: HttpRequest<Body>) -> Answer {
                Box::pin(async move {
                    if request.uri().path() != $path {
                        return Ok(Status::unimplemented("no such method").into_http());
                    }
                    let method = tower::service_fn($method);
                    Ok(Grpc::new(Text).unary(method, request).await)
                })
            }
        }
    };
}

service!(People, "/example.People/WhoAmI", who_am_i);
service!(Notes, "/example.Notes/Write", write);

/// Messages that are plain text, in place of protobuf.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, text: String, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(text.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = from.copy_to_bytes(from.remaining());
        let text = String::from_utf8(bytes.to_vec());
        text.map(Some)
            .map_err(|_| Status::invalid_argument("not UTF-8"))
    }
}
