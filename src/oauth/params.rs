//! The parameters of one request: a decoded form body or query.

use std::fmt;

use super::{describable, uri::hex_pair};
use crate::limits::{MAX_BODY, MAX_PARAM, MAX_PARAMS};

/// The one parameter that may repeat. RFC 8707 section 2: "Multiple `resource` parameters MAY be
/// used to indicate that the requested token is intended to be used at multiple resources."
const MAY_REPEAT: &str = "resource";

/// One `application/x-www-form-urlencoded` form or query, each name at most once; only `resource`
/// may repeat.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Params(Vec<(String, String)>);

/// Why parameters are refused; safe to show to the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParamsError {
    /// RFC 6749 section 3.1: "Request and response parameters MUST NOT be included more than once."
    /// That holds for parameters that we do not know as well.
    #[error("parameter {name} is repeated")]
    Duplicate {
        /// The first name that came twice, safe to quote.
        name: String,
        /// The parameters that came once; those that came twice are left out.
        first: Params,
    },
    #[error("too many parameters")]
    TooMany,
    #[error("a parameter is too long")]
    TooLong,
    #[error("the parameters are not application/x-www-form-urlencoded UTF-8")]
    Malformed,
}

impl Params {
    pub(crate) fn parse(raw: &str) -> Result<Self, ParamsError> {
        if raw.len() > MAX_BODY {
            return Err(ParamsError::TooLong);
        }
        let mut once: Vec<(String, String)> = Vec::new();
        let mut repeated: Vec<String> = Vec::new();
        let pairs = raw.split('&').filter(|pair| !pair.is_empty());
        for (count, pair) in pairs.enumerate() {
            if count == MAX_PARAMS {
                return Err(ParamsError::TooMany);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = form_decode(name).ok_or(ParamsError::Malformed)?;
            let value = form_decode(value).ok_or(ParamsError::Malformed)?;
            if name.len() > MAX_PARAM || value.len() > MAX_PARAM {
                return Err(ParamsError::TooLong);
            }
            if name != MAY_REPEAT && once.iter().any(|(known, _)| *known == name) {
                repeated.push(name);
            } else {
                once.push((name, value));
            }
        }
        match repeated.first() {
            None => Ok(Self(once)),
            Some(name) => {
                let name = describable(name);
                once.retain(|(known, _)| !repeated.contains(known));
                let first = Self(once);
                Err(ParamsError::Duplicate { name, first })
            }
        }
    }

    /// The value. RFC 6749 section 3.1: "Parameters sent without a value MUST be treated as if they were
    /// omitted from the request."
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.get_raw(name).filter(|value| !value.is_empty())
    }

    /// All values of a parameter that may repeat; those sent without a value count as omitted.
    pub(crate) fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The value, the empty one too: `state` is echoed as it came.
    pub(crate) fn get_raw(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Values are codes, tokens and secrets: only names are printed.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// Decodes one name or value: `+` is a space, `%XX` a byte, the whole UTF-8. `None` for anything
/// else, where the lenient decoders of the web would guess.
pub(crate) fn form_decode(raw: &str) -> Option<String> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        out.push(match first {
            b'+' => b' ',
            b'%' => {
                rest = tail.get(2..)?;
                hex_pair(tail)?
            }
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::form_urlencoded;

    use super::*;

    fn params(raw: &str) -> Params {
        Params::parse(raw).unwrap()
    }

    #[test]
    fn values_are_decoded_once() {
        let p = params("a=x+y%2Bz&b=%252e&c=%C3%A9&d=1=2&e");
        assert_eq!(p.get("a"), Some("x y+z"));
        assert_eq!(p.get("b"), Some("%2e"));
        assert_eq!(p.get("c"), Some("é"));
        assert_eq!(p.get("d"), Some("1=2"));
        assert_eq!((p.get("e"), p.get_raw("e")), (None, Some("")));
        assert_eq!(p.get_raw("f"), None);
        assert_eq!(params("&&"), params(""));
    }

    #[test]
    fn a_repeated_parameter_is_refused_even_when_unknown_empty_or_encoded() {
        for raw in [
            "x=1&x=1",
            "x=&x=",
            "x&x",
            "scope=a&sc%6Fpe=b",
            "a=1&x=1&x=2",
        ] {
            assert!(
                matches!(Params::parse(raw), Err(ParamsError::Duplicate { .. })),
                "{raw}"
            );
        }
    }

    #[test]
    fn a_resource_may_repeat_and_nothing_else_that_looks_like_it() {
        let p = params("resource=a&x=1&resource=&re%73ource=b&resource");
        assert_eq!(p.get_all("resource").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(p.get_all("y").count(), 0);
        for raw in ["Resource=a&Resource=a", "resource[]=a&resource[]=a"] {
            assert!(
                matches!(Params::parse(raw), Err(ParamsError::Duplicate { .. })),
                "{raw}"
            );
        }
    }

    #[test]
    fn a_refusal_for_repetition_keeps_only_what_is_unambiguous() {
        let raw = "client_id=c&state=1&redirect_uri=r&state=2&state=3&q=1&q=2";
        let Err(ParamsError::Duplicate { name, first }) = Params::parse(raw) else {
            panic!("must be refused")
        };
        assert_eq!(name, "state");
        assert_eq!(first.get("client_id"), Some("c"));
        assert_eq!(first.get("redirect_uri"), Some("r"));
        assert_eq!((first.get_raw("state"), first.get_raw("q")), (None, None));
    }

    #[test]
    fn a_repeated_name_is_quoted_safely() {
        let Err(error) = Params::parse("%0d%0a%22=1&%0d%0a%22=2") else {
            panic!("must be refused")
        };
        assert_eq!(error.to_string(), "parameter ??? is repeated");
    }

    #[test]
    fn a_broken_escape_or_encoding_is_malformed_not_guessed() {
        for raw in ["a=%", "a=%4", "a=%zz", "%=1", "a=%ff", "a=%C3", "a=%+1"] {
            assert_eq!(Params::parse(raw), Err(ParamsError::Malformed), "{raw}");
        }
    }

    #[test]
    fn count_value_and_whole_are_bounded() {
        let many = |n: usize| (0..n).map(|i| format!("p{i}=1&")).collect::<String>();
        assert!(Params::parse(&many(64)).is_ok());
        assert_eq!(Params::parse(&many(65)), Err(ParamsError::TooMany));
        // Repetition does not get round the count.
        assert_eq!(Params::parse(&"a=1&".repeat(65)), Err(ParamsError::TooMany));
        let long = |n: usize| format!("a={}", "x".repeat(n));
        assert!(Params::parse(&long(24 * 1024)).is_ok());
        assert_eq!(
            Params::parse(&long(24 * 1024 + 1)),
            Err(ParamsError::TooLong)
        );
        assert_eq!(
            Params::parse(&"&".repeat(65_537)),
            Err(ParamsError::TooLong)
        );
    }

    #[test]
    fn debug_prints_no_value() {
        assert_eq!(format!("{:?}", params("code=s3cret")), r#"["code"]"#);
    }

    proptest! {
        #[test]
        fn what_a_client_encodes_is_what_is_read(name in "[^&]{1,20}", value in any::<String>()) {
            let raw = form_urlencoded::Serializer::new(String::new())
                .append_pair(&name, &value)
                .finish();
            let p = params(&raw);
            prop_assert_eq!(p.get_raw(&name), Some(value.as_str()));
        }

        #[test]
        fn nothing_panics(raw in any::<String>()) {
            let _ = Params::parse(&raw);
        }
    }
}
