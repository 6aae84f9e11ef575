use proptest::prelude::*;
use serde_json::json;

use super::*;

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    }
}

fn passed(rule: &ClaimsPassthrough, access: &Value, id: &Value) -> Value {
    Value::Object(rule.collect(access.as_object(), id.as_object()))
}

#[test]
fn simple_claims_of_both_tokens_pass_by_default_and_the_access_token_wins() {
    let rule = ClaimsPassthrough::default();
    let access = json!({"role": "admin", "level": 3, "on": true, "none": null});
    let id = json!({"role": "guest", "email": "a@example.com", "level": 1.5});
    assert_eq!(
        passed(&rule, &access, &id),
        json!({"role": "admin", "level": 3, "on": true, "email": "a@example.com"})
    );
}

#[test]
fn each_source_can_be_turned_off() {
    let (access, id) = (json!({"a": 1, "both": 1}), json!({"i": 2, "both": 2}));
    let only_id = ClaimsPassthrough::default().from_access_token(false);
    assert_eq!(passed(&only_id, &access, &id), json!({"i": 2, "both": 2}));
    let only_access = ClaimsPassthrough::default().from_id_token(false);
    assert_eq!(
        passed(&only_access, &access, &id),
        json!({"a": 1, "both": 1})
    );
    assert_eq!(
        passed(&ClaimsPassthrough::disabled(), &access, &id),
        json!({})
    );
}

#[test]
fn protected_claims_never_pass_from_any_source_in_any_case() {
    let rules = [
        ClaimsPassthrough::default().allow_complex(true),
        ClaimsPassthrough::default().prefix("up_"),
        ClaimsPassthrough::default().allowed_claims(
            PROTECTED
                .iter()
                .flat_map(|n| [(*n).to_owned(), n.to_uppercase()]),
        ),
    ];
    for name in PROTECTED {
        for name in [(*name).to_owned(), name.to_uppercase()] {
            let claims = json!({ name: "evil" });
            for rule in &rules {
                assert_eq!(passed(rule, &claims, &claims), json!({}));
            }
        }
    }
}

#[test]
fn a_prefix_cannot_make_a_protected_name() {
    let rule = ClaimsPassthrough::default().prefix("i");
    let access = json!({"ss": "https://evil.example", "at": 1, "x": 1});
    assert_eq!(passed(&rule, &access, &json!({})), json!({"ix": 1}));
}

#[test]
fn the_lists_name_claims_without_the_prefix_and_blocked_wins() {
    let rule = ClaimsPassthrough::default()
        .prefix("up_")
        .allowed_claims(["role", "email", "missing"])
        .blocked_claims(["email"]);
    let access = json!({"role": "admin", "email": "a@example.com", "other": 1, "up_role": 2});
    assert_eq!(
        passed(&rule, &access, &json!({})),
        json!({"up_role": "admin"})
    );
    let nothing = ClaimsPassthrough::default().allowed_claims([""; 0]);
    assert_eq!(passed(&nothing, &access, &json!({})), json!({}));
}

#[test]
fn arrays_and_objects_are_dropped_unless_allowed() {
    let access = json!({"roles": ["admin"], "org": {"id": 1}, "n": 1});
    let off = ClaimsPassthrough::default();
    assert_eq!(passed(&off, &access, &json!({})), json!({"n": 1}));
    assert_eq!(
        passed(&off.allow_complex(true), &access, &json!({})),
        access
    );
}

#[test]
fn a_value_above_its_size_is_dropped_and_the_other_token_s_passes() {
    let rule = ClaimsPassthrough::default();
    // Two bytes are the quotes.
    let (fits, over) = ("x".repeat(1998), "x".repeat(1999));
    let id = json!({"a": fits});
    assert_eq!(
        passed(&rule, &json!({"a": fits}), &json!({})),
        json!({"a": fits})
    );
    assert_eq!(passed(&rule, &json!({"a": over}), &json!({})), json!({}));
    assert_eq!(passed(&rule, &json!({"a": over}), &id), json!({"a": fits}));
    let small = ClaimsPassthrough::default()
        .max_claim_value_size(4)
        .allow_complex(true);
    let access = json!({"a": "xx", "b": "xxx", "c": 12345, "d": [1], "e": "\n\n"});
    assert_eq!(
        passed(&small, &access, &json!({})),
        json!({"a": "xx", "d": [1]})
    );
}

#[test]
fn all_claims_together_are_bounded_in_number_and_size() {
    let many: Map<_, _> = (0..500).map(|n| (format!("c{n}"), json!(n))).collect();
    let rule = ClaimsPassthrough::default();
    assert_eq!(rule.collect(None, Some(&many)).len(), MAX_PASSED_CLAIMS);
    let large: Map<_, _> = (0..9)
        .map(|n| (format!("c{n}"), json!("x".repeat(1_000))))
        .collect();
    let collected = rule.collect(None, Some(&large));
    assert_eq!(collected.len(), 4);
    assert!(Value::Object(collected).to_string().len() <= MAX_PASSED_CLAIMS_BYTES + 1);
}

#[test]
fn the_first_of_the_allowed_claims_is_the_last_to_be_left_out() {
    let large = json!("x".repeat(1_500));
    let id = map(json!({"a": large, "b": large, "c": large, "z": "small"}));
    let rule = ClaimsPassthrough::default().allowed_claims(["c", "b", "a", "z"]);
    let names: Vec<_> = rule
        .collect(None, Some(&id))
        .into_iter()
        .map(|(k, _)| k)
        .collect();
    assert_eq!(names, ["b", "c", "z"]);
}

proptest! {
    #[test]
    fn whatever_the_tokens_hold_the_bounds_stay(
        access in prop::collection::vec("(?i)[a-z_]{0,6}|iss|sub|scope", 0..90),
        names in prop::collection::vec("(?i)[a-z_]{0,6}|iss|sub|scope", 0..90),
        prefix in "[a-z]{0,2}",
    ) {
        let [access, id] = [access, names].map(|names| {
            let claims = names.into_iter().map(|n| (n, json!("x".repeat(90))));
            claims.collect::<Map<_, _>>()
        });
        let rule = ClaimsPassthrough::default().prefix(prefix);
        let passed = rule.collect(Some(&access), Some(&id));
        prop_assert!(passed.keys().all(|name| !is_protected(name)));
        prop_assert!(passed.len() <= MAX_PASSED_CLAIMS);
        prop_assert!(Value::Object(passed).to_string().len() <= MAX_PASSED_CLAIMS_BYTES + 1);
    }
}
