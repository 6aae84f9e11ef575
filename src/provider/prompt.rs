//! Which words of `prompt` (OpenID Connect Core section 3.1.2.1) a provider takes from a client.

/// A provider that meets a word it does not know shows the person an error page of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Prompts {
    /// All of them, as a list.
    Any,
    /// These, as a list.
    List(&'static [&'static str]),
    /// One of these at a time.
    One(&'static [&'static str]),
}

impl Prompts {
    /// The word that has the provider ask which account it should be; `None` where it has none.
    ///
    /// OpenID Connect Core section 15.1: "OpenID Providers MUST support the prompt parameter, as defined in
    /// Section 3.1.2, including the specified user interface behaviors such as none and login." No provider has
    /// to know `select_account`. Where neither is known, a page that asks for consent mostly says for whom, and
    /// lets the person change that.
    ///
    /// What is configured stays, so it can leave no room for another word.
    pub(crate) fn for_another_account(self, configured: &str) -> Option<&'static str> {
        const WORDS: [&str; 3] = ["select_account", "login", "consent"];
        let mut set = configured.split(' ').filter(|word| !word.is_empty());
        let (is_none, is_set) = (set.clone().any(|word| word == "none"), set.next().is_some());
        match self {
            _ if is_none => None,
            Self::Any => Some("login"),
            // The one word that is sent each time asks for an account already, or never will.
            Self::One(known) if is_set => WORDS
                .into_iter()
                .find(|word| *word == configured.trim() && known.contains(word)),
            Self::List(known) | Self::One(known) => {
                WORDS.into_iter().find(|word| known.contains(word))
            }
        }
    }

    /// The value with the client's words in it; `None` when they change nothing.
    ///
    /// What is configured stays: Google gives no refresh token without `consent`.
    pub(crate) fn joined(self, configured: &str, wished: &[String]) -> Option<String> {
        let words = || configured.split(' ').filter(|word| !word.is_empty());
        let takes = |word: &str| match self {
            Self::Any => true,
            Self::List(known) | Self::One(known) => known.contains(&word),
        };
        let mut new = wished
            .iter()
            .map(String::as_str)
            .filter(|word| takes(word) && !words().any(|known| known == *word));
        match self {
            Self::One(_) if words().next().is_some() => None,
            Self::One(_) => new.next().map(str::to_owned),
            // "If this parameter contains none with any other value, an error is returned."
            _ if words().any(|word| word == "none") => None,
            _ => {
                let new: Vec<&str> = new.collect();
                (!new.is_empty()).then(|| words().chain(new).collect::<Vec<_>>().join(" "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_words_join_those_that_are_configured_and_known() {
        let both = ["login".to_owned(), "select_account".to_owned()];
        let google = Prompts::List(&["consent", "select_account"]);
        let entra = Prompts::One(&["login", "consent", "select_account"]);
        for (rule, configured, joined) in [
            (Prompts::Any, "", Some("login select_account")),
            (Prompts::Any, "login", Some("login select_account")),
            (Prompts::Any, "none", None),
            (google, "consent", Some("consent select_account")),
            (google, "", Some("select_account")),
            (google, "consent select_account", None),
            (entra, "", Some("login")),
            (entra, "select_account", None),
        ] {
            assert_eq!(
                rule.joined(configured, &both).as_deref(),
                joined,
                "{configured}"
            );
        }
        assert_eq!(Prompts::Any.joined("login", &[]), None);
    }

    #[test]
    fn another_account_is_asked_for_by_a_word_that_the_provider_knows() {
        let google = Prompts::List(&["consent", "select_account"]);
        let b2c = Prompts::One(&["login"]);
        let discord = Prompts::One(&["consent", "none"]);
        for (rule, configured, word) in [
            (Prompts::Any, "", Some("login")),
            (Prompts::Any, "consent", Some("login")),
            (Prompts::Any, "none", None),
            (google, "", Some("select_account")),
            (google, "consent", Some("select_account")),
            (b2c, "", Some("login")),
            (b2c, "login", Some("login")),
            (b2c, "create", None),
            (discord, "", Some("consent")),
            (discord, "none", None),
            (Prompts::List(&[]), "", None),
        ] {
            let found = rule.for_another_account(configured);
            assert_eq!(found, word, "{rule:?} {configured}");
        }
    }
}
