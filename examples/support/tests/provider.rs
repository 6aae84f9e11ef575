//! The provider of the examples, as a service of one's own uses it.

use super::super::{
    idp::{IdentityProvider, app::App},
    serve::never,
};
use tokio::net::TcpListener;
use tower_oauth_proxy::{OAuthProxyConfig, provider};

#[test]
fn an_app_to_try_out_may_send_people_to_any_place_on_this_machine_and_nowhere_else() {
    let callback = App::to_try_out().callback;
    for uri in [
        "http://127.0.0.1:3000/oauth/callback",
        "http://localhost/x?y=1",
        "https://[::1]:8443/api/oauth/callback",
        "http://127.3.2.1:1/",
    ] {
        assert!(callback.admits(uri), "{uri}");
    }
    for uri in [
        "",
        "/oauth/callback",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://ada@127.0.0.1/",
        "http://10.0.0.1/",
        "http://[::2]/",
        "http://127.0.0.1/#x",
        "javascript://127.0.0.1/%0aalert(1)",
        "cursor://localhost/callback",
    ] {
        assert!(!callback.admits(uri), "{uri}");
    }
}

#[test]
fn an_app_with_a_callback_has_that_one_alone_and_a_secret_of_its_own() {
    let uri = "http://127.0.0.1:1/oauth/callback";
    let (one, other) = (
        App::with_callback(uri.into()),
        App::with_callback(uri.into()),
    );
    assert!(one.callback.admits(uri));
    assert!(!one.callback.admits("http://127.0.0.1:2/oauth/callback"));
    assert_ne!(one.secret, other.secret);
}

#[tokio::test]
async fn the_credentials_to_try_out_are_enough_for_a_service_without_a_secret_key() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = "http://127.0.0.1:1/oauth/callback".to_owned();
    let idp = IdentityProvider::start(listener, uri).unwrap();
    let App { id, secret, .. } = App::to_try_out();
    let upstream = provider::oidc(&idp.issuer, id, secret);
    assert!(
        OAuthProxyConfig::builder(upstream, "http://127.0.0.1:3000")
            .build()
            .is_ok()
    );
}

#[tokio::test]
async fn it_listens_on_this_machine_alone() {
    let everywhere = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let served = IdentityProvider::serve(everywhere, App::to_try_out(), never(), |_| {});
    assert!(served.await.is_err());
}
