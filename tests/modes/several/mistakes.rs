//! Providers that cannot stand beside each other say so at the start.

use tower_oauth_proxy::{
    Event, OAuthProxyConfigBuilder, Provider, Reason,
    provider::{azure, generic, github},
};

use crate::mistakes::{IDP, SECRET, fault_showing, good};

/// `b`, which works.
fn also() -> Provider {
    generic(format!("{IDP}/a"), format!("{IDP}/t"), "app", SECRET)
        .id("b")
        .name("Second")
        .scopes(["openid", "email"])
}

fn with(provider: Provider) -> OAuthProxyConfigBuilder {
    good().also_provider(provider)
}

#[test]
fn two_that_work_are_a_configuration() {
    with(also()).build().map(drop).unwrap();
}

#[test]
fn two_of_one_id_or_one_name_are_none() {
    let twin = github("other", SECRET).name("Other");
    assert_eq!(fault_showing(with(twin), "`github`"), "also_provider");
    let b = || with(also()).also_provider(also().name("Third"));
    assert_eq!(fault_showing(b(), "`b`"), "also_provider");
    for name in ["GitHub", "github", " GitHub", "GITHUB "] {
        let called = with(also().name(name));
        assert_eq!(
            fault_showing(called, "`github` and `b`"),
            "also_provider",
            "{name}"
        );
    }
    with(also().name("GitHub for guests"))
        .build()
        .map(drop)
        .unwrap();
}

#[test]
fn what_is_wrong_with_a_further_one_names_it() {
    for (provider, value) in [
        (also().id("Bad id"), "Bad id"),
        (also().name(""), "provider `b`"),
        (also().name("a\u{202e}b"), "provider `b`"),
        (also().scopes(["two words"]), "two words"),
        (
            also().revocation_url("http://idp.example/r"),
            "provider `b`",
        ),
        (generic("x", "y", "app", SECRET).id("b"), "provider `b`"),
        (
            azure("organizations", "app", SECRET).forward_resource(true),
            "provider `entra`",
        ),
    ] {
        assert_eq!(
            fault_showing(with(provider), value),
            "also_provider",
            "{value}"
        );
    }
}

#[test]
fn more_than_a_page_holds_are_too_many() {
    let many = |count: usize| {
        (1..count).fold(good(), |builder, n| {
            builder.also_provider(also().id(format!("b{n}")).name(format!("Number {n}")))
        })
    };
    many(32).build().map(drop).unwrap();
    assert_eq!(fault_showing(many(33), "33 providers"), "also_provider");
}

#[test]
fn a_scope_that_every_request_needs_has_to_be_had_at_each() {
    let builder = || good().scopes(["read"]).required_scopes(["read"]);
    builder().build().map(drop).unwrap();
    let fault = fault_showing(builder().also_provider(also()), "provider `b`");
    assert_eq!(fault, "required_scopes");
    let both = builder().also_provider(also().scopes(["read"]));
    both.build().map(drop).unwrap();
}

#[test]
fn allow_lists_need_addresses_of_each() {
    let listed = || {
        good()
            .scopes(["user:email"])
            .allowed_domains(["example.com"])
    };
    listed().build().map(drop).unwrap();
    listed().also_provider(also()).build().map(drop).unwrap();
    let silent = listed().also_provider(also().scopes(["openid"]));
    assert_eq!(fault_showing(silent, "Second"), "allowed_domains");
    let never = listed().also_provider(azure("organizations", "app", SECRET));
    assert_eq!(fault_showing(never, "never says"), "allowed_domains");
}

#[test]
fn paths_of_callbacks_are_ours() {
    let taken = with(also()).redirect_path("/oauth/return/b");
    assert_eq!(fault_showing(taken, "/oauth/return/b"), "redirect_path");
    let public = with(also()).public_paths(["/oauth/return/b"]);
    assert_eq!(fault_showing(public, "/oauth/return/b"), "public_paths");
    good()
        .public_paths(["/oauth/return/b"])
        .build()
        .map(drop)
        .unwrap();
}

#[test]
fn odd_and_weak_choices_are_said_at_the_start() {
    let said = |builder: OAuthProxyConfigBuilder| {
        let (sender, receiver) = std::sync::mpsc::channel::<Event>();
        let sender = std::sync::Mutex::new(sender);
        let tell = move |event: &Event| sender.lock().unwrap().send(event.clone()).unwrap();
        builder.on_event(tell).build().map(drop).unwrap();
        let events = receiver.try_iter();
        let details = events.filter_map(|event| Some((event.reason?, event.detail?)));
        details.collect::<Vec<_>>()
    };
    let has = |said: &[(Reason, String)], reason, words: &str| {
        said.iter()
            .any(|(r, detail)| *r == reason && detail.contains(words))
    };
    let choose = |b: OAuthProxyConfigBuilder| {
        b.choose_provider(|_| tower_oauth_proxy::ProviderChoice::Person)
    };
    assert!(has(
        &said(choose(good())),
        Reason::OddOption,
        "nothing to choose"
    ));
    assert!(!has(
        &said(choose(with(also()))),
        Reason::OddOption,
        "nothing to choose"
    ));
    let open = said(with(also().uses_pkce(false)));
    assert!(
        has(&open, Reason::WeakOption, "account of GitHub"),
        "{open:?}"
    );
    assert!(
        has(
            &open,
            Reason::WeakOption,
            "upstream_pkce is off: the code of Second"
        ),
        "{open:?}"
    );
}

/// One document is one registration: each of its readers accepts the callback of the other, so each has to
/// name itself.
#[test]
fn providers_that_read_one_document_have_to_name_themselves() {
    let reader = |id: &str| {
        generic(format!("{IDP}/{id}/a"), format!("{IDP}/{id}/t"), "", "")
            .client_metadata_document()
            .id(id)
            .name(id)
    };
    let beside = |other: Provider| with(reader("b")).also_provider(other);
    beside(also().id("c").name("Third"))
        .build()
        .map(drop)
        .unwrap();
    assert_eq!(
        fault_showing(beside(reader("c")), "`b` shares"),
        "also_provider"
    );
    let named = |id: &str| reader(id).issuer(format!("{IDP}/{id}"));
    let both = || with(named("b")).also_provider(named("c"));
    both().build().map(drop).unwrap();
    let one = with(named("b")).also_provider(reader("c"));
    assert_eq!(fault_showing(one, "`c` shares"), "also_provider");
}
