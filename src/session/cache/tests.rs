use super::*;
use crate::session::tests;

const TTL: Duration = Duration::from_secs(10);

/// Fresh for a whole life from 0 on.
fn session(scopes: &str, roles: &[&str]) -> Validated {
    fresh_until(Unix::at(10), tests::session(scopes, roles))
}

fn session_of_size(bytes: usize) -> Validated {
    fresh_until(Unix::at(10), tests::session_of_size(bytes))
}

fn fresh_until(end: Unix, session: AuthSession) -> Validated {
    Validated {
        session,
        is_sufficient: true,
        fresh_until: end,
        mark: None,
    }
}

fn cache(ttl: Duration) -> SessionCache {
    SessionCache::new(ttl, Arc::new(Revocations::new()))
}

fn held(cache: &SessionCache) -> usize {
    let shards = cache.shards.iter().map(Shard::read);
    shards
        .map(|shard| shard.live.iter().count() + shard.dead.len())
        .sum()
}

fn bytes(cache: &SessionCache) -> usize {
    let live = |shard: &Sessions| {
        shard
            .live
            .iter()
            .map(|(_, entry)| entry.size())
            .sum::<usize>()
    };
    let shards = cache.shards.iter().map(Shard::read);
    // The dead cannot be looked at; they are no more than a generation.
    let dead = |shard: &Sessions| match shard.dead.len() {
        0 => 0,
        _ => GENERATION_BYTES,
    };
    let bytes = shards.map(|shard| live(&shard) + dead(&shard));
    bytes.sum()
}

#[test]
fn only_the_whole_token_finds_its_session() {
    let cache = cache(TTL);
    let token = [b"header.payload.".as_slice(), &[b's'; TAIL]].concat();
    cache.put(token.clone().into(), session("read", &[]), Unix::EPOCH);
    assert!(cache.get(&token, Unix::EPOCH).is_some());
    // The same tail, and so the same place, each time.
    let mut other = token.clone();
    other[0] = b'H';
    for wrong in [&other[..], &token[1..], &[b"x", &token[..]].concat(), b""] {
        assert!(cache.get(wrong, Unix::EPOCH).is_none());
    }
    // A short one is its own tail.
    cache.put(Box::new(*b"short"), session("read", &[]), Unix::EPOCH);
    assert!(
        cache.get(b"short", Unix::EPOCH).is_some() && cache.get(b"shor", Unix::EPOCH).is_none()
    );
}

#[test]
fn a_forgotten_token_is_gone_from_both_generations() {
    let cache = cache(TTL);
    cache.put(Box::new(*b"token"), session("read", &[]), Unix::EPOCH);
    cache.put(Box::new(*b"token"), session("read", &[]), Unix::at(10));
    assert_eq!(held(&cache), 2);
    cache.forget(b"token");
    assert_eq!((held(&cache), bytes(&cache)), (0, 0));
}

#[test]
fn a_time_to_live_of_zero_keeps_nothing() {
    let cache = cache(Duration::ZERO);
    cache.put(Box::new(*b"token"), session("read", &[]), Unix::EPOCH);
    assert!(cache.get(b"token", Unix::EPOCH).is_none());
    cache.forget(b"token");
}

#[test]
fn what_is_older_than_two_lives_is_dropped_from_memory() {
    let cache = cache(TTL);
    for n in 0..2_000_u32 {
        cache.put(Box::new(n.to_be_bytes()), session("read", &[]), Unix::EPOCH);
    }
    assert_eq!(held(&cache), 2_000);
    for now in [10, 20] {
        for n in 0..2_000_u32 {
            cache.put(
                Box::new((n + 10_000).to_be_bytes()),
                session("read", &[]),
                Unix::at(now),
            );
        }
    }
    assert!((0..2_000_u32).all(|n| cache.get(&n.to_be_bytes(), Unix::EPOCH).is_none()));
}

