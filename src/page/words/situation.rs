//! What can happen to a login, and which words say so.

use super::texts::Words;

/// What happened to the person's login, as far as the page says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Situation {
    /// The authorization request cannot be read.
    UnreadableRequest,
    /// Another site put the authorization request into its page.
    Embedded,
    /// The client is not known.
    UnknownClient,
    /// The operator denied the client.
    DeniedClient,
    /// The document about the client cannot be fetched right now.
    NoDocument,
    /// There is no valid document about the client where its id says.
    BadDocument,
    /// The redirect URI is not one of the client's.
    UnprovenRedirect,
    /// The store does not answer, so the login cannot start.
    CannotStart,
    /// More people log in than the operator's limits allow, or than this process takes.
    Crowded,
    /// This browser holds no login that waits for a decision.
    NotWaiting,
    /// The login was begun too long ago.
    Expired,
    /// A login that was begun a moment ago, and a browser that sends no cookie of ours.
    NoCookies,
    /// The person comes back to a login of theirs that gave access.
    Finished,
    /// The person said no, and there is no app that could be told.
    Cancelled,
    /// The posted decision cannot be read.
    UnreadableForm,
    /// This browser holds no login that the provider's answer belongs to.
    NotThisBrowser,
    /// The provider's answer cannot be read.
    UnreadableAnswer,
    /// The login has finished before.
    AlreadyUsed,
    /// The store or the provider cannot finish the login now.
    CannotFinish,
    /// The request's method is not a browser's.
    WrongMethod,
}

impl Words {
    /// The title, and what to do.
    pub(in crate::page) fn situation(&self, situation: Situation) -> (&str, &str) {
        match situation {
            Situation::UnreadableRequest => {
                (&self.unreadable_request_title, &self.unreadable_request)
            }
            Situation::Embedded => (&self.embedded_title, &self.embedded),
            Situation::UnknownClient => (&self.unknown_client_title, &self.unknown_client),
            Situation::DeniedClient => (&self.denied_client_title, &self.denied_client),
            Situation::NoDocument => (&self.no_document_title, &self.no_document),
            Situation::BadDocument => (&self.bad_document_title, &self.bad_document),
            Situation::UnprovenRedirect => (&self.unproven_redirect_title, &self.unproven_redirect),
            Situation::CannotStart => (&self.cannot_start_title, &self.cannot_start),
            Situation::Crowded => (&self.crowded_title, &self.crowded),
            Situation::NotWaiting => (&self.not_waiting_title, &self.not_waiting),
            Situation::Expired => (&self.expired_title, &self.expired),
            Situation::NoCookies => (&self.no_cookies_title, &self.no_cookies),
            Situation::Finished => (&self.done_title, &self.done_text),
            Situation::Cancelled => (&self.cancelled_title, &self.cancelled_text),
            Situation::UnreadableForm => (&self.unreadable_form_title, &self.unreadable_form),
            Situation::NotThisBrowser => (&self.not_this_browser_title, &self.not_this_browser),
            Situation::UnreadableAnswer => (&self.unreadable_answer_title, &self.unreadable_answer),
            Situation::AlreadyUsed => (&self.already_used_title, &self.already_used),
            Situation::CannotFinish => (&self.cannot_finish_title, &self.cannot_finish),
            Situation::WrongMethod => (&self.wrong_method_title, &self.wrong_method),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `NotWaiting` is said by `not_waiting_title` and `not_waiting`.
    #[test]
    fn a_situation_is_said_by_the_texts_of_its_name() {
        use Situation::*;
        let words = Words::german();
        let of_name = |name: &str| {
            let found = words.texts().find(|(other, ..)| *other == name);
            found.map(|(_, _, text)| text)
        };
        for situation in [
            UnreadableRequest,
            Embedded,
            UnknownClient,
            DeniedClient,
            NoDocument,
            BadDocument,
            UnprovenRedirect,
            CannotStart,
            Crowded,
            NotWaiting,
            Expired,
            NoCookies,
            UnreadableForm,
            NotThisBrowser,
            UnreadableAnswer,
            AlreadyUsed,
            CannotFinish,
            WrongMethod,
        ] {
            let mut name = String::new();
            for c in format!("{situation:?}").chars() {
                if c.is_uppercase() && !name.is_empty() {
                    name.push('_');
                }
                name.extend(c.to_lowercase());
            }
            let title = of_name(&format!("{name}_title")).unwrap();
            let text = of_name(&name).unwrap();
            assert_eq!(words.situation(situation), (title, text), "{name}");
        }
        let text = |situation| words.situation(situation).1;
        assert_eq!(text(Finished), words.done_text);
        assert_eq!(text(Cancelled), words.cancelled_text);
    }
}
