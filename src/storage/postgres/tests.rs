use super::*;
use crate::storage::MAX_VALUE_BYTES;

#[test]
fn a_time_to_live_is_rounded_up_and_cut_to_ten_years() {
    assert_eq!(milliseconds(Duration::ZERO), 0);
    assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
    assert_eq!(milliseconds(Duration::from_micros(1_001)), 2);
    let ten_years = 10 * 365 * 86_400 * 1_000;
    assert_eq!(milliseconds(Duration::MAX), ten_years);
}

#[test]
fn the_place_of_a_page_is_exact_and_never_beyond_what_the_server_takes() {
    let end = 1_800_000_000_123_457;
    assert_eq!(microseconds(time(end).unwrap()), end);
    assert_eq!(time(0).unwrap(), UNIX_EPOCH);
    assert!(microseconds(time(u64::MAX).unwrap()) < u64::MAX / 2);
}

#[test]
fn debug_tells_the_address_and_no_password() {
    let url = "postgres://user:hunter2@127.0.0.1:6543/app?options=-c%20hunter2%3Dx";
    let builder = PostgresStorage::builder(url);
    assert!(!format!("{builder:?}").contains("hunter2"));
    let store = builder.schema("auth").lazy().unwrap();
    let text = format!("{store:?}");
    for part in ["127.0.0.1:6543", "auth", "oauth_proxy_"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(
        !text.contains("hunter2") && !text.contains("user"),
        "{text}"
    );
}

#[test]
fn an_option_that_cannot_work_is_refused_with_words() {
    let local = || PostgresStorage::builder("postgres://127.0.0.1/app");
    for (refused, word) in [
        (
            PostgresStorage::builder("http://127.0.0.1").lazy(),
            "postgres://",
        ),
        (local().max_connections(0).lazy(), "1 to 1000"),
        (local().max_connections(1_001).lazy(), "1001"),
        (local().schema("Auth").lazy(), "lower-case"),
        (local().table_prefix("a;b").lazy(), "lower-case"),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.option(), "token_storage");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn a_value_above_the_limit_is_refused_before_the_server_is_asked() {
    // Nothing listens on port 1.
    let store = PostgresStorage::builder("postgres://u@127.0.0.1:1/app")
        .lazy()
        .unwrap();
    let large = || vec![0; MAX_VALUE_BYTES + 1];
    let minute = Duration::from_secs(60);
    let swap = store.compare_and_swap("k", b"", large(), minute);
    let refused = [
        store.set("k", large(), minute).await,
        store.insert_if_absent("k", large(), minute).await.map(drop),
        swap.await.map(drop),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(StorageError::TooLarge { .. })));
    }
    let asked = store.get("k").await;
    assert!(matches!(asked, Err(StorageError::Unavailable(_))));
}

#[test]
#[cfg(not(feature = "rustls"))]
fn without_its_feature_tls_is_refused_and_never_plain() {
    for url in [
        "postgres://db.internal/a",
        "postgres://127.0.0.1/a?sslmode=require",
    ] {
        let error = PostgresStorage::builder(url).lazy();
        assert!(error.unwrap_err().to_string().contains("`rustls`"));
    }
}

#[test]
#[cfg(feature = "rustls")]
fn a_certificate_that_is_none_or_has_no_use_is_a_mistake() {
    let pem = "-----BEGIN CERTIFICATE-----";
    let local = || PostgresStorage::builder("postgres://127.0.0.1/app");
    let distant = || PostgresStorage::builder("postgres://db.internal/app");
    let garbage = "-----BEGIN CERTIFICATE-----\n!!\n";
    for refused in [
        local().ca_certificate(pem).lazy(),
        local().client_certificate(pem, pem).lazy(),
        distant().ca_certificate("").lazy(),
        distant().ca_certificate("no certificate").lazy(),
        distant().ca_certificate(garbage).lazy(),
        distant().client_certificate(garbage, garbage).lazy(),
        PostgresStorage::builder("postgres://db/app?sslrootcert=/nowhere/ca.pem").lazy(),
    ] {
        assert_eq!(refused.unwrap_err().option(), "token_storage");
    }
}
