//! Small pictures beside words that say the same. They are drawn here, and no reader reads them out.

use maud::{Markup, html};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Done, or allowed.
    Tick,
    /// About a person.
    Person,
    /// For a time.
    Clock,
    /// Checked by this server.
    Shield,
    /// Something went wrong.
    Warning,
    /// Something to know.
    Info,
    /// For programs.
    Plug,
    /// An end without an error.
    Stop,
}

impl Sign {
    pub(super) fn picture(self) -> Markup {
        html! { svg viewBox="0 0 24 24" aria-hidden="true" { path d=(self.path()) {} } }
    }

    /// In a circle, above the heading of a page that says what happened.
    pub(super) fn large(self) -> Markup {
        html! {
            div class=(if self == Self::Warning { "sign warn" } else { "sign" }) { (self.picture()) }
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Tick => "M5 12.5l4.5 4.5L19 7.5",
            Self::Person => "M16 8a4 4 0 1 1-8 0a4 4 0 0 1 8 0zM4.5 20c1-4 4-6 7.5-6s6.5 2 7.5 6",
            Self::Clock => "M20.5 12a8.5 8.5 0 1 1-17 0a8.5 8.5 0 0 1 17 0zM12 7v5l3.5 2",
            Self::Shield => {
                "M12 3l7 2.5v6c0 4.5-3 7.5-7 9.5c-4-2-7-5-7-9.5v-6zM8.5 12l2.5 2.5l4.5-5"
            }
            Self::Warning => "M12 4L21 19.5H3zM12 10v4.5M12 17v.01",
            Self::Info => "M20.5 12a8.5 8.5 0 1 1-17 0a8.5 8.5 0 0 1 17 0zM12 11v5M12 8v.01",
            Self::Plug => "M9 3v5M15 3v5M6.5 8h11v3.5a5.5 5.5 0 0 1-11 0zM12 17v4",
            Self::Stop => "M20.5 12a8.5 8.5 0 1 1-17 0a8.5 8.5 0 0 1 17 0zM9 9l6 6M15 9l-6 6",
        }
    }
}
