//! One condition on a person: a claim has one of these values.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::claim_path::claim_at;
use crate::{
    error::ConfigError,
    event::Told,
    limits::{MAX_SHOWN_ENTRIES, MAX_SHOWN_ENTRY},
    oauth::printable,
};

/// A claim has one of these values. A person for whom the provider does not name the claim has none.
#[derive(Debug, Clone)]
pub(crate) struct ClaimRule {
    /// The option that the operator wrote.
    option: &'static str,
    /// Names or paths. The values of all of them count.
    claims: Vec<String>,
    allowed: Vec<String>,
}

impl ClaimRule {
    pub(crate) fn new(
        option: &'static str,
        claims: impl IntoIterator<Item = String>,
        allowed: impl IntoIterator<Item = String>,
    ) -> Self {
        let trimmed = |text: String| text.trim().to_owned();
        Self {
            option,
            claims: claims.into_iter().map(trimmed).collect(),
            allowed: allowed.into_iter().map(trimmed).collect(),
        }
    }

    pub(crate) fn option(&self) -> &'static str {
        self.option
    }

    pub(crate) fn claims(&self) -> &[String] {
        &self.claims
    }

    /// # Errors
    ///
    /// [`ConfigError`] for a rule that no one could meet.
    pub(crate) fn allowed(&self) -> &[String] {
        &self.allowed
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |why: &str| Err(ConfigError::new(self.option, why));
        if self.claims.is_empty() || self.claims.iter().any(String::is_empty) {
            return refuse("the claim has no name: no one could log in");
        }
        if self.allowed.is_empty() {
            return refuse(
                "the list is empty: no one could log in (is an environment variable unset?)",
            );
        }
        if self.allowed.iter().any(String::is_empty) {
            return refuse(
                "there is an empty entry (is there a comma too many in an environment variable?)",
            );
        }
        let is_address = |claim: &String| matches!(claim.as_str(), "email" | "/email");
        if self.claims.iter().any(is_address) {
            return refuse(
                "anyone may claim an address that is not verified: use allowed_emails or allowed_domains",
            );
        }
        Ok(())
    }

    /// Whether one of these sets of claims says anything of it.
    pub(crate) fn is_named_in(&self, sources: &[&Map<String, Value>]) -> bool {
        self.found(sources).next().is_some()
    }

    /// Why the person of these claims does not come in, in words for the operator that follow the person's
    /// name; `None` when they do.
    pub(crate) fn refusal(&self, sources: &[&Map<String, Value>]) -> Option<Told> {
        let seen: Vec<Cow<'_, str>> = self.found(sources).flat_map(values).collect();
        if seen
            .iter()
            .any(|value| self.allowed.iter().any(|allowed| allowed == value))
        {
            return None;
        }
        let claims = self.claims.join("` or `");
        if self.is_named_in(sources) {
            let (seen, allowed) = (shown(&seen), shown(&self.allowed));
            return Some(Told::of_person(
                format!("has {seen} in `{claims}`, and is in none of {allowed}"),
                format!("is in none of {allowed} by `{claims}`"),
            ));
        }
        Some(match self.is_elsewhere(sources) {
            true => format!(
                "has too many of `{claims}` for a token, which points elsewhere instead \
                 (`_claim_names`): let the provider name fewer"
            )
            .into(),
            false => format!("has no claim `{claims}`").into(),
        })
    }

    fn found<'a>(
        &'a self,
        sources: &'a [&'a Map<String, Value>],
    ) -> impl Iterator<Item = &'a Value> {
        let of = |claims: &'a Map<String, Value>| {
            let names = self.claims.iter();
            names.filter_map(move |name| claim_at(claims, name))
        };
        let found = sources.iter().flat_map(move |claims| of(claims));
        found.filter(|value| !value.is_null())
    }

    /// OpenID Connect Core section 5.6.2: `_claim_names` has the names of claims that stand at another place.
    fn is_elsewhere(&self, sources: &[&Map<String, Value>]) -> bool {
        let mut elsewhere = sources
            .iter()
            .filter_map(|claims| claims.get("_claim_names"));
        elsewhere.any(|names| self.claims.iter().any(|name| names.get(name).is_some()))
    }
}

/// The texts of a claim: its own, or those of its array.
fn values(value: &Value) -> Vec<Cow<'_, str>> {
    match value {
        Value::Array(list) => list.iter().filter_map(text).collect(),
        single => text(single).into_iter().collect(),
    }
}

fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text.into()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The first few, cut short.
fn shown(entries: &[impl AsRef<str>]) -> String {
    let first = entries.iter().take(MAX_SHOWN_ENTRIES);
    let first = first.map(|entry| printable(entry.as_ref(), MAX_SHOWN_ENTRY));
    let first: Vec<String> = first.collect();
    let more = match entries.len().saturating_sub(MAX_SHOWN_ENTRIES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("[{}{more}]", first.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(claims: &[&str], allowed: &[&str]) -> ClaimRule {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let (claims, allowed): (Vec<_>, Vec<_>) = (owned(claims), owned(allowed));
        ClaimRule::new("allowed_claim", claims, allowed)
    }

    fn refusal(rule: &ClaimRule, claims: &Value) -> Option<String> {
        let told = rule.refusal(&[claims.as_object().unwrap()]);
        told.map(|told| told.to_string())
    }

    #[test]
    fn a_claim_is_met_by_its_value_or_by_one_of_its_array_and_by_nothing_near_it() {
        let groups = rule(&["groups"], &["eng", "7", "true"]);
        for met in [
            json!("eng"),
            json!(["ops", "eng"]),
            json!(7),
            json!([7]),
            json!(true),
        ] {
            assert_eq!(refusal(&groups, &json!({ "groups": met })), None, "{met}");
        }
        for missed in [
            json!("ENG"),
            json!("eng "),
            json!("eng ops"),
            json!("engineering"),
            json!("eng,ops"),
            json!(["engineering"]),
            json!([["eng"]]),
            json!({"eng": true}),
            json!([{"name": "eng"}]),
            json!(70),
            json!(false),
            json!([]),
            json!(""),
            json!(null),
        ] {
            assert!(
                refusal(&groups, &json!({ "groups": missed })).is_some(),
                "{missed}"
            );
        }
        assert!(refusal(&groups, &json!({ "group": "eng", "eng": "groups" })).is_some());
    }

    #[test]
    fn a_path_leads_into_a_claim_and_several_claims_are_one_list() {
        let nested = rule(&["/resource_access/mcp/roles"], &["writer"]);
        let claims = json!({"resource_access": {"mcp": {"roles": ["writer"]}, "x": {}}});
        assert_eq!(refusal(&nested, &claims), None);
        let other = json!({"resource_access": {"x": {"roles": ["writer"]}}, "roles": ["writer"]});
        assert!(refusal(&nested, &other).is_some());
        let either = rule(&["groups", "cognito:groups"], &["eng"]);
        assert_eq!(
            refusal(&either, &json!({"groups": [], "cognito:groups": ["eng"]})),
            None
        );
        let (first, second) = (json!({"groups": ["x"]}), json!({"groups": ["eng"]}));
        let sources = [first.as_object().unwrap(), second.as_object().unwrap()];
        assert_eq!(either.refusal(&sources), None);
        assert!(either.is_named_in(&sources));
    }

    #[test]
    fn the_operator_reads_what_was_seen_bounded_and_printable() {
        let groups = rule(&["groups"], &["eng"]);
        let words = |claims: Value| refusal(&groups, &claims).unwrap();
        assert_eq!(
            words(json!({"groups": ["ops", "hr"]})),
            "has [ops, hr] in `groups`, and is in none of [eng]"
        );
        assert_eq!(words(json!({})), "has no claim `groups`");
        assert_eq!(
            words(json!({"groups": []})),
            "has [] in `groups`, and is in none of [eng]"
        );
        let many: Vec<String> = (0..500)
            .map(|n| format!("{n}\n{}", "x".repeat(500)))
            .collect();
        let many = words(json!({ "groups": many }));
        assert!(
            many.len() < 250 && many.contains(" and 49"),
            "{} {many}",
            many.len()
        );
        assert!(!many.contains('\n'));
    }

    #[test]
    fn groups_that_are_too_many_for_a_token_are_none_and_the_operator_reads_why() {
        let groups = rule(&["groups"], &["eng"]);
        let overage = json!({"_claim_names": {"groups": "src1"},
            "_claim_sources": {"src1": {"endpoint": "https://graph.example/eng"}}});
        let words = refusal(&groups, &overage).unwrap();
        assert!(words.contains("too many of `groups`"), "{words}");
        let others = json!({"_claim_names": {"address": "src1"}});
        assert_eq!(refusal(&groups, &others).unwrap(), "has no claim `groups`");
    }

    #[test]
    fn a_rule_that_no_one_could_meet_is_refused() {
        for bad in [
            rule(&["groups"], &[]),
            rule(&["groups"], &["eng", ""]),
            rule(&["groups"], &["  "]),
            rule(&[], &["eng"]),
            rule(&[" "], &["eng"]),
        ] {
            let error = bad.check().unwrap_err();
            assert_eq!(error.option(), "allowed_claim", "{bad:?}");
        }
        let spaced = rule(&[" groups "], &[" eng "]);
        assert!(spaced.check().is_ok());
        assert_eq!(refusal(&spaced, &json!({"groups": "eng"})), None);
    }
}
