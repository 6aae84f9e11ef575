//! Machines: configured clients that get tokens in their own name, by `client_credentials` (RFC 6749 section
//! 4.4, and the MCP extension `io.modelcontextprotocol/oauth-client-credentials`).

mod configured;
mod ended;
mod tokens;

use tower_oauth_proxy::StaticClient;

use testkit::{Auth, Client, Proxy, Reply, Store, Tokens, client::CALLBACK};

pub(crate) const SECRET: &str = "q8Wn3TzK5vRx2LcYb7Hd";
const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// A machine with two scopes and a role.
fn ci() -> StaticClient {
    StaticClient::machine("ci", SECRET)
        .scopes(["read", "write"])
        .roles(["bot"])
}

async fn start() -> (Proxy, Store) {
    Proxy::with_store(|builder| builder.static_client(ci())).await
}

/// A configured client, as it speaks to this instance.
fn client(proxy: &Proxy, id: &str) -> Client {
    Client {
        wire: proxy.wire.clone(),
        base_path: proxy.base_path().to_owned(),
        id: id.to_owned(),
        secret: Some(SECRET.to_owned()),
        auth: Auth::Basic,
        redirect_uri: CALLBACK.to_owned(),
    }
}

/// A machine's token request with these fields more.
async fn ask(client: &Client, fields: &[(&str, &str)]) -> Reply {
    client.token(&[&[GRANT], fields].concat()).await
}

/// A token of the machine `ci`.
async fn token(proxy: &Proxy) -> String {
    Tokens::read(&ask(&client(proxy, "ci"), &[]).await).access
}

/// What comes back for this token; no body is of interest.
async fn call(proxy: &Proxy, token: &str) -> u16 {
    let reply = client(proxy, "ci").call("/mcp", token).await;
    reply.status.as_u16()
}
