//! What rules by tool cost, beside a cached session without them.

use std::time::Duration;

use http::StatusCode;
use tokio::runtime::Runtime;
use tower::Layer;
use tower_oauth_proxy::guard::{
    mcp::{McpRules, McpRulesLayer},
    require_auth, require_role,
};

use crate::harness::{Contender, measure};
use testkit::measure::{
    figures::verdict,
    world::{Inner, LONG_LIFE, Visitors, World},
};

const ROUNDS: usize = 100;
const BATCH: Duration = Duration::from_millis(4);

const WITHOUT: &str = "cached session, without rules";
const HEADERS: &str = "… rules, by headers alone";
const CLAIM: [(&str, &str); 2] = [("mcp-method", "tools/call"), ("mcp-name", "search")];

/// A call of some arguments, of so many bytes.
fn call(length: usize) -> String {
    let of = |text: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"search","arguments":{{"limit":20,"all":false,"query":"{text}"}}}}}}"#
        )
    };
    let filling = "the quick brown fox jumps over the lazy dog ".repeat(length / 40);
    of(&filling[..length.saturating_sub(of("").len())])
}

pub(crate) fn print(runtime: &Runtime, provider: &str) {
    let world = World::new(runtime, provider, 1, |it| it.session_cache_ttl(LONG_LIFE));
    let rules = McpRules::new()
        .tool("search", require_auth())
        .tool("delete_*", require_role("admin"));
    let by_headers = rules.clone().headers_are_checked_behind();
    let ruled = |rules| world.before(McpRulesLayer::new(rules).unwrap().layer(Inner));
    let mut plain = Visitors::new(world.service(), &world.tokens).posting(&call(1000), &CLAIM);
    let service = ruled(by_headers);
    let mut headers = Visitors::new(service, &world.tokens).posting(&call(1000), &CLAIM);
    let mut contenders = vec![
        Contender::new(WITHOUT, move || plain.call(StatusCode::OK)),
        Contender::new(HEADERS, move || headers.call(StatusCode::OK)),
    ];
    let read = |length: usize| format!("… rules, a body of {length} bytes read");
    for length in [120, 1000, 10_000] {
        let service = ruled(rules.clone());
        let mut body = Visitors::new(service, &world.tokens).posting(&call(length), &CLAIM);
        contenders.push(Contender::new(read(length), move || {
            body.call(StatusCode::OK)
        }));
    }

    println!("\n## Rules by tool\n\n| | ns | allocations |\n|---|---:|---:|");
    let measured = measure(ROUNDS, BATCH, contenders);
    for name in [WITHOUT, HEADERS]
        .map(str::to_owned)
        .into_iter()
        .chain([120, 1000, 10_000].map(read))
    {
        measured.print_row(&name);
    }
    println!("\n| goal | measured | at most | |\n|---|---:|---:|---|");
    for (name, most) in [(HEADERS.to_owned(), 100.0), (read(1000), 1000.0)] {
        let more = measured.of_rounds(|of| of(&name) - of(WITHOUT));
        let verdict = verdict(more <= most);
        println!("| {name}: ns more | {more:.0} | {most} | {verdict} |");
    }
}
