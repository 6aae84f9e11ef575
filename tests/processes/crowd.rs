//! Many people at once through one client, as a hosted client brings them: one `client_id` for all.
//!
//! `CROWD` sets how many (200 unless set), `CROWD_AT_ONCE` how many of them are on their way at any
//! moment (100 unless set: with more, a small machine measures its own queues). Where the machine is too
//! busy to answer in time, a person reloads the page that says so and a client asks again; nobody begins
//! anew once the provider has been asked, for that is a login lost. All at once is a matter of a quiet
//! machine and the release profile:
//!
//! ```sh
//! CROWD=5000 CROWD_AT_ONCE=5000 cargo test --release --features sqlite,redis,storage-contract --test processes crowd -- --nocapture
//! ```

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::{Mutex, Semaphore, mpsc},
    task::JoinSet,
};
use tower_oauth_proxy::{
    MemoryStorage, OAuthProxyConfigBuilder, Step, TokenStorage,
    storage::{RedisStorage, SqliteStorage},
};

use crate::world::Backend;
use testkit::redis::Server;
use testkit::{Client, FakeClock, Landing, Pkce, Provider, Proxy, proxy::BASE, wire::query_param};

/// One way to Redis.
const WAY: Duration = Duration::from_millis(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_people_at_once_through_one_client_all_get_in_with_the_memory_store() {
    crowd("memory", MemoryStorage::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_people_at_once_through_one_client_all_get_in_with_sqlite() {
    let backend = Backend::sqlite();
    let file = backend.dir().join("grants.db");
    crowd("sqlite", SqliteStorage::open(&file).unwrap()).await;
    let bytes = std::fs::metadata(&file).unwrap().len();
    println!("sqlite: a file of {bytes} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_people_at_once_through_one_client_all_get_in_with_redis_two_milliseconds_away() {
    let server = Server::start();
    let port = server.port;
    let port = elsewhere(move || far_away(port));
    let store = RedisStorage::builder(format!("redis://127.0.0.1:{port}"));
    let store = store.response_timeout(Duration::from_secs(2)).connect();
    crowd("redis", store.await.unwrap()).await;
}

/// From the authorization request to the tokens; how often they had to be patient, or why it is lost.
async fn person(proxy: &Proxy, client: &Client) -> Result<usize, String> {
    let (mut browser, pkce, mut waits) = (proxy.browser(), Pkce::new(), 0);
    let url = client.authorize(&pkce, "state").url();
    let mut landing = loop {
        if browser.open(&url).await.page().reply.status == 200 {
            match browser.press("approve").await {
                Landing::Page(page) if !page.url.contains("/oauth/callback") => {}
                landing => break landing,
            }
        }
        waits += 1;
        patience().await;
    };
    let callback = loop {
        match landing {
            Landing::Left(url) if query_param(&url, "error").is_none() => break url,
            Landing::Page(page) if page.reply.status == 503 => {
                waits += 1;
                patience().await;
                landing = browser.open(&page.url).await;
            }
            lost => return Err(format!("{lost:?}")),
        }
    };
    loop {
        let reply = client.redeem(&callback, &pkce).await;
        match reply.status.as_u16() {
            200 => return Ok(waits),
            503 => waits += 1,
            _ => return Err(format!("{reply:?}")),
        }
        patience().await;
    }
}

async fn patience() {
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// Logs everybody in, looks for them in pages and as a whole, and ends them all.
async fn crowd(name: &str, store: impl TokenStorage) {
    static TURN: Mutex<()> = Mutex::const_new(());
    let _turn = TURN.lock().await;
    let number = |name: &str, unless_set: usize| {
        std::env::var(name).map_or(unless_set, |text| text.parse().unwrap())
    };
    let (people, at_once) = (number("CROWD", 200), number("CROWD_AT_ONCE", 100));
    let clock = FakeClock::default();
    let provider = elsewhere({
        let clock = clock.clone();
        || async move { Arc::new(Provider::start(clock).await) }
    });
    provider.configure(|settings| settings.everybody_is_new = true);
    // A provider that is slow because the machine is busy loses nobody here.
    let change = |builder: OAuthProxyConfigBuilder| {
        let builder = builder.upstream_request_timeout(Duration::from_secs(60));
        builder.token_storage(store)
    };
    let proxy = Arc::new(Proxy::before(provider, clock, BASE, change));
    let client = proxy.client().await;
    let begun = Instant::now();
    let mut journeys = JoinSet::new();
    let places = Arc::new(Semaphore::new(at_once));
    for _ in 0..people {
        let (proxy, client) = (Arc::clone(&proxy), client.clone());
        let places = Arc::clone(&places);
        journeys.spawn(async move {
            let _place = places.acquire_owned().await;
            person(&proxy, &client).await
        });
    }
    let (mut lost, mut waits) = (Vec::new(), 0);
    for journey in journeys.join_all().await {
        match journey {
            Ok(more) => waits += more,
            Err(why) => lost.push(why),
        }
    }
    let took = begun.elapsed();
    let events = proxy.events();
    // Listed with the next write, which may never come: each is told of.
    let unlisted = events.iter().filter(|event| event.step == Step::Storage);
    let unlisted = unlisted.count();
    let admin = proxy.layer.admin();
    let begun = Instant::now();
    let listed = admin.grants_of_client(&client.id).await.unwrap();
    let (listing, begun) = (begun.elapsed(), Instant::now());
    let redeemed = listed.iter().filter(|grant| grant.refreshed_at.is_some());
    let redeemed = redeemed.count();
    let (mut paged, mut after) = (0, None);
    loop {
        let page = admin.grants_of_client_page(&client.id, after.as_deref());
        let page = page.await.unwrap();
        paged += page.grants.len();
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let (paging, begun) = (begun.elapsed(), Instant::now());
    let ended = admin.revoke_client(&client.id).await.unwrap();
    let ending = begun.elapsed();
    println!(
        "{name}: {people} people, {at_once} at once, in {took:?}, {} lost, {waits} waits, {unlisted} unlisted; read in \
         {listing:?}, in pages in {paging:?}, ended in {ending:?}",
        lost.len()
    );
    assert_eq!(lost, [""; 0]);
    let listed = listed.len();
    assert!(
        listed + unlisted >= people,
        "{listed} listed, {unlisted} not"
    );
    assert_eq!((redeemed, paged, ended), (listed, listed, listed));
    let left = admin.grants_of_client(&client.id).await.unwrap();
    assert!(left.is_empty(), "{} are left", left.len());
}

/// Made and served by a thread of its own, as by another machine.
fn elsewhere<T, F>(make: impl FnOnce() -> F + Send + 'static) -> T
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let (made, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(async {
            made.send(make().await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    wait.recv().unwrap()
}

/// The port of a way to this port that takes a while, in each direction.
async fn far_away(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (near, _) = listener.accept().await.unwrap();
            let far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            for socket in [&near, &far] {
                socket.set_nodelay(true).unwrap();
            }
            let (near_in, near_out) = near.into_split();
            let (far_in, far_out) = far.into_split();
            carry(near_in, far_out);
            carry(far_in, near_out);
        }
    });
    here
}

/// Each piece arrives later, and none waits for the one before.
fn carry(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf) {
    let (pieces, mut on_the_way) = mpsc::unbounded_channel::<(tokio::time::Instant, Vec<u8>)>();
    tokio::spawn(async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let due = tokio::time::Instant::now() + WAY;
            if pieces.send((due, buffer[..read].to_vec())).is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        while let Some((due, piece)) = on_the_way.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
    });
}
