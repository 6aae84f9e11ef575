//! A body that the rules by tool let through says the same calls to every reader of JSON.
//!
//! The server behind has a reader in some language. So thousands of bodies, most of them made to be understood
//! differently, go to the readers of all languages that are on this machine, and through the layer. Of what the layer
//! lets through, each reader that accepts it has to see the calls that the rules saw.

mod corpus;
mod programs;

use std::collections::{BTreeMap, HashSet};

use axum::{
    body::Body,
    http::{Request, Response, StatusCode, header},
};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::Value;
use tower::{Layer, ServiceExt, service_fn};
use tower_oauth_proxy::{
    AuthSession,
    guard::{
        Guard, deny,
        mcp::{McpBody, McpRules, McpRulesLayer},
        require_auth,
    },
    testing,
};

use programs::{Call, Field, Told};

/// Whether the body reaches the server to its end.
async fn passes(rules: McpRules, session: &AuthSession, body: &[u8]) -> bool {
    let server = service_fn(async |request: Request<McpBody<Body>>| {
        let status = match request.into_body().collect().await {
            Ok(_) => StatusCode::OK,
            Err(_) => StatusCode::BAD_REQUEST,
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        Ok::<_, std::convert::Infallible>(response)
    });
    let request = Request::post("/mcp").header(header::CONTENT_TYPE, "application/json");
    let mut request = request.body(Body::from(body.to_vec())).unwrap();
    request.extensions_mut().insert(session.clone());
    let layer = McpRulesLayer::new(rules).unwrap();
    layer.layer(server).oneshot(request).await.unwrap().status() == StatusCode::OK
}

/// The rules with one for this call.
fn with_rule(rules: McpRules, call: &Call, guard: Guard) -> Result<McpRules, &'static str> {
    let text = |field: &Field| match field {
        Field::Text(bytes) => String::from_utf8(bytes.clone()).ok(),
        _ => None,
    };
    let method = text(&call.method).ok_or("the reader sees a method that is no text")?;
    let name = match &call.name {
        Field::None => None,
        name => Some(text(name).ok_or("the reader sees a name that is no text")?),
    };
    Ok(match (&*method, name.as_deref().map(pattern)) {
        ("tools/call", Some(name)) => rules.tool(name, guard),
        ("prompts/get", Some(name)) => rules.prompt(name, guard),
        ("resources/read" | "resources/subscribe" | "resources/unsubscribe", Some(uri)) => {
            rules.resource(uri, guard)
        }
        _ => rules.method(pattern(&method), guard),
    })
}

/// The pattern of this name alone, or of its beginning where a rule cannot have the whole.
fn pattern(name: &str) -> String {
    let beginning: String = name
        .chars()
        .take(200)
        .take_while(|char| *char != '*')
        .collect();
    match beginning == name {
        true => beginning,
        false => beginning + "*",
    }
}

/// Whether the rules see in the body what this reader sees, and no more.
async fn agrees(session: &AuthSession, body: &[u8], seen: &[Call]) -> Result<(), &'static str> {
    let calls: Vec<_> = seen
        .iter()
        .filter(|call| call.method != Field::None)
        .collect();
    let mut only = McpRules::new().default(deny());
    for (at, call) in calls.iter().enumerate() {
        if calls[..at].contains(call) {
            continue;
        }
        only = with_rule(only, call, require_auth())?;
        let all_but = with_rule(McpRules::new(), call, deny())?;
        if passes(all_but, session, body).await {
            return Err("the reader sees a call that the rules do not see");
        }
    }
    match passes(only, session, body).await {
        true => Ok(()),
        false => Err("the rules see a call that the reader does not see"),
    }
}

