//! What an example says at its start: by which words it logs, and that a slip in a name is told.

use std::collections::BTreeSet;

use tracing_subscriber::filter::LevelFilter;

use super::super::{known, log};
use super::environment::refusal;

#[test]
fn rust_log_sets_the_level_of_all_and_of_each_target() {
    use tracing::Level;
    let info = LevelFilter::INFO;
    let filter = |said: &str| match log::filter(said, info) {
        Ok(filter) => filter,
        Err(refusal) => panic!("{refusal}"),
    };
    assert!(filter("").would_enable("tower_oauth_proxy", &Level::INFO));
    assert!(!filter(" ").would_enable("tower_oauth_proxy", &Level::DEBUG));
    assert!(filter("debug").would_enable("hyper", &Level::DEBUG));
    assert!(!filter("off").would_enable("tower_oauth_proxy", &Level::ERROR));
    let some = filter("tower_oauth_proxy=debug, warn");
    assert!(some.would_enable("tower_oauth_proxy", &Level::DEBUG));
    assert!(!some.would_enable("hyper", &Level::INFO));
    assert!(some.would_enable("hyper", &Level::WARN));
}

#[test]
fn a_level_that_is_none_is_refused_with_its_word() {
    for (said, word) in [
        ("inof", "inof"),
        ("tower_oauth_proxy", "tower_oauth_proxy"),
        ("info,tower_oauth_proxy=loud", "tower_oauth_proxy=loud"),
        ("=debug", "=debug"),
        ("info,", "``"),
    ] {
        let refused = log::filter(said, LevelFilter::INFO);
        let said = refused.map(drop).err().map(|it| it.to_string());
        let said = said.unwrap_or_else(|| panic!("{word} is taken"));
        assert!(
            said.starts_with("RUST_LOG: ") && said.contains(word),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_slip_in_a_name_is_told_and_other_peoples_variables_are_left_alone() {
    for (slip, known) in [
        ("ALLOWED_DOMAIN", "ALLOWED_DOMAINS"),
        ("ALOWED_EMAILS", "ALLOWED_EMAILS"),
        ("ALLOWED_GROPUS", "ALLOWED_GROUPS"),
        ("SECRETKEY", "SECRET_KEY"),
        ("SCOPE", "SCOPES"),
        ("REQUIRED_SCOPEZ", "REQUIRED_SCOPES"),
    ] {
        let said = refusal(&[(slip, "x")]).await;
        assert!(
            said.starts_with(&format!("{slip}: ")) && said.contains(known),
            "{said}"
        );
    }
    let others = [
        "PATH",
        "HOME",
        "PROVIDER_PORT",
        "LISTEN_FDS",
        "UPSTREAM_SERVICE_HOST",
        "CARGO",
    ];
    for name in others {
        assert!(known::check([name].into_iter()).is_ok(), "{name}");
    }
}

/// Whatever reads a variable, by a name that stands between quotes.
#[test]
fn every_variable_that_is_read_is_known_and_every_one_that_is_known_is_read() {
    let sources = [
        include_str!("../env.rs"),
        include_str!("../upstream.rs"),
        include_str!("../clients.rs"),
        include_str!("../machines.rs"),
        include_str!("../outbound.rs"),
        include_str!("../signing.rs"),
        include_str!("../tool_rules.rs"),
    ];
    let is_name = |text: &&str| {
        let is_part = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
        text.len() >= 4 && text.bytes().all(is_part) && !text.starts_with('_')
    };
    let read = sources
        .iter()
        .flat_map(|source| source.split('"').filter(is_name));
    let read: BTreeSet<&str> = read.collect();
    let known: BTreeSet<&str> = known::KNOWN.iter().copied().collect();
    assert_eq!(read, known);
}
