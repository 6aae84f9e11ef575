//! Scopes as an option names them.

use crate::{error::ConfigError, oauth::ScopeSet};

/// The scopes of an option.
pub(super) fn scope_set(option: &'static str, scopes: &[String]) -> Result<ScopeSet, ConfigError> {
    for scope in scopes {
        if let Err(error) = ScopeSet::new([scope]) {
            return Err(ConfigError::new(option, format!("{scope:?}: {error}")));
        }
    }
    ScopeSet::new(scopes).map_err(|error| {
        let count = scopes.len();
        ConfigError::new(option, format!("{count} scopes: {error}"))
    })
}
