//! What scopes mean to a person: in the operator's words, or in ours for those of OpenID Connect.

use super::{language_tag::lookup, words::Words};
use crate::oauth::ScopeSet;

/// What the operator says of scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ScopeTexts(pub(crate) Vec<ScopeText>);

/// What one scope lets an app do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScopeText {
    pub(crate) scope: String,
    /// A tag of RFC 5646; `None` for every language that has no text of its own.
    pub(crate) language: Option<String>,
    pub(crate) text: String,
}

impl ScopeTexts {
    /// The text in this language, or in the one that fits it best, or the one for all.
    fn of(&self, scope: &str, language: &str) -> Option<&str> {
        let texts = || self.0.iter().filter(|text| text.scope == scope);
        let tags: Vec<&str> = texts()
            .filter_map(|text| text.language.as_deref())
            .collect();
        let tag = lookup(&tags, language);
        let found = texts().find(|text| text.language.as_deref() == tag);
        found.map(|text| text.text.as_str())
    }
}

/// What an app asks for, in groups, and in each in the order in which it was asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rights<'a> {
    /// To do things at the service.
    pub(super) service: Vec<Right<'a>>,
    /// To know about the person.
    pub(super) person: Vec<Right<'a>>,
    /// To stay.
    pub(super) stay: Option<Right<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Right<'a> {
    /// As the protocol writes it.
    pub(super) scope: &'a str,
    /// What it means; `None` where no one has said so.
    pub(super) meaning: Option<&'a str>,
}

impl<'a> Rights<'a> {
    pub(super) fn of(
        scopes: &'a ScopeSet,
        texts: &'a ScopeTexts,
        words: &'a Words,
        language: &str,
    ) -> Self {
        let mut rights = Self {
            service: Vec::new(),
            person: Vec::new(),
            stay: None,
        };
        for scope in scopes.iter() {
            let own = ours(scope, words);
            let meaning = texts.of(scope, language).or(own);
            let right = Right { scope, meaning };
            match own {
                _ if scope == OFFLINE_ACCESS => rights.stay = Some(right),
                Some(_) => rights.person.push(right),
                None => rights.service.push(right),
            }
        }
        rights
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Right<'a>> {
        self.service.iter().chain(&self.person).chain(&self.stay)
    }
}

const OFFLINE_ACCESS: &str = "offline_access";

/// OpenID Connect Core sections 5.4 and 11.
fn ours<'a>(scope: &str, words: &'a Words) -> Option<&'a str> {
    Some(match scope {
        "openid" => &words.scope_openid,
        "profile" => &words.scope_profile,
        "email" => &words.scope_email,
        "address" => &words.scope_address,
        "phone" => &words.scope_phone,
        OFFLINE_ACCESS => &words.scope_offline_access,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[(&str, Option<&str>, &str)]) -> ScopeTexts {
        let texts = texts.iter().map(|(scope, language, text)| ScopeText {
            scope: (*scope).to_owned(),
            language: language.map(str::to_owned),
            text: (*text).to_owned(),
        });
        ScopeTexts(texts.collect())
    }

    #[test]
    fn a_text_is_in_the_pages_language_or_in_the_one_above_it_or_in_the_one_for_all() {
        let texts = texts(&[
            ("read", Some("de"), "Notizen lesen"),
            ("read", None, "read your notes"),
            ("read", Some("pt-BR"), "ler suas notas"),
        ]);
        for (language, text) in [
            ("de", "Notizen lesen"),
            ("de-CH", "Notizen lesen"),
            ("de-Latn-CH", "Notizen lesen"),
            ("DE", "Notizen lesen"),
            ("pt-br", "ler suas notas"),
            ("pt", "ler suas notas"),
            ("en", "read your notes"),
            ("den", "read your notes"),
        ] {
            assert_eq!(texts.of("read", language), Some(text), "{language}");
        }
        assert_eq!(texts.of("Read", "de"), None);
    }

    #[test]
    fn scopes_are_grouped_and_keep_their_order() {
        let scopes = ScopeSet::parse("offline_access b email mcp:a openid").unwrap();
        let texts = texts(&[("mcp:a", None, "do a"), ("email", None, "write to you")]);
        let words = Words::english();
        let rights = Rights::of(&scopes, &texts, &words, "en");
        let right = |scope, meaning| Right { scope, meaning };
        let expected = Rights {
            service: vec![right("b", None), right("mcp:a", Some("do a"))],
            // The operator's words go before ours.
            person: vec![
                right("email", Some("write to you")),
                right("openid", Some(&words.scope_openid)),
            ],
            stay: Some(right("offline_access", Some(&words.scope_offline_access))),
        };
        assert_eq!(rights, expected);
        let all: Vec<_> = rights.iter().map(|right| right.scope).collect();
        assert_eq!(all, ["b", "mcp:a", "email", "openid", "offline_access"]);
    }
}
