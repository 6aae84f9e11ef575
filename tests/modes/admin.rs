//! The operator lists and ends grants by person, by client and by name.

use tower_oauth_proxy::{Reason, SecretKey, Step};

use crate::common::{Client, Kind, Pkce, Proxy, Tokens};

async fn subjects_grants(proxy: &Proxy, subject: &str) -> Vec<String> {
    let grants = proxy
        .layer
        .handle()
        .grants_of_subject(subject)
        .await
        .unwrap();
    grants.into_iter().map(|grant| grant.id).collect()
}

/// The person that the kit's provider logs in.
async fn somebody(proxy: &Proxy, client: &Client) -> (Tokens, String) {
    let tokens = proxy.journey(client).await;
    let session = proxy.session(client, &tokens.access).await;
    let subject = session["subject"].as_str().unwrap().to_owned();
    (tokens, subject)
}

#[tokio::test]
async fn a_persons_grants_are_listed_with_what_they_may_and_end_together() {
    let proxy = Proxy::start().await;
    let handle = proxy.layer.handle();
    let (first, second) = (proxy.client().await, proxy.client().await);
    let (tokens, ada) = somebody(&proxy, &first).await;
    let (others, _) = somebody(&proxy, &second).await;
    proxy.provider.configure(|settings| {
        settings.person.insert("sub".into(), "bob".into());
    });
    let (bobs, bob) = somebody(&proxy, &first).await;
    assert_eq!(bob, "bob");

    let grants = handle.grants_of_subject(&ada).await.unwrap();
    assert_eq!(grants.len(), 2, "{grants:?}");
    let of_first = grants
        .iter()
        .find(|grant| grant.client_id == first.id)
        .unwrap();
    assert_eq!(of_first.subject, ada);
    assert!(of_first.scopes.contains("read"));
    assert!(of_first.refreshed_at.is_some());
    assert_eq!(handle.grants_of_client(&first.id).await.unwrap().len(), 2);
    assert!(handle.grants_of_subject("nobody").await.unwrap().is_empty());

    assert_eq!(handle.revoke_subject(&ada).await.unwrap(), 2);
    for (client, tokens) in [(&first, &tokens), (&second, &others)] {
        client
            .call("/mcp", &tokens.access)
            .await
            .refused(401, "invalid_token");
        client
            .refresh(tokens.refresh())
            .await
            .refused(400, "invalid_grant");
    }
    assert!(subjects_grants(&proxy, &ada).await.is_empty());
    assert_eq!(handle.revoke_subject(&ada).await.unwrap(), 0);
    // Bob is somebody else, and the provider heard of Ada's tokens only.
    proxy.session(&first, &bobs.access).await;
    for _ in 0..100 {
        if proxy.provider.count(Kind::Revoke) == 2 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!(
        "revoked at the provider: {}",
        proxy.provider.count(Kind::Revoke)
    );
}

#[tokio::test]
async fn a_client_and_a_single_grant_can_be_ended() {
    let proxy = Proxy::start().await;
    let handle = proxy.layer.handle();
    let (first, second) = (proxy.client().await, proxy.client().await);
    let (tokens, subject) = somebody(&proxy, &first).await;
    let (kept, _) = somebody(&proxy, &second).await;
    assert_eq!(handle.revoke_client(&first.id).await.unwrap(), 1);
    first
        .refresh(tokens.refresh())
        .await
        .refused(400, "invalid_grant");
    proxy.session(&second, &kept.access).await;

    let [id] = &subjects_grants(&proxy, &subject).await[..] else {
        panic!("one grant is left");
    };
    assert!(handle.revoke_grant(id).await.unwrap());
    assert!(!handle.revoke_grant(id).await.unwrap());
    assert!(!handle.revoke_grant("no such grant").await.unwrap());
    second
        .call("/mcp", &kept.access)
        .await
        .refused(401, "invalid_token");
    proxy.told(Step::Bearer, Reason::GrantEnded);
}

#[tokio::test]
async fn a_login_whose_code_was_not_redeemed_yet_is_listed_and_ends_too() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let pkce = Pkce::new();
    let callback = proxy.login(&mut proxy.browser(), &client, &pkce).await;
    let handle = proxy.layer.handle();
    let grants = handle.grants_of_client(&client.id).await.unwrap();
    assert_eq!(grants.len(), 1);
    assert_eq!(grants[0].refreshed_at, None);
    assert_eq!(handle.revoke_client(&client.id).await.unwrap(), 1);
    client
        .redeem(&callback, &pkce)
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn what_one_instance_granted_under_an_old_secret_another_lists_for_as_long_as_it_lives() {
    let (old, store) = Proxy::with_store(|builder| builder).await;
    let client = old.client().await;
    let (mut tokens, subject) = somebody(&old, &client).await;
    let new = old.sibling(|builder| {
        let before = SecretKey::from_bytes(crate::common::proxy::SECRET).unwrap();
        builder
            .token_storage(store.clone())
            .secret_key(crate::common::proxy::secret(9))
            .previous_secret_keys([before])
    });
    let there = Client {
        wire: new.wire.clone(),
        ..client.clone()
    };
    // Ten refreshes, a fortnight apart: far longer than a list that nobody touches would live.
    for _ in 0..10 {
        assert_eq!(subjects_grants(&new, &subject).await.len(), 1);
        new.clock.advance_secs(14 * 24 * 60 * 60);
        tokens = Tokens::read(&there.refresh(tokens.refresh()).await);
    }
    assert_eq!(
        new.layer.handle().revoke_subject(&subject).await.unwrap(),
        1
    );
    there
        .refresh(tokens.refresh())
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn twenty_logins_at_once_are_all_listed() {
    let proxy = std::sync::Arc::new(Proxy::start().await);
    let client = proxy.client().await;
    let logins = (0..20).map(|_| {
        let (proxy, client) = (proxy.clone(), client.clone());
        async move { proxy.journey(&client).await }
    });
    let mut all = Vec::new();
    for login in logins {
        all.push(login);
    }
    let mut set = tokio::task::JoinSet::new();
    for login in all {
        set.spawn(login);
    }
    assert_eq!(set.join_all().await.len(), 20);
    let grants = proxy
        .layer
        .handle()
        .grants_of_client(&client.id)
        .await
        .unwrap();
    assert_eq!(grants.len(), 20);
}
