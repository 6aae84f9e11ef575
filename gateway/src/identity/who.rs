//! What the server behind may be told of a session.

use serde_json::Value;
use tower_oauth_proxy::AuthSession;

use super::encoding;

/// One thing that is known of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fact {
    Subject,
    Email,
    Name,
    Scopes,
    Roles,
    Client,
    Provider,
    Source,
}

impl Fact {
    pub(crate) const ALL: [Self; 8] = [
        Self::Subject,
        Self::Email,
        Self::Name,
        Self::Scopes,
        Self::Roles,
        Self::Client,
        Self::Provider,
        Self::Source,
    ];

    /// The key of the settings.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Email => "email",
            Self::Name => "name",
            Self::Scopes => "scopes",
            Self::Roles => "roles",
            Self::Client => "client",
            Self::Provider => "provider",
            Self::Source => "source",
        }
    }

    /// The header, unless the operator names another.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Subject => "x-auth-subject",
            Self::Email => "x-auth-email",
            Self::Name => "x-auth-name",
            Self::Scopes => "x-auth-scopes",
            Self::Roles => "x-auth-roles",
            Self::Client => "x-auth-client",
            Self::Provider => "x-auth-provider",
            Self::Source => "x-auth-source",
        }
    }

    /// Whether it is told unless the operator says otherwise.
    pub(crate) fn is_told(self) -> bool {
        !matches!(self, Self::Provider | Self::Source)
    }

    /// In visible ASCII; nothing where it is not known.
    pub(crate) fn encoded(self, session: &AuthSession, trusts_any_email: bool) -> Option<String> {
        let value = match self {
            Self::Subject => encoding::text(session.subject()),
            Self::Email => encoding::text(email(session, trusts_any_email)?),
            Self::Name => encoding::text(claim(session, "name")?),
            // With those that they imply: the server behind does not know which do.
            Self::Scopes => encoding::list(session.effective_scopes().iter(), ' '),
            Self::Roles => encoding::list(session.roles().iter().map(String::as_str), ','),
            Self::Client => encoding::text(session.client_id()),
            Self::Provider => encoding::text(session.provider()?),
            Self::Source => encoding::text(session.source().as_str()),
        };
        (!value.is_empty()).then_some(value)
    }
}

/// The address, where the provider says that it is verified. Servers take an address for a person, so one that
/// anybody could have typed is not told, unless the operator trusts it.
pub(crate) fn email(session: &AuthSession, trusts_any: bool) -> Option<&str> {
    (trusts_any || is_verified(session)).then(|| claim(session, "email"))?
}

pub(super) fn is_verified(session: &AuthSession) -> bool {
    match session.claims().get("email_verified") {
        Some(Value::Bool(yes)) => *yes,
        Some(Value::String(text)) => text == "true",
        _ => false,
    }
}

pub(super) fn claim<'a>(session: &'a AuthSession, name: &str) -> Option<&'a str> {
    let text = session.claims().get(name).and_then(Value::as_str)?;
    (!text.is_empty()).then_some(text)
}

/// A claim as a header has it: a text, a number, true or false, or a list of these.
pub(super) fn encoded_claim(session: &AuthSession, name: &str) -> Option<String> {
    let simple = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    };
    let value = match session.claims().get(name)? {
        Value::Array(members) => {
            let members: Option<Vec<String>> = members.iter().map(simple).collect();
            encoding::list(members?.iter().map(String::as_str), ',')
        }
        value => encoding::text(&simple(value)?),
    };
    (!value.is_empty()).then_some(value)
}
