//! What every type of the interface can do, whatever it is made of inside.

use std::fmt::Debug;

use tower_oauth_proxy as lib;

fn travels<T: Send + Sync + Unpin + Debug + 'static>() {}

/// A lost auto trait breaks users, and no other test would notice.
#[test]
fn public_types_can_be_sent_shared_and_printed() {
    travels::<lib::OAuthProxyConfig>();
    travels::<lib::OAuthProxyLayer>();
    travels::<lib::OAuthProxyService<()>>();
    travels::<lib::OAuthProxyAdmin>();
    travels::<lib::AuthSession>();
    travels::<lib::UpstreamTokens>();
    travels::<lib::Provider>();
    travels::<lib::StaticClient>();
    travels::<lib::RedirectPolicy>();
    travels::<lib::SecretKey>();
    travels::<lib::MemoryStorage>();
    travels::<lib::Event>();
    travels::<lib::LoginRequest>();
    travels::<lib::RegistrationRequest>();
    travels::<lib::Veto>();
    travels::<lib::ConfigError>();
    travels::<lib::StorageError>();
    travels::<lib::VerifiedToken>();
    travels::<lib::VerifyError>();
    travels::<lib::guard::Guard>();
    travels::<lib::guard::RequireLayer>();
    travels::<lib::guard::RequireService<()>>();
    travels::<lib::storage::ListPage>();
}

/// A builder is moved, not shared: the callbacks that it holds need not be.
#[test]
fn a_builder_can_be_sent() {
    fn moves<T: Send + Unpin + Debug + 'static>() {}
    moves::<lib::OAuthProxyConfigBuilder>();
}
