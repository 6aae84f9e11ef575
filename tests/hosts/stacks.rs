//! The examples of stacks, as people copy them: each is served at a port, a person logs in, a client calls, and those
//! who may not are refused.

#[path = "../../examples/axum_cors/app.rs"]
mod axum_cors;
#[path = "../../examples/hyper/app.rs"]
mod bare_hyper;
#[path = "../../examples/tonic/app.rs"]
mod grpc;
#[path = "../../examples/limits/app.rs"]
mod limits;

use std::net::SocketAddr;

use bytes::Bytes;
use http::Method;
use serde_json::json;
use tonic::{Code, Request, Status, transport::Endpoint};

use crate::inside::bearer;
use testkit::{
    Client, Port,
    client::{CALLBACK, native_metadata},
};

#[tokio::test]
async fn axum_at_the_root_and_below_a_path_lets_pages_of_other_origins_call() {
    for path in ["", "/api"] {
        let (port, listener, upstream) = Port::open(path).await;
        let app = axum_cors::app(&port.base, upstream).unwrap();
        tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        let (mcp, health) = (format!("{path}/mcp"), format!("{path}/health"));
        port.wire.get(&health, &[]).await.expect(200);
        let refused = port
            .wire
            .get(&mcp, &[("origin", "https://page.example")])
            .await
            .expect(401);
        assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
        let exposed = refused.header("access-control-expose-headers").unwrap();
        assert!(exposed.contains("www-authenticate"), "{exposed}");
        let document = format!("/.well-known/oauth-protected-resource{mcp}");
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(
            challenge.contains(&format!("{}{document}\"", port.wire.origin)),
            "{challenge}"
        );
        let document = port
            .wire
            .get(&document, &[("origin", "https://page.example")])
            .await;
        assert_eq!(document.json()["resource"], format!("{}/mcp", port.base));

        // A preflight is answered without a token; no answer lets cookies in, and none says a thing twice.
        let preflight = [
            ("origin", "https://page.example"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,mcp-method"),
        ];
        let preflight = port
            .wire
            .request(Method::OPTIONS, &mcp, &preflight, Bytes::new())
            .await
            .expect(200);
        let allowed = preflight.header("access-control-allow-headers").unwrap();
        for header in ["authorization", "mcp-method", "mcp-name", "content-type"] {
            assert!(allowed.contains(header), "{allowed}");
        }
        for reply in [&refused, &document, &preflight] {
            assert_eq!(reply.header("access-control-allow-credentials"), None);
            let origins = reply.headers.get_all("access-control-allow-origin").iter();
            assert_eq!(origins.count(), 1);
        }

        let tokens = port
            .login(
                &port.client().await,
                &format!("{}/mcp", port.base),
                "openid",
            )
            .await;
        let call = [("authorization", &*bearer(&tokens))];
        let seen = port.wire.get(&mcp, &call).await.expect(200);
        assert_eq!(seen.json()["subject"], "person-1");
    }
}

#[tokio::test]
async fn hyper_alone_serves_a_login_a_call_and_refusals() {
    let (port, listener, upstream) = Port::open("").await;
    let base = port.base.clone();
    tokio::spawn(async move { bare_hyper::serve(listener, &base, upstream).await.unwrap() });
    for path in ["/mcp", "/admin", "/nothing"] {
        port.wire.get(path, &[]).await.expect(401);
    }
    let tokens = port.login(&port.client().await, &port.base, "openid").await;
    let call = [("authorization", &*bearer(&tokens))];
    let seen = port.wire.get("/mcp", &call).await.expect(200);
    assert_eq!(seen.json(), json!({ "subject": "person-1" }));
    port.wire.get("/admin", &call).await.expect(403);
    port.wire.get("/nothing", &call).await.expect(404);
}

/// A call of a stock gRPC client.
async fn call(base: &str, path: &'static str, token: Option<&str>) -> Result<String, Status> {
    let channel = Endpoint::from_shared(base.to_owned())
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut client = tonic::client::Grpc::new(channel);
    let mut request = Request::new("Hello".to_owned());
    if let Some(token) = token {
        let token = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", token);
    }
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static(path);
    let answer = client.unary(request, path, grpc::Text).await?;
    Ok(answer.into_inner())
}

#[tokio::test]
async fn a_grpc_client_reads_each_refusal_as_its_own_status_and_logs_in_once_for_all_methods() {
    let (port, listener, upstream) = Port::open("").await;
    let base = port.base.clone();
    tokio::spawn(async move { grpc::serve(listener, &base, upstream).await.unwrap() });
    let (who_am_i, write) = ("/example.People/WhoAmI", "/example.Notes/Write");

    let refused = call(&port.base, who_am_i, None).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::Unauthenticated, "a bearer token is required")
    );
    // The resource is the server, not the method.
    let challenge = refused
        .metadata()
        .get("www-authenticate")
        .unwrap()
        .to_str()
        .unwrap();
    let document = format!("{}/.well-known/oauth-protected-resource\"", port.base);
    assert!(
        challenge.contains(&format!("resource_metadata=\"{document}")),
        "{challenge}"
    );
    let document = port
        .wire
        .get("/.well-known/oauth-protected-resource", &[])
        .await
        .expect(200);
    let resource = document.json()["resource"].as_str().unwrap().to_owned();

    let refused = call(&port.base, who_am_i, Some("garbage"))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::Unauthenticated, "the token is not valid")
    );

    let reader = port
        .login(&port.client().await, &resource, "openid read")
        .await;
    let answer = call(&port.base, who_am_i, Some(&reader.access)).await;
    assert_eq!(answer.unwrap(), "Hello, person-1");
    let refused = call(&port.base, write, Some(&reader.access))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let challenge = refused
        .metadata()
        .get("www-authenticate")
        .unwrap()
        .to_str()
        .unwrap();
    assert!(
        challenge.contains("error=\"insufficient_scope\""),
        "{challenge}"
    );
    assert!(challenge.contains("scope=\"write\""), "{challenge}");

    let writer = port
        .login(&port.client().await, &resource, "openid read write")
        .await;
    let answer = call(&port.base, write, Some(&writer.access)).await;
    assert_eq!(answer.unwrap(), "written: Hello");
    // What no service knows is still tonic's to say, behind the token; and others read an HTTP status as ever.
    let unknown = call(&port.base, "/example.People/Nothing", Some(&writer.access)).await;
    assert_eq!(unknown.unwrap_err().code(), Code::Unimplemented);
    port.wire.get(who_am_i, &[]).await.expect(401);
    let web = [("content-type", "application/grpc-web+proto")];
    port.wire
        .request(Method::POST, who_am_i, &web, Bytes::new())
        .await
        .expect(401);
}

