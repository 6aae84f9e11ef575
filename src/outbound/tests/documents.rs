//! What is kept, for how long, and who asks the source.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex},
    task::Poll,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use testkit::https::{Https, json};
use tokio::sync::watch;

use super::{Names, outbound, way_out};
use crate::{
    clock::Clock,
    event::{Event, Events, Reason, Step},
    limits::{
        DOCUMENT_STALE, FAILED_FETCH_MEMORY, MAX_DOCUMENTS_BYTES, MAX_FAILED_FETCHES, MAX_FLIGHTS,
        MAX_FLIGHTS_PER_HOST, MAX_STRANGERS_FETCHES_PER_MINUTE, REFETCH_COOLDOWN,
    },
    outbound::{
        AskedBy, Document, Documents, FetchError,
        NamedBy::{self, Operator, Stranger},
        Outbound, Reply, WayOut,
    },
};

#[derive(Clone)]
struct ByHand(Arc<Mutex<SystemTime>>);

impl ByHand {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(
            UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        )))
    }

    fn pass(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }

    fn set_back(&self, time: Duration) {
        *self.0.lock().unwrap() -= time;
    }
}

impl Clock for ByHand {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }
}

/// A server that says what it is told to, once it is let.
struct Source {
    server: Https,
    says: Arc<Mutex<String>>,
    /// Whether it answers, or holds its answers back.
    answers: watch::Sender<bool>,
}

impl Source {
    async fn saying(body: &str) -> Self {
        let says = Arc::new(Mutex::new(json(
            "200 OK",
            "cache-control: max-age=120\r\n",
            body,
        )));
        let (answers, may) = watch::channel(true);
        let said = Arc::clone(&says);
        let server = Https::start(move |_| {
            let (said, mut may) = (Arc::clone(&said), may.clone());
            async move {
                let _ = may.wait_for(|may| *may).await;
                let said = said.lock().unwrap();
                said.clone()
            }
        });
        Self {
            server: server.await,
            says,
            answers,
        }
    }

    fn say(&self, status: &str, headers: &str, body: &str) {
        *self.says.lock().unwrap() = json(status, headers, body);
    }

    fn hold(&self) {
        self.answers.send_replace(false);
    }

    fn let_go(&self) {
        self.answers.send_replace(true);
    }

    fn url(&self) -> String {
        self.at("/doc.json")
    }

    fn at(&self, path: &str) -> String {
        self.server.url("client.example", path)
    }

    fn asked(&self) -> usize {
        self.server.requests().len()
    }

    /// Returns when it has been asked so often.
    async fn is_asked(&self, times: usize) {
        while self.asked() < times {
            tokio::task::yield_now().await;
        }
    }
}

/// Our documents are numbers.
fn number(reply: &Reply) -> Result<u32, String> {
    let text = String::from_utf8_lossy(&reply.body);
    assert!(text != "panic", "on purpose");
    text.parse().map_err(|_| format!("{text} is no number"))
}

fn names() -> Names {
    Names::default().leads("client.example", &[&["127.0.0.1"]])
}

fn documents(clock: &ByHand, named_by: NamedBy) -> Documents<u32> {
    with(outbound(&names(), &["127.0.0.0/8"]), clock, named_by)
}