#[tokio::test]
async fn what_is_let_through_says_the_same_calls_to_every_reader_of_json() {
    let bodies = corpus::all();
    let bytes: Vec<&[u8]> = bodies.iter().map(|body| &*body.bytes).collect();
    let (mut told, missing) = programs::ask(&bytes);
    for language in programs::REQUIRED {
        assert!(!missing.contains(&language), "this test needs {language}");
    }
    for language in missing {
        println!("SKIPPED: the reader of {language} is not on this machine");
    }
    told.extend(rust(&bytes));

    let session = testing::session("ada").build();
    let mut let_through = BTreeMap::<_, [usize; 2]>::new();
    let mut wrong = Vec::new();
    for (at, body) in bodies.iter().enumerate() {
        let passed = passes(McpRules::new(), &session, &body.bytes).await;
        let_through.entry(body.trick).or_default()[usize::from(passed)] += 1;
        let shown = || String::from_utf8_lossy(&body.bytes[..body.bytes.len().min(200)]);
        if !passed {
            if body.trick == "honest" {
                wrong.push(format!("an honest body is refused: {}", shown()));
            }
            continue;
        }
        let mut known = HashSet::new();
        for told in &told {
            let Some(seen) = &told.of[at] else { continue };
            if !known.insert(format!("{seen:?}")) {
                continue;
            }
            if let Err(words) = agrees(&session, &body.bytes, seen).await {
                wrong.push(format!(
                    "{}: {words}: {}: {}: {seen:?}",
                    body.trick,
                    told.reader,
                    shown()
                ));
            }
        }
    }

    for (trick, [refused, passed]) in let_through {
        println!("{trick}: {refused} refused, {passed} let through");
    }
    let disagreed = (0..bodies.len())
        .filter(|at| {
            let seen: HashSet<_> = told
                .iter()
                .filter_map(|told| told.of[*at].as_ref())
                .map(|seen| format!("{seen:?}"))
                .collect();
            seen.len() > 1
        })
        .count();
    println!(
        "{} bodies, {} readers, which disagree about {disagreed} bodies",
        bodies.len(),
        told.len()
    );
    // Else the bodies prove nothing.
    assert!(
        disagreed > 200,
        "the readers disagree about {disagreed} bodies only"
    );
    assert!(
        wrong.is_empty(),
        "{} bodies:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(40)].join("\n")
    );
}

/// What serde_json makes of the bodies, in three ways.
fn rust(bodies: &[&[u8]]) -> Vec<Told> {
    type Parse = fn(&[u8]) -> Option<Vec<Call>>;
    let variants: [(&str, Parse); 3] = [
        ("values", |body| {
            serde_json::from_slice(body)
                .ok()
                .map(|value| of_value(&value))
        }),
        ("values, the first document", |body| {
            let mut documents = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
            documents.next()?.ok().map(|value| of_value(&value))
        }),
        ("structs", |body| {
            serde_json::from_slice::<Typed>(body)
                .ok()
                .map(|message| vec![message.call()])
        }),
    ];
    let told = variants.into_iter().map(|(name, parse)| Told {
        reader: format!("serde_json: {name}"),
        of: bodies.iter().map(|body| parse(body)).collect(),
    });
    told.collect()
}

#[derive(Deserialize)]
struct Typed {
    method: Option<String>,
    params: Option<Params>,
}

#[derive(Deserialize)]
struct Params {
    name: Option<String>,
    uri: Option<String>,
    #[serde(rename = "taskId")]
    task_id: Option<String>,
}

impl Typed {
    fn call(self) -> Call {
        let params = self.params;
        let name = match self.method.as_deref().and_then(key) {
            Some("name") => params.and_then(|params| params.name),
            Some("uri") => params.and_then(|params| params.uri),
            Some(_) => params.and_then(|params| params.task_id),
            None => None,
        };
        let field =
            |text: Option<String>| text.map_or(Field::None, |text| Field::Text(text.into_bytes()));
        Call {
            method: field(self.method),
            name: field(name),
        }
    }
}

fn key(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => Some("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    }
}

fn of_value(value: &Value) -> Vec<Call> {
    let field = |value: Option<&Value>| match value {
        None | Some(Value::Null) => Field::None,
        Some(Value::String(text)) => Field::Text(text.clone().into_bytes()),
        Some(_) => Field::NotText,
    };
    let one = |message: &Value| {
        let method = message.get("method");
        let named = method.and_then(Value::as_str).and_then(key);
        let name = named.and_then(|key| message.get("params")?.get(key));
        Call {
            method: field(method),
            name: field(name),
        }
    };
    match value {
        Value::Array(messages) => messages.iter().map(one).collect(),
        message => vec![one(message)],
    }
}
