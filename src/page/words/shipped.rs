//! The languages that are here without the operator's doing.

use super::{english, texts::Words};

/// Each with its tag (RFC 5646). The first is the one for whoever reads none of them.
pub(in crate::page) const SHIPPED: &[(&str, fn() -> Words)] = &[("en", Words::english)];

/// The languages that are shipped.
impl Words {
    /// English, `en`: for everyone who reads none of the others.
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
}
