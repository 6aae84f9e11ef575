//! The person's roles, from whichever claim the provider puts them into.

use serde_json::{Map, Value};

use crate::limits::{MAX_ROLE_BYTES, MAX_ROLES};

/// Reads the roles of the named claims from several sets of claims: each a string or an array of
/// strings. `realm_access` is Keycloak's, which nests them one level deeper.
pub(crate) fn roles<'a>(
    names: &[String],
    sources: impl IntoIterator<Item = &'a Map<String, Value>>,
) -> Vec<String> {
    let mut roles: Vec<String> = Vec::new();
    for claims in sources {
        let values = names.iter().filter_map(|name| claims.get(name));
        for value in values {
            let value = value.get("roles").unwrap_or(value);
            let found: Vec<&str> = match value {
                Value::String(role) => vec![role],
                Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            };
            for role in found {
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
}
