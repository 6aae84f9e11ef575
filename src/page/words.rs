//! The words of every page that only says something, and of the choice of a provider.

/// Above the providers that a person chooses from.
pub(super) const LOG_IN_WITH: &str = "Log in with";
/// To one who has not chosen.
pub(super) const CHOOSE: &str = "Choose where you want to log in.";
/// On the buttons of the page that asks for the provider alone.
pub(super) const CONTINUE: &str = "Continue";
pub(super) const CANCEL: &str = "Cancel";

/// Above the page that asks for the provider alone.
pub(super) fn log_in_to(service: &str) -> String {
    format!("Log in to {service}")
}

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
    /// This browser holds no login that waits for a decision.
    NotWaiting,
    /// The posted decision cannot be read.
    UnreadableForm,
    /// This browser holds no login that the provider's answer belongs to.
    NotThisBrowser,
    /// The provider's answer cannot be read.
    UnreadableAnswer,
    /// The login was begun too long ago.
    Expired,
    /// A login that was begun a moment ago, and a browser that sends no cookie of ours.
    NoCookies,
    /// The person comes back to a login of theirs that gave access.
    Finished,
    /// The same of one that did not.
    FinishedWithout,
    /// The person said no, and there is no app that could be told.
    Cancelled,
    /// The login has finished before.
    AlreadyUsed,
    /// The store, the provider or this process cannot finish the login now.
    CannotFinish,
    /// The request's method is not a browser's.
    WrongMethod,
}

impl Situation {
    /// The title, and what to do.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::UnreadableRequest => (
                "This login link cannot be read",
                "Nothing was changed. Start the login from your app again.",
            ),
            Self::Embedded => (
                "A login needs its own window",
                "Another site put this address into its page. Nothing was changed. Start the login \
                 from your app.",
            ),
            Self::UnknownClient => (
                "This app is not known here",
                "Its registration is not valid at this server. Remove the server from your app and \
                 add it again, so that the app registers again.",
            ),
            Self::DeniedClient => (
                "This app may not log in here",
                "The operator of this server has blocked it. Nothing was changed.",
            ),
            Self::NoDocument => (
                "This app cannot be checked right now",
                "It says that its description is at an address of its own, and that address does not \
                 answer. Nothing was changed. Try again in a moment.",
            ),
            Self::BadDocument => (
                "This app cannot be checked",
                "It says that its description is at an address of its own, and there is none that is \
                 valid. Nothing was changed. Ask the makers of the app; once they have mended it, start \
                 the login from the app again.",
            ),
            Self::UnprovenRedirect => (
                "This app asks for an address that is not its own",
                "The login would send your access to an address that the app did not register. It \
                 was stopped. If you just updated the app, remove the server from it and add it \
                 again.",
            ),
            Self::CannotStart => (
                "The login cannot start right now",
                "Something that this server needs is not responding. Try again in a moment.",
            ),
            Self::NotWaiting => (
                "This login is not waiting in this browser",
                "It may have ended, or it was started in another browser. Nothing was changed. \
                 Start the login from your app again, and allow cookies for this site.",
            ),
            Self::UnreadableForm => (
                "This form cannot be read",
                "Nothing was changed. Start the login from your app again.",
            ),
            Self::NotThisBrowser => (
                "This login does not belong to this browser",
                "It may have expired, it may have been used already, or it was started in another \
                 browser. If someone sent you this link, do not use it. Otherwise start the login \
                 from your app again, and allow cookies for this site.",
            ),
            Self::UnreadableAnswer => (
                "The identity provider's answer cannot be read",
                "Nothing was changed. Start the login from your app again.",
            ),
            Self::Expired => (
                "This login took too long",
                "It has ended, and nothing was changed. Start the login from your app again.",
            ),
            Self::NoCookies => (
                "This browser brought no cookie of this login",
                "Either it blocks cookies for this site, or the login was started in another browser. Allow \
                 cookies for this site, and start the login from your app again. If someone sent you this link, \
                 do not use it.",
            ),
            Self::Finished => (
                "You are done here",
                "This login is finished. Go back to your app; you can close this page. If the app is still \
                 waiting, start the login from it again.",
            ),
            Self::FinishedWithout => (
                "This login is over",
                "It ended without access. Nothing was changed, and you can close this page. To try again, \
                 start the login from your app.",
            ),
            Self::Cancelled => ("Cancelled", "No access was given. You can close this page."),
            Self::AlreadyUsed => (
                "This login was already used",
                "If your app is still waiting, start the login from it again. You can close this \
                 page.",
            ),
            Self::CannotFinish => (
                "The login cannot be finished right now",
                "Something that this server needs is not responding. Nothing was lost: reload this \
                 page in a moment.",
            ),
            Self::WrongMethod => (
                "This address is for web browsers",
                "Nothing was changed. Start the login from your app.",
            ),
        }
    }
}
