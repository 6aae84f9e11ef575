//! How a person is named here: by what their provider calls them, so that two people of two providers are
//! never one.

use std::{borrow::Cow, fmt, sync::Arc};

use crate::{limits::MAX_SUBJECT, provider::Providers};

/// Between the provider's id, which cannot hold it, and the provider's own name for the person.
pub(super) const SEPARATOR: char = '|';
/// How a person is called whom their provider does not name. See [`unnamed`].
const UNNAMED: &str = "grant:";

/// How [`AuthSession::subject`](crate::AuthSession::subject) names people, where there are several
/// providers; see [`subjects`](crate::OAuthProxyConfigBuilder::subjects).
///
/// A provider's `sub` is unique at that provider alone (OpenID Connect Core section 2), so `42` of one and
/// `42` of another are two people.
#[derive(Clone, Default)]
pub struct Subjects {
    form: Form,
    /// What stands before the names of those who are of no provider: API keys, people of trusted issuers.
    reserved: Arc<[String]>,
}

/// A name for the provider's id and the `sub`.
type NamedBy = dyn Fn(&str, &str) -> String + Send + Sync;

#[derive(Clone, Default)]
enum Form {
    #[default]
    FirstBare,
    Qualified,
    By(Arc<NamedBy>),
}

impl Subjects {
    /// The people of the first provider by their bare `sub`, all others as `{provider id}|{sub}`. The default:
    /// with one provider subjects are what they always were, and stay so when others come.
    ///
    /// A person of the first provider whose `sub` begins with the id of another one and `|` does not come in,
    /// with an event: they could not be told from a person of that one. The same goes for the ids of
    /// [trusted issuers](crate::TrustedIssuer) and of
    /// [`introspection`](crate::OAuthProxyConfigBuilder::introspection), and with
    /// [API keys](crate::ApiKey) for `key`. Give the other provider another
    /// [`id`](crate::Provider::id), or qualify all.
    #[must_use]
    pub fn first_bare() -> Self {
        Form::FirstBare.into()
    }

    /// All as `{provider id}|{sub}`. Where people have logged in before, it gives them new names.
    #[must_use]
    pub fn qualified() -> Self {
        Form::Qualified.into()
    }

    /// By this function of the provider's id and the `sub`. What it returns must be one person's alone: **two
    /// people for whom it returns the same text are one** to this proxy and to your service. It must always
    /// return the same for the same, at once: it is asked at each first sight of a token.
    ///
    /// After a change to or from such a function, or of the function itself, the administrator's lists find a
    /// person's grants only once each grant is listed again, within a quarter of `refresh_token_ttl`. Until then `revoke_subject` may end none of them. End them one by one, with
    /// `revoke_grant`.
    ///
    /// A person for whom it returns no name (empty, over 255 bytes, with a control character, beginning with
    /// `grant:`, or with the id of a trusted issuer and `|`) does not come in.
    ///
    /// ```
    /// use tower_oauth_proxy::{OAuthProxyConfigBuilder, Subjects};
    ///
    /// fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    ///     builder.subjects(Subjects::by(|provider, sub| format!("urn:people:{provider}:{sub}")))
    /// }
    /// ```
    #[must_use]
    pub fn by(name: impl Fn(&str, &str) -> String + Send + Sync + 'static) -> Self {
        Form::By(Arc::new(name)).into()
    }

    /// The same, beside others that are named `{id}|…` with these ids.
    pub(crate) fn reserving(self, ids: impl IntoIterator<Item = String>) -> Self {
        let reserved = self.reserved.iter().cloned().chain(ids).collect();
        Self { reserved, ..self }
    }

    /// Whether a name could be that of one who is of no provider.
    pub(crate) fn is_reserved(&self, name: &str) -> bool {
        let prefix = name.split_once(SEPARATOR).map(|(prefix, _)| prefix);
        prefix.is_some_and(|prefix| self.reserved.iter().any(|id| id == prefix))
    }

    /// The name of a provider's person; `None` where it could be another's.
    pub(crate) fn name<'a>(
        &self,
        providers: &Providers,
        provider: &str,
        subject: &'a str,
    ) -> Option<Cow<'a, str>> {
        if subject.starts_with(UNNAMED) {
            return Some(subject.into());
        }
        let first = providers.main().about().id.as_str();
        match &self.form {
            Form::FirstBare if provider == first => {
                let prefix = subject.split_once(SEPARATOR).map(|(prefix, _)| prefix);
                let is_of_another =
                    prefix.is_some_and(|id| id != first && providers.of(id).is_some());
                (!is_of_another && !self.is_reserved(subject)).then_some(subject.into())
            }
            Form::FirstBare | Form::Qualified => {
                Some(format!("{provider}{SEPARATOR}{subject}").into())
            }
            Form::By(name) => {
                let name = name(provider, subject);
                let is_name = (1..=MAX_SUBJECT).contains(&name.len())
                    && !name.contains(char::is_control)
                    && !name.starts_with(UNNAMED)
                    // One who is of no provider is named so without this function.
                    && (!self.is_reserved(&name) || self.reserved.iter().any(|id| id == provider));
                is_name.then_some(name.into())
            }
        }
    }
}

