//! All keys of the settings.

use super::{
    key::{Key, Kind, key},
    section::{
        clients, identity, listening, machines, operation, pages, paths, people, provider_keys,
        rules, secrets, store, tokens, upstream,
    },
};

const fn table(name: &'static str, keys: &'static [Key], what: &'static str) -> Key {
    key(name, Kind::Table(keys), "", "", what)
}

/// The keys of the whole file, in the order of the reference.
pub(crate) const KEYS: &[Key] = &[
    listening::BASE_URL,
    listening::LISTEN,
    listening::ADMIN_LISTEN,
    listening::TRUSTED_PROXIES,
    table("upstream", upstream::UPSTREAM, "the server behind"),
    table(
        "stdio",
        upstream::STDIO,
        "a local server of standard input and output instead of `upstream`",
    ),
    provider_keys::PROVIDER,
    provider_keys::ALSO_PROVIDER,
    table("people", people::KEYS, "who may log in"),
    table(
        "identity",
        identity::KEYS,
        "how the server behind learns who is calling",
    ),
    rules::TOOLS,
    rules::PROMPTS,
    rules::RESOURCES,
    rules::METHODS,
    rules::RULES_TABLE,
    table("paths", paths::KEYS, "which requests need a session"),
    table(
        "clients",
        clients::KEYS,
        "which programs may ask people to log in",
    ),
    table("tokens", tokens::KEYS, "what clients get, and for how long"),
    table(
        "keys",
        secrets::KEYS,
        "the secrets, and the keys that others verify tokens by",
    ),
    table("storage", store::KEYS, "where grants are kept"),
    table("pages", pages::KEYS, "what people see in the browser"),
    table(
        "machines",
        machines::KEYS,
        "programs without a person, and tokens of others",
    ),
    table(
        "logins",
        operation::LOGINS,
        "what goes to the provider with a login",
    ),
    table(
        "outbound",
        operation::OUTBOUND,
        "the way out, to the provider and others",
    ),
    table(
        "limits",
        listening::LIMITS,
        "what clients and the server behind are granted",
    ),
    table("log", operation::LOG, "what is told, on standard error"),
];
