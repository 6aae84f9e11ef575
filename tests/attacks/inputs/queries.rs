//! `GET /oauth/authorize` and what hangs on it, and paths.

use std::cell::Cell;

use http::Method;
use proptest::prelude::*;

use super::{MARKUP, Target, false_friend, for_all, form, hostile};
use testkit::{Pkce, html};

/// What becomes of one parameter of a right request.
#[derive(Debug, Clone)]
enum Twist {
    Right,
    Missing,
    Twice(String),
    Other(String),
}

fn twist() -> impl Strategy<Value = Twist> {
    prop_oneof![
        12 => Just(Twist::Right),
        1 => Just(Twist::Missing),
        1 => hostile().prop_map(Twist::Twice),
        2 => hostile().prop_map(Twist::Other),
    ]
}

fn twisted(params: &[(String, String)], twists: &[Twist]) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for ((name, value), twist) in params.iter().zip(twists) {
        let pair = |value: &String| (name.clone(), value.clone());
        match twist {
            Twist::Right => out.push(pair(value)),
            Twist::Missing => {}
            Twist::Twice(other) => out.extend([pair(value), pair(other)]),
            Twist::Other(other) => out.push(pair(other)),
        }
    }
    out
}

#[test]
fn no_authorization_request_is_redirected_to_a_stranger_or_breaks_anything() {
    let target = Target::new();
    let twists = prop::collection::vec(twist(), 9);
    let extra = (hostile(), hostile());
    // How many were answered by a page, by the consent page's URL, by the client's own.
    let seen = Cell::new([0; 3]);
    for_all(
        1_500,
        (0..3_usize, twists, extra),
        |(who, twists, extra)| {
            let (client, _) = &target.clients[who];
            let mut request = client.authorize(&Pkce::new(), MARKUP).params;
            request.push(("scope".into(), "read write".into()));
            request.push(("response_mode".into(), "query".into()));
            let mut params = twisted(&request, &twists);
            if params.len().is_multiple_of(3) {
                params.push(extra);
            }
            let path = format!("/oauth/authorize?{}", form(&params));
            let Some(reply) = target.send(Method::GET, &path, &[], "") else {
                return Ok(());
            };
            let kind = match reply.header("location") {
                None => 0,
                Some(to) if to.contains("/oauth/consent?") => 1,
                Some(_) => 2,
            };
            let mut counts = seen.get();
            counts[kind] += 1;
            seen.set(counts);
            target.judge(&reply)
        },
    );
    assert!(seen.get().iter().all(|count| *count > 100), "{seen:?}");
}

#[test]
fn no_false_friend_of_a_registered_uri_gets_a_redirect() {
    let target = Target::new();
    for (client, uris) in &target.clients {
        for own in uris {
            for_all(400, (false_friend(own), any::<bool>()), |(uri, wrong)| {
                let mut request = client.authorize(&Pkce::new(), "s");
                if wrong {
                    // Something that would be answered by a redirect.
                    request = request.with("response_type", "token");
                }
                let request = request.with("redirect_uri", &uri);
                let path = request.url().replace(&target.proxy.base, "");
                let Some(reply) = target.send(Method::GET, &path, &[], "") else {
                    return Ok(());
                };
                target.judge(&reply)?;
                // Unless it is one of the client's own, there is no redirect at all.
                let is_own = uris.iter().any(|own| {
                    let port_varies = own.starts_with("http://");
                    *own == uri || (port_varies && super::leads_to(&format!("{uri}?"), own))
                });
                if !is_own && !uri.is_empty() {
                    prop_assert_eq!(reply.status, 400, "{}: {:?}", uri, reply);
                    prop_assert!(reply.header("location").is_none());
                }
                Ok(())
            });
        }
    }
}

#[test]
fn any_query_at_all_is_answered() {
    let target = Target::new();
    let raw = prop_oneof!["[!-\"$-~]{0,200}", "(%[0-9a-fA-F]{2}|[a-z=&+%;]){0,100}"];
    for_all(600, (raw, 0..3_usize), |(query, endpoint)| {
        let endpoint = ["authorize", "consent", "callback"][endpoint];
        let path = format!("/oauth/{endpoint}?{query}");
        match target.send(Method::GET, &path, &[], "") {
            Some(reply) => {
                target.judge(&reply)?;
                prop_assert_eq!(reply.status, 400, "{:?}", reply);
                Ok(())
            }
            None => Ok(()),
        }
    });
}

