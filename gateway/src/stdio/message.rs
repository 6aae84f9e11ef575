//! JSON-RPC messages, changed where they name a request and nowhere else: every other value goes on in its own
//! words, long numbers and the order of members included.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// What names a request: a text or a whole number (MCP allows nothing else).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Id {
    Number(i64),
    Text(Box<str>),
}

impl Id {
    fn read(json: &str) -> Option<Self> {
        if let Ok(number) = json.parse::<i64>() {
            return Some(Self::Number(number));
        }
        serde_json::from_str::<Box<str>>(json).ok().map(Self::Text)
    }

    fn json(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => serde_json::Value::from(&**text).to_string(),
        }
    }
}

/// Why a text is no message. For the client and for the log; it repeats nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    NotUtf8,
    NotJson,
    NotJsonRpc,
    BadId,
    Batch,
}

impl Malformed {
    /// The error code of JSON-RPC.
    pub(super) fn code(self) -> i64 {
        match self {
            Self::NotUtf8 | Self::NotJson => -32700,
            _ => -32600,
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotUtf8 => "the body is not UTF-8",
            Self::NotJson => "the body is no JSON object, or it names a member twice",
            Self::NotJsonRpc => "the body is no JSON-RPC 2.0 message",
            Self::BadId => "the id of a JSON-RPC message is a text or a whole number",
            Self::Batch => {
                "a batch of JSON-RPC messages is empty, too long, or holds what may not stand in it"
            }
        })
    }
}

/// An object of JSON: its members in their order, their values as they came.
struct Object<'a> {
    members: Vec<(String, Cow<'a, str>)>,
}

/// So many members are looked through for one that stands twice.
const MEMBERS: usize = 1024;

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Vec<(String, Cow<'de, str>)> = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    let value: &'de RawValue = map.next_value()?;
                    if members.len() == MEMBERS || members.iter().any(|(other, _)| *other == name) {
                        return Err(A::Error::custom("too many members, or one twice"));
                    }
                    members.push((name, Cow::Borrowed(value.get())));
                }
                Ok(Object { members })
            }
        }
        from.deserialize_map(Members)
    }
}

impl<'a> Object<'a> {
    fn read(json: &'a str) -> Result<Self, Malformed> {
        serde_json::from_str(json).map_err(|_| Malformed::NotJson)
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.members.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| &**value)
    }

    fn put(&mut self, name: &str, json: String) {
        if let Some((_, value)) = self.members.iter_mut().find(|(other, _)| other == name) {
            *value = Cow::Owned(json);
        }
    }

    fn text(&self) -> String {
        let length = self
            .members
            .iter()
            .map(|(name, value)| name.len() + value.len() + 4);
        let mut text = String::with_capacity(length.sum::<usize>() + 2);
        text.push('{');
        for (index, (name, value)) in self.members.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&serde_json::Value::from(name.as_str()).to_string());
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        text
    }
}

/// What a message is, by JSON-RPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Request {
        id: Id,
        method: Box<str>,
    },
    Notification {
        method: Box<str>,
    },
    /// A result or an error. Without an id it answers nothing that was understood.
    Response {
        id: Option<Id>,
    },
}

/// Where a message names requests and what belongs to them.
pub(super) const PROGRESS_OF_REQUEST: &[&str] = &["params", "_meta", "progressToken"];
pub(super) const PROGRESS: &[&str] = &["params", "progressToken"];
pub(super) const CANCELLED: &[&str] = &["params", "requestId"];
pub(super) const SUBSCRIPTION: &[&str] =
    &["params", "_meta", "io.modelcontextprotocol/subscriptionId"];
pub(super) const SUBSCRIPTION_OF_RESULT: &[&str] =
    &["result", "_meta", "io.modelcontextprotocol/subscriptionId"];
const VERSION: &[&str] = &["params", "_meta", "io.modelcontextprotocol/protocolVersion"];

pub(super) struct Message<'a> {
    object: Object<'a>,
    kind: Kind,
}

