use proptest::prelude::*;
use serde_json::Value;

use super::{
    Ambiguous::{self, *},
    Call, Message, NameKey, Reader, Seen,
    key_name::Known,
    name_key,
};
use crate::limits::{MAX_BATCH, MAX_JSON_DEPTH, MAX_JSON_KEY, MAX_JSON_KEYS};

const LONGEST: usize = 64;

const METHOD: Known = Known::Method;
const PARAMS: Known = Known::Params;
const ID: Known = Known::Id;
const JSON_RPC: Known = Known::JsonRpc;
const RESULT: Known = Known::Result;
const NAME: Known = Known::Name(NameKey::Name);
const URI: Known = Known::Name(NameKey::Uri);
const TASK_ID: Known = Known::Name(NameKey::TaskId);

fn read(body: &[u8]) -> Result<Message, Ambiguous> {
    let mut reader = Reader::new(LONGEST);
    reader.feed(body)?;
    reader.finish().cloned()
}

fn call(method: &str, name: Option<&str>) -> Call {
    Call {
        method: Some(method.into()),
        name: name.map(Into::into),
    }
}

fn one(method: &str, name: Option<&str>) -> Result<Message, Ambiguous> {
    Ok(Message::One(call(method, name)))
}

const RESPONSE: Call = Call {
    method: None,
    name: None,
};

/// A call of the tool `t`.
const TOOL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}"#;

