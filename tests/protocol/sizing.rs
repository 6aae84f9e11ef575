//! The sizing table of the chapter on stores: its rows are a formula's, and the formula's numbers are measured.

use std::{fmt::Write, ops::RangeInclusive, time::Duration};

use serde_json::json;
use testkit::{
    Client, Proxy, Store, Tokens,
    provider::{Answer, Kind},
};

/// The people that the table is about.
mod people {
    pub(super) const GRANTS_OF_EACH: u64 = 2;
    /// One in so many is at work in the busiest hour.
    pub(super) const ONE_AT_WORK_IN: u64 = 10;
    /// A person at work sends a request once in so many seconds.
    pub(super) const SECONDS_BETWEEN: u64 = 5;
    /// One in so many logs in within that hour.
    pub(super) const ONE_LOGS_IN_OF: u64 = 100;
}

/// The provider's tokens of one login, with the claims that are passed through.
const TOKENS: u64 = 2_500;
/// What a grant has besides: the client's id, the person, the sealing.
const OWN: u64 = 600;
/// A login and the redemption of its code, a rotation, a renewal of the provider's token.
const LOGIN: u64 = 12;
const ROTATION: u64 = 3;
const RENEWAL: u64 = 5;
const HOUR: u64 = 3_600;
/// Of one shard, which is one primary: records, with as much room again for what it copies when it saves, and verbs.
const SHARD_BYTES: u64 = 12_000_000_000;
const SHARD_VERBS: u64 = 40_000;

fn grant() -> u64 {
    TOKENS + OWN
}

/// In Redis: memory comes in sizes a fifth apart, a record has a key and an end, and each grant two members of lists.
fn bytes_in_redis(people: u64) -> u64 {
    people * people::GRANTS_OF_EACH * (grant() * 5 / 4 + 600)
}

/// In a second of the busiest hour. Once a session has left the cache, it comes back with the next request.
fn verbs(people: u64, cache_ttl: u64) -> u64 {
    let at_work = people / people::ONE_AT_WORK_IN;
    let reads = at_work * HOUR / (cache_ttl + people::SECONDS_BETWEEN);
    let others = at_work * (ROTATION + RENEWAL) + people / people::ONE_LOGS_IN_OF * LOGIN;
    (reads + others).div_ceil(HOUR)
}

fn shards(people: u64) -> u64 {
    let by_bytes = bytes_in_redis(people).div_ceil(SHARD_BYTES);
    by_bytes.max(verbs(people, 10).div_ceil(SHARD_VERBS))
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn size(bytes: u64) -> String {
    match bytes {
        ..1_000_000_000 => format!("{} MB", bytes.div_ceil(1_000_000)),
        _ => format!("{} GB", bytes.div_ceil(1_000_000_000)),
    }
}

#[test]
fn the_sizing_table_is_what_the_formula_says() {
    let mut table = String::new();
    for people in (3..=8).map(|zeros| 10_u64.pow(zeros)) {
        let grants = people * people::GRANTS_OF_EACH;
        writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            grouped(people),
            grouped(grants),
            grouped(2 * grants),
            size(bytes_in_redis(people)),
            grouped(verbs(people, 0)),
            grouped(verbs(people, 10)),
            grouped(verbs(people, 60)),
            shards(people),
        )
        .unwrap();
    }
    let chapter = include_str!("../../src/docs/stores.md");
    assert!(chapter.contains(&table), "the table is\n{table}");
}

async fn with_ttl(cache_ttl: u64) -> (Proxy, Store, Client) {
    let (proxy, store) = Proxy::with_store(|builder| {
        builder
            .access_token_ttl(Duration::from_secs(86_400))
            .session_cache_ttl(Duration::from_secs(cache_ttl))
    })
    .await;
    let client = proxy.client().await;
    (proxy, store, client)
}

/// The verbs that `work` takes, with what goes on after it was answered.
async fn counted<T>(proxy: &Proxy, store: &Store, work: impl Future<Output = T>) -> (u64, T) {
    store.forget();
    let done = work.await;
    let left = proxy.layer.admin().drain(Duration::from_secs(5)).await;
    assert_eq!(left, 0);
    (store.seen().len() as u64, done)
}

#[tokio::test]
async fn a_login_a_rotation_and_a_renewal_take_the_verbs_of_the_formula() {
    let (proxy, store, client) = with_ttl(10).await;
    let (login, tokens) = counted(&proxy, &store, proxy.journey(&client)).await;
    let refresh = client.refresh(tokens.refresh());
    let (rotation, reply) = counted(&proxy, &store, refresh).await;
    let tokens = Tokens::read(&reply);
    proxy.clock.advance_secs(HOUR);
    let session = proxy.session(&client, &tokens.access);
    let (renewal, _) = counted(&proxy, &store, session).await;
    assert_eq!([login, rotation, renewal], [LOGIN, ROTATION, RENEWAL]);
}

#[tokio::test]
async fn a_grant_is_the_providers_tokens_and_what_the_formula_adds() {
    let mut sizes = vec![];
    for length in [500, 1_500] {
        let (proxy, store, client) = with_ttl(10).await;
        let long = json!({ "refresh_token": "r".repeat(length) });
        let provider = &proxy.provider;
        provider.configure(|settings| settings.issue_id_token = false);
        provider.next(Kind::Token, Answer::With(long));
        proxy.journey(&client).await;
        let seen = store.seen();
        let last = seen.iter().rfind(|seen| seen.key.starts_with("grant:"));
        let last = last.unwrap();
        assert_eq!(last.verb, "compare_and_swap", "as it was redeemed");
        sizes.push(last.value.len() as u64 - length as u64);
    }
    // Byte for byte, whatever the tokens are.
    let difference = sizes[0].abs_diff(sizes[1]);
    assert!(difference <= 4, "{sizes:?}");
    // The kit's access token and the person are in it too, and are short.
    let expected: RangeInclusive<u64> = OWN / 2..=OWN;
    assert!(expected.contains(&sizes[0]), "{sizes:?}");
}

#[tokio::test]
async fn a_person_at_work_costs_the_reads_of_the_formula() {
    for cache_ttl in [0, 10, 60] {
        let (proxy, store, client) = with_ttl(cache_ttl).await;
        let tokens = proxy.journey(&client).await;
        let mut seconds = 0;
        let requests = 400;
        let work = async {
            // People come at any time: after each second the chance is the same.
            let mut state = 12_345_u64;
            for _ in 0..requests {
                proxy.session(&client, &tokens.access).await;
                loop {
                    state = (state * 1_103_515_245 + 12_345) % (1 << 31);
                    proxy.clock.advance_secs(1);
                    seconds += 1;
                    if (state >> 16).is_multiple_of(people::SECONDS_BETWEEN) {
                        break;
                    }
                }
            }
        };
        let (reads, ()) = counted(&proxy, &store, work).await;
        let expected = seconds / (cache_ttl + people::SECONDS_BETWEEN);
        assert!(
            reads.abs_diff(expected) <= expected / 8,
            "{cache_ttl} s: {reads} reads in {seconds} s, not {expected}"
        );
        assert!(cache_ttl > 0 || reads == requests);
    }
}