impl<'a> Message<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(bytes).map_err(|_| Malformed::NotUtf8)?;
        let object = Object::read(text)?;
        if object.get("jsonrpc").and_then(string).as_deref() != Some("2.0") {
            return Err(Malformed::NotJsonRpc);
        }
        let kind = kind(&object)?;
        Ok(Self { object, kind })
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(super) fn method(&self) -> Option<&str> {
        match &self.kind {
            Kind::Request { method, .. } | Kind::Notification { method } => Some(method),
            Kind::Response { .. } => None,
        }
    }

    pub(super) fn id(&self) -> Option<&Id> {
        match &self.kind {
            Kind::Request { id, .. } | Kind::Response { id: Some(id) } => Some(id),
            _ => None,
        }
    }

    /// The code of the error that this response is.
    pub(super) fn error_code(&self) -> Option<i64> {
        let error = Object::read(self.object.get("error")?).ok()?;
        error.get("code")?.parse().ok()
    }

    /// The protocol version that a request names in itself, as those from 2026-07-28 on do.
    pub(super) fn version(&self) -> Option<String> {
        self.at(VERSION, string)
    }

    /// The name of the tool, prompt or resource that a request is about.
    pub(super) fn name(&self, member: &str) -> Option<String> {
        self.at(&["params", member], string)
    }

    pub(super) fn set_id(&mut self, id: &Id) {
        self.object.put("id", id.json());
    }

    /// The id at this place; `None` where there is none.
    pub(super) fn id_at(&self, place: &[&str]) -> Option<Id> {
        self.at(place, Id::read)
    }

    fn at<T>(&self, place: &[&str], read: fn(&str) -> Option<T>) -> Option<T> {
        let (first, rest) = place.split_first()?;
        at(self.object.get(first)?, rest, read)
    }

    /// Writes another id to a place that has one.
    pub(super) fn set_id_at(&mut self, place: &[&str], id: &Id) {
        if let Some((first, rest)) = place.split_first()
            && let Some(json) = self.object.get(first)
            && let Some(changed) = changed(json, rest, id)
        {
            self.object.put(first, changed);
        }
    }

    /// The message as one line without its end: what stands on a stream of lines, or in an event's `data`.
    pub(super) fn line(&self) -> Bytes {
        let mut line = self.object.text().into_bytes();
        // A text of JSON holds no line break but in an escape: outside of texts they are white space.
        for byte in &mut line {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        Bytes::from(line)
    }
}

fn at<T>(json: &str, place: &[&str], read: fn(&str) -> Option<T>) -> Option<T> {
    let Some((first, rest)) = place.split_first() else {
        return read(json);
    };
    at(Object::read(json).ok()?.get(first)?, rest, read)
}

fn changed(json: &str, place: &[&str], id: &Id) -> Option<String> {
    let Some((first, rest)) = place.split_first() else {
        return Some(id.json());
    };
    let mut object = Object::read(json).ok()?;
    let inner = changed(object.get(first)?, rest, id)?;
    object.put(first, inner);
    Some(object.text())
}

fn kind(object: &Object<'_>) -> Result<Kind, Malformed> {
    let id = match object.get("id") {
        None => None,
        // An error about what could not be read has `null`.
        Some("null") if object.get("method").is_none() => None,
        Some(json) => Some(Id::read(json).ok_or(Malformed::BadId)?),
    };
    let answers = object.get("result").is_some() || object.get("error").is_some();
    match (object.get("method"), id) {
        (Some(_), _) if answers => Err(Malformed::NotJsonRpc),
        (Some(method), id) => {
            let method = string(method).ok_or(Malformed::NotJsonRpc)?.into();
            Ok(match id {
                Some(id) => Kind::Request { id, method },
                None => Kind::Notification { method },
            })
        }
        (None, id) if answers => Ok(Kind::Response { id }),
        (None, _) => Err(Malformed::NotJsonRpc),
    }
}

fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// The messages of a body: one, or those of a batch.
pub(super) fn messages(body: &[u8], most: usize) -> Result<Vec<Message<'_>>, Malformed> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'[') {
        return Ok(vec![Message::read(body)?]);
    }
    let text = std::str::from_utf8(body).map_err(|_| Malformed::NotUtf8)?;
    let parts: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| Malformed::NotJson)?;
    if parts.is_empty() || parts.len() > most {
        return Err(Malformed::Batch);
    }
    parts
        .into_iter()
        .map(|part| Message::read(part.get().as_bytes()))
        .collect()
}

/// An error as JSON-RPC has it. Without an id where the request's is not known: MCP has no `null` there.
pub(super) fn error(id: Option<&Id>, code: i64, message: &str) -> Bytes {
    let id = id.map_or_else(String::new, |id| format!(r#""id":{},"#, id.json()));
    let message = serde_json::Value::from(message);
    format!(r#"{{"jsonrpc":"2.0",{id}"error":{{"code":{code},"message":{message}}}}}"#).into()
}

/// The notification that a request is no longer waited for.
pub(super) fn cancelled(id: &Id, reason: &str) -> Bytes {
    let (id, reason) = (id.json(), serde_json::Value::from(reason));
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id},"reason":{reason}}}}}"#
    )
    .into()
}

