use super::*;
use crate::{
    guard::{deny, require_role, require_scopes},
    session::tests::session,
};

fn scopes(scopes: &str) -> Guard {
    require_scopes(scopes.split(' ')).unwrap()
}

fn needed(scopes: &str) -> Denied {
    Denied::Scopes(ScopeSet::parse(scopes).unwrap())
}

/// What the rules say to Ada, who may read.
fn verdict(rules: &McpRules, method: &str, name: Option<&str>) -> Result<(), Option<Denied>> {
    let ada = session("read", &[]);
    match rules.judge(Some(method), name, Some(&ada)) {
        Ok(_) => Ok(()),
        Err(No::Denied(denied, _)) => Err(Some(denied)),
        Err(No::Odd(_)) => Err(None),
    }
}

#[test]
fn one_rule_decides_a_call_the_most_exact_one() {
    let rules = McpRules::new()
        .default(deny())
        .method("*", scopes("any"))
        .method("tools/*", scopes("tools"))
        .method("tools/call", scopes("call"))
        .tool("*", scopes("tool"))
        .tool("delete_*", scopes("delete"))
        .tool("delete_mine", scopes("read"))
        .prompt("p*", scopes("prompt"))
        .resource("file:///a/*", scopes("resource"));
    for (method, name, expected) in [
        ("tools/call", Some("delete_mine"), Ok(())),
        ("tools/call", Some("delete_mine_too"), Err("delete")),
        ("tools/call", Some("delete"), Err("tool")),
        ("tools/list", None, Err("tools")),
        ("tools/call/more", None, Err("tools")),
        ("prompts/get", Some("plan"), Err("prompt")),
        ("prompts/get", Some("delete_mine"), Err("any")),
        ("resources/read", Some("file:///a/b"), Err("resource")),
        ("resources/subscribe", Some("file:///a/b"), Err("resource")),
        (
            "resources/unsubscribe",
            Some("file:///a/b"),
            Err("resource"),
        ),
        ("resources/read", Some("file:///b"), Err("any")),
        ("initialize", None, Err("any")),
    ] {
        let expected = expected.map_err(|scopes| Some(needed(scopes)));
        assert_eq!(verdict(&rules, method, name), expected, "{method} {name:?}");
    }
    // A tool's own rule decides alone, whatever its method's says.
    let rules = McpRules::new()
        .method("tools/call", deny())
        .tool("open", require_auth());
    assert_eq!(verdict(&rules, "tools/call", Some("open")), Ok(()));
    assert_eq!(
        verdict(&rules, "tools/call", Some("other")),
        Err(Some(Denied::Forbidden))
    );
}

#[test]
fn what_no_rule_names_needs_a_session_or_is_denied_as_the_operator_says() {
    let (open, closed) = (McpRules::new(), McpRules::new().default(deny()));
    let ada = session("read", &[]);
    for (method, name) in [
        ("tools/call", Some("any")),
        ("tools/list", None),
        ("resources/read", Some("FILE:///a/../b")),
        ("made/up", None),
        ("logging/setLevel", None),
    ] {
        assert_eq!(verdict(&open, method, name), Ok(()), "{method}");
        assert_eq!(
            verdict(&closed, method, name),
            Err(Some(Denied::Forbidden)),
            "{method}"
        );
    }
    for hello in [
        "initialize",
        "ping",
        "server/discover",
        "notifications/initialized",
    ] {
        assert_eq!(verdict(&closed, hello, None), Ok(()), "{hello}");
    }
    assert!(closed.judge(None, None, Some(&ada)).is_ok());
    // Without a session nothing passes, whatever the rules.
    for method in [None, Some("ping"), Some("tools/list")] {
        let judged = open.judge(method, None, None);
        assert!(
            matches!(judged, Err(No::Denied(Denied::NoSession, _))),
            "{method:?}"
        );
    }
    let named = closed.method("initialize", require_role("admin"));
    assert_eq!(
        verdict(&named, "initialize", None),
        Err(Some(Denied::Forbidden))
    );
}

#[test]
fn a_call_that_a_server_could_read_as_another_one_is_asked_of_no_guard() {
    let rules = McpRules::new()
        .tool("delete", deny())
        .resource("file:///secret/*", deny());
    for (method, name) in [
        ("Tools/Call", Some("delete")),
        ("TOOLS/CALL", Some("delete")),
        ("tools/call ", Some("delete")),
        ("tools/\u{212a}all", None),
        ("", None),
        ("tools/call", None),
        ("tools/call", Some("")),
        ("tools/call", Some(" delete")),
        ("tools/call", Some("delete\n")),
        ("tools/call", Some("delete\u{a0}")),
        ("tools/call", Some("del\u{7f}ete")),
        ("resources/read", None),
        ("resources/read", Some("FILE:///secret/a")),
        ("resources/read", Some("file:///a/../secret/b")),
        ("resources/read", Some("file:///a/..")),
        ("resources/read", Some("file:///./secret/b")),
        ("resources/read", Some("file:///%73ecret/b")),
        ("resources/read", Some("file:///secret%2Fb")),
        ("resources/read", Some("file:///a/%2e%2e/secret/b")),
        ("resources/read", Some("file:\\\\\\secret\\b")),
        ("resources/read", Some("file:///a%")),
        ("resources/read", Some("file:///a%c3%a4")),
        ("resources/read", Some("file:///a%00")),
        ("resources/read", Some("../secret")),
        // To a URL's parser, and to what opens files, these are `file:///secret/a`.
        ("resources/read", Some("file:/secret/a")),
        ("resources/read", Some("file:secret/a")),
        ("resources/read", Some("file://localhost/secret/a")),
        ("resources/read", Some("file:////secret/a")),
        ("resources/read", Some("file:///a//secret")),
        ("resources/read", Some("file:///a?")),
        ("resources/read", Some("file:///a#b")),
        ("resources/read", Some("https://h.example/a#b")),
        // As those are `https://h.example/a`.
        ("resources/read", Some("https://H.example/a")),
        ("resources/read", Some("https://h.example:443/a")),
        ("resources/read", Some("https:h.example/a")),
        ("resources/read", Some("https:///h.example/a")),
        ("resources/read", Some("https://h.example")),
        ("resources/read", Some("https://\u{ff48}.example/a")),
        ("resources/read", Some("note://x/\u{e4}")),
        ("resources/read", Some("note://x/a b")),
    ] {
        assert_eq!(
            verdict(&rules, method, name),
            Err(None),
            "{method} {name:?}"
        );
    }
    for uri in [
        "file:///a/b.c",
        "note://x/%C3%A4%20?q=..",
        "urn:a:b",
        "file:///a/...",
        "https://h.example:8443/a?b=https://c//d",
        "note://X/A#b",
        "x",
    ] {
        assert_eq!(
            verdict(&rules, "resources/read", Some(uri)),
            Ok(()),
            "{uri}"
        );
    }
}

