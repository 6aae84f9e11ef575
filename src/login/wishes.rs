//! What a client may ask of the provider's own pages (OpenID Connect Core section 3.1.2.1), as far as
//! the operator lets it through.

use serde::{Deserialize, Serialize};

use crate::{
    config::PassOn,
    limits::{MAX_HINT, MAX_LOCALES},
    oauth::Params,
};

/// The words of `prompt` that can be passed on. Not `none`: a person has to be asked here.
const PROMPTS: &[&str] = &["login", "consent", "select_account", "create"];

/// Those of one request. They travel in its cookie, so each is bounded; a hint that is too long or
/// odd is left out, because nothing depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wishes {
    prompt: Vec<String>,
    login_hint: Option<String>,
    max_age: Option<u32>,
    ui_locales: Option<String>,
}

/// A wish that cannot be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WishError {
    /// OpenID Connect Core section 3.1.2.6: `interaction_required` where "the Authentication Request
    /// cannot be completed without displaying a user interface".
    #[error("prompt=none: a person has to be asked here")]
    PromptNone,
    #[error("max_age is not a number of seconds")]
    MaxAge,
}

impl Wishes {
    pub(crate) fn read(params: &Params, allowed: &[PassOn]) -> Result<Self, WishError> {
        let get = |which, name| params.get(name).filter(|_| allowed.contains(&which));
        let mut wishes = Self::default();
        for word in get(PassOn::Prompt, "prompt").unwrap_or_default().split(' ') {
            if word == "none" {
                return Err(WishError::PromptNone);
            }
            if PROMPTS.contains(&word) && !wishes.prompt.iter().any(|known| known == word) {
                wishes.prompt.push(word.to_owned());
            }
        }
        wishes.login_hint = get(PassOn::LoginHint, "login_hint")
            .filter(|hint| hint.len() <= MAX_HINT && !hint.contains(char::is_control))
            .map(str::to_owned);
        if let Some(seconds) = get(PassOn::MaxAge, "max_age") {
            let is_number = seconds.bytes().all(|b| b.is_ascii_digit());
            let seconds = seconds.parse().ok().filter(|_| is_number);
            wishes.max_age = Some(seconds.ok_or(WishError::MaxAge)?);
        }
        // Read in any case: the pages here are in these languages too.
        wishes.ui_locales = params
            .get("ui_locales")
            .filter(|tags| tags.len() <= MAX_LOCALES && tags.bytes().all(is_language_tag))
            .map(str::to_owned);
        Ok(wishes)
    }

    /// Whether the client wants the person to be asked again.
    pub(crate) fn want_consent(&self) -> bool {
        self.prompt.iter().any(|word| word == "consent")
    }

    /// Whether the client wants the person to be able to change accounts.
    pub(crate) fn want_choice(&self) -> bool {
        self.prompt.iter().any(|word| word == "select_account")
    }

    /// The same for a person who wants another account than the provider took: by this word of `prompt`, and
    /// without a hint that names the account.
    #[must_use]
    pub(crate) fn for_another_account(mut self, prompt: Option<&str>) -> Self {
        self.login_hint = None;
        if let Some(word) = prompt {
            // First: some providers take one word alone.
            self.prompt.retain(|known| known != word);
            self.prompt.insert(0, word.to_owned());
        }
        self
    }

    /// The languages that the person reads, as the client has it (`ui_locales`): tags, with spaces between.
    pub(crate) fn ui_locales(&self) -> Option<&str> {
        self.ui_locales.as_deref()
    }

    /// The words of `prompt`.
    pub(crate) fn prompt(&self) -> &[String] {
        &self.prompt
    }

