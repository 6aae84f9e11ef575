//! What has to be configured, and what is advertised then.

use std::time::Duration;

use serde_json::json;
use tower_oauth_proxy::{
    OAuthProxyConfigBuilder, Reason, StaticClient, Step, UserInfoVerifier, provider,
};

use super::{SECRET, ask, ci, start};
use crate::mistakes::{fault_showing, good};
use testkit::{
    Client, Proxy, Reply,
    client::{CALLBACK, native_metadata},
};

async fn metadata(proxy: &Proxy) -> Reply {
    let path = "/.well-known/oauth-authorization-server";
    proxy.wire.get(path, &[]).await.expect(200)
}

#[tokio::test]
async fn the_grant_type_is_advertised_and_served_where_a_machine_is_configured_and_only_there() {
    let without = Proxy::start().await;
    let (with, _) = start().await;
    let logins = ["authorization_code", "refresh_token"];
    assert_eq!(
        metadata(&without).await.json()["grant_types_supported"],
        json!(logins)
    );
    let all = [&logins[..], &["client_credentials"]].concat();
    assert_eq!(
        metadata(&with).await.json()["grant_types_supported"],
        json!(all)
    );
    let reply = ask(&without.client().await, &[]).await;
    reply.refused(400, "unsupported_grant_type");
    let words = reply.json()["error_description"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        words,
        "this server serves authorization_code, refresh_token"
    );
    without.told(Step::ClientCredentials, Reason::UnsupportedType);
    let client = with.client().await;
    let reply = client.token(&[("grant_type", "password")]).await;
    reply.refused(400, "unsupported_grant_type");
    assert!(reply.text().contains("client_credentials"), "{reply:?}");
}

#[tokio::test]
async fn a_client_that_registers_itself_is_never_told_that_it_is_a_machine() {
    let (proxy, _) = start().await;
    let mut metadata = native_metadata(CALLBACK);
    metadata["grant_types"] = json!(["authorization_code", "client_credentials"]);
    let reply = Client::try_register(&proxy.wire, "", &metadata).await;
    let answer = reply.expect(201).json();
    let logins = json!(["authorization_code", "refresh_token"]);
    assert_eq!(answer["grant_types"], logins);
    metadata["grant_types"] = json!(["client_credentials"]);
    let reply = Client::try_register(&proxy.wire, "", &metadata).await;
    reply.refused(400, "invalid_client_metadata");
}

#[test]
fn a_machine_that_could_not_work_is_a_configuration_error_in_words() {
    let with = |client: StaticClient| good().scopes(["read", "write"]).static_client(client);
    let machine = || StaticClient::machine("ci", SECRET);
    let ttl = |secs| with(machine()).machine_token_ttl(Duration::from_secs(secs));
    let cases: Vec<(OAuthProxyConfigBuilder, &str, &str)> = vec![
        (
            with(StaticClient::public("ci").as_machine()),
            "anyone could pass",
            "static_clients",
        ),
        (
            with(machine().scopes(["admin"])),
            "`admin`, which is not one of",
            "static_clients",
        ),
        (
            with(machine().scopes(["offline_access"])),
            "no refresh token",
            "static_clients",
        ),
        (with(machine().roles([""])), "1 to 256", "static_clients"),
        (
            with(StaticClient::machine("a|b", SECRET)),
            "no `|`",
            "static_clients",
        ),
        (
            with(StaticClient::machine("ci", "short")),
            "16 to 1024",
            "static_clients",
        ),
        (
            with(StaticClient::confidential("ci", SECRET)),
            "no redirect URI, is no machine and introspects no tokens",
            "static_clients",
        ),
        (
            with(
                StaticClient::confidential("ci", SECRET)
                    .redirect_uri(CALLBACK)
                    .unwrap()
                    .roles(["bot"]),
            ),
            "is no machine: say as_machine()",
            "static_clients",
        ),
        (
            with(StaticClient::confidential_by_hash("ci", "0".repeat(64)).as_machine()),
            "does not begin with `sha256:`",
            "static_clients",
        ),
        (
            with(machine().scopes(["read"])).required_scopes(["write"]),
            "without the scope `write`",
            "static_clients",
        ),
        (
            with(machine()).passthrough(UserInfoVerifier::new(provider::github("id", SECRET))),
            "passthrough",
            "static_clients",
        ),
        (
            with(machine()).static_client(machine()),
            "two clients",
            "static_clients",
        ),
        (ttl(59), "59s", "machine_token_ttl"),
        (ttl(3_601), "3601s", "machine_token_ttl"),
    ];
    for (builder, words, option) in cases {
        assert_eq!(fault_showing(builder, words), option, "{words}");
    }
    for fine in [
        with(machine()),
        ttl(60),
        ttl(3_600),
        with(ci().scopes(["read", "write"])).required_scopes(["read"]),
    ] {
        fine.build().map(drop).unwrap();
    }
}
