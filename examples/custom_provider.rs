//! Any OAuth server as the identity provider, configured by environment alone.
//!
//! ```text
//! LISTEN=127.0.0.1:8080 BASE_URL=http://127.0.0.1:8080 \
//! UPSTREAM_ISSUER=https://login.example \
//! UPSTREAM_CLIENT_ID=... UPSTREAM_CLIENT_SECRET=... SCOPES="openid email" \
//! cargo run --example custom_provider
//! ```
//!
//! A server that does not publish a document about itself takes `UPSTREAM_AUTHORIZE_URL` and
//! `UPSTREAM_TOKEN_URL` in place of the issuer.
//!
//! Register `{BASE_URL}/oauth/callback` as the redirect URI at that server.
//!
//! | variable | meaning |
//! |---|---|
//! | `LISTEN` | host:port to listen at |
//! | `BASE_URL` | public URL of this server |
//! | `PROTECTED_PATH` | path below `BASE_URL` of the service; `/mcp` unless set |
//! | `UPSTREAM_ISSUER` | the provider's issuer, to the byte; alone it is enough where the provider has a document about itself |
//! | `UPSTREAM_AUTHORIZE_URL`, `UPSTREAM_TOKEN_URL` | the provider's endpoints; with them no document is read |
//! | `UPSTREAM_REVOCATION_URL`, `UPSTREAM_USERINFO_URL`, `UPSTREAM_JWKS_URL` | more URLs, if it has them and no document says them |
//! | `UPSTREAM_FORM_POST` | `on`: the provider posts its answer to the callback |
//! | `UPSTREAM_CLIENT_ID`, `UPSTREAM_CLIENT_SECRET` | this app at the provider |
//! | `UPSTREAM_KEY_FILE` | a private key as PEM: this app proves itself by it (`private_key_jwt`) in place of the secret. `SECRET_KEY` is needed then |
//! | `TOKEN_SWAP` | `false`: clients hold the provider's own tokens |
//! | `UPSTREAM_INTROSPECTION_URL` | asked about each of those tokens; else the issuer's keys decide, which takes `UPSTREAM_AUDIENCE` |
//! | `UPSTREAM_AUDIENCE` | the `aud` of those tokens |
//! | `SCOPES` | what clients may ask for, separated by spaces |
//! | `REQUIRED_SCOPES` | what a request needs; any session will do unless set |
//! | `ALLOWED_REDIRECT_URIS` | patterns besides loopback, separated by spaces or commas; loopback only unless set |
//! | `ALLOWED_DOMAINS`, `ALLOWED_EMAILS` | who may log in, by verified address, separated by spaces or commas; anyone the provider lets in unless set |
//! | `ALLOWED_GROUPS` | the same by group, separated by commas alone; `GROUP_CLAIMS` names the claims that hold them, `groups` unless set |
//! | `ALLOWED_CLAIMS` | the same by claims, `name=value`: of each name one value, separated by spaces or commas |
//! | `ROLE_CLAIMS` | the provider's claims that hold roles, separated by spaces or commas |
//! | `CORS` | `on`: browser clients of any origin may call the protected path |
//! | `SECRET_KEY` | 32 bytes or more, or a passphrase; derived from the client secret unless set |
//! | `SECRET_KEY_PREVIOUS` | secrets that are still accepted, separated by commas |
//! | `CLIENTS_FILE` | configured clients, as JSON: below |
//! | `METADATA_DOCUMENTS` | clients that are a URL: `on`, `off`, or the hosts that are let in, separated by spaces or commas; on unless set |
//! | `REGISTRATION` | `off`: clients cannot register themselves |
//! | `API_KEYS_FILE` | API keys, as `ApiKey::parse_all` reads them: one JSON object in each line, with `name`, `hash` (`sha256:…`), `scopes`, `roles`, `expires`, `resource` |
//! | `TRUSTED_ISSUERS` | issuers whose tokens and assertions count: a JSON file, or the list itself: below |
//! | `SIGNING_KEY_FILE` | private keys as PEM that access tokens are signed with, in place of the secret: files separated by commas. The first signs, all are published at `/oauth/jwks` |
//! | `ROOT_CERTIFICATES_FILE` | roots as PEM that certificates of other servers may come from, beside the usual ones: files separated by commas |
//! | `PRIVATE_NETWORKS` | private networks that clients' documents may come from, such as `10.0.0.0/8`, separated by spaces or commas |
//! | `STORAGE` | `memory`, `sqlite:PATH`, `redis://HOST:PORT`, `rediss://HOST:PORT` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE` |
//! | `PASS_ON` | of `prompt login_hint max_age ui_locales`, what is passed on to the provider of a client's request; none unless set |
//! | `CONSENT` | `always`, `remember`, `external` or `disabled` |
//! | `SERVICE_NAME` | how pages call this service |
//! | `COOKIE_PREFIX` | how the names of cookies begin, where `__Host-` cannot be kept |
//! | `TRANSACTION_TTL` | seconds that a person may take on each page of a login |
//! | `MAX_CONNECTIONS` | connections at once; 512 unless set. The process needs 100 file descriptors more |
//! | `ACCESS_TOKEN_AUDIENCES` | whose access tokens of the provider may name roles and claims here (`aud`), besides this app's own |
//! | `GRANTS_PER_PERSON` | how many grants one person may have; the oldest idle one goes first. 100 unless set |
//! | `IDENTITY_MAX_AGE` | seconds until the provider is asked about a person again |
//! | `GRANT_MAX_AGE` | seconds until a person has to log in again, whatever happens; never unless set |
//! | `ACCESS_TOKEN_TTL`, `REFRESH_TOKEN_TTL`, `SESSION_CACHE_TTL`, `UPSTREAM_TIMEOUT` | seconds |
//! | `REFRESH_TOKEN_GRACE` | seconds, or `until-used` |
//!
//! In `CLIENTS_FILE`, a client without a secret is public. A hash is that of the whole secret
//! (`printf %s "$SECRET" | sha256sum`). In its place stands `secret`, `jwks` (a key set) or `jwks_uri`. A machine's `scopes` are the most that it
//! may have; those of another client are what a login asks for that names none. What is not known is refused.
//!
//! ```json
//! [
//!   { "id": "intranet", "name": "Intranet", "secret_sha256": "64 hex digits",
//!     "auth_method": "client_secret_basic", "scopes": ["read"],
//!     "redirect_uris": ["https://intranet.example.com/callback"] },
//!   { "id": "desk", "redirect_uris": ["http://127.0.0.1/callback"] },
//!   { "id": "robot", "machine": true, "jwks_uri": "https://robot.example.com/jwks.json", "scopes": ["read"] },
//!   { "id": "nightly", "machine": true, "secret_sha256": "64 hex digits", "scopes": ["read"], "roles": ["batch"] },
//!   { "id": "search-api", "secret_sha256": "64 hex digits", "introspects": ["https://mcp.example.com/search"] }
//! ]
//! ```
//!
//! `TRUSTED_ISSUERS`; `assertions` is `true`, or the list of the clients that may bring some:
//!
//! ```json
//! [
//!   { "id": "acme", "issuer": "https://acme.example", "jwks_url": "https://acme.example/keys",
//!     "people_of": "oidc", "access_tokens": ["api://mcp"], "assertions": true },
//!   { "id": "ci", "issuer": "https://token.actions.githubusercontent.com",
//!     "workloads": [ { "subject": "repo:acme/app:ref:refs/heads/main", "claims": { "repository_id": ["74"] },
//!                      "scopes": ["read"], "roles": ["deployer"] } ] }
//! ]
//! ```
//!
//! It stops at SIGTERM and at SIGINT (Ctrl-C): requests at work have 5 seconds to be answered, and what
//! is at the provider then 20 more. A second signal ends it at once.
//!
//! The stores but `memory` need their features:
//! `cargo run --example custom_provider --features sqlite,redis,postgres`.
//!
//! On the protected path, a JSON-RPC `POST` gets a JSON-RPC result with the session's subject,
//! scopes and client; any other request the same as plain JSON.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example")]