#[test]
fn a_rule_that_cannot_be_meant_is_reported_and_denies_all() {
    for (rules, option) in [
        (McpRules::new().tool("a*b", require_auth()), "tool"),
        (McpRules::new().prompt("", require_auth()), "prompt"),
        (McpRules::new().resource(" a", require_auth()), "resource"),
        (
            McpRules::new().resource("https://Docs.example/*", deny()),
            "resource",
        ),
        (
            McpRules::new().resource("note://x/\u{e4}*", deny()),
            "resource",
        ),
        (McpRules::new().resource("file:/secret", deny()), "resource"),
        (
            McpRules::new()
                .method("a", require_auth())
                .method("a", deny()),
            "method",
        ),
        (McpRules::new().hold_back_at_most(10), "hold_back_at_most"),
        (
            McpRules::new().hold_back_at_most(usize::MAX),
            "hold_back_at_most",
        ),
        // The first is told, whatever comes later.
        (
            McpRules::new().tool("a*b", deny()).prompt("", deny()),
            "tool",
        ),
    ] {
        assert_eq!(rules.validate().unwrap_err().option(), option);
        let ada = session("read", &["admin"]);
        assert_eq!(rules.check_tool("any", &ada), Err(Denied::Forbidden));
        assert_eq!(verdict(&rules, "ping", None), Err(Some(Denied::Forbidden)));
    }
    assert!(McpRules::new().validate().is_ok());
    for uri in [
        "*",
        "file:*",
        "file://*",
        "file:///*",
        "file:///a*",
        "file:///a/b",
        "https://docs.ex*",
        "https://docs.example/a/*",
        "note://X/%C3%A4*",
        "urn:a:*",
        "plain",
    ] {
        let rules = McpRules::new().resource(uri, deny());
        assert!(rules.validate().is_ok(), "{uri}");
    }
}

#[test]
fn a_check_inside_of_a_handler_says_what_the_layer_says() {
    let rules = McpRules::new()
        .tool("write", scopes("write"))
        .prompt("write", scopes("prompt"))
        .resource("note:*", scopes("note"));
    let ada = session("read", &[]);
    assert_eq!(rules.check_tool("read", &ada), Ok(()));
    assert_eq!(rules.check_tool("write", &ada), Err(needed("write")));
    assert_eq!(rules.check_tool("write", None), Err(Denied::NoSession));
    assert_eq!(rules.check_tool(" write", &ada), Err(Denied::Forbidden));
    assert_eq!(rules.check_prompt("write", &ada), Err(needed("prompt")));
    assert_eq!(rules.check_resource("note:1", &ada), Err(needed("note")));
    // A clone keeps its own words.
    let other = rules.clone().tool("read", deny());
    assert_eq!(rules.check_tool("read", &ada), Ok(()));
    assert_eq!(other.check_tool("read", &ada), Err(Denied::Forbidden));
}

#[test]
fn a_method_is_written_as_mcp_or_the_operator_writes_it() {
    let rules = McpRules::new()
        .method("reports/*", deny())
        .method("reports/mine", require_auth())
        .method("T*", deny())
        .method("acme/Export", deny())
        .method("Acme/export", require_auth());
    let ada = session("read", &[]);
    let judged = |method: &str| rules.judge(Some(method), None, Some(&ada)).map(|_| ());
    for method in [
        "Tools/List",
        "TOOLS/LIST",
        "Resources/Templates/List",
        "logging/setlevel",
        "Initialize",
        "PING",
        "Notifications/initialized",
        "Reports/all",
        "REPORTS/mine",
        "reports/Mine",
        "ACME/EXPORT",
        "acme/export",
        "things/list",
    ] {
        let is_odd = matches!(judged(method), Err(No::Odd(why)) if why.contains("capitals"));
        assert!(is_odd, "{method}");
    }
    // As they are written, each has its own rule. What MCP writes is never another's.
    for method in [
        "tools/list",
        "reports/mine",
        "Acme/export",
        "logging/setLevel",
        "other/Method",
    ] {
        assert!(judged(method).is_ok(), "{method}");
    }
    for method in ["reports/all", "acme/Export", "Things/list"] {
        assert!(matches!(judged(method), Err(No::Denied(..))), "{method}");
    }
}