#[test]
fn a_call_says_its_method_and_its_name() {
    for (body, method, name) in [
        (TOOL, "tools/call", Some("t")),
        // Whatever stands first.
        (
            r#"{"params":{"arguments":{"name":"x","method":"y"},"name":"t"},"method":"tools/call","id":1}"#,
            "tools/call",
            Some("t"),
        ),
        (
            r#" { "method" : "tools/call" , "params" : { "name" : "t" , "_meta" : { } } } "#,
            "tools/call",
            Some("t"),
        ),
        (
            r#"{"method":"prompts/get","params":{"name":"p","uri":7}}"#,
            "prompts/get",
            Some("p"),
        ),
        (
            r#"{"method":"resources/read","params":{"name":7,"uri":"file:///a"}}"#,
            "resources/read",
            Some("file:///a"),
        ),
        (
            r#"{"method":"resources/subscribe","params":{"uri":"u"}}"#,
            "resources/subscribe",
            Some("u"),
        ),
        (
            r#"{"method":"tasks/get","params":{"taskId":"9"}}"#,
            "tasks/get",
            Some("9"),
        ),
        // No name where the method has none, or none came.
        (
            r#"{"method":"tools/list","params":{"name":{},"cursor":"c"}}"#,
            "tools/list",
            None,
        ),
        (r#"{"method":"tools/list"}"#, "tools/list", None),
        (
            r#"{"method":"tools/call","params":null}"#,
            "tools/call",
            None,
        ),
        (r#"{"method":"tools/call","params":{}}"#, "tools/call", None),
        (r#"{"method":"tools/call"}"#, "tools/call", None),
        (
            r#"{"method":"notifications/initialized"}"#,
            "notifications/initialized",
            None,
        ),
        // Decoded.
        (
            r#"{"m\u0065thod":"tools\/call","params":{"n\u0061me":"\u00e9\ud83d\ude00\n"}}"#,
            "tools/call",
            Some("é😀\n"),
        ),
        (
            "{\"method\":\"tools/call\",\"params\":{\"name\":\"é😀\u{7f}\"}}",
            "tools/call",
            Some("é😀\u{7f}"),
        ),
        // Deeper levels are not read.
        (
            r#"{"method":"tools/call","params":{"arguments":{"name":1,"name":2,"Name":3,"__proto__":{}},"name":"t"}}"#,
            "tools/call",
            Some("t"),
        ),
        (
            r#"{"id":{"method":"x"},"method":"m","extra":[{"method":"y"},{"params":[]}]}"#,
            "m",
            None,
        ),
        // Half a pair in a text that is not read: a program has cut it, and nothing depends on it.
        (
            r#"{"method":"tools/call","params":{"name":"t","arguments":{"a":"\ud83d"}}}"#,
            "tools/call",
            Some("t"),
        ),
    ] {
        assert_eq!(read(body.as_bytes()), one(method, name), "{body}");
    }
}

#[test]
fn a_response_has_no_method() {
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"result":{"method":"x","name":"y"}}"#,
        r#"{"error":{"code":-1},"id":1}"#,
        r#"{"result":null,"error":null}"#,
    ] {
        assert_eq!(read(body.as_bytes()), Ok(Message::One(RESPONSE)), "{body}");
    }
}

#[test]
fn a_batch_says_every_call_in_it() {
    let body = format!(
        r#"[{TOOL}, {{"result":[]}},{{"params":{{"uri":"u"}},"method":"resources/read"}}]"#
    );
    let calls = vec![
        call("tools/call", Some("t")),
        RESPONSE,
        call("resources/read", Some("u")),
    ];
    assert_eq!(read(body.as_bytes()), Ok(Message::Batch(calls.clone())));
    assert_eq!(Message::Batch(calls.clone()).calls(), calls);
    // Known at its end only.
    let mut reader = Reader::new(LONGEST);
    let (last, before) = body.as_bytes().split_last().unwrap();
    assert_eq!(reader.feed(before), Ok(Seen::More));
    assert_eq!(reader.feed(&[*last]), Ok(Seen::Call));
    assert_eq!(reader.message().unwrap().calls(), calls);

    let most = vec![TOOL; MAX_BATCH].join(",");
    assert!(read(format!("[{most}]").as_bytes()).is_ok());
    assert_eq!(read(format!("[{most},{TOOL}]").as_bytes()), Err(LongBatch));
}

#[test]
fn a_call_is_known_before_its_arguments_end() {
    for (before, after) in [
        (
            r#"{"method":"tools/call","params":{"name":"t""#,
            r#","arguments":{}}}"#,
        ),
        (r#"{"method":"tools/list""#, r#","params":{"cursor":"c"}}"#),
        (
            r#"{"params":{"name":"t"},"method":"tools/call""#,
            r#","id":1}"#,
        ),
        (r#"{"params":{},"method":"tools/call""#, "}"),
        (r#"{"method":"tools/call","params":{}"#, "}"),
        (r#"{"method":"tools/call","params":n"#, "ull}"),
        (r#"{"method":"tools/call"}"#, " "),
        (r#"{"result""#, ":1}"),
    ] {
        let mut reader = Reader::new(LONGEST);
        let (last, first) = before.as_bytes().split_last().unwrap();
        assert_eq!(reader.feed(first), Ok(Seen::More), "{before}");
        assert_eq!(reader.message(), None, "{before}");
        assert_eq!(reader.feed(&[*last]), Ok(Seen::Call), "{before}");
        assert!(reader.message().is_some(), "{before}");
        if !before.ends_with('}') {
            assert_eq!(reader.finish(), Err(Unfinished), "{before}");
        }
        assert_eq!(reader.feed(after.as_bytes()), Ok(Seen::Call), "{before}");
        assert!(reader.finish().is_ok(), "{before}");
    }
}

#[test]
fn what_comes_later_can_still_make_a_body_ambiguous() {
    for (later, wrong) in [
        (r#","name":"u"}}"#, TwoKeys(NAME)),
        (r#"},"method":"tools/list"}"#, TwoKeys(METHOD)),
        (r#"},"params":{"name":"u"}}"#, TwoKeys(PARAMS)),
        (r#"},"Params":{"name":"u"}}"#, AlmostKey(PARAMS)),
        (r#","NAME":"u"}}"#, AlmostKey(NAME)),
        (r#"},"result":1}"#, TwoKinds),
        (r#"}} {"method":"x"}"#, Trailing),
        (",}}", NotJson),
    ] {
        let mut reader = Reader::new(LONGEST);
        let begin = br#"{"method":"tools/call","params":{"name":"t""#;
        assert_eq!(reader.feed(begin), Ok(Seen::Call));
        assert_eq!(reader.feed(later.as_bytes()), Err(wrong), "{later}");
        // And it stays so.
        assert_eq!(reader.feed(b"}"), Err(wrong));
        assert_eq!(reader.finish(), Err(wrong));
    }
}

/// `$` stands for [`TOOL`].
fn around(text: &str) -> Vec<u8> {
    text.replace('$', TOOL).into_bytes()
}

#[test]
fn a_body_that_two_readers_could_understand_differently_is_refused() {
    let long = "x".repeat(LONGEST + 1);
    let long_key = "k".repeat(MAX_JSON_KEY + 1);
    let many: Vec<_> = (0..=MAX_JSON_KEYS)
        .map(|n| format!(r#""k{n}":1"#))
        .collect();
    let many = many.join(",");
    let deep = "[".repeat(usize::from(MAX_JSON_DEPTH));
    for (body, wrong) in [
        // Twice.
        (r#"{"method":"a","method":"a"}"#.to_owned(), TwoKeys(METHOD)),
        (
            r#"{"method":"a","m\u0065thod":"b"}"#.to_owned(),
            TwoKeys(METHOD),
        ),
        (r#"{"params":{},"params":{}}"#.to_owned(), TwoKeys(PARAMS)),
        (r#"{"id":1,"id":2,"method":"a"}"#.to_owned(), TwoKeys(ID)),
        (
            r#"{"jsonrpc":"2.0","jsonrpc":"2.0"}"#.to_owned(),
            TwoKeys(JSON_RPC),
        ),
        (r#"{"result":1,"result":2}"#.to_owned(), TwoKeys(RESULT)),
        (
            r#"{"method":"a","params":{"uri":"a","uri":"a"}}"#.to_owned(),
            TwoKeys(URI),
        ),
        (
            r#"{"method":"a","params":{"taskId":"a","taskId":"a"}}"#.to_owned(),
            TwoKeys(TASK_ID),
        ),
        (
            r#"{"method":"a","params":{"arguments":1,"arguments":2}}"#.to_owned(),
            OtherKeyTwice,
        ),
        (
            r#"{"x":1,"method":"a","\u0078":2}"#.to_owned(),
            OtherKeyTwice,
        ),
        // Almost.
        (
            r#"{"method":"a","Method":"b"}"#.to_owned(),
            AlmostKey(METHOD),
        ),
        (r#"{"METHOD":"b"}"#.to_owned(), AlmostKey(METHOD)),
        (
            r#"{"method":"a","paramſ":{}}"#.to_owned(),
            AlmostKey(PARAMS),
        ),
        (
            r#"{"method":"a","param\u017f":{}}"#.to_owned(),
            AlmostKey(PARAMS),
        ),
        (
            r#"{"method":"a","params":{"taskıd":"x"}}"#.to_owned(),
            AlmostKey(TASK_ID),
        ),
        (
            r#"{"method":"a","params":{"taſKid":"x"}}"#.to_owned(),
            AlmostKey(TASK_ID),
        ),
        (
            "{\"method\":\"a\",\"params\":{\"tas\u{212a}Id\":\"x\"}}".to_owned(),
            AlmostKey(TASK_ID),
        ),
        (
            r#"{"method":"a","params":{"task_id":"x"}}"#.to_owned(),
            AlmostKey(TASK_ID),
        ),
        (
            r#"{"method":"a","params":{"-name":"x"}}"#.to_owned(),
            AlmostKey(NAME),
        ),
        (
            r#"{"method":"a","params":{"urİ":"x"}}"#.to_owned(),
            AlmostKey(URI),
        ),
        (
            "{\"method\":\"a\",\"params\":{\"uri\u{307}\":\"x\"}}".to_owned(),
            AlmostKey(URI),
        ),
        (r#"{"method":"a","__proto__":{}}"#.to_owned(), Prototype),
        (
            r#"{"method":"a","params":{"__proto__":{}}}"#.to_owned(),
            Prototype,
        ),
        // Cut at NUL, or differently decoded.
        (r#"{"method\u0000":"a"}"#.to_owned(), BadKey),
        (r#"{"method\ud800":"a"}"#.to_owned(), BadKey),
        (r#"{"\udc00":"a"}"#.to_owned(), BadKey),
        (r#"{"\ud800\ud800\udc00":"a"}"#.to_owned(), BadKey),
        (r#"{"method":"a\u0000b"}"#.to_owned(), BadText(METHOD)),
        (r#"{"method":"a\ud800"}"#.to_owned(), BadText(METHOD)),
        (r#"{"method":"\ud800a"}"#.to_owned(), BadText(METHOD)),
        (r#"{"method":"\ud800\n"}"#.to_owned(), BadText(METHOD)),
        (
            r#"{"method":"tools/call","params":{"name":"t\u0000"}}"#.to_owned(),
            BadText(NAME),
        ),
        (
            r#"{"method":"tools/call","params":{"name":"\ude00\ud83d"}}"#.to_owned(),
            BadText(NAME),
        ),
        (
            r#"{"params":{"uri":"\ude00"},"method":"resources/read"}"#.to_owned(),
            BadText(URI),
        ),
        // Of another type.
        (r#"{"method":1}"#.to_owned(), NotText(METHOD)),
        (r#"{"method":null}"#.to_owned(), NotText(METHOD)),
        (r#"{"method":["tools/call"]}"#.to_owned(), NotText(METHOD)),
        (r#"{"method":{"a":1}}"#.to_owned(), NotText(METHOD)),
        (
            r#"{"method":"tools/call","params":{"name":["t"]}}"#.to_owned(),
            NotText(NAME),
        ),
        (
            r#"{"method":"tools/call","params":{"name":null}}"#.to_owned(),
            NotText(NAME),
        ),
        (
            r#"{"params":{"name":{}},"method":"tools/call"}"#.to_owned(),
            NotText(NAME),
        ),
        (
            r#"{"method":"tasks/cancel","params":{"taskId":7}}"#.to_owned(),
            NotText(TASK_ID),
        ),
        (
            r#"{"method":"tools/call","params":["t"]}"#.to_owned(),
            ParamsNotObject,
        ),
        (
            r#"{"method":"tools/call","params":"t"}"#.to_owned(),
            ParamsNotObject,
        ),
        (
            r#"{"method":"tools/call","params":false}"#.to_owned(),
            ParamsNotObject,
        ),
        // Of two kinds, or none.
        (r#"{"method":"a","result":null}"#.to_owned(), TwoKinds),
        (r#"{"error":{},"method":"a"}"#.to_owned(), TwoKinds),
        (r#"{"id":1}"#.to_owned(), NoKind),
        ("{}".to_owned(), NoKind),
        ("[{}]".to_owned(), NoKind),
        // Not one message.
        (String::new(), Empty),
        (" \r\n".to_owned(), Empty),
        ("[]".to_owned(), EmptyBatch),
        ("null".to_owned(), NotAMessage),
        ("12".to_owned(), NotAMessage),
        ("\"tools/call\"".to_owned(), NotAMessage),
        ("[[$]]".to_owned(), NotAMessage),
        ("[$,1]".to_owned(), NotAMessage),
        ("[$,\"a\"]".to_owned(), NotAMessage),
        ("[$,[$]]".to_owned(), NotAMessage),
        ("$$".to_owned(), Trailing),
        ("$\n$".to_owned(), Trailing),
        ("$,$".to_owned(), Trailing),
        ("[$],".to_owned(), Trailing),
        ("$\0".to_owned(), Trailing),
        ("\u{1e}$".to_owned(), NotJson),
        ("\u{feff}$".to_owned(), ByteOrderMark),
        // Too much.
        (format!(r#"{{"method":"{long}"}}"#), LongText(METHOD)),
        (
            format!(r#"{{"method":"tools/call","params":{{"name":"{long}"}}}}"#),
            LongText(NAME),
        ),
        (format!(r#"{{"{long_key}":1}}"#), LongKey),
        (format!(r#"{{"id":"i","{long_key}":1}}"#), LongKey),
        (format!("{{{many}}}"), ManyKeys),
        (format!(r#"{{"method":"a","x":{deep}"#), TooDeep),
    ] {
        assert_eq!(read(&around(&body)), Err(wrong), "{body}");
    }
}

#[test]
fn what_is_not_json_is_refused_wherever_it_stands() {
    for value in [
        "'a'",
        "NaN",
        "Infinity",
        "-Infinity",
        "-",
        "01",
        "-01",
        "+1",
        ".5",
        "1.",
        "1e",
        "1e+",
        "0x1",
        "1_0",
        "tru",
        "True",
        "truee",
        "nul",
        "undefined",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\" 1}",
        "{\"a\":}",
        "{\"a\"}",
        "{1:1}",
        "[1}",
        "{\"a\":1]",
        "\"\t\"",
        "\"\u{1}\"",
        "\"\n\"",
        "\"\\x41\"",
        "\"\\'\"",
        "\"\\u12g4\"",
        "\"\\u{41}\"",
        "\"\\U0041\"",
        "/**/1",
        "1//",
        "#1",
        "",
        ",",
        "\u{a0}1",
        "\u{b}1",
        "\u{c}1",
        "\u{2028}1",
        "\u{feff}1",
        "1;",
        "(1)",
        "[1]]",
        "\\u0031",
    ] {
        for body in [
            format!(r#"{{"method":"a","id":{value}}}"#),
            format!(r#"{{"method":"a","params":{{"arguments":{{"b":[{value} ]}}}}}}"#),
        ] {
            // `[ ]` is one.
            if value.is_empty() && body.contains('[') {
                continue;
            }
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
    }
    for end in 0..TOOL.len() {
        let wrong = if end == 0 { Empty } else { Unfinished };
        assert_eq!(
            read(&TOOL.as_bytes()[..end]),
            Err(wrong),
            "{}",
            &TOOL[..end]
        );
    }
}

#[test]
fn every_value_of_json_may_stand_in_arguments() {
    for value in [
        "0",
        "-0",
        "1.5",
        "-1.5e-10",
        "1E400",
        "123456789012345678901234567890",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "[[],{},[{}]]",
        r#""\"\\\/\b\f\n\r\t\u0000\ud83d\ude00""#,
        "\"\u{7f}é\u{10ffff}\"",
        "[ 1 , 2 ]",
        "[1\n]",
    ] {
        let body = format!(
            r#"{{"method":"tools/call","params":{{"arguments":{value},"name":"t"}},"id":{value}}}"#
        );
        assert_eq!(
            read(body.as_bytes()),
            one("tools/call", Some("t")),
            "{body}"
        );
    }
    // As deep as all read.
    let depth = usize::from(MAX_JSON_DEPTH) - 1;
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    let body = format!(r#"{{"method":"a","x":{open}{close}}}"#);
    assert_eq!(read(body.as_bytes()), one("a", None));
    assert!(serde_json::from_str::<Value>(&body).is_ok());
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_however_they_are_cut() {
    for bad in [
        &b"\x80"[..],
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xe0\x80\x80",
        b"\xed\xa0\x80",
        b"\xf0\x80\x80\x80",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xff",
        b"\xc3",
        b"\xc3(",
        b"\xe2\x82",
        b"\xe2\x82x\xac",
        b"\xf0\x9f\x98",
        b"\xc3\xc3\xa9",
    ] {
        for place in [r#"{"method":"#, r#"{"method":"a","x":"#] {
            let mut body = place.as_bytes().to_vec();
            body.push(b'"');
            body.extend_from_slice(bad);
            body.extend_from_slice(b"x\"}");
            assert_eq!(read(&body), Err(NotUtf8), "{bad:x?}");
            let mut reader = Reader::new(LONGEST);
            let fed = body
                .iter()
                .try_for_each(|byte| reader.feed(&[*byte]).map(drop));
            assert_eq!(fed, Err(NotUtf8), "{bad:x?}");
        }
    }
    let utf16: Vec<u8> = TOOL.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(&utf16), Err(NotJson));
    let utf16: Vec<u8> = TOOL.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert!(read(&utf16).is_err());
}

#[test]
fn what_is_kept_does_not_grow_with_the_body() {
    let mut reader = Reader::new(LONGEST);
    reader
        .feed(br#"{"method":"tools/call","params":{"arguments":{"a":""#)
        .unwrap();
    let chunk = vec![b'x'; 64 * 1024];
    let count = allocation_counter::measure(|| {
        for _ in 0..160 {
            assert_eq!(reader.feed(&chunk), Ok(Seen::More));
        }
    });
    assert_eq!(count.bytes_total, 0);
    assert_eq!(reader.feed(br#""},"name":"t"}}"#), Ok(Seen::Call));
    assert_eq!(reader.finish().cloned(), one("tools/call", Some("t")));
    // A key or a name of any length takes no more room either.
    for begin in ["{\"", "{\"method\":\"", "{\"params\":{\"name\":\""] {
        let mut reader = Reader::new(LONGEST);
        reader.feed(begin.as_bytes()).unwrap();
        let count = allocation_counter::measure(|| {
            for _ in 0..160 {
                let _ = reader.feed(&chunk);
            }
        });
        assert!(count.bytes_max < 1024, "{begin}: {count:?}");
    }
}

/// What serde_json makes of it.
fn by_serde(message: &Value) -> Option<Call> {
    let message = message.as_object()?;
    let method = message.get("method").and_then(Value::as_str);
    let of_params = |key: NameKey| {
        let key = match key {
            NameKey::Name => "name",
            NameKey::Uri => "uri",
            NameKey::TaskId => "taskId",
        };
        message.get("params")?.get(key)?.as_str()
    };
    Some(Call {
        method: method.map(Into::into),
        name: method
            .and_then(name_key)
            .and_then(of_params)
            .map(Into::into),
    })
}

fn agrees(body: &[u8]) -> Result<(), TestCaseError> {
    let (Ok(ours), Ok(theirs)) = (read(body), serde_json::from_slice::<Value>(body)) else {
        return Ok(());
    };
    let theirs: Option<Vec<Call>> = match &theirs {
        Value::Array(messages) => messages.iter().map(by_serde).collect(),
        message => by_serde(message).map(|call| vec![call]),
    };
    prop_assert_eq!(Some(ours.calls()), theirs.as_deref());
    Ok(())
}

/// Pieces of bodies, honest and not: a random row of them is a body now and then.
fn piece() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"method\"",
        "\"params\"",
        "\"name\"",
        "\"uri\"",
        "\"result\"",
        "\"tools/call\"",
        "\"resources/read\"",
        "\"t\"",
        "\"m\\u0065thod\"",
        "\"Method\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"é\"",
        "1",
        "-1.5e3",
        "null",
        "true",
        " ",
        "\n",
        "\\",
        "'",
        "//",
        "\u{feff}",
        "NaN",
        "0",
        "\"params\":{\"name\":\"t\"}",
        "\"method\":\"tools/call\"",
        "\"id\":1",
        "{\"method\":\"a\"}",
    ]);
    fixed.prop_map(str::to_owned)
}

/// A member of a message, or of its `params`.
fn member(deep: bool) -> BoxedStrategy<String> {
    let keys = prop::sample::select(vec![
        "method",
        "params",
        "name",
        "uri",
        "taskId",
        "id",
        "jsonrpc",
        "result",
        "error",
        "x",
        "arguments",
        "_meta",
    ]);
    let text = prop::sample::select(vec![
        "tools/call",
        "resources/read",
        "tasks/get",
        "tools/list",
        "t",
        "é",
        "a b",
        "\\u0041",
        "\\n",
        "",
    ]);
    let text = text.prop_map(|text| format!("\"{text}\""));
    let value: BoxedStrategy<String> = match deep {
        true => {
            let inner = prop::collection::vec(member(false), 0..4);
            prop_oneof![
                3 => text,
                4 => inner.prop_map(|members| format!("{{{}}}", members.join(","))),
                1 => Just("[1,{\"method\":\"x\"}]".to_owned()),
                1 => Just("null".to_owned()),
            ]
            .boxed()
        }
        false => {
            prop_oneof![4 => text, 1 => Just("{\"name\":1}".to_owned()), 1 => Just("7".to_owned())]
                .boxed()
        }
    };
    (keys, value)
        .prop_map(|(key, value)| format!("\"{key}\":{value}"))
        .boxed()
}

fn message() -> impl Strategy<Value = String> {
    let members = prop::collection::vec(member(true), 1..6);
    members.prop_map(|members| format!("{{{}}}", members.join(",")))
}

fn body() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => message(),
        1 => prop::collection::vec(message(), 0..4).prop_map(|messages| format!("[{}]", messages.join(","))),
        1 => prop::collection::vec(piece(), 0..12).prop_map(|pieces| pieces.concat()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_let_through_says_the_same_to_serde_json(body in body()) {
        agrees(body.as_bytes())?;
    }

    #[test]
    fn a_changed_byte_does_not_make_two_meanings(
        body in body(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        let mut bytes = body.into_bytes();
        for (place, byte) in changes {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        agrees(&bytes)?;
    }

    #[test]
    fn how_a_body_is_cut_does_not_matter(
        body in body(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let bytes = body.as_bytes();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let mut reader = Reader::new(LONGEST);
        let fed = cuts.windows(2).try_for_each(|cut| reader.feed(&bytes[cut[0]..cut[1]]).map(drop));
        let cut = fed.and_then(|()| reader.finish().cloned());
        prop_assert_eq!(cut, read(bytes));
    }

    /// The other side: what another program writes is read.
    #[test]
    fn an_honest_message_is_read(
        method in "[a-z/]{1,20}",
        name in "\\PC{0,10}",
        arguments in prop::collection::btree_map("\\PC{0,5}", "\\PC{0,20}", 0..5),
    ) {
        let body = serde_json::json!({
            "jsonrpc": "2.0", "id": 1, "method": method,
            "params": { "name": name, "arguments": arguments },
        });
        let expected = name_key(&method).and(Some(name.as_str()));
        prop_assert_eq!(read(body.to_string().as_bytes()), one(&method, expected));
        let pretty = serde_json::to_string_pretty(&serde_json::json!([
            { "method": "tools/call", "params": { "name": name } }, body,
        ])).unwrap();
        let calls = vec![call("tools/call", Some(&name)), call(&method, expected)];
        prop_assert_eq!(read(pretty.as_bytes()), Ok(Message::Batch(calls)));
    }
}
