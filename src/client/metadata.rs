//! What a client says of itself when it registers, and the answer: RFC 7591 sections 2 and 3.2.

use serde_json::{Map, Value, json};
use url::Url;

use super::{
    ApplicationType, ClientAuthMethod, RedirectPolicy, RedirectUri, Registration, TooLarge,
};
use crate::{
    error::{OAuthError, OAuthErrorCode},
    event::printable,
    oauth::{ScopeSet, describable, is_blank},
};

/// The largest registration, in bytes; also bounds what is echoed.
pub(crate) const MAX_METADATA_BYTES: usize = 64 * 1024;
/// The most redirect URIs; the most seen with a real client is four.
const MAX_REDIRECT_URIS: usize = 10;
/// The longest name that is accepted, and how much of it is kept, in characters.
const MAX_NAME: usize = 256;
const KEPT_NAME: usize = 100;
/// The longest echoed URI, in bytes.
const MAX_URI_BYTES: usize = 2048;

/// What is echoed without being kept. A list of what to echo, not of what to hide: nothing that a
/// client makes up can pose as our answer (`client_secret`, `registration_access_token` …).
const ECHOED_URIS: [&str; 5] = [
    "client_uri",
    "logo_uri",
    "tos_uri",
    "policy_uri",
    "jwks_uri",
];
const ECHOED_TEXTS: [&str; 2] = ["software_id", "software_version"];

/// An accepted registration request.
#[derive(Debug, Clone)]
pub(crate) struct ClientMetadata {
    pub(crate) registration: Registration,
    /// Metadata that is not kept but told back, as RFC 7591 section 3.2.1 asks.
    pub(crate) echo: Map<String, Value>,
}

impl ClientMetadata {
    /// Reads the JSON body of a registration request that arrives at `now`, in seconds since the
    /// Unix epoch. One redirect URI that is not permitted refuses the whole: a client that believes
    /// to own it would fail later, in front of a person.
    ///
    /// # Errors
    ///
    /// `invalid_redirect_uri` and `invalid_client_metadata` of RFC 7591 section 3.2.2. The
    /// description names the URI that was refused, the detail the option to change.
    pub(crate) fn parse(
        body: &[u8],
        policy: &RedirectPolicy,
        configured_scopes: &ScopeSet,
        now: u64,
    ) -> Result<Self, OAuthError> {
        if body.len() > MAX_METADATA_BYTES {
            return Err(bad_metadata("the metadata is too large"));
        }
        let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else {
            return Err(bad_metadata("the body is not a JSON object"));
        };
        // Many clients send null for what they leave out.
        fields.retain(|_, value| !value.is_null());
        let fields = Fields(&fields);

        let application_type = read_application_type(fields)?;
        let redirect_uris = read_redirect_uris(fields, policy, application_type)?;
        must_include(fields, "grant_types", "authorization_code")?;
        must_include(fields, "response_types", "code")?;
        let registration = Registration {
            redirect_uris,
            name: read_name(fields)?,
            auth_method: read_auth_method(fields)?,
            application_type,
            scope: read_scope(fields, configured_scopes)?,
            issued_at: now,
        };
        Ok(Self {
            registration,
            echo: read_echo(fields)?,
        })
    }
}

/// The body of the 201 answer. The secret never expires, and there is no `registration_client_uri`,
/// because RFC 7592 is not served (a peer promised one and its clients followed it).
pub(crate) fn registration_answer(
    metadata: &ClientMetadata,
    client_id: &str,
    secret: Option<&str>,
) -> Value {
    let ClientMetadata { registration, echo } = metadata;
    let mut answer = echo.clone();
    let mut put = |name: &str, value: Value| answer.insert(name.to_owned(), value);
    put("client_id", client_id.into());
    put("client_id_issued_at", registration.issued_at.into());
    if let Some(secret) = secret {
        put("client_secret", secret.into());
        // Required whenever there is a secret (RFC 7591 section 3.2.1); 0 means never.
        put("client_secret_expires_at", 0.into());
    }
    let uris = registration.redirect_uris.iter();
    put("redirect_uris", uris.map(RedirectUri::as_str).collect());
    put(
        "grant_types",
        json!(["authorization_code", "refresh_token"]),
    );
    put("response_types", json!(["code"]));
    put(
        "token_endpoint_auth_method",
        registration.auth_method.as_str().into(),
    );
    if let Some(application_type) = registration.application_type {
        put("application_type", application_type.as_str().into());
    }
    if let Some(name) = &registration.name {
        put("client_name", name.as_str().into());
    }
    if let Some(scope) = &registration.scope {
        put("scope", scope.to_string().into());
    }
    Value::Object(answer)
}

impl From<TooLarge> for OAuthError {
    fn from(_: TooLarge) -> Self {
        bad_metadata("the redirect URIs, name and scope are too long together")
    }
}

