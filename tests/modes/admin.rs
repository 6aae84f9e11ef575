//! The operator lists and ends grants by person, by client and by name.

use std::{future::poll_fn, task::Poll, time::Duration};

use tower_oauth_proxy::{OAuthProxyAdmin, Reason, SecretKey, Step, StorageError};

use testkit::{Client, Kind, Pkce, Proxy, Tokens, store::Health};

/// What a task of its own does is done at some time, within ten seconds.
async fn eventually(is_done: impl AsyncFn() -> bool) {
    for _ in 0..1_000 {
        if is_done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it was never done");
}

async fn subjects_grants(proxy: &Proxy, subject: &str) -> Vec<String> {
    let grants = proxy
        .layer
        .admin()
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
    let admin = proxy.layer.admin();
    let (first, second) = (proxy.client().await, proxy.client().await);
    let (tokens, ada) = somebody(&proxy, &first).await;
    let (others, _) = somebody(&proxy, &second).await;
    proxy.provider.configure(|settings| {
        settings.person.insert("sub".into(), "bob".into());
    });
    let (bobs, bob) = somebody(&proxy, &first).await;
    assert_eq!(bob, "bob");

    let grants = admin.grants_of_subject(&ada).await.unwrap();
    assert_eq!(grants.len(), 2, "{grants:?}");
    let of_first = grants
        .iter()
        .find(|grant| grant.client_id == first.id)
        .unwrap();
    assert_eq!(of_first.subject, ada);
    assert!(of_first.scopes.contains("read"));
    assert!(of_first.refreshed_at.is_some());
    assert_eq!(admin.grants_of_client(&first.id).await.unwrap().len(), 2);
    assert!(admin.grants_of_subject("nobody").await.unwrap().is_empty());

    assert_eq!(admin.revoke_subject(&ada).await.unwrap(), 2);
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
    assert_eq!(admin.revoke_subject(&ada).await.unwrap(), 0);
    // Bob is somebody else, and the provider heard of Ada's tokens only.
    proxy.session(&first, &bobs.access).await;
    eventually(async || proxy.provider.count(Kind::Revoke) == 2).await;
}

#[tokio::test]
async fn a_client_and_a_single_grant_can_be_ended() {
    let proxy = Proxy::start().await;
    let admin = proxy.layer.admin();
    let (first, second) = (proxy.client().await, proxy.client().await);
    let (tokens, subject) = somebody(&proxy, &first).await;
    let (kept, _) = somebody(&proxy, &second).await;
    assert_eq!(admin.revoke_client(&first.id).await.unwrap(), 1);
    first
        .refresh(tokens.refresh())
        .await
        .refused(400, "invalid_grant");
    proxy.session(&second, &kept.access).await;

    let [id] = &subjects_grants(&proxy, &subject).await[..] else {
        panic!("one grant is left");
    };
    assert!(admin.revoke_grant(id).await.unwrap());
    assert!(!admin.revoke_grant(id).await.unwrap());
    assert!(!admin.revoke_grant("no such grant").await.unwrap());
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
    let admin = proxy.layer.admin();
    let grants = admin.grants_of_client(&client.id).await.unwrap();
    assert_eq!(grants.len(), 1);
    assert_eq!(grants[0].refreshed_at, None);
    assert_eq!(admin.revoke_client(&client.id).await.unwrap(), 1);
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
        let before = SecretKey::from_bytes(testkit::proxy::SECRET).unwrap();
        builder
            .token_storage(store.clone())
            .secret_key(testkit::proxy::secret(9))
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
    assert_eq!(new.layer.admin().revoke_subject(&subject).await.unwrap(), 1);
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
        .admin()
        .grants_of_client(&client.id)
        .await
        .unwrap();
    assert_eq!(grants.len(), 20);
}

#[tokio::test]
async fn a_grant_that_could_not_be_listed_is_listed_when_its_client_next_writes() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    let client = proxy.client().await;
    store.be(Health::WithoutLists);
    let (tokens, ada) = somebody(&proxy, &client).await;
    store.be(Health::Up);
    assert!(subjects_grants(&proxy, &ada).await.is_empty());
    let events = proxy.events();
    let told = events.iter().filter(|event| event.step == Step::Storage);
    for event in told.clone() {
        let detail = event.detail.as_deref().unwrap_or_default();
        assert!(detail.contains("broken on purpose"), "the cause: {detail}");
    }
    let told: Vec<_> = told.filter_map(|event| event.grant.clone()).collect();
    let tokens = Tokens::read(&client.refresh(tokens.refresh()).await);
    let listed = subjects_grants(&proxy, &ada).await;
    assert_eq!(listed.len(), 1);
    assert!(told.contains(&listed[0]), "{told:?}");
    assert_eq!(proxy.layer.admin().revoke_subject(&ada).await.unwrap(), 1);
    client
        .refresh(tokens.refresh())
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_redemption_lists_a_login_that_was_not() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    let client = proxy.client().await;
    let pkce = Pkce::new();
    store.be(Health::WithoutLists);
    let callback = proxy.login(&mut proxy.browser(), &client, &pkce).await;
    store.be(Health::Up);
    let admin = proxy.layer.admin();
    assert!(admin.grants_of_client(&client.id).await.unwrap().is_empty());
    Tokens::read(&client.redeem(&callback, &pkce).await);
    assert_eq!(admin.grants_of_client(&client.id).await.unwrap().len(), 1);
}

