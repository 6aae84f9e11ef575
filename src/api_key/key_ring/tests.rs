use super::*;
use crate::{api_key::hash_text::write_hash, key::sha256};

fn base() -> BaseUrl {
    BaseUrl::parse("https://h.example/api").unwrap()
}

fn ring(keys: Vec<ApiKey>) -> Result<KeyRing, ConfigError> {
    KeyRing::new(keys, &base())
}

fn fault(key: ApiKey) -> String {
    ring(vec![key]).err().unwrap().to_string()
}

fn hash() -> String {
    ApiKey::generate().hash()
}

fn name(found: &Found<'_>) -> String {
    match found {
        Found::Other => "other".to_owned(),
        Found::Mistyped => "mistyped".to_owned(),
        Found::Unknown => "unknown".to_owned(),
        Found::Key(key) => key.subject(),
    }
}

#[test]
fn a_key_is_found_by_its_text_among_many_and_no_other_is() {
    let new: Vec<_> = (0..500).map(|_| ApiKey::generate()).collect();
    let keys = new.iter().enumerate();
    let keys = keys.map(|(at, new)| ApiKey::new(format!("key-{at}"), new.hash()));
    let ring = ring(keys.collect()).unwrap();
    for (at, new) in new.into_iter().enumerate() {
        let text = new.reveal();
        assert_eq!(name(&ring.look_up(&text)), format!("key|key-{at}"));
        assert_eq!(name(&ring.look_up(&text[..55])), "mistyped");
        assert_eq!(name(&ring.look_up(&text[1..])), "other");
        assert_eq!(
            name(&ring.look_up(&write_hash(&sha256(text.as_bytes())))),
            "other"
        );
    }
    assert_eq!(name(&ring.look_up(&ApiKey::generate().reveal())), "unknown");
}

#[test]
fn of_two_hashes_that_begin_alike_each_is_its_own_key() {
    let mut one = sha256(b"one");
    let keys = [0, 1, 2].map(|last| {
        one[31] = last;
        ApiKey::new(format!("key-{last}"), write_hash(&one))
    });
    let ring = ring(keys.into()).unwrap();
    for last in [0, 1, 2] {
        one[31] = last;
        assert_eq!(ring.of(&one).unwrap().name, format!("key-{last}"));
    }
    one[31] = 3;
    assert!(ring.of(&one).is_none());
    one[0] ^= 1;
    assert!(ring.of(&one).is_none());
}

#[test]
fn without_keys_no_text_is_taken_for_one() {
    let ring = ring(Vec::new()).unwrap();
    for text in ["topkey_", &ApiKey::generate().reveal(), "other"] {
        assert_eq!(name(&ring.look_up(text)), "other", "{text}");
    }
}

#[test]
fn two_keys_share_neither_a_name_nor_a_hash() {
    let two = |one: ApiKey, other: ApiKey| ring(vec![one, other]).err().map(|it| it.to_string());
    let same = hash();
    let named = two(ApiKey::new("ci", hash()), ApiKey::new("ci", hash())).unwrap();
    assert!(
        named.contains("`api_keys`: `ci` is the name of two keys"),
        "{named}"
    );
    let hashed = two(
        ApiKey::new("a", same.clone()),
        ApiKey::new("b", same.clone()),
    )
    .unwrap();
    assert!(hashed.contains("have one hash"), "{hashed}");
    let upper = same.to_uppercase().replace("SHA256", "sha256");
    assert!(two(ApiKey::new("a", same), ApiKey::new("b", upper)).is_some());
    assert_eq!(
        two(ApiKey::new("a", hash()), ApiKey::new("A", hash())),
        None
    );
}

#[test]
fn a_key_that_could_not_be_meant_is_refused_by_its_name() {
    for (key, words) in [
        (ApiKey::new("", hash()), "is no name"),
        (ApiKey::new("a b", hash()), "is no name"),
        (ApiKey::new("a|b", hash()), "is no name"),
        (ApiKey::new("é", hash()), "is no name"),
        (ApiKey::new("x".repeat(65), hash()), "is no name"),
        (
            ApiKey::new("ci", "sha256:00"),
            "`ci` has a hash of 2 characters",
        ),
        (ApiKey::new("ci", ""), "`ci` has a hash that does not begin"),
        (
            ApiKey::new("ci", hash()).scopes(["two words"]),
            "`ci` has scopes",
        ),
        (
            ApiKey::new("ci", hash()).roles([""]),
            "`ci` has more than 64 roles, or one that is empty",
        ),
        (
            ApiKey::new("ci", hash()).roles(["x".repeat(257)]),
            "over 256 bytes",
        ),
        (
            ApiKey::new("ci", hash()).roles((0..65).map(|n| n.to_string())),
            "more than 64",
        ),
        (
            ApiKey::new("ci", hash()).resource("https://h.example/apix"),
            "neither the base URL",
        ),
        (
            ApiKey::new("ci", hash()).resource("/mcp"),
            "neither the base URL",
        ),
    ] {
        let fault = fault(key);
        assert!(fault.contains(words), "{fault}");
    }
    let key = ApiKey::generate().reveal();
    for wrong in [
        ApiKey::new(key.clone(), hash()),
        ApiKey::new("ci", key.clone()),
    ] {
        let fault = fault(wrong);
        assert!(!fault.contains(&key[..20]), "{fault}");
    }
    let many = (0..=MAX_API_KEYS).map(|at| ApiKey::new(at.to_string(), hash()));
    assert!(ring(many.collect()).is_err());
}

#[test]
fn a_key_ends_at_its_second_and_what_is_odd_is_said() {
    let keys = vec![
        ApiKey::new("old", hash()).expires_at(Unix::at(100).into()),
        ApiKey::new("narrow", hash()).scopes(["read"]),
        ApiKey::new("wide", hash()).scopes(["read", "write"]),
        ApiKey::new("implied", hash()).scopes(["admin"]),
    ];
    let ring = ring(keys).unwrap();
    let required = ScopeSet::parse("read write").unwrap();
    let implied = [("admin".to_owned(), required.clone())];
    let implied = ScopeImplications::new(&implied).unwrap();
    let old = ring.keys.iter().find(|key| key.name == "old").unwrap();
    assert!(!old.is_over(Unix::at(99)) && old.is_over(Unix::at(100)));
    let odd = ring.odd(&required, &implied, Unix::at(100));
    assert_eq!(odd.len(), 2, "{odd:?}");
    assert!(odd.iter().any(|words| words.contains("`old` has expired")));
    assert!(
        odd.iter()
            .any(|words| words.contains("`narrow` lacks the scope `write`"))
    );
}

#[test]
fn a_key_is_for_the_base_url_unless_it_says_more() {
    let keys = [
        ("all", None, "https://h.example/api"),
        (
            "base",
            Some("https://h.example/api/"),
            "https://h.example/api/",
        ),
        (
            "below",
            Some("https://h.example/api/mcp"),
            "https://h.example/api/mcp",
        ),
    ];
    for (name, resource, expected) in keys {
        let mut key = ApiKey::new(name, hash());
        key.resource = resource.map(str::to_owned);
        let held = HeldKey::new(key, &base()).unwrap();
        assert!(held.resource.covers(&base(), "/api/mcp/x"), "{name}");
        assert_eq!(held.resource.covers(&base(), "/api/other"), name != "below");
        assert!(expected.starts_with(held.resource.as_str()), "{name}");
    }
}