/// The names by which a person's grants may be listed, the present one first. A grant is listed by the name of its
/// last write, and another first provider, or another form, has renamed people since.
pub(crate) fn listed_as(providers: &Providers, name: &str) -> Vec<String> {
    let first = &providers.main().about().id;
    let qualified = format!("{first}{SEPARATOR}{name}");
    let bare = name.split_once(SEPARATOR).map(|(_, bare)| bare.to_owned());
    let bare = bare.filter(|bare| !bare.is_empty());
    [Some(name.to_owned()), bare, Some(qualified)]
        .into_iter()
        .flatten()
        .collect()
}

impl From<Form> for Subjects {
    fn from(form: Form) -> Self {
        Self {
            form,
            reserved: Arc::default(),
        }
    }
}

impl fmt::Debug for Subjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.form {
            Form::FirstBare => "Subjects::first_bare",
            Form::Qualified => "Subjects::qualified",
            Form::By(_) => "Subjects::by",
        })
    }
}

/// The name of a person whom the provider does not name: that of the grant, and so of this login alone.
pub(crate) fn unnamed(grant: impl fmt::Display) -> String {
    format!("{UNNAMED}{grant}")
}

/// Whether a grant's subject is one that the provider named; else it is a name of ours.
pub(crate) fn is_named_by_provider(subject: &str) -> bool {
    !subject.starts_with(UNNAMED)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::provider::{self, fake};

    fn providers(ids: [&str; 3]) -> Providers {
        let client = |id: &str| {
            let url = |path: &str| format!("https://{id}.example/{path}");
            let about = provider::generic(url("a"), url("t"), "app", "s").id(id);
            Arc::new(fake::client(about, Duration::from_secs(1)))
        };
        let [first, further @ ..] = ids;
        Providers::new(client(first), further.iter().map(|id| client(id)).collect())
    }

    fn name(subjects: &Subjects, provider: &str, subject: &str) -> Option<String> {
        let name = subjects.name(&providers(["a", "b", "b-c"]), provider, subject);
        name.map(Cow::into_owned)
    }

    #[test]
    fn the_first_providers_people_keep_their_names_and_no_others_is_ever_the_same() {
        let subjects = Subjects::default();
        let of = |provider, subject| name(&subjects, provider, subject);
        for bare in ["7", "a|7", "c|7", "|7", "b", "B|7", " b|7", "b-|7"] {
            assert_eq!(of("a", bare).as_deref(), Some(bare));
        }
        for taken in ["b|7", "b|", "b-c|7", "b||"] {
            assert_eq!(of("a", taken), None, "{taken}");
        }
        assert_eq!(of("b", "7").as_deref(), Some("b|7"));
        assert_eq!(of("b-c", "b|7").as_deref(), Some("b-c|b|7"));
        assert_eq!(of("b", "grant:1").as_deref(), Some("grant:1"));
    }

    #[test]
    fn no_person_is_named_as_one_who_is_of_no_provider() {
        let reserved = ["key", "corp"].map(str::to_owned);
        let first = Subjects::first_bare().reserving(reserved.clone());
        let by = Subjects::by(|_, subject| subject.to_owned()).reserving(reserved.clone());
        for taken in ["key|ci", "key|", "corp|7", "b|7"] {
            assert_eq!(name(&first, "a", taken), None, "{taken}");
        }
        assert_eq!(name(&by, "a", "key|ci"), None);
        for bare in ["key", "keys|ci", "Key|ci", "|key|ci", "7|key", "corp", "7"] {
            assert_eq!(name(&first, "a", bare).as_deref(), Some(bare));
            assert_eq!(name(&by, "a", bare).as_deref(), Some(bare));
            assert!(!first.is_reserved(bare), "{bare}");
        }
        // With its provider before it, it is no one else's.
        let qualified = Subjects::qualified().reserving(reserved);
        assert_eq!(name(&qualified, "a", "key|ci").as_deref(), Some("a|key|ci"));
        assert_eq!(name(&first, "b", "key|ci").as_deref(), Some("b|key|ci"));
    }

    #[test]
    fn no_two_people_have_one_name_whatever_their_providers_call_them() {
        let said = ["7", "a|7", "b|7", "b-c|7", "a|b|7", "b|b-c|7", "|", "b|"];
        for subjects in [Subjects::first_bare(), Subjects::qualified()] {
            let mut names = std::collections::HashMap::new();
            for provider in ["a", "b", "b-c"] {
                for subject in said {
                    if let Some(name) = name(&subjects, provider, subject) {
                        let other = names.insert(name.clone(), (provider, subject));
                        assert_eq!(other, None, "{name} is {provider} {subject} too");
                    }
                }
            }
        }
    }

    #[test]
    fn all_are_qualified_or_named_by_a_function_when_the_operator_says_so() {
        let of = |subjects: &Subjects| name(subjects, "a", "7");
        assert_eq!(of(&Subjects::qualified()).as_deref(), Some("a|7"));
        let by = Subjects::by(|provider, subject| format!("{subject}@{provider}"));
        assert_eq!(of(&by).as_deref(), Some("7@a"));
        for no_name in ["", "a\nb", "grant:1", &"x".repeat(256)] {
            let no_name = no_name.to_owned();
            let by = Subjects::by(move |_, _| no_name.clone());
            assert_eq!(of(&by), None, "{by:?}");
        }
    }
}
