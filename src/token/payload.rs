//! The payload of the proxy's own access tokens, as JSON.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::time::Unix;

/// The claims as they stand in a token, in this order. Unknown ones come after them: those were passed on
/// from the provider.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) struct Payload<'a> {
    #[serde(borrow)]
    pub(super) iss: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) sub: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) aud: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) client_id: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(super) scope: Cow<'a, str>,
    pub(super) iat: Unix,
    pub(super) exp: Unix,
    #[serde(borrow)]
    pub(super) jti: Cow<'a, str>,
    /// Empty, and left out, where no grant stands behind the token.
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(super) gid: Cow<'a, str>,
}

impl<'a> Payload<'a> {
    /// Reads a payload whose signature was verified; `None` when it is not one.
    ///
    /// Almost every payload stands as this proxy wrote it, and is then only cut at its quotes: a parser
    /// takes as long as the signature. Whatever looks different goes to the parser.
    pub(super) fn read(json: &'a [u8]) -> Option<Self> {
        as_written(json).or_else(|| serde_json::from_slice(json).ok())
    }
}

/// Without an escape each text ends at the next quote.
fn as_written(json: &[u8]) -> Option<Payload<'_>> {
    let has_escape = json.contains(&b'\\');
    let json = std::str::from_utf8(json).ok().filter(|_| !has_escape)?;
    let (iss, rest) = text(json.strip_prefix(r#"{"iss":""#)?)?;
    let (sub, rest) = text(rest.strip_prefix(r#","sub":""#)?)?;
    let (aud, rest) = text(rest.strip_prefix(r#","aud":""#)?)?;
    let (client_id, rest) = text(rest.strip_prefix(r#","client_id":""#)?)?;
    let (scope, rest) = match rest.strip_prefix(r#","scope":""#) {
        Some(rest) => text(rest)?,
        None => (Cow::default(), rest),
    };
    let (iat, rest) = number(rest.strip_prefix(r#","iat":"#)?)?;
    let (exp, rest) = number(rest.strip_prefix(r#","exp":"#)?)?;
    let (jti, rest) = text(rest.strip_prefix(r#","jti":""#)?)?;
    let (gid, rest) = match rest.strip_prefix(r#","gid":""#) {
        Some(rest) => text(rest)?,
        None => (Cow::default(), rest),
    };
    // What is passed on has no name of ours, and is not read here.
    let is_end = rest == "}" || (rest.starts_with(",\"") && rest.ends_with('}'));
    is_end.then_some(Payload {
        iss,
        sub,
        aud,
        client_id,
        scope,
        iat,
        exp,
        jti,
        gid,
    })
}

fn text(from: &str) -> Option<(Cow<'_, str>, &str)> {
    let (text, rest) = from.split_once('"')?;
    Some((Cow::Borrowed(text), rest))
}

fn number(from: &str) -> Option<(Unix, &str)> {
    let digits = from.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = from.split_at_checked(digits)?;
    Some((Unix::at(number.parse().ok()?), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(payload: &Payload<'_>, extra: &str) -> String {
        let json = serde_json::to_string(payload).unwrap();
        format!("{}{extra}}}", json.strip_suffix('}').unwrap())
    }

    fn payload() -> Payload<'static> {
        Payload {
            iss: "https://mcp.example".into(),
            sub: "Ada é".into(),
            aud: "https://mcp.example/mcp".into(),
            client_id: "client".into(),
            scope: "read write".into(),
            iat: Unix::at(1_800_000_000),
            exp: Unix::at(1_800_003_600),
            jti: "id".into(),
            gid: "grant".into(),
        }
    }

    #[test]
    fn what_this_proxy_writes_needs_no_parser() {
        for extra in ["", r#","name":"Ada","groups":[{"a":"}"}]"#] {
            for scope in ["", "read"] {
                let scope = scope.into();
                let payload = Payload { scope, ..payload() };
                let json = written(&payload, extra);
                assert_eq!(as_written(json.as_bytes()), Some(payload), "{json}");
            }
        }
    }

    #[test]
    fn what_looks_different_goes_to_the_parser() {
        let json = written(&payload(), "");
        let spaced = json.replace(",\"", ", \"");
        assert_eq!(Payload::read(spaced.as_bytes()), Some(payload()));
        let quoted = Payload {
            sub: "\"a\\".into(),
            ..payload()
        };
        let escaped = written(&quoted, "");
        assert_eq!(Payload::read(escaped.as_bytes()), Some(quoted));
        for other in [&*spaced, &*escaped] {
            assert_eq!(as_written(other.as_bytes()), None);
        }
        for broken in [
            json.replace("1800000000", "-1"),
            json.replace("1800000000", "\"1800000000\""),
            json.replace("1800000000", "18446744073709551616"),
            json.replace("\"jti\":", "\"jtj\":"),
            json.replace("\"iss\":", "\"sub\":"),
            json[..json.len() - 1].to_owned(),
            format!("{json}}}"),
            format!("[{json}]"),
        ] {
            assert_eq!(Payload::read(broken.as_bytes()), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn both_readers_say_the_same_of_what_is_written(
            texts in any::<[String; 7]>(),
            times in any::<[u64; 2]>(),
            value in ".*",
        ) {
            let [iss, sub, aud, client_id, scope, jti, gid] = texts.map(Cow::Owned);
            let [iat, exp] = times.map(Unix::at);
            let payload = Payload { iss, sub, aud, client_id, scope, iat, exp, jti, gid };
            let extra = format!(r#","name":{}"#, serde_json::Value::String(value));
            let json = written(&payload, &extra);
            if let Some(cut) = as_written(json.as_bytes()) {
                prop_assert_eq!(&cut, &payload);
            }
            prop_assert_eq!(Payload::read(json.as_bytes()), Some(payload));
        }
    }
}