fn with(outbound: Outbound, clock: &ByHand, named_by: NamedBy) -> Documents<u32> {
    Documents::new(outbound, Arc::new(clock.clone()), named_by, 1000, number)
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn value(got: Result<Arc<Document<u32>>, FetchError>) -> u32 {
    **got.unwrap()
}

#[tokio::test]
async fn a_document_is_fetched_once_for_its_life() {
    let source = Source::saying("1").await;
    let clock = ByHand::new();
    let documents = documents(&clock, Stranger);
    let url = source.url();
    assert!(documents.cached(&url).is_none());
    assert_eq!(value(documents.get(&url).await), 1);
    source.say("200 OK", "cache-control: no-store\r\n", "2");
    clock.pass(secs(119));
    assert_eq!(value(documents.get(&url).await), 1);
    assert_eq!(documents.cached(&url).map(|it| it.value), Some(1));
    assert_eq!(source.asked(), 1);
    clock.pass(secs(1));
    assert!(documents.cached(&url).is_none());
    assert_eq!(value(documents.get(&url).await), 2);
    // A life of its own: the least.
    clock.pass(secs(59));
    assert!(documents.cached(&url).is_some());
    clock.pass(secs(1));
    assert!(documents.cached(&url).is_none());
    // Another URL is another document.
    assert_eq!(value(documents.get(&source.at("/other")).await), 2);
    assert_eq!(source.asked(), 3);
}

#[tokio::test]
async fn a_clock_that_was_set_back_makes_no_document_live_longer() {
    let source = Source::saying("1").await;
    let clock = ByHand::new();
    let documents = documents(&clock, Operator);
    let first = documents.get(&source.url()).await.unwrap();
    clock.set_back(secs(3600));
    assert!(documents.cached(&source.url()).is_none());
    let second = documents.newer(&source.url(), &first).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
    source.say("500 Down", "", "");
    clock.set_back(secs(3600));
    // Nor a failure, nor what stands in.
    assert!(documents.get(&source.url()).await.is_err());
    clock.set_back(secs(3600));
    source.say("200 OK", "", "3");
    assert_eq!(value(documents.get(&source.url()).await), 3);
}

#[tokio::test]
async fn all_who_ask_at_once_wait_for_one_fetch() {
    let source = Source::saying("1").await;
    let documents = documents(&ByHand::new(), Stranger);
    source.hold();
    let askers: Vec<_> = (0..50)
        .map(|_| {
            let (documents, url) = (documents.clone(), source.url());
            tokio::spawn(async move { documents.get(&url).await })
        })
        .collect();
    source.is_asked(1).await;
    assert_eq!(documents.0.holds().2, 1);
    source.let_go();
    let mut got = Vec::new();
    for asker in askers {
        got.push(asker.await.unwrap().unwrap());
    }
    assert!(got.iter().all(|it| Arc::ptr_eq(it, &got[0])));
    assert_eq!(source.asked(), 1);
    assert_eq!(documents.0.holds().2, 0);
}

#[tokio::test]
async fn one_who_looked_before_a_fetch_landed_and_asks_after_it_begins_no_other() {
    let source = Source::saying("1").await;
    let documents = documents(&ByHand::new(), Stranger);
    let url = source.url();
    let first = documents.get(&url).await.unwrap();
    let landed = documents
        .0
        .fetched(&url, AskedBy::Anyone, false, |library| library.last(&url))
        .await;
    assert!(Arc::ptr_eq(&first, &landed.unwrap()));
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn a_fetch_goes_on_when_the_one_who_began_it_hangs_up() {
    let source = Source::saying("1").await;
    let documents = documents(&ByHand::new(), Stranger);
    source.hold();
    let (also, url) = (documents.clone(), source.url());
    let first = tokio::spawn(async move { also.get(&url).await });
    source.is_asked(1).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let (also, url) = (documents.clone(), source.url());
    let second = tokio::spawn(async move { also.get(&url).await });
    tokio::task::yield_now().await;
    source.let_go();
    assert_eq!(value(second.await.unwrap()), 1);
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn a_fetch_that_panics_keeps_nobody_waiting() {
    let source = Source::saying("panic").await;
    let documents = documents(&ByHand::new(), Stranger);
    let error = documents.get(&source.url()).await.unwrap_err();
    assert!(error.is_trouble(), "{error}");
    assert_eq!(documents.0.holds().2, 0);
    source.say("200 OK", "", "1");
    assert_eq!(value(documents.get(&source.url()).await), 1);
}

/// A runtime of its own, as an application may have several.
fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

#[test]
fn a_fetch_whose_runtime_is_gone_or_stands_still_is_taken_over() {
    let servers = runtime();
    let source = servers.block_on(Source::saying("1"));
    let way = WayOut {
        timeout: Duration::from_millis(500),
        ..way_out(&names(), &["127.0.0.0/8"])
    };
    let documents = with(Outbound::new(&way).unwrap(), &ByHand::new(), Operator);
    let begin = |runtime: &tokio::runtime::Runtime, url: &str| {
        runtime.block_on(async {
            let mut asked = Box::pin(documents.get(url));
            // One look, then this runtime is not driven any more.
            poll_fn(|context| {
                assert!(asked.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
        });
    };
    let gone = runtime();
    begin(&gone, &source.at("/gone"));
    let still = runtime();
    begin(&still, &source.at("/still"));
    assert_eq!(documents.0.holds().2, 2);
    drop(gone);
    assert_eq!(documents.0.holds().2, 1);
    assert_eq!(
        value(servers.block_on(documents.get(&source.at("/gone")))),
        1
    );
    assert_eq!(
        value(servers.block_on(documents.get(&source.at("/still")))),
        1
    );
    // What the old one held does not take the new one's place away.
    drop(still);
    assert_eq!(documents.0.holds().2, 0);
    assert!(documents.cached(&source.at("/still")).is_some());
}

#[tokio::test]
async fn a_failure_is_remembered_for_seconds_and_then_asked_again() {
    for answer in [
        "500 Down",
        "404 Not Found",
        "302 Found",
        "203 Changed",
        "206 Part",
    ] {
        let source = Source::saying("1").await;
        source.say(answer, "", "1");
        let clock = ByHand::new();
        let documents = documents(&clock, Stranger);
        let error = documents.get(&source.url()).await.unwrap_err();
        clock.pass(FAILED_FETCH_MEMORY - secs(1));
        for _ in 0..10 {
            assert_eq!(documents.get(&source.url()).await.unwrap_err(), error);
        }
        assert_eq!(source.asked(), 1);
        source.say("200 OK", "", "1");
        clock.pass(secs(1));
        assert_eq!(value(documents.get(&source.url()).await), 1);
        assert_eq!(source.asked(), 2);
    }
}

#[tokio::test]
async fn what_the_operator_named_stands_in_for_a_day_whatever_its_source_says() {
    for (status, body) in [
        ("503 Down", ""),
        ("404 Not Found", ""),
        ("200 OK", "<html>"),
    ] {
        let source = Source::saying("1").await;
        let clock = ByHand::new();
        let reported = Arc::new(Mutex::new(Vec::new()));
        let report = Arc::clone(&reported);
        let report = move |event: &Event| report.lock().unwrap().push(event.clone());
        let way = WayOut {
            events: Arc::new(Events::new(Some(Box::new(report)))),
            ..way_out(&names(), &["127.0.0.0/8"])
        };
        let documents = with(Outbound::new(&way).unwrap(), &clock, Operator);
        let url = source.url();
        documents.get(&url).await.unwrap();
        source.say(status, "", body);
        clock.pass(secs(120));
        for _ in 0..3 {
            assert_eq!(value(documents.get(&url).await), 1);
        }
        assert_eq!(source.asked(), 2);
        // Each failed fetch is reported, and not each who asks.
        let events: Vec<Event> = std::mem::take(&mut *reported.lock().unwrap());
        assert_eq!(events.len(), 1);
        assert_eq!(
            (events[0].step, events[0].reason),
            (Step::Document, Some(Reason::StaleDocument))
        );
        let words = events[0].detail.clone().unwrap();
        assert!(
            words.contains("client.example") && !words.contains("doc.json"),
            "{words}"
        );
        clock.pass(DOCUMENT_STALE - secs(1));
        assert_eq!(value(documents.get(&url).await), 1);
        assert_eq!(reported.lock().unwrap().len(), 1);
        clock.pass(FAILED_FETCH_MEMORY);
        // Now those who ask hear of it.
        assert!(documents.get(&url).await.is_err());
        assert_eq!(reported.lock().unwrap().len(), 1);
        source.say("200 OK", "", "2");
        clock.pass(FAILED_FETCH_MEMORY);
        assert_eq!(value(documents.get(&url).await), 2);
    }
}

#[tokio::test]
async fn what_a_stranger_named_stands_in_only_while_its_source_says_nothing() {
    for (status, body, stands) in [
        ("500 Down", "", true),
        ("429 Too Many", "", true),
        ("408 Too Slow", "", true),
        ("404 Not Found", "", false),
        ("410 Gone", "", false),
        ("403 Forbidden", "", false),
        ("302 Found", "", false),
        ("200 OK", "<html>", false),
    ] {
        let source = Source::saying("1").await;
        let clock = ByHand::new();
        let documents = documents(&clock, Stranger);
        let url = source.url();
        documents.get(&url).await.unwrap();
        source.say(status, "", body);
        clock.pass(secs(120));
        for _ in 0..2 {
            assert_eq!(documents.get(&url).await.is_ok(), stands, "{status}");
        }
        // Trouble afterwards brings nothing back.
        source.say("500 Down", "", "");
        clock.pass(FAILED_FETCH_MEMORY);
        assert_eq!(documents.get(&url).await.is_ok(), stands, "{status}");
    }
}

#[tokio::test]
async fn a_name_that_came_to_lead_inside_takes_its_document_along() {
    let source = Source::saying("1").await;
    let clock = ByHand::new();
    let names = Names::default().leads("client.example", &[&["127.0.0.1"], &["10.0.0.1"]]);
    let documents = with(outbound(&names, &["127.0.0.0/8"]), &clock, Stranger);
    documents.get(&source.url()).await.unwrap();
    clock.pass(secs(120));
    let error = documents.get(&source.url()).await.unwrap_err();
    assert!(matches!(error, FetchError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn a_slow_source_holds_up_those_who_have_nothing_else() {
    let source = Source::saying("1").await;
    let clock = ByHand::new();
    let documents = documents(&clock, Operator);
    let url = source.url();
    documents.get(&url).await.unwrap();
    source.say("200 OK", "", "2");
    source.hold();
    clock.pass(secs(120));
    // From here on, to wait costs the test no time.
    tokio::time::pause();
    let before = tokio::time::Instant::now();
    assert_eq!(value(documents.get(&url).await), 1);
    let waited = before.elapsed();
    assert!(secs(1) <= waited && waited < secs(2), "{waited:?}");
    // The next ones do not wait at all.
    for _ in 0..3 {
        assert_eq!(value(documents.get(&url).await), 1);
    }
    assert_eq!(before.elapsed(), waited);
    tokio::time::resume();
    // The fetch has gone on, and its end is seen by all.
    source.is_asked(2).await;
    source.let_go();
    while documents.cached(&url).is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(value(documents.get(&url).await), 2);
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn a_document_that_lacks_something_is_fetched_anew_once_in_a_while() {
    let source = Source::saying("1").await;
    let clock = ByHand::new();
    let documents = documents(&clock, Operator);
    let url = source.url();
    let zeroth = documents.get(&url).await.unwrap();
    // At once after an ordinary fetch: a key that signs from now on must not be unknown for seconds.
    let first = documents.newer(&url, &zeroth).await.unwrap();
    assert!(!Arc::ptr_eq(&zeroth, &first));
    assert_eq!(source.asked(), 2);
    source.say("200 OK", "", "2");
    clock.pass(REFETCH_COOLDOWN - secs(1));
    for _ in 0..10 {
        let same = documents.newer(&url, &first).await.unwrap();
        assert!(Arc::ptr_eq(&first, &same));
    }
    assert_eq!(source.asked(), 2);
    clock.pass(secs(1));
    // However many ask at once.
    let (a, b) = tokio::join!(documents.newer(&url, &first), documents.newer(&url, &first));
    let second = a.unwrap();
    assert_eq!(second.value, 2);
    assert!(Arc::ptr_eq(&second, &b.unwrap()));
    assert_eq!(source.asked(), 3);
    // One who comes late with the old one gets the new one, without asking.
    let late = documents.newer(&url, &first).await.unwrap();
    assert!(Arc::ptr_eq(&second, &late));
    // And the new one cools down in its turn.
    let same = documents.newer(&url, &second).await.unwrap();
    assert!(Arc::ptr_eq(&second, &same));
    assert_eq!(source.asked(), 3);
}

#[tokio::test]
async fn where_the_source_cannot_be_asked_what_is_missing_is_not_known() {
    let source = Source::saying("1").await;
    let clock = ByHand::new();
    let documents = documents(&clock, Operator);
    let url = source.url();
    let first = documents.get(&url).await.unwrap();
    clock.pass(REFETCH_COOLDOWN);
    source.say("503 Down", "", "");
    for _ in 0..10 {
        let error = documents.newer(&url, &first).await.unwrap_err();
        assert!(error.is_trouble());
    }
    assert_eq!(source.asked(), 2);
    // What is there is good all the same.
    assert_eq!(value(documents.get(&url).await), 1);
    clock.pass(FAILED_FETCH_MEMORY);
    source.say("200 OK", "", "2");
    assert_eq!(value(documents.newer(&url, &first).await), 2);
}

#[tokio::test]
async fn a_host_that_a_stranger_named_takes_a_part_of_the_fetches_alone() {
    let source = Source::saying("1").await;
    source.hold();
    for (named_by, most) in [(Stranger, MAX_FLIGHTS_PER_HOST), (Operator, MAX_FLIGHTS)] {
        let before = source.asked();
        let documents = documents(&ByHand::new(), named_by);
        let asker = |path: String| {
            let (documents, url) = (documents.clone(), source.at(&path));
            tokio::spawn(async move { documents.get(&url).await })
        };
        let askers: Vec<_> = (0..most).map(|n| asker(format!("/{n}"))).collect();
        source.is_asked(before + most).await;
        let error = asker("/one-more".to_owned()).await.unwrap().unwrap_err();
        assert!(matches!(error, FetchError::Busy { .. }), "{error}");
        // Those who join a fetch take none.
        let joined = asker("/0".to_owned());
        tokio::task::yield_now().await;
        source.let_go();
        for asker in askers.into_iter().chain([joined]) {
            assert_eq!(value(asker.await.unwrap()), 1);
        }
        // It was no failure of the URL.
        assert_eq!(value(documents.get(&source.at("/one-more")).await), 1);
        source.hold();
    }
}

#[tokio::test]
async fn a_host_that_strangers_named_is_asked_so_often_in_a_minute_and_the_operators_at_will() {
    let source = Source::saying("1").await;
    let most = MAX_STRANGERS_FETCHES_PER_MINUTE as usize;
    let (clock, mut asked) = (ByHand::new(), 0);
    let strangers = documents(&clock, Stranger);
    let first = source.at("/0");
    for n in 0..most {
        assert_eq!(value(strangers.get(&source.at(&format!("/{n}"))).await), 1);
    }
    asked += most;
    let error = strangers.get(&source.url()).await.unwrap_err();
    assert!(matches!(error, FetchError::TooOften { .. }), "{error}");
    assert!(error.is_trouble());
    assert_eq!(source.asked(), asked);
    // A client that has a login here is not kept out by them.
    let of_login = source.at("/of-a-login");
    assert_eq!(value(strangers.get_for(&of_login, AskedBy::Login).await), 1);
    asked += 1;
    assert_eq!(source.asked(), asked);
    // What is here is here, and what was here is asked for anew: its own life bounds that.
    assert_eq!(value(strangers.get(&first).await), 1);
    let kept = strangers.get(&first).await.unwrap();
    assert_eq!(value(strangers.newer(&first, &kept).await), 1);
    assert_eq!(source.asked(), asked + 1);
    // It was no failure of the URL, and the next minute is another.
    clock.pass(secs(60));
    assert_eq!(value(strangers.get(&source.url()).await), 1);
    let operators = documents(&clock, Operator);
    for n in 0..2 * most {
        assert_eq!(value(operators.get(&source.at(&format!("/{n}"))).await), 1);
    }
}

#[tokio::test]
async fn any_number_of_urls_of_strangers_takes_a_bounded_room() {
    let clock = ByHand::new();
    let documents = documents(&clock, Stranger);
    // They fail.
    for n in 0..MAX_FAILED_FETCHES + 50 {
        let url = format!("https://unknown-{n}.example/");
        assert!(documents.get(&url).await.is_err());
    }
    let (kept, failed, flights, _) = documents.0.holds();
    assert_eq!((kept, flights), (0, 0));
    assert!(failed <= MAX_FAILED_FETCHES, "{failed}");
    // They are good, and small, and then large.
    for size in [1, 1000, 100_000] {
        let body = Bytes::from(vec![b' '; size]);
        for n in 0..20_000 {
            let url = format!("https://client.example/{size}/{n}");
            documents.0.keep_as_if_fetched(&url, 1, body.clone());
        }
        let (kept, _, _, weight) = documents.0.holds();
        assert!(weight <= MAX_DOCUMENTS_BYTES, "{weight}");
        assert!(kept * (size as u64 + 1024) <= MAX_DOCUMENTS_BYTES, "{kept}");
        // The last one is there: a newcomer is let in.
        let last = format!("https://client.example/{size}/19999");
        assert!(documents.cached(&last).is_some());
    }
}

#[tokio::test]
async fn failures_push_out_no_document_and_what_may_not_be_asked_takes_no_room() {
    let documents = documents(&ByHand::new(), Stranger);
    documents
        .0
        .keep_as_if_fetched("https://client.example/a", 1, Bytes::new());
    for n in 0..MAX_FAILED_FETCHES + 50 {
        let url = format!("https://unknown-{n}.example/");
        assert!(documents.get(&url).await.is_err());
    }
    assert!(documents.cached("https://client.example/a").is_some());
    let documents = self::documents(&ByHand::new(), Stranger);
    let long = format!("https://client.example/{}", "a".repeat(1_000_000));
    for url in [
        &long,
        "https://10.0.0.1/",
        "http://client.example/",
        "",
        "https://a:b@c.example/",
    ] {
        let error = documents.get(url).await.unwrap_err();
        assert!(matches!(error, FetchError::Refused { .. }), "{error}");
        assert!(!error.is_trouble());
    }
    assert_eq!(documents.0.holds(), (0, 0, 0, 0));
}

#[tokio::test]
async fn an_error_names_the_host_and_the_cause_and_neither_path_nor_query() {
    let source = Source::saying("1").await;
    for (status, body, cause) in [
        ("500 Down", "", "answered with status 500"),
        ("302 Found", "", "redirects are not followed"),
        ("200 OK", "twelve", "twelve is no number"),
    ] {
        source.say(status, "", body);
        let documents = documents(&ByHand::new(), Operator);
        let url = source.at("/hidden/doc?key=hunter2");
        let error = documents.get(&url).await.unwrap_err().to_string();
        assert!(
            error.contains("client.example") && error.contains(cause),
            "{error}"
        );
        assert!(
            !error.contains("hunter2") && !error.contains("hidden"),
            "{error}"
        );
    }
    source.say("200 OK", "", &"1".repeat(1001));
    let documents = documents(&ByHand::new(), Operator);
    let error = documents.get(&source.url()).await.unwrap_err().to_string();
    assert!(error.contains("larger than 1000 bytes"), "{error}");
    let error = documents
        .get("https://u:hunter2@unknown.example/?key=hunter2")
        .await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("unknown.example could not be reached"),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
}
