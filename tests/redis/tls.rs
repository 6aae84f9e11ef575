//! TLS, with an authority of our own.

use std::{fs, path::Path, process::Command, sync::Arc, time::Duration};

use tower_oauth_proxy::storage::{RedisStorage, contract};

use crate::Stores;
use testkit::redis::{Server, fresh_dir};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn over_tls_the_contract_holds_and_strangers_certificates_are_refused() {
    let dir = fresh_dir();
    certificates(&dir);
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

/// For 127.0.0.1 alone.
fn certificates(dir: &Path) {
    let openssl = |arguments: &str| {
        let mut command = Command::new("openssl");
        let command = command.current_dir(dir).args(arguments.split(' '));
        let output = command.output().expect("these tests need openssl");
        assert!(output.status.success(), "{output:?}");
    };
    fs::write(dir.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!(
        "req -x509 {key} -days 2 -subj /CN=ca -keyout ca.key -out ca.pem"
    ));
    openssl(&format!(
        "req {key} -subj /CN=redis -keyout server.key -out server.csr"
    ));
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names \
         -out server.pem",
    );
}
