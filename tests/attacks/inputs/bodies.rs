//! Bodies at `token`, `revoke`, `register` and `consent`.

use http::Method;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{HEADER, MARKUP, Target, false_friend, for_all, form, hostile};
use testkit::client::{CALLBACK, basic};

const FORM: &[u8] = b"application/x-www-form-urlencoded";

fn field() -> impl Strategy<Value = (String, String)> {
    let names = vec![
        "grant_type",
        "code",
        "redirect_uri",
        "code_verifier",
        "refresh_token",
        "client_id",
        "client_secret",
        "scope",
        "resource",
        "token",
        "token_type_hint",
        "login",
        "csrf",
        "decision",
        "client_assertion",
        "client_assertion_type",
    ];
    let values = vec![
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "password",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "approve",
        "deny",
        CALLBACK,
        MARKUP,
        HEADER,
    ];
    let name = prop_oneof![
        9 => prop::sample::select(names).prop_map(str::to_owned),
        1 => hostile(),
    ];
    let value = prop_oneof![
        1 => prop::sample::select(values).prop_map(str::to_owned),
        1 => hostile(),
    ];
    (name, value)
}

#[test]
fn any_form_is_answered_in_json_and_changes_nothing() {
    let target = Target::new();
    let confidential = target.confidential();
    let good = basic(&confidential.id, confidential.secret.as_deref().unwrap());
    let fields = prop::collection::vec(field(), 0..8);
    let who = 0..4_usize;
    for_all(
        1_500,
        (fields, who, any::<bool>()),
        |(mut fields, who, is_token)| {
            let mut headers = vec![("content-type", FORM)];
            match who {
                0 => {}
                1 => headers.push(("authorization", good.as_bytes())),
                2 => fields.push(("client_id".into(), target.clients[0].0.id.clone())),
                _ => fields.push(("client_id".into(), target.clients[2].0.id.clone())),
            }
            let path = if is_token {
                "/oauth/token"
            } else {
                "/oauth/revoke"
            };
            let reply = target
                .send(Method::POST, path, &headers, form(&fields))
                .unwrap();
            target.judge(&reply)?;
            let status = reply.status.as_u16();
            // A revocation of what is no token is 200 (RFC 7009 section 2.2).
            let fine = [400, 401, 413].contains(&status) || (!is_token && status == 200);
            prop_assert!(fine, "{reply:?}");
            if status == 401 && who == 1 {
                prop_assert!(reply.header("www-authenticate").is_some(), "{reply:?}");
            }
            Ok(())
        },
    );
}

