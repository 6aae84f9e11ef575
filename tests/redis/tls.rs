//! TLS, with an authority of our own.

use std::{fs, sync::Arc, time::Duration};

use tower_oauth_proxy::storage::{RedisStorage, contract};

use crate::Stores;
use testkit::{
    authority,
    redis::{Server, fresh_dir},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn over_tls_the_contract_holds_and_strangers_certificates_are_refused() {
    let dir = fresh_dir();
    authority::certificates(&dir);
    let ca = fs::read(dir.join("ca.pem")).unwrap();
    let server = Server::with_tls(&dir);
    let store = server.builder().ca_certificate(ca.clone()).connect();
    let store = Arc::new(store.await.unwrap());
    contract::run(store, async |time| tokio::time::sleep(time).await).await;

    // The operating system's authorities did not sign this one.
    let stranger = server.builder().connect().await.unwrap_err();
    assert_eq!(stranger.option(), "token_storage");
    // Another name than the certificate's.
    let url = format!("rediss://localhost:{}", server.port);
    let renamed = RedisStorage::builder(url)
        .ca_certificate(ca.clone())
        .connect();
    assert!(renamed.await.is_err());
    // Plain text to a TLS port is an error in time, not a hang.
    let plain = RedisStorage::builder(format!("redis://127.0.0.1:{}", server.port));
    let plain = tokio::time::timeout(Duration::from_secs(3), plain.connect());
    assert!(plain.await.expect("in time").is_err());

    for garbage in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n!!\n"] {
        let garbage = server.builder().ca_certificate(garbage).lazy();
        assert_eq!(garbage.unwrap_err().option(), "token_storage");
    }
}
