//! How much of a person an event says.

use super::what::Event;
use crate::limits::MAX_DETAIL;

/// How much of a person an event says: see
/// [`event_detail`](crate::OAuthProxyConfigBuilder::event_detail).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Detail {
    /// All that helps to find out why somebody cannot log in: the person's subject and e-mail address, and
    /// what their claims say where a rule refuses them.
    #[default]
    Full,
    /// No person. The subject and the address are left out, and where they or any other address stand in
    /// words, a word stands for them. Of a rule that refused somebody, and of an error of the provider's, the option
    /// and the code are left.
    ///
    /// The ids of logins and grants stay, and lead to a person only by way of the store. Where a hook, a token
    /// verifier or the name of a key has words of its own, addresses are taken out of them, and nothing else.
    NoPersons,
}

/// Stands for an e-mail address.
const ADDRESS: &str = "(address)";
/// Stands for the person's own subject.
const PERSON: &str = "(person)";

/// The event without the person.
pub(super) fn without_person(event: Event) -> Event {
    let Event {
        subject,
        email,
        detail,
        without_person,
        ..
    } = event;
    // A machine is no person: its subject is its client's id.
    let (machine, subject) = match subject == event.client {
        true => (subject, None),
        false => (None, subject),
    };
    let names: Vec<&str> = [&email, &subject]
        .into_iter()
        .filter_map(|name| name.as_deref())
        .filter(|name| !name.is_empty())
        .collect();
    let words = without_person.or(detail).map(without_cut_word);
    Event {
        subject: machine,
        email: None,
        detail: words.map(|words| unnamed(&words, &names)),
        without_person: None,
        ..event
    }
}

/// The words without these names, where they stand alone, and without anything that looks like an address.
fn unnamed(words: &str, names: &[&str]) -> String {
    let mut text = words.to_owned();
    for name in names {
        text = without_name(&text, name);
    }
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_between) {
        let word = piece.trim_end_matches(is_between);
        let gap = piece.get(word.len()..).unwrap_or_default();
        shown.push_str(if is_address(word) { ADDRESS } else { word });
        shown.push_str(gap);
    }
    shown
}

/// The words without their last one where the bound may have cut it: the half of an address does not look like one.
fn without_cut_word(mut words: String) -> String {
    if words.chars().count() >= MAX_DETAIL {
        let end = words.rfind(char::is_whitespace).unwrap_or_default();
        words.truncate(end);
    }
    words
}

/// `1` is a subject too, and not to be taken out of `10 seconds`.
fn without_name(text: &str, name: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(name) {
        let is_inside = |c: char| c.is_alphanumeric();
        let stands_alone = !before.ends_with(is_inside) && !after.starts_with(is_inside);
        shown.push_str(before);
        shown.push_str(if stands_alone { PERSON } else { name });
        rest = after;
    }
    shown.push_str(rest);
    shown
}

fn is_between(c: char) -> bool {
    c.is_whitespace() || "<>()[]{}\"'`,;:=|/\u{fffd}".contains(c)
}

fn is_address(word: &str) -> bool {
    let around = |at| word.split_once(at);
    let sides = around("@").or_else(|| around("%40"));
    sides.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Reason, Step, Told, Who};

    fn refused() -> Event {
        Event::refused(Step::Callback, Reason::NotAllowed)
    }

    #[test]
    fn no_field_and_no_word_names_the_person() {
        let who = Who::default()
            .person(Some("1"), Some("eve@evil.example"))
            .client("app", Some("App"))
            .login("l");
        let event = refused().about(who).detail(
            "subject 1 <eve@evil.example> (mallory%40evil.example): 10 s, 'bob@x', user=Eve@evil.example.",
        );
        let event = without_person(event);
        assert_eq!((event.subject, event.email), (None, None));
        assert_eq!(
            event.detail.as_deref(),
            Some("subject (person) <(person)> ((address)): 10 s, '(address)', user=(address)")
        );
        assert_eq!(event.client_name.as_deref(), Some("App"));
        assert_eq!(event.login.as_deref(), Some("l"));
    }

    #[test]
    fn the_words_without_claims_are_taken_where_there_are_any() {
        let words = Told::of_person(
            "`allowed_groups`: eve has [\"hr\"]",
            "`allowed_groups`: no group",
        );
        let event = without_person(refused().told(&words));
        assert_eq!(event.detail.as_deref(), Some("`allowed_groups`: no group"));
    }

    #[test]
    fn an_address_that_the_bound_cuts_in_two_is_left_out() {
        for left in 1.."eve@evil.example".len() {
            let lead = "x".repeat(MAX_DETAIL - 1 - left);
            let event = refused().detail(format_args!("{lead} eve@evil.example is not let in"));
            assert_eq!(without_person(event).detail, Some(lead), "{left}");
        }
        let whole = "x".repeat(MAX_DETAIL - 1);
        let event = without_person(refused().detail(&whole));
        assert_eq!(event.detail, Some(whole));
    }

    #[test]
    fn a_machine_is_no_person() {
        let who = Who::default()
            .client("robot", None)
            .person(Some("robot"), None);
        let event = without_person(refused().about(who).detail("client `robot` is gone"));
        assert_eq!(event.subject.as_deref(), Some("robot"));
        assert_eq!(event.detail.as_deref(), Some("client `robot` is gone"));
    }

    #[test]
    fn what_is_no_address_stays() {
        for text in ["", "@", "scope @ resource", "a@ b", "é@", "100 %"] {
            assert_eq!(unnamed(text, &[]), text);
        }
        assert_eq!(unnamed("Ünal@bücher.example", &[]), ADDRESS);
    }
}
