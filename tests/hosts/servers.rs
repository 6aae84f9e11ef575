//! axum, hyper, tonic and rmcp.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use axum::{Json, Router, extract::Request as AxumRequest, routing::any};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body_util::{BodyExt, Empty, Full};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use rmcp::{
    ServerHandler, ServiceExt as _,
    handler::server::{router::tool::ToolRouter, tool::Extension},
    model::{CallToolRequestParams, ServerCapabilities, ServerConfig},
    tool, tool_handler, tool_router,
    transport::{
        StreamableHttpClientTransport,
        streamable_http_client::StreamableHttpClientTransportConfig,
        streamable_http_server::{
            StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
        },
    },
};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, Service};
use tower_oauth_proxy::AuthSession;

use crate::inside::{bearer, bind, serves_the_whole_journey, who};

#[tokio::test]
async fn an_axum_router_is_protected() {
    let (proxy, listener) = bind(|builder| builder).await;
    let handler = async |request: AxumRequest| Json(who(request.extensions()));
    let app = Router::new()
        .route("/mcp", any(handler))
        .layer(proxy.layer.clone());
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });

    let tokens = serves_the_whole_journey(&proxy).await;
    let call = [("authorization", &*bearer(&tokens))];
    let seen = proxy.wire.get("/mcp", &call).await.expect(200).json();
    assert_eq!(seen["subject"], "person-1");
    // What the router does not know is still the router's to say, behind the token.
    proxy.wire.get("/mcp/other", &call).await.expect(404);
    proxy.wire.get("/other", &[]).await.expect(401);
}

#[tokio::test]
async fn a_hyper_server_is_protected() {
    let (proxy, listener) = bind(|builder| builder).await;
    let inner = tower::service_fn(async |request: Request<hyper::body::Incoming>| {
        let seen = who(request.extensions());
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(seen.to_string())))
    });
    tokio::spawn(serve_hyper(listener, proxy.layer.layer(inner)));

    let tokens = serves_the_whole_journey(&proxy).await;
    let call = [("authorization", &*bearer(&tokens))];
    let reply = proxy.wire.get("/mcp", &call).await.expect(200);
    assert_eq!(reply.json()["subject"], "person-1");
    // The inner body's own length came through.
    let length = reply.body.len().to_string();
    assert_eq!(reply.header("content-length"), Some(&*length));
}

async fn serve_hyper<S, B>(listener: TcpListener, service: S)
where
    S: Service<Request<hyper::body::Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// A gRPC service by hand: one message, and trailers.
#[derive(Clone)]
struct Grpc;

impl tonic::server::NamedService for Grpc {
    const NAME: &'static str = "mcp";
}

impl Service<Request<tonic::body::Body>> for Grpc {
    type Response = Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        let seen = Full::<Bytes>::from(who(request.extensions()).to_string());
        let body = seen.with_trailers(ready(Some(Ok(trailers))));
        let response = Response::builder().header(header::CONTENT_TYPE, "application/grpc");
        ready(Ok(response.body(tonic::body::Body::new(body)).unwrap()))
    }
}

#[tokio::test]
async fn a_tonic_server_is_protected_over_http_1_and_http_2() {
    let (proxy, listener) = bind(|builder| builder).await;
    let address = listener.local_addr().unwrap();
    let server = tonic::transport::Server::builder()
        .accept_http1(true)
        .layer(proxy.layer.clone())
        .add_service(Grpc);
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    tokio::spawn(async { server.serve_with_incoming(incoming).await.unwrap() });

    let tokens = serves_the_whole_journey(&proxy).await;
    let call = [("authorization", &*bearer(&tokens))];
    let seen = proxy.wire.get("/mcp/Call", &call).await.expect(200).json();
    assert_eq!(seen["subject"], "person-1");

    // As gRPC clients come: HTTP/2, trailers included.
    let stream = TcpStream::connect(address).await.unwrap();
    let io = TokioIo::new(stream);
    let (mut http2, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let ask = |token: Option<String>| {
        let mut request = Request::post(format!("{}/mcp/Call", proxy.base));
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        request.body(Empty::<Bytes>::new()).unwrap()
    };
    let refused = http2.send_request(ask(None)).await.unwrap();
    assert_eq!(refused.status(), 401);
    let response = http2.send_request(ask(Some(bearer(&tokens)))).await;
    let body = response.unwrap().into_body().collect().await.unwrap();
    let trailers = body.trailers().cloned().expect("trailers");
    assert_eq!(trailers["grpc-status"], "0");
    let seen: serde_json::Value = serde_json::from_slice(&body.to_bytes()).unwrap();
    assert_eq!(seen["subject"], "person-1");
}

#[derive(Clone)]
struct Tools {
    tool_router: ToolRouter<Self>,
}

#[tool_router]
impl Tools {
    #[tool(description = "Tells who is logged in")]
    async fn whoami(&self, Extension(parts): Extension<http::request::Parts>) -> String {
        let session = AuthSession::from_extensions(&parts.extensions);
        session.map_or("nobody", AuthSession::subject).to_owned()
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

#[tokio::test]
async fn an_mcp_server_on_rmcp_is_protected_and_its_tools_see_the_session() {
    let (proxy, listener) = bind(|builder| builder).await;
    let tools = || {
        Ok(Tools {
            tool_router: Tools::tool_router(),
        })
    };
    let mcp = StreamableHttpService::new(
        tools,
        LocalSessionManager::default().into(),
        StreamableHttpServerConfig::default(),
    );
    // No router around it: the layer alone.
    let service = proxy.layer.layer(mcp);
    tokio::spawn(serve_hyper(listener, service));

    let tokens = serves_the_whole_journey(&proxy).await;
    let config = StreamableHttpClientTransportConfig::with_uri(format!("{}/mcp", proxy.base));
    let transport =
        StreamableHttpClientTransport::from_config(config.auth_header(tokens.access.clone()));
    let client = ().serve(transport).await.unwrap();
    let answer = client
        .call_tool(CallToolRequestParams::new("whoami"))
        .await
        .unwrap();
    let text = answer.content.first().and_then(|block| block.as_text());
    assert_eq!(text.unwrap().text, "person-1");
    client.cancel().await.unwrap();
}
