//! The person's roles, from whichever claim the provider puts them into.

use std::slice;

use serde_json::{Map, Value};

use crate::{
    limits::{MAX_ROLE_BYTES, MAX_ROLES},
    provider::claim_at,
};

/// Reads the roles of the named claims from several sets of claims: each a string or an array of
/// strings. `realm_access` is Keycloak's, which nests them one level deeper. A name that begins with a
/// slash is a path (RFC 6901).
pub(crate) fn roles<'a>(
    names: &[String],
    sources: impl IntoIterator<Item = &'a Map<String, Value>>,
) -> Vec<String> {
    let mut roles: Vec<String> = Vec::new();
    for claims in sources {
        let values = names.iter().filter_map(|name| claim_at(claims, name));
        for value in values {
            let value = value.get("roles").unwrap_or(value);
            let found = match value {
                Value::String(_) => slice::from_ref(value),
                Value::Array(list) => list,
                _ => &[],
            };
            for role in found.iter().filter_map(Value::as_str) {
                let usable = !role.is_empty() && role.len() <= MAX_ROLE_BYTES;
                if usable && roles.len() < MAX_ROLES && !roles.iter().any(|held| held == role) {
                    roles.push(role.to_owned());
                }
            }
        }
    }
    roles
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn roles_are_read_as_a_string_an_array_or_keycloaks_object_and_nothing_else() {
        let names = ["role", "roles", "realm_access"].map(str::to_owned);
        let read = |claims: Value| roles(&names, [claims.as_object().unwrap()]);
        assert_eq!(read(json!({"role": "admin"})), ["admin"]);
        assert_eq!(read(json!({"roles": ["a", "b", "a", 7, ""]})), ["a", "b"]);
        assert_eq!(read(json!({"realm_access": {"roles": ["k"]}})), ["k"]);
        assert!(read(json!({"groups": ["admin"], "roles": {"admin": true}})).is_empty());
        assert!(read(json!({"role": "x".repeat(MAX_ROLE_BYTES + 1)})).is_empty());
        let many: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
        assert_eq!(read(json!({ "roles": many })).len(), MAX_ROLES);
    }

    #[test]
    fn a_name_with_a_slash_before_it_is_a_path_and_one_without_never_is() {
        let claims = json!({
            "resource_access": {"mcp": {"roles": ["writer"]}, "payroll": {"roles": ["admin"]}},
            "https://acme.example/roles": ["reader"],
            "a": {"b": "deep", "0": ["x"]},
            "a/b": "flat",
            "list": ["first", {"roles": "inner"}],
        });
        for (name, expected) in [
            ("/resource_access/mcp/roles", vec!["writer"]),
            ("/resource_access/mcp", vec!["writer"]),
            ("/resource_access/other/roles", vec![]),
            ("/resource_access", vec![]),
            ("resource_access/mcp/roles", vec![]),
            ("resource_access.mcp.roles", vec![]),
            ("https://acme.example/roles", vec!["reader"]),
            ("/https:~1~1acme.example~1roles", vec!["reader"]),
            ("/a/b", vec!["deep"]),
            ("a/b", vec!["flat"]),
            ("/a~1b", vec!["flat"]),
            ("/list/1", vec!["inner"]),
            ("/", vec![]),
            ("//", vec![]),
        ] {
            let names = [name.to_owned()];
            assert_eq!(
                roles(&names, [claims.as_object().unwrap()]),
                expected,
                "{name}"
            );
        }
    }
}