/// A list may not end before the grant does: whoever uses it once a week is listed all the time.
#[tokio::test]
async fn a_grant_is_listed_to_its_very_end() {
    let proxy = Proxy::start().await;
    let client = proxy.client().await;
    let (tokens, ada) = somebody(&proxy, &client).await;
    const DAY: u64 = 24 * 60 * 60;
    // Just before it would be listed anew, so that its list is as old as can be.
    proxy.clock.advance_secs(7 * DAY);
    Tokens::read(&client.refresh(tokens.refresh()).await);
    proxy.clock.advance_secs(30 * DAY - 60);
    assert_eq!(subjects_grants(&proxy, &ada).await.len(), 1);
    proxy.clock.advance_secs(120);
    assert!(subjects_grants(&proxy, &ada).await.is_empty());
}

#[tokio::test]
async fn an_ended_grant_is_taken_out_of_its_lists() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    let client = proxy.client().await;
    let (tokens, _) = somebody(&proxy, &client).await;
    client.revoke(tokens.refresh()).await.expect(200);
    let removed = || {
        let seen = store.seen().into_iter();
        seen.filter(|seen| seen.verb == "list_remove").count()
    };
    eventually(async || removed() >= 2).await;
}

#[tokio::test]
async fn a_client_of_many_people_is_listed_in_pages_and_ended_as_a_whole() {
    const PEOPLE: usize = 300;
    let proxy = Proxy::start().await;
    let settings = |settings: &mut testkit::provider::Settings| {
        settings.everybody_is_new = true;
    };
    proxy.provider.configure(settings);
    let client = proxy.client().await;
    for _ in 0..PEOPLE {
        proxy
            .login(&mut proxy.browser(), &client, &Pkce::new())
            .await;
    }
    let admin = proxy.layer.admin();
    let first = admin.grants_of_client_page(&client.id, None).await.unwrap();
    let next = first.next.expect("there are more");
    assert!(!first.grants.is_empty() && first.grants.len() < PEOPLE);
    let second = admin.grants_of_client_page(&client.id, Some(&next)).await;
    let second = second.unwrap();
    assert_eq!(second.next, None);
    let pages = [first.grants, second.grants].concat();
    let ids: std::collections::HashSet<_> = pages.into_iter().map(|grant| grant.id).collect();
    assert_eq!(ids.len(), PEOPLE);
    assert_eq!(
        admin.grants_of_client(&client.id).await.unwrap().len(),
        PEOPLE
    );
    for nonsense in ["", "x", "0.x", "-1.5:a"] {
        let page = admin
            .grants_of_client_page(&client.id, Some(nonsense))
            .await;
        assert!(matches!(page, Err(StorageError::Corrupt(_))), "{page:?}");
    }
    assert_eq!(admin.revoke_client(&client.id).await.unwrap(), PEOPLE);
    assert!(admin.grants_of_client(&client.id).await.unwrap().is_empty());
}

