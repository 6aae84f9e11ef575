//! What the provider sent the browser back with (RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207).
//!
//! Read leniently, unlike every other request: once the `state` matches, a client waits, and has to
//! hear of an answer in any bytes. What cannot be read reaches no provider and no page.

use std::borrow::Cow;

use url::form_urlencoded;

use crate::{
    error::OAuthErrorCode,
    event::Told,
    limits::{MAX_ERROR_ANSWER, MAX_ERROR_DESCRIPTION},
    provider::UpstreamError,
};

/// The parameters of an authorization answer. Others are left alone (RFC 6749 section 4.1.2: "The
/// client MUST ignore unrecognized response parameters").
const KNOWN: &[&str] = &["code", "state", "iss", "error", "error_description"];

/// An authorization answer.
pub(crate) struct Returned<'a> {
    params: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// What it says.
#[derive(Debug, PartialEq, Eq)]
enum Said<'a> {
    Code {
        code: &'a str,
        iss: Option<&'a str>,
    },
    /// The provider refused, in its own words.
    Error {
        error: &'a str,
        description: &'a str,
        iss: Option<&'a str>,
    },
    /// Why it is no answer, for the operator.
    Nothing(&'static str),
}

impl<'a> Returned<'a> {
    /// Reads a query or a form: broken escapes stay as they are, and bytes that are not UTF-8 become
    /// U+FFFD.
    ///
    /// `None` when it has more bytes than `most`. An error may have more, up to [`MAX_ERROR_ANSWER`]:
    /// the client that waits has to hear of it, and of the provider's words only the beginning is
    /// used.
    pub(crate) fn read(raw: &'a [u8], most: usize) -> Option<Self> {
        if raw.len() > most.max(MAX_ERROR_ANSWER) {
            return None;
        }
        let params = form_urlencoded::parse(raw)
            .filter(|(name, value)| KNOWN.contains(&&**name) && !value.is_empty())
            .collect();
        let returned = Self { params };
        let is_read = raw.len() <= most || matches!(returned.said(), Said::Error { .. });
        is_read.then_some(returned)
    }

    /// The `state`, when there is one and no other.
    pub(crate) fn state(&self) -> Option<&str> {
        self.only("state").ok().flatten()
    }

    fn said(&self) -> Said<'_> {
        let Ok(iss) = self.only("iss") else {
            return Said::Nothing("iss is repeated");
        };
        if let Some(error) = self.all("error").next() {
            let description = self.all("error_description").next().unwrap_or_default();
            return Said::Error {
                error,
                description,
                iss,
            };
        }
        match self.only("code") {
            // RFC 6749 appendix A.11: `code = 1*VSCHAR`.
            Ok(Some(code)) if code.bytes().all(|b| matches!(b, b' '..=b'~')) => {
                Said::Code { code, iss }
            }
            Ok(Some(_)) => Said::Nothing("the code is not printable ASCII"),
            Ok(None) => Said::Nothing("no code, no error"),
            Err(Repeated) => Said::Nothing("the code is repeated"),
        }
    }

    /// The provider's code, when its answer holds one. `admits` knows the provider's issuer, and
    /// `names_issuer` whether the provider always names it.
    ///
    /// RFC 9207 section 2.4: "If the value does not match the expected issuer identifier, clients
    /// MUST reject the authorization response and MUST NOT proceed with the authorization grant. For
    /// error responses, clients MUST NOT assume that the error originates from the intended
    /// authorization server." And: "Clients MUST reject authorization responses without the iss parameter
    /// from authorization servers that do support the parameter according to the client's configuration."
    pub(crate) fn code(
        &self,
        admits: impl Fn(&str) -> bool,
        names_issuer: bool,
    ) -> Result<&str, NoCode> {
        match self.said() {
            Said::Code { iss: None, .. } | Said::Error { iss: None, .. } if names_issuer => {
                Err(NoCode::NoIssuer)
            }
            Said::Code { iss: Some(iss), .. } | Said::Error { iss: Some(iss), .. }
                if !admits(iss) =>
            {
                Err(NoCode::ForeignIssuer)
            }
            Said::Code { code, .. } => Ok(code),
            Said::Error {
                error, description, ..
            } => Err(NoCode::Error {
                error: cut(error),
                description: cut(description),
            }),
            Said::Nothing(why) => Err(NoCode::Unreadable(why)),
        }
    }

    /// Whether it says that the person did not want to, or could not: for a page, where no login is known that it
    /// would end.
    pub(crate) fn is_denial(&self) -> bool {
        let no = self.code(|_| true, false).err();
        no.is_some_and(|no| no.code() == OAuthErrorCode::AccessDenied)
    }

    /// The same as a query: what is known, the provider's words cut short.
    pub(crate) fn to_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.params {
            match &**name {
                "error" | "error_description" => {
                    query.append_pair(name, &cut(value));
                }
                _ => {
                    query.append_pair(name, value);
                }
            }
        }
        query.finish()
    }

    fn all(&self, name: &'a str) -> impl Iterator<Item = &str> {
        let named = self.params.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| &**value)
    }

    /// The one value; the same twice is one.
    fn only(&self, name: &'a str) -> Result<Option<&str>, Repeated> {
        let mut all = self.all(name);
        let first = all.next();
        match all.all(|other| Some(other) == first) {
            true => Ok(first),
            false => Err(Repeated),
        }
    }
}

