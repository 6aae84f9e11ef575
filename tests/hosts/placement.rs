//! What the checks for users say of an app with the layer in the right place, and in each wrong one.

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use tower_oauth_proxy::{
    IntrospectionVerifier, OAuthProxyConfig, OAuthProxyConfigBuilder, OAuthProxyLayer,
    guard::{RequireLayer, require_auth},
    provider::github,
    testing::{check_cors, check_protected, check_public},
};

const BASE: &str = "https://mcp.example.com";
const MCP: &str = "https://mcp.example.com/mcp";
const WEB_CLIENT: &str = "https://inspector.example";

fn layer_at(
    base: &str,
    change: impl FnOnce(OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder,
) -> OAuthProxyLayer {
    let provider = github("client-id", "c1f4a96e2b7d58033e9d6ab84f7520ce17d3b6f8");
    let builder = OAuthProxyConfig::builder(provider, base).public_paths(["/health", "/gone"]);
    OAuthProxyLayer::new(change(builder).build().unwrap())
}

fn layer() -> OAuthProxyLayer {
    layer_at(BASE, |builder| builder)
}

fn routes() -> Router {
    Router::new()
        .route("/mcp", any(async || "inside"))
        .route("/health", get(async || "ok"))
}

async fn mistake_of(app: &Router, url: &str) -> String {
    check_protected(app, url).await.unwrap_err().to_string()
}

/// The mistake names each of these words.
#[track_caller]
fn says(mistake: &str, words: &[&str]) {
    for word in words {
        assert!(mistake.contains(word), "`{word}` is not in: {mistake}");
    }
}

#[tokio::test]
async fn an_outermost_layer_is_right_at_any_url_below_its_base() {
    let app = routes().layer(layer());
    for path in ["", "/", "/mcp", "/mcp/", "/mcp/deeper?query=1", "/nowhere"] {
        check_protected(&app, &format!("{BASE}{path}"))
            .await
            .unwrap();
    }
    check_public(&app, &format!("{BASE}/health")).await.unwrap();
    let base = "https://mcp.example.com/api";
    let below = Router::new()
        .route("/api/mcp", post(async || "inside"))
        .layer(layer_at(base, |builder| builder));
    for url in [base, "https://mcp.example.com/api/mcp"] {
        check_protected(&below, url).await.unwrap();
    }
}

/// The provider is the authorization server, and is not asked.
#[tokio::test]
async fn a_resource_server_is_right_where_a_proxy_is_and_wrong_inside_nest() {
    let verifier = IntrospectionVerifier::new("https://idp.example/introspect", "id", "secret");
    let server = OAuthProxyConfig::resource_server(BASE, verifier)
        .authorization_server("https://idp.example/")
        .public_paths(["/health"]);
    let layer = OAuthProxyLayer::new(server.build().unwrap());
    let app = routes().layer(layer.clone());
    for path in ["", "/mcp", "/nowhere"] {
        check_protected(&app, &format!("{BASE}{path}"))
            .await
            .unwrap();
    }
    check_public(&app, &format!("{BASE}/health")).await.unwrap();
    let cut = Router::new().nest("/api", routes().layer(layer));
    let mistake = mistake_of(&cut, "https://mcp.example.com/api/mcp").await;
    says(&mistake, &["Inside `Router::nest`"]);
}

#[tokio::test]
async fn a_layer_inside_nest_is_found_by_the_cut_path_or_the_missing_document() {
    let cut = Router::new().nest("/api", routes().layer(layer()));
    let mistake = mistake_of(&cut, "https://mcp.example.com/api/mcp").await;
    says(
        &mistake,
        &[
            "points to `/.well-known/oauth-protected-resource/mcp`",
            "is `/.well-known/oauth-protected-resource/api/mcp`",
            "Inside `Router::nest`",
            "outermost",
        ],
    );
    // With the right base URL the challenge is that of the base URL, not of the path.
    let inside = layer_at("https://mcp.example.com/api", |builder| builder);
    let cut = Router::new().nest("/api", routes().layer(inside));
    let mistake = mistake_of(&cut, "https://mcp.example.com/api/mcp").await;
    says(
        &mistake,
        &[
            "`/.well-known/oauth-protected-resource/api`",
            "`Router::nest`",
        ],
    );
    // Merged, nothing is cut, but the documents are nobody's.
    let merged = Router::new().merge(routes().route_layer(layer()));
    let mistake = mistake_of(&merged, MCP).await;
    says(
        &mistake,
        &[
            "`/.well-known/oauth-protected-resource/mcp` is 404",
            "inside `Router::nest` or a `route_layer`",
            "outermost",
        ],
    );
}

#[tokio::test]
async fn a_route_layer_is_found_by_the_missing_document_and_the_missing_route() {
    let app = routes().route_layer(layer());
    let mistake = mistake_of(&app, MCP).await;
    says(
        &mistake,
        &["oauth-protected-resource/mcp` is 404", "`route_layer`"],
    );
    let mistake = mistake_of(&app, &format!("{BASE}/nowhere")).await;
    says(&mistake, &["`/nowhere` answers 404", "`route_layer`"]);
}

#[tokio::test]
async fn a_path_added_after_the_layer_is_found_unprotected() {
    let app = Router::new()
        .route("/health", get(async || "ok"))
        .layer(layer())
        .route("/mcp", any(async || "inside"));
    let mistake = mistake_of(&app, MCP).await;
    says(
        &mistake,
        &["`/mcp` answers 200 without a token", "Add its route before"],
    );
}

#[tokio::test]
async fn a_public_path_is_not_taken_for_a_protected_one_nor_the_other_way_round() {
    let app = routes().layer(layer());
    let mistake = mistake_of(&app, &format!("{BASE}/health")).await;
    says(&mistake, &["`/health` answers 200", "`public_paths`"]);
    for path in ["/mcp", "/health/"] {
        let mistake = check_public(&app, &format!("{BASE}{path}")).await;
        let mistake = mistake.unwrap_err().to_string();
        says(
            &mistake,
            &[&format!("`{path}` answers 401"), "`public_paths`"],
        );
    }
    let mistake = check_public(&app, &format!("{BASE}/gone")).await;
    says(
        &mistake.unwrap_err().to_string(),
        &["`/gone` answers 404", "no route"],
    );
}

#[tokio::test]
async fn optional_auth_is_named_until_a_guard_stands_before_the_route() {
    let optional = || layer_at(BASE, |builder| builder.optional_auth(true));
    let mistake = mistake_of(&routes().layer(optional()), MCP).await;
    says(
        &mistake,
        &[
            "200 without a token and 401 with a bad one",
            "`optional_auth`",
        ],
    );
    let guarded = routes().route_layer(RequireLayer::new(require_auth()));
    check_protected(&guarded.layer(optional()), MCP)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_refuses_in_front_of_the_layer_is_found() {
    let app = routes().layer(layer());
    let guard_outside = app.clone().layer(RequireLayer::new(require_auth()));
    let mistake = mistake_of(&guard_outside, MCP).await;
    says(
        &mistake,
        &[
            "its challenge `Bearer` names no `resource_metadata`",
            "around guards",
        ],
    );
    let refuse_all = async |_: Request, _: Next| StatusCode::UNAUTHORIZED;
    let mistake = mistake_of(&app.clone().layer(middleware::from_fn(refuse_all)), MCP).await;
    says(&mistake, &["401 without `WWW-Authenticate`", "outermost"]);
    let pages = Router::new()
        .route(
            "/.well-known/oauth-authorization-server",
            get(async || "<h1>"),
        )
        .fallback_service(app.clone());
    says(
        &mistake_of(&pages, MCP).await,
        &["is not a JSON document", "outermost"],
    );
    let endpoint = Router::new()
        .route("/oauth/token", get(async || "ours"))
        .fallback_service(app);
    says(
        &mistake_of(&endpoint, MCP).await,
        &["`/oauth/token` answers 200", "in front"],
    );
}

#[tokio::test]
async fn another_base_url_than_people_type_is_found() {
    let app = routes().layer(layer_at("https://internal.example", |builder| builder));
    let mistake = mistake_of(&app, MCP).await;
    says(
        &mistake,
        &[
            "`https://internal.example/.well-known",
            "not at `https://mcp.example.com`",
        ],
    );
    for url in ["/mcp", "mcp.example.com/mcp", "ftp://mcp.example.com/mcp"] {
        says(
            &mistake_of(&app, url).await,
            &["is not the URL of a web page"],
        );
    }
}

/// As much of a `CorsLayer` as it takes: preflights, and two headers on each answer.
async fn cors(request: Request, next: Next) -> Response {
    let is_preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key("access-control-request-method");
    let mut response = match is_preflight {
        true => [(
            "access-control-allow-headers",
            "authorization, content-type",
        )]
        .into_response(),
        false => next.run(request).await,
    };
    for (name, value) in [
        ("access-control-allow-origin", WEB_CLIENT),
        ("access-control-expose-headers", "WWW-Authenticate"),
    ] {
        let name = HeaderName::from_static(name);
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

#[tokio::test]
async fn a_cors_layer_is_right_outside_and_found_inside() {
    let cors = || middleware::from_fn(cors);
    let outside = routes().layer(layer()).layer(cors());
    check_cors(&outside, MCP, WEB_CLIENT).await.unwrap();
    check_protected(&outside, MCP).await.unwrap();
    let own = routes().layer(layer_at(BASE, |b| b.cors_on_protected_paths(true)));
    check_cors(&own, MCP, WEB_CLIENT).await.unwrap();

    let inside = routes().layer(cors()).layer(layer());
    let mistake = check_cors(&inside, MCP, WEB_CLIENT).await.unwrap_err();
    says(
        &mistake.to_string(),
        &["preflight of `/mcp` is answered 401", "outside"],
    );
    let mistake = check_cors(&outside, MCP, "https://other.example")
        .await
        .unwrap_err();
    says(
        &mistake.to_string(),
        &["does not allow `https://other.example`"],
    );
}

#[tokio::test]
async fn what_a_script_may_neither_send_nor_read_is_found() {
    const ANY_ORIGIN: (&str, &str) = ("access-control-allow-origin", "*");
    /// An answer with these headers for everything.
    fn app(headers: &'static [(&'static str, &'static str)]) -> Router {
        Router::new().fallback(async move || {
            let mut response = StatusCode::OK.into_response();
            for (name, value) in headers {
                let name = HeaderName::from_static(name);
                response
                    .headers_mut()
                    .insert(name, HeaderValue::from_static(value));
            }
            response
        })
    }
    let wildcard = app(&[ANY_ORIGIN, ("access-control-allow-headers", "*")]);
    let mistake = check_cors(&wildcard, MCP, WEB_CLIENT).await.unwrap_err();
    says(&mistake.to_string(), &["the header `authorization`"]);
    let unexposed = app(&[
        ANY_ORIGIN,
        ("access-control-allow-headers", "Authorization, *"),
    ]);
    let mistake = check_cors(&unexposed, MCP, WEB_CLIENT).await.unwrap_err();
    says(&mistake.to_string(), &["`Access-Control-Expose-Headers`"]);
}

#[tokio::test]
#[should_panic(expected = "tests/hosts/placement.rs")]
async fn an_assertion_fails_at_the_line_that_makes_it() {
    tower_oauth_proxy::testing::assert_public(&routes().layer(layer()), MCP).await;
}
