//! The languages that are here without the operator's doing.

use super::{arabic, english, french, german, japanese, spanish, texts::Words};

/// A tag (RFC 5646), and the words.
type Shipped = (&'static str, fn() -> Words);

/// All of them. The first is for people who read none of them.
pub(in crate::page) const SHIPPED: &[Shipped] = &[
    ("en", Words::english),
    ("de", Words::german),
    ("fr", Words::french),
    ("es", Words::spanish),
    ("ja", Words::japanese),
    ("ar", Words::arabic),
];

/// The languages that are shipped.
impl Words {
    /// English, `en`: also for people who read none of the others.
    ///
    /// ```
    /// use tower_oauth_proxy::Words;
    ///
    /// let mut words = Words::english();
    /// assert_eq!(words.deny, "Deny");
    /// words.deny = "No, thank you".into();
    /// ```
    #[must_use]
    pub fn english() -> Self {
        english::words()
    }

    /// German, `de`, in its polite form.
    #[must_use]
    pub fn german() -> Self {
        german::words()
    }

    /// French, `fr`, with *vous*.
    #[must_use]
    pub fn french() -> Self {
        french::words()
    }

    /// Spanish, `es`, with *usted*.
    #[must_use]
    pub fn spanish() -> Self {
        spanish::words()
    }

    /// Japanese, `ja`, in polite form.
    #[must_use]
    pub fn japanese() -> Self {
        japanese::words()
    }

    /// Modern Standard Arabic, `ar`.
    #[must_use]
    pub fn arabic() -> Self {
        arabic::words()
    }
}