    /// The others that go on to the provider, by name.
    pub(crate) fn others(
        &self,
        allowed: &[PassOn],
    ) -> impl Iterator<Item = (&'static str, String)> {
        let locales = self.ui_locales.clone();
        let locales = locales.filter(|_| allowed.contains(&PassOn::UiLocales));
        let named = [
            ("login_hint", self.login_hint.clone()),
            ("max_age", self.max_age.map(|seconds| seconds.to_string())),
            ("ui_locales", locales),
        ];
        named
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// RFC 5646, several by spaces.
fn is_language_tag(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [PassOn; 4] = [
        PassOn::Prompt,
        PassOn::LoginHint,
        PassOn::MaxAge,
        PassOn::UiLocales,
    ];

    fn read(raw: &str, allowed: &[PassOn]) -> Result<(String, Vec<String>), WishError> {
        let wishes = Wishes::read(&Params::parse(raw).unwrap(), allowed)?;
        let others = wishes
            .others(allowed)
            .map(|(name, value)| format!("{name}={value}"));
        Ok((wishes.prompt().join(" "), others.collect()))
    }

    #[test]
    fn only_what_is_allowed_is_read() {
        let raw = "prompt=login&login_hint=a@b&max_age=60&ui_locales=de-AT%20fr";
        let (prompt, others) = read(raw, &ALL).unwrap();
        assert_eq!(prompt, "login");
        assert_eq!(
            others,
            ["login_hint=a@b", "max_age=60", "ui_locales=de-AT fr"]
        );
        for (n, allowed) in ALL.into_iter().enumerate() {
            let (prompt, others) = read(raw, &[allowed]).unwrap();
            assert_eq!(prompt.is_empty(), n != 0);
            assert_eq!(others.len(), usize::from(n != 0));
        }
        // What is not passed on may say anything.
        let bad = "prompt=none&max_age=x";
        assert_eq!(read(bad, &[]).unwrap(), (String::new(), Vec::new()));
    }

    #[test]
    fn the_pages_here_know_the_languages_that_do_not_go_on() {
        let read = |raw: &str| Wishes::read(&Params::parse(raw).unwrap(), &[]).unwrap();
        let wishes = read("ui_locales=de-AT%20fr&login_hint=a@b");
        assert_eq!(wishes.ui_locales(), Some("de-AT fr"));
        assert_eq!(wishes.others(&[]).count(), 0);
        assert_eq!(read("ui_locales=%3Cb%3E").ui_locales(), None);
        assert_eq!(
            read(&format!("ui_locales={}", "d".repeat(101))).ui_locales(),
            None
        );
    }

    #[test]
    fn prompt_holds_words_that_are_known_each_once_and_never_none() {
        let prompt = |value: &str| read(&format!("prompt={value}"), &ALL).map(|read| read.0);
        let both = "select_account%20consent%20login%20consent";
        assert_eq!(prompt(both).unwrap(), "select_account consent login");
        assert_eq!(prompt("LOGIN%20x%20%00%20").unwrap(), "");
        for none in ["none", "none%20login", "login%20none"] {
            assert_eq!(prompt(none), Err(WishError::PromptNone), "{none}");
        }
    }

    #[test]
    fn a_person_who_wants_another_account_is_heard_before_the_client() {
        let read = |raw: &str| Wishes::read(&Params::parse(raw).unwrap(), &ALL).unwrap();
        for (asked, word, prompt) in [
            (
                "consent%20login",
                "select_account",
                "select_account consent login",
            ),
            ("consent%20login", "login", "login consent"),
            ("", "login", "login"),
        ] {
            let wishes = read(&format!("prompt={asked}&login_hint=a@b"));
            let wishes = wishes.for_another_account(Some(word));
            assert_eq!(wishes.prompt().join(" "), prompt);
            assert_eq!(wishes.others(&ALL).count(), 0);
        }
        let unchanged = read("prompt=consent").for_another_account(None);
        assert_eq!(unchanged.prompt(), ["consent"]);
    }

    #[test]
    fn max_age_is_a_number_and_hints_are_short_and_printable() {
        for bad in ["-1", "%2B1", "1.5", "x", "99999999999", "1%20"] {
            let raw = format!("max_age={bad}");
            assert_eq!(read(&raw, &ALL), Err(WishError::MaxAge), "{bad}");
        }
        assert_eq!(read("max_age=0", &ALL).unwrap().1, ["max_age=0"]);
        for left_out in [
            format!("login_hint={}", "x".repeat(321)),
            "login_hint=a%0d%0ab".to_owned(),
            format!("ui_locales={}", "de%20".repeat(40)),
            "ui_locales=de%26x=1".to_owned(),
        ] {
            assert_eq!(read(&left_out, &ALL).unwrap().1.len(), 0, "{left_out}");
        }
    }
}