/// The page shows what the client said, as text.
#[test]
fn a_consent_page_escapes_whatever_the_client_calls_itself() {
    let target = Target::new();
    let shown = Cell::new(0);
    let uri = prop::option::weighted(0.2, hostile());
    for_all(250, (hostile(), uri), |(name, uri)| {
        let metadata = serde_json::json!({
            "client_name": name,
            "redirect_uris": [testkit::client::CALLBACK],
            "token_endpoint_auth_method": "none",
            "client_uri": uri.as_deref().unwrap_or("https://app.example/"),
        });
        let kind = [("content-type", &b"application/json"[..])];
        let reply = target.send(Method::POST, "/oauth/register", &kind, metadata.to_string());
        let reply = reply.unwrap();
        target.judge(&reply)?;
        if reply.status != 201 {
            return Ok(());
        }
        let mut client = target.clients[0].0.clone();
        client.id = reply.json()["client_id"].as_str().unwrap().to_owned();
        let url = client.authorize(&Pkce::new(), "s").url();
        let path = url.replace(&target.proxy.base, "");
        let asked = target.send(Method::GET, &path, &[], "").unwrap();
        target.judge(&asked)?;
        prop_assert_eq!(asked.status, 302);
        let line = asked.header("set-cookie").unwrap();
        let cookie = line.split(';').next().unwrap();
        let page = asked.location().replace(&target.proxy.base, "");
        let headers = [("cookie", cookie.as_bytes())];
        let page = target.send(Method::GET, &page, &headers, "").unwrap();
        prop_assert_eq!(page.status, 200, "{:?}", page);
        target.judge(&page)?;
        prop_assert_eq!(html::forms(&page.text()).len(), 1);
        shown.set(shown.get() + 1);
        Ok(())
    });
    assert!(shown.get() > 100, "{shown:?}");
}

#[test]
fn no_path_reaches_the_service_without_a_token_and_none_is_bent_into_an_endpoint() {
    let target = Target::new();
    let piece = prop::sample::select(vec![
        "/",
        "//",
        ".",
        "..",
        "/.",
        "/..",
        "%2f",
        "%2F",
        "%2e%2e",
        "%5c",
        "\\",
        ";",
        ";x=y",
        "%00",
        "%0d%0a",
        "oauth",
        "/oauth",
        "/oauth/",
        "/token",
        "token",
        "/register",
        "/callback",
        "/mcp",
        "mcp",
        "/.well-known",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "%6fauth",
        "%74oken",
        "?",
        "?a=b",
        "&",
        "@evil.example",
        ":80",
        "é",
        "~",
        "*",
    ]);
    let path =
        prop::collection::vec(piece, 0..6).prop_map(|pieces| format!("/{}", pieces.concat()));
    let any_path = prop_oneof![3 => path, 1 => "/[!-~]{0,60}"];
    let method = prop::sample::select(vec![
        "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW",
    ]);
    let endpoints = [
        "/oauth/authorize",
        "/oauth/consent",
        "/oauth/callback",
        "/oauth/token",
    ];
    for_all(2_500, (any_path, method), |(path, method)| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let Some(reply) = target.send(method, &path, &[], "") else {
            return Ok(());
        };
        target.judge(&reply)?;
        let plain = path.split('?').next().unwrap();
        let is_ours = endpoints.contains(&plain)
            || ["/oauth/register", "/oauth/revoke"].contains(&plain)
            || plain.starts_with("/.well-known/oauth-")
            || plain.starts_with("/.well-known/openid-configuration");
        if !is_ours {
            prop_assert_eq!(reply.status, 401, "{}: {:?}", path, reply);
            let challenge = reply.header("www-authenticate").unwrap_or_default();
            prop_assert!(challenge.starts_with("Bearer"), "{path}: {reply:?}");
        }
        Ok(())
    });
}
