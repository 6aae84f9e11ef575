//! What a client says of itself when it registers, and the answer: RFC 7591 sections 2 and 3.2.
//!
//! Refused is only what matters for a login and cannot be honoured: redirect URIs, grant and response
//! types, the authentication method. A client that thinks it registered something else would fail
//! later, in front of a person. The rest is for show, and no client is locked out for a logo: RFC 7591
//! section 2, "The authorization server MUST ignore any client metadata sent by the client that it does
//! not understand", and section 3.2.1, it "MAY reject or replace any of the client's requested metadata
//! values". The answer names what was kept.
//!
//! Section 5: "the authorization server MUST treat all client metadata as self-asserted". A name proves
//! nothing; only the redirect URIs, which the policy and the browser hold a client to, mean something.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use url::Url;

use super::{
    auth::{AuthRule, ClientAuthMethod, ClientKeys},
    redirect::{RedirectPolicy, RedirectUri},
    registration::{ApplicationType, Registration},
};
use crate::{
    error::{OAuthError, OAuthErrorCode},
    limits::{MAX_ECHOED_URI, MAX_NAME, MAX_REDIRECT_URIS},
    oauth::{GrantType, ScopeSet, describable, is_blank, printable},
    time::Unix,
};

/// Metadata that is echoed and not kept. This is a list of what to echo, not of what to hide: nothing
/// that a client makes up can pass for our answer (`client_secret`, `registration_access_token` …).
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
    /// Metadata that is sent back and not kept.
    pub(crate) echo: Map<String, Value>,
}

impl ClientMetadata {
    /// Reads the JSON body of a registration request that arrives at `now`. One redirect URI that is
    /// not permitted refuses the whole registration: a client that thinks it owns the URI would fail
    /// later, in front of a person.
    ///
    /// # Errors
    ///
    /// `invalid_redirect_uri` and `invalid_client_metadata` of RFC 7591 section 3.2.2. The
    /// description names the URI that was refused, the detail the option to change.
    pub(crate) fn parse(
        body: &[u8],
        policy: &RedirectPolicy,
        configured_scopes: &ScopeSet,
        now: Unix,
    ) -> Result<Self, OAuthError> {
        // RFC 8259 section 8.1: parsers "MAY ignore the presence of a byte order mark".
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else {
            return Err(bad_metadata("the body is not a JSON object"));
        };
        // Many clients send null for what they leave out.
        fields.retain(|_, value| !value.is_null());
        let fields = Fields(&fields);

        let redirect_uris = read_redirect_uris(fields, policy)?;
        must_include(fields, "grant_types", GrantType::AuthorizationCode.as_str())?;
        must_include(fields, "response_types", "code")?;
        let auth = read_auth_method(fields)?;
        let registration = Registration {
            redirect_uris,
            name: read_name(fields),
            auth,
            keys: read_keys(fields, auth)?,
            application_type: read_application_type(fields),
            scope: read_scope(fields, configured_scopes),
            issued_at: now,
        };
        let echo = read_echo(fields);
        Ok(Self { registration, echo })
    }
}

