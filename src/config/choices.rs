//! Options that are a choice among a few.

use std::str::FromStr;

use crate::error::ConfigError;

/// Whether a person is asked before a client gets access in their name.
///
/// The consent page protects a person who is already logged in at the provider from a malicious client
/// (the confused deputy of the MCP security best practices).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Consent {
    /// The page is always shown.
    #[default]
    Always,
    /// A browser that approved the same client, target and scopes before is not asked again for 30
    /// days, unless another site sent it here, a sibling subdomain included (`Sec-Fetch-Site` has to be
    /// `none` or `same-origin`). A link in a mail counts as the person's own step, and a program on
    /// their computer that knows an approved public client's id passes for it (RFC 8252 section 8.6).
    Remember,
    /// No page: the provider, or something in front of this server, asks for each client.
    External,
    /// No page at all. Any registered client gets access in the name of every person who follows its link.
    /// Reported as a weak option at start.
    Disabled,
}

/// When a person who is back from the provider sees which account they are logged in to, and decides whether to go
/// on with it.
///
/// The page shows the account's name and address, the app that will act in it, and where the access goes, with
/// *continue*, *use another account* and *cancel*. Until the person decides, the client gets nothing: no code that
/// it could redeem exists.
///
/// It is what stops a login into somebody else's account, or for somebody else's app, from going unnoticed. Where
/// neighbours can plant cookies at this host ([`cookie_prefix`](crate::OAuthProxyConfigBuilder::cookie_prefix)
/// says when), nothing else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AccountPage {
    /// At each login.
    Always,
    /// Where the base URL is https and the cookies' prefix is another one than `__Host-`, so that a neighbouring
    /// subdomain can plant cookies; else never.
    ///
    /// On loopback http any program of this computer can. There it is left out all the same: such a program can do
    /// worse, and nothing but development runs there.
    #[default]
    WhereCookiesCanBePlanted,
    /// At no login. Refused by [`build`](crate::OAuthProxyConfigBuilder::build) where cookies can be planted.
    Never,
}

/// A parameter of a client's authorization request that may go on to the provider; see
/// [`pass_on`](crate::OAuthProxyConfigBuilder::pass_on).
///
/// Reads from the parameter's name: `"login_hint".parse()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PassOn {
    /// `prompt`: that the person logs in again, chooses an account, or is asked for consent.
    Prompt,
    /// `login_hint`: who the person probably is.
    LoginHint,
    /// `max_age`: how long ago, in seconds, the person may have logged in at the provider.
    MaxAge,
    /// `ui_locales`: the languages that the person reads.
    UiLocales,
}

impl FromStr for PassOn {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        Ok(match name {
            "prompt" => Self::Prompt,
            "login_hint" => Self::LoginHint,
            "max_age" => Self::MaxAge,
            "ui_locales" => Self::UiLocales,
            _ => {
                let known = "prompt, login_hint, max_age and ui_locales can be passed on";
                return Err(ConfigError::new(
                    "pass_on",
                    format!("{name:?}: only {known}"),
                ));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_known_by_its_name() {
        assert_eq!("max_age".parse(), Ok(PassOn::MaxAge));
        let error = "state".parse::<PassOn>().unwrap_err().to_string();
        assert!(
            error.contains("pass_on") && error.contains("\"state\""),
            "{error}"
        );
    }
}