#[test]
fn what_stands_where_nobody_writes_grows_old_too() {
    let cache = cache(TTL);
    for n in 0..200_u32 {
        cache.put(Box::new(n.to_be_bytes()), session("read", &[]), Unix::EPOCH);
    }
    // One token alone, and so one shard alone, is written from now on; each new key picks another
    // neighbour.
    let (_, busy) = cache.place(b"busy").unwrap();
    let of_busy = |n: &u32| std::ptr::eq(cache.place(&n.to_be_bytes()).unwrap().1, busy);
    for (step, n) in (1_000..).filter(of_busy).take(2_000).enumerate() {
        let now = if step < 1_000 { 10 } else { 20 };
        cache.put(
            Box::new(n.to_be_bytes()),
            session("read", &[]),
            Unix::at(now),
        );
    }
    let elsewhere = cache
        .shards
        .iter()
        .filter(|shard| !std::ptr::eq(*shard, busy));
    let left: usize = elsewhere
        .map(|shard| shard.read().live.iter().count())
        .sum();
    assert_eq!(left, 0);
}

#[test]
fn the_cache_never_holds_more_than_its_bytes_and_keeps_the_newest() {
    let cache = cache(TTL);
    for n in 0..40_000_u32 {
        cache.put(
            Box::new(n.to_be_bytes()),
            session_of_size(4_000),
            Unix::EPOCH,
        );
        assert!(cache.get(&n.to_be_bytes(), Unix::EPOCH).is_some(), "{n}");
    }
    assert!(bytes(&cache) <= SESSION_CACHE_BYTES);
    assert!(bytes(&cache) > SESSION_CACHE_BYTES / 3, "{}", bytes(&cache));
    // Larger than a generation: not kept, and nothing else is lost for it.
    let before = held(&cache);
    for _ in 0..3 {
        cache.put(
            Box::new(*b"huge"),
            session_of_size(GENERATION_BYTES),
            Unix::EPOCH,
        );
    }
    assert!(cache.get(b"huge", Unix::EPOCH).is_none());
    // Some dead ones were freed.
    assert!(held(&cache) + 6 * FREED_AT_ONCE >= before);
    assert!(cache.get(&39_999_u32.to_be_bytes(), Unix::EPOCH).is_some());
    for shard in &cache.shards {
        let shard = shard.read();
        let (young, size) = shard.live.young();
        assert_eq!(young.map(Entry::size).sum::<usize>(), size);
    }
}

#[test]
fn a_clock_that_is_set_back_makes_no_session_live_longer() {
    let cache = cache(TTL);
    let until = |end| fresh_until(end, tests::session("read", &[]));
    cache.put(
        Box::new(*b"token"),
        until(Unix::at(100_010)),
        Unix::at(100_000),
    );
    assert!(cache.get(b"token", Unix::at(100_009)).is_some());
    assert!(cache.get(b"token", Unix::at(100_000)).is_some());
    assert!(cache.get(b"token", Unix::at(100_010)).is_none());
    assert!(cache.get(b"token", Unix::at(99_999)).is_none());
    assert!(cache.get(b"token", Unix::EPOCH).is_none());
    // Nor does it stop the generations from growing older.
    for now in [50_000, 50_010, 50_020] {
        for n in 0..400_u32 {
            cache.put(
                Box::new(n.to_be_bytes()),
                until(Unix::at(now + 10)),
                Unix::at(now),
            );
        }
    }
    let shards = cache.shards.iter().map(Shard::read);
    let of_before = |shard: &Sessions| {
        let all = shard.live.iter();
        all.filter(|(_, entry)| entry.validated.fresh_until > Unix::at(60_000))
            .count()
    };
    assert_eq!(shards.map(|shard| of_before(&shard)).sum::<usize>(), 0);
}

#[test]
fn readers_and_writers_on_many_threads_see_whole_entries() {
    let cache = cache(TTL);
    std::thread::scope(|threads| {
        for thread in 0..4_u8 {
            let cache = &cache;
            threads.spawn(move || {
                for n in 0..3_000_u32 {
                    let token = [&[thread % 2], &n.to_be_bytes()[..]].concat();
                    let scopes = format!("t{}n{n}", thread % 2);
                    cache.put(
                        token.clone().into(),
                        session(&scopes, &[]),
                        Unix::at(u64::from(n / 500)),
                    );
                    if let Some(found) = cache.get(&token, Unix::EPOCH) {
                        assert!(found.session.scopes().contains(&scopes));
                    }
                }
            });
        }
    });
}
