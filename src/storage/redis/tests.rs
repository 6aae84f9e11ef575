use super::*;
use crate::storage::MAX_VALUE_BYTES;

#[test]
fn a_time_to_live_is_rounded_up_and_cut_to_what_redis_takes() {
    assert_eq!(milliseconds(Duration::ZERO), None);
    assert_eq!(milliseconds(Duration::from_nanos(1)), Some(1));
    assert_eq!(milliseconds(Duration::from_micros(1_001)), Some(2));
    assert_eq!(milliseconds(Duration::from_secs(3)), Some(3_000));
    let ten_years = 10 * 365 * 86_400 * 1_000;
    assert_eq!(milliseconds(Duration::MAX), Some(ten_years));
}

#[test]
fn debug_and_errors_tell_the_address_and_no_password() {
    let url = "redis://user:hunter2@redis.internal:6380/4";
    let builder = RedisStorage::builder(url);
    assert!(!format!("{builder:?}").contains("hunter2"));
    let store = builder.lazy().unwrap();
    let text = format!("{store:?}");
    assert!(text.contains("redis.internal:6380"), "{text}");
    assert!(
        !text.contains("hunter2") && !text.contains("user"),
        "{text}"
    );
}

#[test]
fn a_bad_url_or_prefix_is_refused_with_the_option_and_without_the_password() {
    for url in [
        "",
        "127.0.0.1:6379",
        "http://:hunter2@127.0.0.1",
        "redis://:hunter2@",
        "redis://:hunter2@127.0.0.1:99999",
        "redis://:hunter2@127.0.0.1/zero",
        "redis://:hunter2@127.0.0.1/?protocol=hunter2x",
        "rediss://:hunter2@127.0.0.1/#insecure",
        "redis://:hunter2#@127.0.0.1",
        "redis://:hunter2@0.0.0.0",
    ] {
        let error = RedisStorage::builder(url).lazy().expect_err(url);
        assert_eq!(error.option(), "token_storage", "{url}");
        let told = error.to_string().replace("hunter2x", "");
        assert!(!told.contains("hunter2"), "{told}");
    }
    for prefix in ["", " ", "a b", "{a}:", "ü:", "a\n", &"p".repeat(65)] {
        let builder = RedisStorage::builder("redis://127.0.0.1").prefix(prefix);
        assert_eq!(builder.lazy().unwrap_err().option(), "token_storage");
    }
    let none: [&str; 0] = [];
    assert!(RedisStorage::cluster(none).lazy().is_err());
    let numbered = RedisStorage::cluster(["redis://127.0.0.1/1"]);
    assert!(numbered.lazy().is_err());
    let mixed = RedisStorage::cluster(["redis://:a@127.0.0.1", "redis://:b@127.0.0.1"]);
    assert!(mixed.lazy().is_err());
}

#[tokio::test]
async fn a_value_above_the_limit_is_refused_before_redis_is_asked() {
    // Nothing listens on port 1.
    let store = RedisStorage::builder("redis://127.0.0.1:1").lazy().unwrap();
    let large = || vec![0; MAX_VALUE_BYTES + 1];
    let minute = Duration::from_secs(60);
    let refused = [
        store.set("k", large(), minute).await,
        store.insert_if_absent("k", large(), minute).await.map(drop),
        store
            .compare_and_swap("k", b"", large(), minute)
            .await
            .map(drop),
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
    let error = RedisStorage::builder("rediss://127.0.0.1").lazy();
    assert!(error.unwrap_err().to_string().contains("`rustls`"));
}

#[test]
#[cfg(feature = "rustls")]
fn a_certificate_for_a_plain_connection_is_a_mistake() {
    let pem = "-----BEGIN CERTIFICATE-----";
    let single = RedisStorage::builder("redis://127.0.0.1").ca_certificate(pem);
    assert_eq!(single.lazy().unwrap_err().option(), "token_storage");
    let cluster = RedisStorage::cluster(["redis://127.0.0.1"]).ca_certificate(pem);
    assert_eq!(cluster.lazy().unwrap_err().option(), "token_storage");
}