mod support;

use std::process::ExitCode;

use axum::{Extension, Json, Router, body::Bytes, routing::any};
use serde_json::{Value, json};
use support::env::{self, Env, Refusal};
use tower_oauth_proxy::{AuthSession, OAuthProxyConfig, OAuthProxyLayer};

#[tokio::main]
async fn main() -> ExitCode {
    env::run(start).await
}

async fn start(env: Env) -> Result<(), Refusal> {
    let provider = env.custom_provider()?;
    let builder = OAuthProxyConfig::builder(provider, env.required("BASE_URL")?);
    let builder = env.token_swap(builder)?;
    let config = env.options(builder).await?.build()?;
    env::tell(&config);

    let layer = OAuthProxyLayer::new(config);
    let admin = layer.admin();
    let app = Router::new()
        .route(&env.protected_path()?, any(who_am_i))
        .layer(layer);
    env::serve(&env, app, admin).await
}

/// Says who is asking: to JSON-RPC in JSON-RPC, to anything else in JSON.
async fn who_am_i(Extension(session): Extension<AuthSession>, body: Bytes) -> Json<Value> {
    let who = json!({
        "subject": session.subject(),
        "scopes": session.scopes().iter().collect::<Vec<_>>(),
        "client": session.client_id(),
    });
    let call: Value = serde_json::from_slice(&body).unwrap_or_default();
    Json(match call.get("jsonrpc") {
        Some(version) => json!({ "jsonrpc": version, "id": call.get("id"), "result": who }),
        None => who,
    })
}