fn read_redirect_uris(
    fields: Fields<'_>,
    policy: &RedirectPolicy,
    application_type: Option<ApplicationType>,
) -> Result<Vec<RedirectUri>, OAuthError> {
    let given = fields.texts("redirect_uris")?.unwrap_or_default();
    if given.is_empty() {
        return Err(bad_redirect("redirect_uris is missing".to_owned()));
    }
    if given.len() > MAX_REDIRECT_URIS {
        return Err(bad_redirect(format!(
            "at most {MAX_REDIRECT_URIS} redirect URIs can be registered"
        )));
    }
    let mut uris: Vec<RedirectUri> = Vec::with_capacity(given.len());
    for raw in given {
        let shown = describable(raw);
        let uri = RedirectUri::parse(raw)
            .map_err(|why| bad_redirect(format!("the redirect URI {shown} {why}")))?;
        // OpenID Connect Dynamic Client Registration section 2.
        let is_for_web = uri.uri().scheme() == "https" && !uri.is_loopback();
        if application_type == Some(ApplicationType::Web) && !is_for_web {
            return Err(bad_redirect(format!(
                "the redirect URI {shown} is not for application_type web: https to a host other \
                 than localhost"
            )));
        }
        if !policy.permits(&uri) {
            let why = format!("the redirect URI {shown} is not allowed by this server");
            return Err(bad_redirect(why).with_detail(RedirectPolicy::advice(&uri)));
        }
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    Ok(uris)
}

/// Absent is taken as unknown, not as OpenID's default `web`: most MCP clients leave it out.
fn read_application_type(fields: Fields<'_>) -> Result<Option<ApplicationType>, OAuthError> {
    match fields.text("application_type")? {
        None => Ok(None),
        Some("web") => Ok(Some(ApplicationType::Web)),
        Some("native") => Ok(Some(ApplicationType::Native)),
        Some(_) => Err(bad_metadata("application_type must be web or native")),
    }
}

/// What else a client lists it will not be given, and need not know to use.
fn must_include(
    fields: Fields<'_>,
    name: &'static str,
    needed: &'static str,
) -> Result<(), OAuthError> {
    match fields.texts(name)? {
        Some(given) if !given.is_empty() && !given.contains(&needed) => {
            Err(bad_metadata(format!("{name} must include {needed}")))
        }
        _ => Ok(()),
    }
}

fn read_name(fields: Fields<'_>) -> Result<Option<String>, OAuthError> {
    let Some(name) = fields.text("client_name")? else {
        return Ok(None);
    };
    if name.chars().count() > MAX_NAME {
        return Err(bad_metadata("client_name is too long"));
    }
    let name = printable(name.trim(), KEPT_NAME);
    Ok(Some(name).filter(|name| !is_blank(name)))
}

fn read_auth_method(fields: Fields<'_>) -> Result<ClientAuthMethod, OAuthError> {
    let Some(given) = fields.text("token_endpoint_auth_method")? else {
        // The default of RFC 7591 section 2.
        return Ok(ClientAuthMethod::ClientSecretBasic);
    };
    let known = ClientAuthMethod::ALL
        .into_iter()
        .find(|method| method.as_str() == given);
    known.ok_or_else(|| {
        bad_metadata(
            "token_endpoint_auth_method must be none, client_secret_basic or client_secret_post",
        )
    })
}

/// Scopes that are not offered are dropped, not refused: Claude has asked for `claudeai`, and
/// others for openid and email wherever they are.
fn read_scope(fields: Fields<'_>, configured: &ScopeSet) -> Result<Option<ScopeSet>, OAuthError> {
    let Some(scope) = fields.text("scope")? else {
        return Ok(None);
    };
    let asked = ScopeSet::parse(scope).map_err(|why| bad_metadata(format!("scope: {why}")))?;
    let offered = configured
        .with("offline_access")
        .unwrap_or_else(|_| configured.clone());
    Ok(Some(asked.intersection(&offered)).filter(|scope| !scope.is_empty()))
}

fn read_echo(fields: Fields<'_>) -> Result<Map<String, Value>, OAuthError> {
    let mut echo = Map::new();
    for (name, value) in fields.0 {
        // `client_uri#ja` is `client_uri` in Japanese: RFC 7591 section 2.2.
        let base = name.split('#').next().unwrap_or_default();
        let is_text = ECHOED_TEXTS.contains(&base) || name.starts_with("client_name#");
        if ECHOED_URIS.contains(&base) {
            match fields.text(name)? {
                // Left empty rather than out.
                Some("") | None => continue,
                Some(uri) if is_web_uri(uri) => {}
                Some(_) => {
                    let name = describable(name);
                    return Err(bad_metadata(format!("{name} must be an http or https URL")));
                }
            }
        } else if is_text {
            fields.text(name)?;
        } else if name == "contacts" {
            fields.texts(name)?;
        } else if name != "jwks" || !value.is_object() {
            continue;
        }
        echo.insert(name.clone(), value.clone());
    }
    Ok(echo)
}

/// Whoever shows such a link as it is must not run a script (a peer's advisory).
fn is_web_uri(uri: &str) -> bool {
    uri.len() <= MAX_URI_BYTES
        && !uri.contains(|c: char| c.is_control() || c.is_whitespace())
        && Url::parse(uri).is_ok_and(|uri| matches!(uri.scheme(), "http" | "https"))
}

/// Typed reading of members that may be absent.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn text(self, name: &str) -> Result<Option<&'a str>, OAuthError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => {
                let name = describable(name);
                Err(bad_metadata(format!("{name} must be a string")))
            }
        }
    }

    fn texts(self, name: &str) -> Result<Option<Vec<&'a str>>, OAuthError> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let texts: Option<Vec<&str>> = value
            .as_array()
            .and_then(|items| items.iter().map(Value::as_str).collect());
        let code = match name {
            "redirect_uris" => OAuthErrorCode::InvalidRedirectUri,
            _ => OAuthErrorCode::InvalidClientMetadata,
        };
        texts
            .map(Some)
            .ok_or_else(|| OAuthError::new(code, format!("{name} must be an array of strings")))
    }
}

fn bad_metadata(description: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidClientMetadata, description)
}

fn bad_redirect(description: String) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidRedirectUri, description)
}

#[cfg(test)]
mod tests;
