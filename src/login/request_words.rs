//! Why an authorization request is refused, in words for the operator: with the value, and with what would be right.

use super::request::{RequestError, UnprovenRedirect};
use crate::{
    client::{Client, RedirectPolicy, RedirectUri},
    config::Options,
    limits::MAX_SHOWN_URIS,
    oauth::{Params, describable},
};

impl UnprovenRedirect {
    /// Which address was asked for, and which are the client's.
    pub(crate) fn told(self, params: &Params, client: &Client) -> String {
        let asked = params.get("redirect_uri").unwrap_or_default();
        let parsed = RedirectUri::parse(asked);
        let asked = without_query(asked);
        match (self, parsed) {
            (Self::Malformed, Err(why)) => format!("redirect_uri {asked}: the redirect URI {why}"),
            (Self::NotRegistered, _) => {
                format!(
                    "redirect_uri {asked} is not registered: {}",
                    registered(client)
                )
            }
            (Self::Missing, _) => format!("redirect_uri is missing: {}", registered(client)),
            (Self::NotPermitted, Ok(uri)) => RedirectPolicy::advice(&uri),
            (why, _) => why.to_string(),
        }
    }
}

impl RequestError {
    /// What was asked for, beside why it is refused.
    pub(crate) fn told(self, params: &Params, options: &Options) -> String {
        let parameter = match self {
            Self::ResponseType => "response_type",
            Self::ResponseMode => "response_mode",
            Self::Challenge(_) => "code_challenge_method",
            Self::Scope(_) | Self::NoKnownScope => "scope",
            Self::Resource(_) => "resource",
            Self::NoResponseType | Self::RequestObject | Self::NoChallenge | Self::Wish(_) => {
                return self.to_string();
            }
        };
        let asked = describable(params.get(parameter).unwrap_or_default());
        let offered = match self {
            Self::NoKnownScope => format!("; offered are `{}`", options.scopes),
            Self::Resource(_) => format!("; this server is {}", options.base.as_str()),
            _ => String::new(),
        };
        format!("{self}: {parameter} is `{asked}`{offered}")
    }
}

fn registered(client: &Client) -> String {
    let uris = &client.redirect_uris;
    if uris.is_empty() {
        return "the client has none".to_owned();
    }
    let shown = uris.iter().take(MAX_SHOWN_URIS);
    let shown: Vec<String> = shown.map(|uri| without_query(uri.as_str())).collect();
    match uris.len().saturating_sub(MAX_SHOWN_URIS) {
        0 => format!("registered are {}", shown.join(", ")),
        more => format!("registered are {} and {more} more", shown.join(", ")),
    }
}

/// A stranger may put anything into a query, and a client what only it should know.
fn without_query(uri: &str) -> String {
    match uri.split_once('?') {
        Some((uri, _)) => format!("{}?…", describable(uri)),
        None => describable(uri),
    }
}
