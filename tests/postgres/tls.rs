//! TLS, with an authority of our own.

use std::{fs, sync::Arc, time::Duration};

use tower_oauth_proxy::storage::{PostgresStorage, TokenStorage, contract};

use crate::Stores;
use testkit::{authority, postgres::Server, redis::fresh_dir};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn over_tls_the_contract_holds_and_strangers_certificates_are_refused() {
    let dir = fresh_dir();
    authority::certificates(&dir);
    let ca = fs::read(dir.join("ca.pem")).unwrap();
    let server = Server::with_tls(&dir, &[]);
    let store = server.builder().ca_certificate(ca.clone()).connect();
    let store = Arc::new(store.await.unwrap());
    contract::run(store, async |time| tokio::time::sleep(time).await).await;
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                     WHERE application_name = 'tower-oauth-proxy'";
    let named = server
        .builder()
        .ca_certificate(ca.clone())
        .connect()
        .await
        .unwrap();
    assert_eq!(server.sql(encrypted), "t");
    drop(named);

    // The authority may stand in the URL.
    let file = dir.join("ca.pem").display().to_string();
    let by_file = PostgresStorage::connect(format!("{}&sslrootcert={file}", server.url())).await;
    by_file.unwrap();
    // The operating system's authorities did not sign this one, in whatever mode.
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = server.url().replace("verify-full", mode);
        let stranger = PostgresStorage::connect(url).await.unwrap_err();
        assert_eq!(stranger.option(), "token_storage");
        assert!(stranger.to_string().contains("certificate"), "{stranger}");
        // Another name than the certificate's.
        let url = server
            .url()
            .replace("127.0.0.1", "localhost")
            .replace("verify-full", mode);
        let renamed = PostgresStorage::builder(url)
            .ca_certificate(ca.clone())
            .connect();
        let told = renamed.await.unwrap_err().to_string();
        assert!(told.contains("certificate"), "{told}");
    }
    // Plain text to a server that wants TLS is an error in time, not a hang.
    let url = server.url().replace("verify-full", "disable");
    let plain = tokio::time::timeout(Duration::from_secs(3), PostgresStorage::connect(url));
    assert!(plain.await.expect("in time").is_err());
}

/// What a man in the middle does first: he says that there is no TLS here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_offers_no_tls_hears_no_password() {
    let server = Server::start();
    let url = server.url().replace("disable", "require");
    let told = PostgresStorage::connect(url).await.unwrap_err().to_string();
    assert!(told.contains("TLS"), "{told}");
}

/// The login is bound to the certificate, so that whoever shows another one cannot pass it on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_is_bound_to_the_connection_where_the_url_asks_for_it() {
    let dir = fresh_dir();
    authority::certificates(&dir);
    let ca = fs::read(dir.join("ca.pem")).unwrap();
    let server = Server::with_tls(&dir, &[]);
    let url = format!("{}&channel_binding=require", server.url());
    let bound = PostgresStorage::builder(url).ca_certificate(ca).connect();
    let bound = bound.await.unwrap();
    bound
        .set("k", vec![1], Duration::from_secs(60))
        .await
        .unwrap();

    let plain = Server::start();
    let url = format!("{}&channel_binding=require", plain.url());
    assert!(PostgresStorage::connect(url).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_asks_for_a_certificate_gets_ours() {
    let dir = fresh_dir();
    authority::certificates(&dir);
    let read = |name: &str| fs::read(dir.join(name)).unwrap();
    let (ca, chain, key) = (read("ca.pem"), read("server.pem"), read("server.key"));
    let file = format!("ssl_ca_file={}", dir.join("ca.pem").display());
    let server = Server::with_tls(&dir, &[&file]);
    server.set_rules("hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n");
    let without = server.builder().ca_certificate(ca.clone()).connect();
    assert!(without.await.is_err());
    let with = server
        .builder()
        .ca_certificate(ca)
        .client_certificate(chain, key);
    with.connect().await.unwrap();
}
