//! Two answers about one person, put together.

use serde_json::{Map, Value};

/// A claim, and the claim that vouches for it (OpenID Connect Core section 5.1).
const VOUCHED: [(&str, &str); 2] = [
    ("email", "email_verified"),
    ("phone_number", "phone_number_verified"),
];

/// Whether a claim of this name in `answer` may stand beside what `first` says: what vouches and what
/// is vouched for come from the same answer. Other claims vouch for nothing and always may.
///
/// An address that is the same in both is `answer`'s too: it vouches for that very address.
pub(crate) fn may_vouch(
    name: &str,
    answer: &Map<String, Value>,
    first: Option<&Map<String, Value>>,
) -> bool {
    let Some((claim, _)) = VOUCHED.iter().find(|(_, voucher)| *voucher == name) else {
        return true;
    };
    match (
        first.and_then(|first| first.get(*claim)),
        answer.get(*claim),
    ) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(first), Some(own)) => first == own,
    }
}

/// All that `first` says, and of `second` what may stand beside it.
pub(crate) fn merged(
    first: &Map<String, Value>,
    second: &Map<String, Value>,
) -> Map<String, Value> {
    let mut all: Map<String, Value> = first
        .iter()
        .filter(|(name, _)| may_vouch(name, first, None))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for (name, value) in second {
        if !all.contains_key(name) && may_vouch(name, second, Some(first)) {
            all.insert(name.clone(), value.clone());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn the_first_answer_stands_and_the_second_adds_what_is_new() {
        let all = merged(
            &map(json!({"sub": "u", "name": "Ada"})),
            &map(json!({"name": "Eve", "groups": ["g"]})),
        );
        assert_eq!(
            Value::Object(all),
            json!({"sub": "u", "name": "Ada", "groups": ["g"]})
        );
    }

    #[test]
    fn what_vouches_comes_with_what_it_vouches_for() {
        let theirs = json!({"email": "x@y.example", "email_verified": true});
        for (first, second, want) in [
            // Another address is vouched for.
            (
                json!({"email": "a@b.example"}),
                theirs.clone(),
                json!({"email": "a@b.example"}),
            ),
            // The very address is.
            (
                json!({"email": "x@y.example"}),
                theirs.clone(),
                theirs.clone(),
            ),
            // The first says no.
            (
                json!({"email": "x@y.example", "email_verified": false}),
                theirs.clone(),
                json!({"email": "x@y.example", "email_verified": false}),
            ),
            // A word without an address vouches for none, whichever answer it stands in.
            (
                json!({"email_verified": true}),
                json!({"email": "x@y.example"}),
                json!({"email": "x@y.example"}),
            ),
            (
                json!({"email_verified": true}),
                json!({"email": "x@y.example", "email_verified": false}),
                json!({"email": "x@y.example", "email_verified": false}),
            ),
            (
                json!({"email": "x@y.example"}),
                json!({"email_verified": true}),
                json!({"email": "x@y.example"}),
            ),
            (
                json!({"phone_number": "1"}),
                json!({"phone_number": "2", "phone_number_verified": true}),
                json!({"phone_number": "1"}),
            ),
            (json!({}), theirs.clone(), theirs.clone()),
        ] {
            let all = Value::Object(merged(&map(first.clone()), &map(second.clone())));
            assert_eq!(all, want, "{first} {second}");
        }
    }
}