#[tokio::test]
async fn limits_by_address_hit_browsers_alone_and_those_for_all_say_when_to_come_again() {
    let (port, listener, upstream) = Port::open("").await;
    let app = limits::app(&port.base, upstream).unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    let tokens = port.login(&port.client().await, &port.base, "openid").await;
    let call = [("authorization", &*bearer(&tokens))];
    // A program may call as often as it likes.
    for _ in 0..10 * limits::OF_ONE_ADDRESS {
        port.wire.get("/mcp", &call).await.expect(200);
    }
    port.wire.get("/mcp", &[]).await.expect(401);
    // A browser may not.
    let mut refused = None;
    for _ in 0..10 * limits::OF_ONE_ADDRESS {
        let reply = port.wire.get("/oauth/authorize", &[]).await;
        if reply.status == 429 {
            refused = Some(reply);
            break;
        }
        assert_eq!(reply.status, 400);
    }
    assert!(refused.expect("no limit").header("retry-after").is_some());
    // Neither is the other's business, and the layer has its own for registrations.
    port.wire.get("/mcp", &call).await.expect(200);
    let mut refused = None;
    for _ in 0..200 {
        let reply = Client::try_register(&port.wire, "", &native_metadata(CALLBACK)).await;
        if reply.status != 201 {
            refused = Some(reply);
            break;
        }
    }
    let refused = refused.expect("no limit");
    refused.refused(503, "temporarily_unavailable");
    assert!(refused.header("retry-after").is_some());
}