/// The body of the 201 answer. RFC 7591 section 3.2.1: "the authorization server MUST return all
/// registered metadata about this client, including any fields provisioned by the authorization server
/// itself." Of the `grant_types` that are served, a client that registered itself may use those of logins.
///
/// There is no `registration_client_uri`, because RFC 7592 is not served (a peer promised one and its
/// clients followed it).
pub(crate) fn registration_answer(
    metadata: &ClientMetadata,
    client_id: &str,
    secret: Option<&str>,
    grant_types: &[GrantType],
) -> Value {
    let ClientMetadata { registration, echo } = metadata;
    let mut answer = echo.clone();
    let mut put = |name: &str, value: Value| answer.insert(name.to_owned(), value);
    put("client_id", client_id.into());
    put("client_id_issued_at", registration.issued_at.secs().into());
    if let Some(secret) = secret {
        put("client_secret", secret.into());
        // RFC 7591 section 3.2.1: "REQUIRED if "client_secret" is issued", and 0 "if it will not
        // expire".
        put("client_secret_expires_at", 0.into());
    }
    let uris = registration.redirect_uris.iter();
    put("redirect_uris", uris.map(RedirectUri::as_str).collect());
    let grant_types = grant_types.iter().filter(|served| served.needs_login());
    put("grant_types", grant_types.map(|it| it.as_str()).collect());
    put("response_types", json!(["code"]));
    put(
        "token_endpoint_auth_method",
        registration.auth.registered().as_str().into(),
    );
    match &registration.keys {
        None => {}
        Some(ClientKeys::Inline(keys)) => drop(put("jwks", keys.json())),
        Some(ClientKeys::At(url)) => drop(put("jwks_uri", url.as_str().into())),
    }
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

fn read_redirect_uris(
    fields: Fields<'_>,
    policy: &RedirectPolicy,
) -> Result<Vec<RedirectUri>, OAuthError> {
    let code = OAuthErrorCode::InvalidRedirectUri;
    // RFC 7591 section 2: "clients using flows with redirection MUST register their redirection URI
    // values".
    let given = fields
        .must_be_texts("redirect_uris", code)?
        .unwrap_or_default();
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

/// An absent type is unknown, and not OpenID's default `web`: most MCP clients leave it out. The type
/// is kept and echoed, and forbids nothing: OpenID's rule that `web` means https is for the implicit
/// grant, client SDKs say `web` for a scheme of their own, and the redirect policy decides.
fn read_application_type(fields: Fields<'_>) -> Option<ApplicationType> {
    match fields.text("application_type")?.as_ref() {
        "web" => Some(ApplicationType::Web),
        "native" => Some(ApplicationType::Native),
        _ => None,
    }
}

/// A list must include the one value that is served. What else a client lists is not granted.
fn must_include(
    fields: Fields<'_>,
    name: &'static str,
    needed: &'static str,
) -> Result<(), OAuthError> {
    match fields.must_be_texts(name, OAuthErrorCode::InvalidClientMetadata)? {
        Some(given) if !given.is_empty() && !given.contains(&needed) => {
            Err(bad_metadata(format!("{name} must include {needed}")))
        }
        _ => Ok(()),
    }
}

pub(super) fn read_name(fields: Fields<'_>) -> Option<String> {
    let name = printable(fields.text("client_name")?.trim(), MAX_NAME);
    Some(name).filter(|name| !is_blank(name))
}

fn read_auth_method(fields: Fields<'_>) -> Result<AuthRule, OAuthError> {
    let given = match fields.get("token_endpoint_auth_method") {
        None => return Ok(AuthRule::AnySecret),
        Some(Value::String(text)) if text.is_empty() => return Ok(AuthRule::AnySecret),
        given => given.and_then(Value::as_str),
    };
    let known = ClientAuthMethod::ALL
        .into_iter()
        .find(|method| Some(method.as_str()) == given);
    known.map(AuthRule::Exactly).ok_or_else(|| {
        bad_metadata(
            "token_endpoint_auth_method must be none, client_secret_basic, client_secret_post or \
             private_key_jwt",
        )
    })
}

/// The keys of a client that proves itself with one. Those of any other are for something else that it may
/// have in mind, and are echoed.
fn read_keys(fields: Fields<'_>, auth: AuthRule) -> Result<Option<ClientKeys>, OAuthError> {
    if !auth.has_keys() {
        return Ok(None);
    }
    let keys = ClientKeys::read(fields.get("jwks"), fields.get("jwks_uri"));
    keys.map(Some).map_err(bad_metadata)
}

/// Drops the scopes that are not offered: Claude has asked for `claudeai`, and others ask every server
/// for openid and email. A list is read as well, although a string belongs here: without it the client
/// would get more than it asked for.
fn read_scope(fields: Fields<'_>, configured: &ScopeSet) -> Option<ScopeSet> {
    let asked = match fields.texts("scope") {
        Some(names) => names.join(" "),
        None => fields.text("scope")?.into_owned(),
    };
    let offered = configured
        .with("offline_access")
        .unwrap_or_else(|_| configured.clone());
    let known = asked
        .split_ascii_whitespace()
        .filter(|scope| offered.contains(scope));
    // Each of them is in a set already, so it is a valid scope.
    ScopeSet::new(known).ok().filter(|scope| !scope.is_empty())
}

fn read_echo(fields: Fields<'_>) -> Map<String, Value> {
    let mut echo = Map::new();
    for (name, value) in fields.0 {
        // `client_uri#ja` is `client_uri` in Japanese: RFC 7591 section 2.2.
        let base = name.split('#').next().unwrap_or_default();
        let text = fields.text(name);
        let kept = if ECHOED_URIS.contains(&base) {
            text.filter(|uri| is_web_uri(uri))
                .map(|uri| Value::from(uri.as_ref()))
        } else if ECHOED_TEXTS.contains(&base) || name.starts_with("client_name#") {
            text.map(|text| Value::from(text.as_ref()))
        } else if name == "contacts" {
            fields.texts(name).map(|_| value.clone())
        } else if name == "jwks" {
            Some(value.clone()).filter(Value::is_object)
        } else {
            None
        };
        echo.extend(kept.map(|kept| (name.clone(), kept)));
    }
    echo
}

/// Only links that run no script, should a page show them unescaped (a peer's advisory).
fn is_web_uri(uri: &str) -> bool {
    uri.len() <= MAX_ECHOED_URI
        && !uri.contains(|c: char| c.is_control() || c.is_whitespace())
        && Url::parse(uri).is_ok_and(|uri| matches!(uri.scheme(), "http" | "https"))
}

/// Reads members that may be absent or of a wrong type.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name)
    }

    /// A string. Some clients write a number instead (`"software_version": 2`).
    pub(super) fn text(self, name: &str) -> Option<Cow<'a, str>> {
        match self.get(name)? {
            Value::String(text) => Some(Cow::Borrowed(text)),
            Value::Number(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        }
    }

    /// An array of strings only.
    pub(super) fn texts(self, name: &str) -> Option<Vec<&'a str>> {
        let items = self.get(name)?.as_array()?;
        items.iter().map(Value::as_str).collect()
    }

    /// An array of strings only, or absent. Anything else is refused.
    fn must_be_texts(
        self,
        name: &str,
        code: OAuthErrorCode,
    ) -> Result<Option<Vec<&'a str>>, OAuthError> {
        if self.get(name).is_none() {
            return Ok(None);
        }
        let texts = self.texts(name).map(Some);
        texts.ok_or_else(|| OAuthError::new(code, format!("{name} must be an array of strings")))
    }
}

fn bad_metadata(description: impl Into<Cow<'static, str>>) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidClientMetadata, description)
}

fn bad_redirect(description: String) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidRedirectUri, description)
}

#[cfg(test)]
mod tests;
