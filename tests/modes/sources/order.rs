//! Which source a token belongs to, where all are configured.

use serde_json::json;
use tower_oauth_proxy::{ApiKey, Reason, TokenSource};

use super::{corp, introspection, start};
use testkit::{Kind, proxy::BASE};

#[tokio::test]
async fn each_token_is_taken_by_its_own_source_and_shown_to_no_later_one() {
    let new = ApiKey::generate();
    let key = ApiKey::new("ci", new.hash());
    let at = start(|builder, idp| {
        let builder = builder.api_key(key).trusted_issuer(corp(idp));
        builder.introspection("legacy", introspection(idp))
    })
    .await;
    at.introspects(json!({"active": true, "sub": "ada", "aud": BASE}));
    let client = at.proxy.client().await;
    let own = at.proxy.journey(&client).await.access;
    for (token, subject, source, asked) in [
        (own.clone(), "person-1", TokenSource::Login, 0),
        (new.reveal(), "key|ci", TokenSource::ApiKey, 0),
        (at.token(json!({})), "corp|7", TokenSource::TrustedIssuer, 0),
        (
            "opaque".to_owned(),
            "legacy|ada",
            TokenSource::Introspection,
            1,
        ),
    ] {
        let session = at.session(&token).await;
        assert_eq!((session.subject(), session.source()), (subject, source));
        assert_eq!(at.asked(Kind::Introspect), asked, "{source}");
    }
    // Ours, and ended: none of the others is asked about it.
    client.revoke(&own).await.expect(200);
    at.refused(&own, Reason::GrantEnded).await;
    assert_eq!(at.asked(Kind::Introspect), 1);
}

#[tokio::test]
async fn without_other_sources_nothing_but_ours_is_good() {
    let at = start(|builder, _| builder).await;
    for token in [
        ApiKey::generate().reveal(),
        at.token(json!({})),
        "opaque".to_owned(),
    ] {
        at.refused(&token, Reason::InvalidToken).await;
    }
    assert_eq!((at.asked(Kind::Introspect), at.asked(Kind::Keys)), (0, 0));
}