/// The answer to a `ping`.
pub(super) fn pong(id: &Id) -> Bytes {
    format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{}}}}"#, id.json()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Message<'_> {
        Message::read(text.as_bytes()).unwrap()
    }

    fn fault(text: &str) -> Malformed {
        Message::read(text.as_bytes()).err().unwrap()
    }

    #[test]
    fn a_message_goes_on_in_its_own_words_but_for_the_id() {
        let text = "{\"jsonrpc\":\"2.0\",\n \"method\":\"tools/call\",\r\n\"params\":{\"z\":123456789012345678901234567890.10,\"a\":\"\\u00e9\\n\"},\"id\":\"one\"}";
        let mut message = read(text);
        message.set_id(&Id::Number(7));
        assert_eq!(
            message.line(),
            "{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":{\"z\":123456789012345678901234567890.10,\"a\":\"\\u00e9\\n\"},\"id\":7}"
        );
    }

    #[test]
    fn no_line_break_survives() {
        let message = read("{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":{\n\"a\":[1,\r\n2]}}");
        let line = message.line();
        assert!(!line.contains(&b'\n') && !line.contains(&b'\r'), "{line:?}");
    }

    #[test]
    fn the_places_of_ids_are_read_and_written() {
        let mut message = read(
            r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"progressToken":"t","o":{}},"b":2}}"#,
        );
        assert_eq!(
            message.id_at(PROGRESS_OF_REQUEST),
            Some(Id::Text("t".into()))
        );
        message.set_id_at(PROGRESS_OF_REQUEST, &Id::Number(9));
        assert_eq!(
            message.line(),
            r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"progressToken":9,"o":{}},"b":2}}"#
        );
        message.set_id_at(CANCELLED, &Id::Number(9));
        assert_eq!(message.id_at(CANCELLED), None);
    }

    #[test]
    fn a_member_twice_is_refused_by_escapes_too() {
        assert_eq!(
            fault(r#"{"jsonrpc":"2.0","id":1,"method":"a","m\u0065thod":"b"}"#),
            Malformed::NotJson
        );
        assert_eq!(
            fault(r#"{"jsonrpc":"2.0","id":1,"method":"a","id":2}"#),
            Malformed::NotJson
        );
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for text in [
            "",
            "1",
            "null",
            "{}",
            r#"{"jsonrpc":"1.0","method":"a"}"#,
            r#"{"jsonrpc":"2.0"}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","method":1}"#,
            r#"{"jsonrpc":"2.0","method":"a","result":{}}"#,
            r#"{"jsonrpc":"2.0","method":"a"} {}"#,
            "\u{feff}{\"jsonrpc\":\"2.0\",\"method\":\"a\"}",
        ] {
            assert!(Message::read(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(
            Message::read(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}").err(),
            Some(Malformed::NotUtf8)
        );
    }

    #[test]
    fn an_id_is_a_text_or_a_whole_number() {
        for id in ["1.0", "1e3", "true", "{}", "null", "99999999999999999999"] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"a"}}"#);
            assert_eq!(fault(&text), Malformed::BadId, "{id}");
        }
        assert_eq!(
            read(r#"{"jsonrpc":"2.0","id":-3,"method":"a"}"#).id(),
            Some(&Id::Number(-3))
        );
        assert_eq!(
            read(r#"{"jsonrpc":"2.0","id":"\u0061","method":"a"}"#).id(),
            Some(&Id::Text("a".into()))
        );
    }

    #[test]
    fn a_batch_is_bounded_and_not_nested() {
        let one = r#"{"jsonrpc":"2.0","method":"a"}"#;
        assert_eq!(
            messages(format!(" [{one},{one}]").as_bytes(), 2)
                .unwrap()
                .len(),
            2
        );
        assert_eq!(
            messages(format!("[{one},{one}]").as_bytes(), 1).err(),
            Some(Malformed::Batch)
        );
        assert_eq!(messages(b"[]", 2).err(), Some(Malformed::Batch));
        assert!(messages(format!("[[{one}]]").as_bytes(), 2).is_err());
    }

    #[test]
    fn errors_and_cancellations_are_messages() {
        let id = Id::Text("a\"b".into());
        let text = error(Some(&id), -32603, "it \"ended\"");
        assert_eq!(Message::read(&text).unwrap().error_code(), Some(-32603));
        assert_eq!(Message::read(&text).unwrap().id(), Some(&id));
        let text = cancelled(&Id::Number(4), "gone");
        assert_eq!(
            Message::read(&text).unwrap().id_at(CANCELLED),
            Some(Id::Number(4))
        );
        let text = error(None, -32000, "no");
        assert_eq!(
            Message::read(&text).unwrap().kind(),
            &Kind::Response { id: None }
        );
    }
}