#[test]
fn any_bytes_as_a_body_are_answered() {
    let target = Target::new();
    let bytes = prop_oneof![
        2 => prop::collection::vec(any::<u8>(), 0..300),
        2 => "[a-z=&%+;\\x00-\\x20]{0,200}".prop_map(String::into_bytes),
        1 => "[\\[\\]{}\",:0-9a-z\\\\u]{0,200}".prop_map(String::into_bytes),
        1 => Just(vec![b'['; 50_000]),
        1 => Just(b"{\"a\":".repeat(10_000)),
        1 => Just(vec![b'a'; 70_000]),
    ];
    let kind = prop::sample::select(vec![
        "application/x-www-form-urlencoded",
        "application/json",
        "application/json; charset=utf-16",
        "multipart/form-data; boundary=x",
        "text/plain",
        "APPLICATION/JSON",
        "",
        "x",
    ]);
    let paths = [
        "/oauth/token",
        "/oauth/revoke",
        "/oauth/register",
        "/oauth/consent",
    ];
    for_all(1_200, (bytes, kind, 0..4_usize), |(bytes, kind, at)| {
        let headers = [("content-type", kind.as_bytes())];
        let reply = target
            .send(Method::POST, paths[at], &headers, bytes)
            .unwrap();
        target.judge(&reply)?;
        prop_assert!(
            [400, 401, 413, 415].contains(&reply.status.as_u16()),
            "{reply:?}"
        );
        Ok(())
    });
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        hostile().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((hostile(), inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

#[test]
fn any_registration_is_refused_or_harmless() {
    let target = Target::new();
    let names = vec![
        "client_name",
        "client_uri",
        "logo_uri",
        "tos_uri",
        "policy_uri",
        "contacts",
        "scope",
        "grant_types",
        "response_types",
        "token_endpoint_auth_method",
        "application_type",
        "jwks",
        "jwks_uri",
        "software_id",
        "client_id",
        "client_secret",
        "client_id_issued_at",
        "registration_access_token",
        "registration_client_uri",
        "x-inject",
    ];
    let uri = prop_oneof![
        3 => Just(json!(CALLBACK)),
        1 => false_friend(CALLBACK).prop_map(Value::from),
        1 => false_friend("https://app.example/callback/1").prop_map(Value::from),
        1 => false_friend("myapp://callback/x").prop_map(Value::from),
        1 => any_json(),
    ];
    let uris = prop::collection::vec(uri, 0..4).prop_map(Value::from);
    let extra = prop::collection::vec((prop::sample::select(names), any_json()), 0..4);
    let registered = std::cell::Cell::new(0);
    for_all(1_200, (uris, extra), |(uris, extra)| {
        let mut metadata = Map::new();
        metadata.insert("redirect_uris".into(), uris);
        metadata.extend(
            extra
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        let headers = [("content-type", &b"application/json"[..])];
        let body = Value::Object(metadata).to_string();
        let reply = target
            .send(Method::POST, "/oauth/register", &headers, body)
            .unwrap();
        target.judge(&reply)?;
        if reply.status != 201 {
            prop_assert!([400, 413].contains(&reply.status.as_u16()), "{reply:?}");
            return Ok(());
        }
        registered.set(registered.get() + 1);
        let answer = reply.json();
        for uri in answer["redirect_uris"].as_array().unwrap() {
            let uri = uri.as_str().unwrap();
            prop_assert!(is_harmless(uri), "registered {uri}");
        }
        // What is ours to say was not said by the client.
        prop_assert!(
            answer["client_id"].as_str().is_some_and(|id| id.len() > 20),
            "{reply:?}"
        );
        prop_assert!(
            answer.get("registration_access_token").is_none(),
            "{reply:?}"
        );
        prop_assert!(answer.get("registration_client_uri").is_none(), "{reply:?}");
        let public = answer["token_endpoint_auth_method"] == "none";
        prop_assert_eq!(answer.get("client_secret").is_none(), public, "{:?}", reply);
        Ok(())
    });
    assert!(registered.get() > 50, "{registered:?}");
}

/// What the policy of the target lets in, said another way than the library says it.
fn is_harmless(uri: &str) -> bool {
    let Ok(url) = url::Url::parse(uri) else {
        return false;
    };
    // No host that a browser would read differently than it is written.
    let host = &*url.host_str().unwrap_or_default().to_lowercase();
    let written = uri.to_lowercase();
    let as_written = written.starts_with(&format!("{}://{host}", url.scheme()));
    let is_loopback = ["localhost", "[::1]"].contains(&host) || host.starts_with("127.");
    let is_permitted = match url.scheme() {
        "http" => is_loopback,
        "https" => {
            let pattern = host == "app.example" && url.path().starts_with("/callback/");
            is_loopback || pattern && url.port().is_none()
        }
        "myapp" => host == "callback",
        _ => false,
    };
    let odd = |c: char| {
        c.is_control() || c.is_whitespace() || !c.is_ascii() || "<>\"\\^`{|}@".contains(c)
    };
    as_written
        && is_permitted
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
        && !uri.contains("..")
        && !written.contains("%2e")
        && !uri.chars().any(odd)
}

#[test]
fn any_decision_on_the_consent_page_is_the_persons_or_none() {
    let target = Target::new();
    let fields = prop::collection::vec(field(), 0..6);
    let site = prop::sample::select(vec![
        "same-origin",
        "same-site",
        "cross-site",
        "none",
        "\u{e9}",
    ]);
    let origin = prop_oneof![
        Just(super::BASE.to_owned()),
        Just("null".to_owned()),
        hostile()
    ];
    for_all(800, (fields, site, origin), |(fields, site, origin)| {
        let headers = [
            ("content-type", FORM),
            ("sec-fetch-site", site.as_bytes()),
            ("origin", origin.as_bytes()),
        ];
        let Some(reply) = target.send(Method::POST, "/oauth/consent", &headers, form(&fields))
        else {
            return Ok(());
        };
        target.judge(&reply)?;
        prop_assert!([400, 413].contains(&reply.status.as_u16()), "{reply:?}");
        Ok(())
    });
}