struct Repeated;

fn cut(words: &str) -> String {
    words.chars().take(MAX_ERROR_DESCRIPTION).collect()
}

/// Why the provider's answer brings no code, in words for the operator.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoCode {
    #[error("iss is another issuer's")]
    ForeignIssuer,
    #[error("there is no iss, and the provider's document promises one in every answer")]
    NoIssuer,
    /// Whether one is promised is not known: the code stays where it is.
    #[error(transparent)]
    Provider(UpstreamError),
    /// It came to a callback of another provider than the one to which the person was sent.
    #[error("the answer came to the callback of another provider")]
    OtherCallback,
    /// The provider's own words.
    #[error("{error}: {description}")]
    Error { error: String, description: String },
    #[error("{0}")]
    Unreadable(&'static str),
}

impl NoCode {
    /// In words for the operator. What the provider says may name a person.
    pub(crate) fn told(&self) -> Told {
        match self {
            Self::Error { error, description } => Told::quoting_error(
                "the provider answered with",
                (error.as_str(), format_args!(" `{error}`")),
                Some(description),
            ),
            Self::Provider(error) => error.told(),
            other => other.to_string().into(),
        }
    }

    /// What the client hears (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6): a code
    /// that it can act on.
    pub(crate) fn code(&self) -> OAuthErrorCode {
        let error = match self {
            Self::Error { error, .. } => error,
            Self::Provider(_) => return OAuthErrorCode::TemporarilyUnavailable,
            Self::ForeignIssuer | Self::NoIssuer | Self::OtherCallback | Self::Unreadable(_) => {
                return OAuthErrorCode::ServerError;
            }
        };
        match error.as_str() {
            // The person said no; the others are what LinkedIn, Apple and Facebook call it.
            "access_denied" | "user_cancelled_login" | "user_cancelled_authorize"
            | "user_cancelled" | "user_denied" | "consent_required"
            // The person would have to do something that they did not.
            | "login_required" | "interaction_required" | "account_selection_required"
            | "unmet_authentication_requirements" => OAuthErrorCode::AccessDenied,
            "temporarily_unavailable" => OAuthErrorCode::TemporarilyUnavailable,
            _ => OAuthErrorCode::ServerError,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(raw: &str) -> Returned<'_> {
        Returned::read(raw.as_bytes(), 16 * 1024).unwrap()
    }

    fn said(raw: &str) -> String {
        format!("{:?}", read(raw).said())
    }

    #[test]
    fn what_carries_a_code_is_bounded_and_an_error_is_cut() {
        let most = 1_000;
        let read = |head: &str, bytes: usize| {
            let raw = format!("{head}{}", "x".repeat(bytes - head.len()));
            let returned = Returned::read(raw.as_bytes(), most)?;
            Some(returned.code(|_| true, false).map(str::len))
        };
        let code = "state=s&code=";
        assert_eq!(read(code, most), Some(Ok(most - code.len())));
        assert_eq!(read(code, most + 1), None);
        assert_eq!(read("state=s&x=", most + 1), None);
        let error = "state=s&error=access_denied&error_description=";
        for bytes in [most, most + 1, MAX_ERROR_ANSWER] {
            let Some(Err(NoCode::Error { error, description })) = read(error, bytes) else {
                panic!("{bytes}")
            };
            assert_eq!(error, "access_denied");
            assert_eq!(description, "x".repeat(MAX_ERROR_DESCRIPTION));
        }
        assert_eq!(read(error, MAX_ERROR_ANSWER + 1), None);
    }

    #[test]
    fn an_error_is_read_whatever_bytes_it_holds() {
        for raw in [
            "state=s&error=access_denied&error_description=%FF%FE%zz%",
            "error=access_denied&error=other&state=s&error_description=a&error_description=b",
            "state=s&error=access_denied&x=1&x=2&%ff=%ff&=&&",
            "state=s&state=s&error=access_denied&code=c&code=d",
        ] {
            let returned = read(raw);
            assert_eq!(returned.state(), Some("s"), "{raw}");
            let Said::Error { error, .. } = returned.said() else {
                panic!("{raw}: {:?}", returned.said())
            };
            assert_eq!(error, "access_denied", "{raw}");
        }
    }

    #[test]
    fn another_issuers_answer_brings_no_code_and_its_error_is_not_the_providers() {
        let code = |raw: &str| {
            let returned = read(raw);
            let code = returned.code(|iss| iss == "https://idp.example", false);
            code.map(str::to_owned)
        };
        let ours = "code=a&iss=https://idp.example";
        assert_eq!(code(ours).as_deref(), Ok("a"));
        assert_eq!(code("code=a").as_deref(), Ok("a"));
        for forged in ["code=a", "error=access_denied"] {
            let forged = format!("{forged}&iss=https://evil.example");
            let error = code(&forged).unwrap_err();
            assert_eq!(error, NoCode::ForeignIssuer, "{forged}");
            assert_eq!(error.code(), OAuthErrorCode::ServerError);
        }
        let denied = code("error=access_denied&error_description=no").unwrap_err();
        assert_eq!(denied.to_string(), "access_denied: no");
        assert_eq!(denied.code(), OAuthErrorCode::AccessDenied);
    }

    #[test]
    fn an_answer_without_an_issuer_is_refused_where_the_provider_promises_one() {
        let code = |raw: &str, promised| {
            let returned = read(raw);
            let code = returned.code(|iss| iss == "https://idp.example", promised);
            code.map(str::to_owned)
        };
        let named = "iss=https://idp.example";
        assert_eq!(code(&format!("code=a&{named}"), true).as_deref(), Ok("a"));
        for silent in ["code=a", "error=access_denied"] {
            assert_eq!(code(silent, true), Err(NoCode::NoIssuer), "{silent}");
            assert_ne!(code(silent, false), Err(NoCode::NoIssuer), "{silent}");
        }
        assert_eq!(NoCode::NoIssuer.code(), OAuthErrorCode::ServerError);
    }

    #[test]
    fn two_codes_states_or_issuers_are_none() {
        assert!(said("code=a&code=b").contains("the code is repeated"));
        assert!(said("code=a&iss=x&iss=y").contains("iss is repeated"));
        assert!(said("error=a&iss=x&iss=y").contains("iss is repeated"));
        assert!(said("code=%ff").contains("not printable ASCII"));
        assert!(said("code=&error=").contains("no code"));
        assert!(said("code=a&code=a").contains("Code"));
        assert_eq!(read("state=a&state=b&code=c").state(), None);
        assert_eq!(read("State=a").state(), None);
    }

    #[test]
    fn only_what_is_known_is_sent_on_and_the_providers_words_are_cut() {
        let raw = format!(
            "user=%7B%22name%22%7D&id_token=x&code=a%20b%26&state=s&error_description={}",
            "%FF".repeat(5_000)
        );
        let query = read(&raw).to_query();
        assert!(query.starts_with("code=a+b%26&state=s&error_description=%EF%BF%BD"));
        assert!(query.len() < 3_000 && !query.contains("user") && !query.contains("id_token"));
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_sent_on_says_the_same(
            raw in "((code|state|error|iss|x)=[a%\u{e9}\u{0}f&=+]{0,6}&?){0,6}"
        ) {
            let returned = read(&raw);
            let query = returned.to_query();
            let again = read(&query);
            prop_assert_eq!(again.state(), returned.state());
            prop_assert_eq!(again.said(), returned.said());
        }
    }
}