/// Begins the work and goes away.
async fn hang_up<T>(work: impl Future<Output = T>) {
    let mut work = Box::pin(work);
    poll_fn(|context| {
        assert!(work.as_mut().poll(context).is_pending(), "it was too quick");
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn what_the_operator_began_is_finished_when_nobody_waits_for_it() {
    type Begin = fn(OAuthProxyAdmin, String, String) -> Begun;
    type Begun = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
    let ways: [(&str, Begin); 3] = [
        ("revoke_subject", |admin, _, _| {
            Box::pin(async move { drop(admin.revoke_subject("person-1").await) })
        }),
        ("revoke_client", |admin, client, _| {
            Box::pin(async move { drop(admin.revoke_client(&client).await) })
        }),
        ("revoke_grant", |admin, _, grant| {
            Box::pin(async move { drop(admin.revoke_grant(&grant).await) })
        }),
    ];
    for (way, begin) in ways {
        let (proxy, store) = Proxy::with_store(|builder| builder).await;
        let client = proxy.client().await;
        let (tokens, ada) = somebody(&proxy, &client).await;
        let others = match way {
            "revoke_grant" => Vec::new(),
            _ => vec![proxy.journey(&client).await, proxy.journey(&client).await],
        };
        let grant = subjects_grants(&proxy, &ada).await.remove(0);
        store.be(Health::Slow);
        hang_up(begin(proxy.layer.admin(), client.id.clone(), grant)).await;
        eventually(async || subjects_grants(&proxy, &ada).await.is_empty()).await;
        for tokens in others.iter().chain([&tokens]) {
            let reply = client.call("/mcp", &tokens.access).await;
            assert_eq!(reply.status, 401, "{way}: {reply:?}");
        }
        eventually(async || proxy.provider.count(Kind::Revoke) > others.len()).await;
    }
}

#[tokio::test]
async fn a_client_is_denied_when_nobody_waits_for_it() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    let client = proxy.client().await;
    store.be(Health::Slow);
    hang_up(proxy.layer.admin().deny_client(&client.id)).await;
    let url = client.authorize(&Pkce::new(), "state").url();
    let is_denied = async || proxy.browser().open(&url).await.page().reply.status == 400;
    eventually(is_denied).await;
}

#[tokio::test]
async fn what_the_operator_ends_or_denies_has_an_event_that_says_whom() {
    let (proxy, store) = Proxy::with_store(|builder| builder).await;
    let (admin, client) = (proxy.layer.admin(), proxy.client().await);
    let told = || {
        let events = proxy.events();
        proxy.forget_events();
        let of_ours = events.into_iter();
        let of_ours = of_ours.filter(|event| event.step == Step::Revoke && event.reason.is_none());
        of_ours.collect::<Vec<_>>()
    };
    let (_, ada) = somebody(&proxy, &client).await;
    somebody(&proxy, &client).await;
    told();

    let one = subjects_grants(&proxy, &ada).await.pop().unwrap();
    assert!(admin.revoke_grant(&one).await.unwrap());
    let [event] = &told()[..] else { panic!() };
    assert_eq!(event.grant.as_deref(), Some(&*one));
    assert_eq!(event.detail.as_deref(), Some("by the operator"));
    assert!(!admin.revoke_grant(&one).await.unwrap());
    assert!(told().is_empty(), "nothing was ended");

    assert_eq!(admin.revoke_subject(&ada).await.unwrap(), 1);
    let [event] = &told()[..] else { panic!() };
    assert_eq!(event.subject.as_deref(), Some(&*ada));
    let words = "by the operator; grants ended: 1";
    assert_eq!(event.detail.as_deref(), Some(words));

    somebody(&proxy, &client).await;
    told();
    assert_eq!(admin.revoke_client(&client.id).await.unwrap(), 1);
    let [event] = &told()[..] else { panic!() };
    assert_eq!(event.client.as_deref(), Some(&*client.id));
    assert_eq!(event.detail.as_deref(), Some(words));

    admin.deny_client(&client.id).await.unwrap();
    let [event] = &told()[..] else { panic!() };
    assert_eq!(event.client.as_deref(), Some(&*client.id));
    assert_eq!(event.detail.as_deref(), Some("denied by the operator"));

    store.be(Health::Down);
    admin.deny_client("another").await.unwrap_err();
    admin.revoke_subject(&ada).await.unwrap_err();
    assert!(
        told().is_empty(),
        "what did not happen has no event of success"
    );
}
