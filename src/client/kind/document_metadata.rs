//! What a client says of itself in its document (draft-ietf-oauth-client-id-metadata-document-00 section 4.1).
//!
//! The members are those of a registration. What differs is that the document is published once, for every
//! server there is: so a redirect URI or a method that is of no use here does not refuse the whole.

use serde_json::Value;

use crate::{
    client::{
        auth::{AuthRule, ClientAuthMethod, ClientKeys},
        client_metadata::{Fields, read_name},
        redirect::RedirectUri,
    },
    limits::MAX_DOCUMENT_REDIRECT_URIS,
    oauth::ScopeSet,
};

/// A client as its document has it. Kept for each document in the cache, so in as little room as its text
/// takes: redirect URIs are taken apart when one is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::client) struct Published {
    pub(super) name: Box<str>,
    pub(super) redirect_uris: Box<[Box<str>]>,
    pub(super) auth: AuthRule,
    pub(super) keys: Option<ClientKeys>,
    pub(super) scope: Option<ScopeSet>,
}

impl Published {
    /// Reads the document at this URL. The error is a sentence for the operator.
    pub(super) fn parse(url: &str, body: &[u8]) -> Result<Self, String> {
        // RFC 8259 section 8.1: parsers "MAY ignore the presence of a byte order mark".
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else {
            return Err("it is not a JSON object".to_owned());
        };
        fields.retain(|_, value| !value.is_null());
        let fields = Fields(&fields);
        // "The client metadata document MUST contain a client_id property whose value MUST match the URL of the
        // document using simple string comparison as defined in [RFC3986] Section 6.2.1."
        match fields.get("client_id").and_then(Value::as_str) {
            Some(id) if id == url => {}
            Some(_) => return Err("its client_id is another URL than its own".to_owned()),
            None => return Err("it has no client_id".to_owned()),
        }
        // "the client_secret and client_secret_expires_at properties MUST NOT be used"
        for secret in ["client_secret", "client_secret_expires_at"] {
            if fields.get(secret).is_some() {
                return Err(format!("it has {secret}, and what is public is no secret"));
            }
        }
        must_include(fields, "grant_types", "authorization_code")?;
        must_include(fields, "response_types", "code")?;
        let (auth, keys) = read_auth(fields)?;
        Ok(Self {
            redirect_uris: read_redirect_uris(fields)?,
            // MCP authorization 2026-07-28: "The metadata document MUST include at least the following
            // properties: client_id, client_name, redirect_uris".
            name: read_name(fields).ok_or("it has no client_name")?.into(),
            auth,
            keys,
            scope: read_scope(fields),
        })
    }

    /// Where its answers may go: those that can be redirect URIs here.
    pub(super) fn redirect_uris(&self) -> Vec<RedirectUri> {
        let uris = self.redirect_uris.iter();
        uris.filter_map(|raw| RedirectUri::parse(raw).ok())
            .collect()
    }
}

/// A list must include the one value that is served. What else a client lists is not granted.
fn must_include(fields: Fields<'_>, name: &str, needed: &str) -> Result<(), String> {
    if fields.get(name).is_none() {
        return Ok(());
    }
    match fields.texts(name) {
        Some(given) if given.is_empty() || given.contains(&needed) => Ok(()),
        Some(_) => Err(format!("its {name} do not include {needed}")),
        None => Err(format!("its {name} is not an array of strings")),
    }
}

/// RFC 9700 section 2.1 by way of the draft's section 4.5: "the authorization server MUST require registration
/// of redirect URIs".
fn read_redirect_uris(fields: Fields<'_>) -> Result<Box<[Box<str>]>, String> {
    const NAME: &str = "redirect_uris";
    if fields.get(NAME).is_none() {
        return Err(format!("it has no {NAME}"));
    }
    let given = fields.texts(NAME);
    let given = given.ok_or_else(|| format!("its {NAME} is not an array of strings"))?;
    if given.len() > MAX_DOCUMENT_REDIRECT_URIS {
        return Err(format!(
            "it has more than {MAX_DOCUMENT_REDIRECT_URIS} {NAME}"
        ));
    }
    let usable = given
        .into_iter()
        .filter(|raw| RedirectUri::parse(raw).is_ok());
    let usable: Box<[Box<str>]> = usable.map(Box::from).collect();
    match usable.is_empty() {
        true => Err(format!("none of its {NAME} can be one")),
        false => Ok(usable),
    }
}

/// How the client authenticates. The method that it names counts, and of a list of those that it can use
/// (`token_endpoint_auth_methods_supported` of OpenID Connect Relying Party Metadata Choices) the strongest,
/// where the one that it names is not served here. A document without either is a public client's.
///
/// Draft -02, section 8.2: "When a client declares token_endpoint_auth_method as private_key_jwt, the
/// authorization server MUST require client authentication according to Section 2.2 of [RFC7523]". So one that
/// also lists `none` is held to its key.
fn read_auth(fields: Fields<'_>) -> Result<(AuthRule, Option<ClientKeys>), String> {
    const NONE: &str = "none";
    const KEY: &str = "private_key_jwt";
    let named = match fields.get("token_endpoint_auth_method") {
        None => None,
        Some(Value::String(name)) => Some(name.as_str()),
        Some(_) => return Err("its token_endpoint_auth_method is not a string".to_owned()),
    };
    // "the token_endpoint_auth_method property MUST NOT include client_secret_post, client_secret_basic,
    // client_secret_jwt, or any other method based around a shared symmetric secret."
    if let Some(secret) = named.filter(|name| name.starts_with("client_secret_")) {
        return Err(format!(
            "its token_endpoint_auth_method is {secret}, and what is public is no secret"
        ));
    }
    let listed = fields.texts("token_endpoint_auth_methods_supported");
    let listed = listed.unwrap_or_default();
    let method = match named {
        Some(name @ (NONE | KEY)) => name,
        _ if listed.contains(&KEY) => KEY,
        _ if listed.contains(&NONE) => NONE,
        None if listed.is_empty() => NONE,
        _ => {
            return Err(
                "it names no way to authenticate that is served here: none or private_key_jwt"
                    .to_owned(),
            );
        }
    };
    if method == NONE {
        return Ok((AuthRule::Exactly(ClientAuthMethod::None), None));
    }
    let keys = ClientKeys::read(fields.get("jwks"), fields.get("jwks_uri"))?;
    let rule = AuthRule::Exactly(ClientAuthMethod::PrivateKeyJwt);
    Ok((rule, Some(keys)))
}

/// What a request without `scope` asks for. Those that are not offered are dropped then.
fn read_scope(fields: Fields<'_>) -> Option<ScopeSet> {
    let scope = ScopeSet::parse(&fields.text("scope")?).ok();
    scope.filter(|scope| !scope.is_empty())
}

#[cfg(test)]
mod tests;
