use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stream(u32, bool);

impl Outlet for Stream {
    fn is_open(&self) -> bool {
        self.1
    }

    fn is(&self, other: &Self) -> bool {
        self == other
    }
}

const A: Stream = Stream(1, true);
const B: Stream = Stream(2, true);
const GONE: Stream = Stream(3, false);

fn mux(era: Era) -> Mux<Stream> {
    Mux::new(era, 3)
}

fn read(text: &str) -> Message<'_> {
    Message::read(text.as_bytes()).unwrap()
}

fn call(mux: &mut Mux<Stream>, id: &str, stream: Stream) -> i64 {
    let text = format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"x","_meta":{{"progressToken":{id}}}}}}}"#
    );
    mux.request(read(&text), stream, Instant::now()).unwrap().0
}

fn listen(mux: &mut Mux<Stream>, id: &str, stream: Stream) -> i64 {
    let text = format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"subscriptions/listen","params":{{"_meta":{{}}}}}}"#
    );
    mux.request(read(&text), stream, Instant::now()).unwrap().0
}

fn answer(ours: i64) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{ours},"result":{{}}}}"#)
}

fn text(heard: Heard<Stream>) -> (Stream, String) {
    match heard {
        Heard::Answer(stream, text) | Heard::Message(stream, text) => {
            (stream, String::from_utf8(text.to_vec()).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_clients_with_the_same_id_get_their_own_answers() {
    let mut mux = mux(Era::Alone);
    let (first, second) = (call(&mut mux, "1", A), call(&mut mux, "1", B));
    assert_ne!(first, second);
    let to_b = mux.heard(read(&answer(second)));
    assert_eq!(
        to_b,
        Heard::Answer(B, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.into())
    );
    let to_a = mux.heard(read(&answer(first)));
    assert_eq!(
        to_a,
        Heard::Answer(A, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.into())
    );
}

#[test]
fn an_answer_comes_once_and_only_to_what_was_asked() {
    let mut mux = mux(Era::Sessions);
    let ours = call(&mut mux, r#""a""#, A);
    assert!(matches!(
        mux.heard(read(&answer(ours))),
        Heard::Answer(A, _)
    ));
    assert_eq!(mux.heard(read(&answer(ours))), Heard::Nothing);
    assert_eq!(mux.heard(read(&answer(99))), Heard::Nothing);
    assert_eq!(
        mux.heard(read(r#"{"jsonrpc":"2.0","id":"a","result":{}}"#)),
        Heard::Nothing
    );
    assert!(!mux.waits());
}

#[test]
fn progress_comes_to_its_own_request_by_the_clients_token() {
    let mut mux = mux(Era::Alone);
    let (first, second) = (call(&mut mux, r#""t""#, A), call(&mut mux, r#""t""#, B));
    let progress = |token: i64| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":1}}}}"#
        )
    };
    let (stream, told) = text(mux.heard(read(&progress(first))));
    assert_eq!((stream, told.contains(r#""progressToken":"t""#)), (A, true));
    assert_eq!(text(mux.heard(read(&progress(second)))).0, B);
    assert_eq!(mux.heard(read(&progress(99))), Heard::Nothing);
}

#[test]
fn a_cancellation_names_the_processs_request_and_frees_the_stream() {
    let mut mux = mux(Era::Sessions);
    let ours = call(&mut mux, "5", A);
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}"#;
    let line = mux.notification(read(cancel)).unwrap().unwrap();
    assert_eq!(
        read(std::str::from_utf8(&line).unwrap()).id_at(CANCELLED),
        Some(Id::Number(ours))
    );
    assert_eq!(mux.heard(read(&answer(ours))), Heard::Nothing);
    assert_eq!(
        mux.notification(read(cancel)),
        Ok(None),
        "unknown ones are ignored"
    );
}

#[test]
fn without_sessions_no_client_cancels_what_may_be_anothers() {
    let mut mux = mux(Era::Alone);
    let ours = call(&mut mux, "5", A);
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}"#;
    assert_eq!(mux.notification(read(cancel)), Ok(None));
    assert!(matches!(
        mux.heard(read(&answer(ours))),
        Heard::Answer(A, _)
    ));
}

#[test]
fn so_many_requests_wait_and_no_more() {
    let mut mux = mux(Era::Sessions);
    for id in ["1", "2", "3"] {
        call(&mut mux, id, A);
    }
    let one_more = mux.request(
        read(r#"{"jsonrpc":"2.0","id":4,"method":"x"}"#),
        A,
        Instant::now(),
    );
    assert_eq!(one_more, Err(Barred::Full));
}

#[test]
fn a_request_of_the_process_goes_with_a_call_and_is_answered_once() {
    let mut mux = mux(Era::Sessions);
    call(&mut mux, "1", GONE);
    call(&mut mux, "2", A);
    let asks = r#"{"jsonrpc":"2.0","id":"s1","method":"sampling/createMessage","params":{}}"#;
    assert_eq!(mux.heard(read(asks)), Heard::Message(A, asks.into()));
    let reply = r#"{"jsonrpc":"2.0","id":"s1","result":{}}"#;
    assert_eq!(mux.response(&read(reply)), Ok(reply.into()));
    assert_eq!(mux.response(&read(reply)), Err(Barred::Unasked));
    assert_eq!(
        mux.response(&read(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#)),
        Err(Barred::Unasked)
    );
}

#[test]
fn what_belongs_to_no_request_goes_beside_or_waits_a_bounded_number() {
    let mut mux = mux(Era::Sessions);
    let changed = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    for _ in 0..KEPT + 5 {
        assert_eq!(mux.heard(read(changed)), Heard::Nothing);
    }
    assert_eq!(mux.listen(A).unwrap().len(), KEPT);
    call(&mut mux, "1", B);
    assert_eq!(
        mux.heard(read(changed)),
        Heard::Message(A, changed.into()),
        "beside, and to one stream alone"
    );
    let log = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
    assert_eq!(
        mux.heard(read(log)),
        Heard::Message(B, log.into()),
        "with the call"
    );
    mux.listen(GONE).unwrap();
    assert_eq!(
        mux.heard(read(changed)),
        Heard::Message(B, changed.into()),
        "nobody is behind the other"
    );
}

#[test]
fn a_ping_that_no_client_can_answer_is_answered() {
    let mut mux = mux(Era::Sessions);
    let ping = r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#;
    assert_eq!(
        mux.heard(read(ping)),
        Heard::Back(r#"{"jsonrpc":"2.0","id":"p","result":{}}"#.into())
    );
    mux.listen(A).unwrap();
    assert!(matches!(mux.heard(read(ping)), Heard::Message(A, _)));
}

#[test]
fn without_sessions_the_process_asks_nothing_of_the_client() {
    let mut mux = mux(Era::Alone);
    call(&mut mux, "1", A);
    let heard = mux.heard(read(
        r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage"}"#,
    ));
    let Heard::Back(line) = heard else {
        panic!("{heard:?}")
    };
    assert_eq!(Message::read(&line).unwrap().error_code(), Some(-32601));
}

#[test]
fn a_subscription_gets_what_names_it_and_ends_by_its_own_name() {
    let mut mux = mux(Era::Alone);
    let (first, second) = (listen(&mut mux, r#""l""#, A), listen(&mut mux, r#""l""#, B));
    let update = |ours: i64| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{{"_meta":{{"io.modelcontextprotocol/subscriptionId":{ours}}}}}}}"#
        )
    };
    let (stream, told) = text(mux.heard(read(&update(second))));
    assert_eq!((stream, told.contains(r#"subscriptionId":"l""#)), (B, true));
    assert_eq!(mux.heard(read(&update(77))), Heard::Nothing);
    let bare = r#"{"jsonrpc":"2.0","method":"notifications/message"}"#;
    assert_eq!(
        mux.heard(read(bare)),
        Heard::Nothing,
        "a subscription gets no log lines"
    );
    let over = format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{first}}}}}"#
    );
    let heard = mux.heard(read(&over));
    assert!(matches!(heard, Heard::Answer(A, _)));
    assert!(text(heard).1.contains(r#""requestId":"l""#));
}

#[test]
fn what_takes_too_long_ends_but_a_subscription_does_not() {
    let mut mux = mux(Era::Alone);
    let ours = call(&mut mux, "8", A);
    listen(&mut mux, "9", B);
    let soon = Instant::now() + Duration::from_secs(10);
    assert!(mux.overdue(soon, Duration::from_secs(60)).is_empty());
    let late = mux.overdue(soon, Duration::from_secs(5));
    let [(stream, told, line)] = &late[..] else {
        panic!("{late:?}")
    };
    assert_eq!(*stream, A);
    assert_eq!(Message::read(told).unwrap().id(), Some(&Id::Number(8)));
    assert_eq!(
        Message::read(line).unwrap().id_at(CANCELLED),
        Some(Id::Number(ours))
    );
    assert!(mux.waits(), "the subscription");
}

#[test]
fn a_client_that_has_gone_cancels_once() {
    let mut mux = mux(Era::Alone);
    let ours = call(&mut mux, "1", A);
    assert!(mux.abandon(ours).is_some());
    assert!(mux.abandon(ours).is_none());
}

#[test]
fn a_client_that_does_not_read_loses_all_its_streams() {
    let mut mux = mux(Era::Sessions);
    call(&mut mux, "1", A);
    call(&mut mux, "2", A);
    let other = call(&mut mux, "3", B);
    mux.listen(A).unwrap();
    assert_eq!(mux.lose(&A).len(), 2);
    assert!(matches!(
        mux.heard(read(&answer(other))),
        Heard::Answer(B, _)
    ));
    assert_eq!(
        mux.heard(read(r#"{"jsonrpc":"2.0","method":"x"}"#)),
        Heard::Nothing
    );
}

#[test]
fn at_the_end_all_who_wait_are_told_and_nothing_more_is_taken() {
    let mut mux = mux(Era::Sessions);
    call(&mut mux, "1", A);
    call(&mut mux, "2", B);
    let told = mux.end("the MCP server ended");
    let ids: Vec<_> = told
        .iter()
        .map(|(stream, text)| (*stream, Message::read(text).unwrap().id().cloned()))
        .collect();
    assert_eq!(ids, [(A, Some(Id::Number(1))), (B, Some(Id::Number(2)))]);
    assert_eq!(
        mux.request(
            read(r#"{"jsonrpc":"2.0","id":4,"method":"x"}"#),
            A,
            Instant::now()
        ),
        Err(Barred::Ended)
    );
    assert_eq!(mux.listen(A), Err(Barred::Ended));
    assert_eq!(
        mux.notification(read(r#"{"jsonrpc":"2.0","method":"x"}"#)),
        Err(Barred::Ended)
    );
}
