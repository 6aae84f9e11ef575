//! A provider that names its URLs itself: where its document is, and what of it may be believed. Pure rules.

use std::sync::Arc;

use super::{
    credential::Credential,
    dialect::Dialect,
    discovery_document::Metadata,
    discovery_error::DiscoveryError,
    endpoints::{Discovery, Endpoints, Fills},
    fault::check_url,
    provider::{Open, Provider, TokenEndpointAuth},
    target::TOKEN_EXCHANGE,
};
use crate::{jose::Algorithm, limits::MAX_DOCUMENT_URL};

impl Provider {
    /// A preset whose URLs the provider names itself, in the document below `issuer` (OpenID Connect
    /// Discovery section 4, or RFC 8414 section 3). What the preset or the operator states wins; the
    /// document fills the rest. It is read at the first login.
    ///
    /// The issuer of tokens and of the document is then `issuer`, to the byte.
    pub(crate) fn discovered(
        id: &str,
        name: &str,
        issuer: impl Into<String>,
        dialect: Arc<dyn Dialect>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        let issuer = issuer.into();
        let none = Endpoints::default();
        Self {
            issuer: Some(issuer.clone()),
            discovery: Some(Discovery {
                issuer,
                fills: Fills::Everything,
            }),
            open: Open {
                client_auth: true,
                upstream_scopes: true,
            },
            ..Self::new(id, name, none, dialect, client_id, client_secret)
        }
    }

    /// Whether its keys are known, or can be asked for.
    pub(crate) fn has_keys(&self) -> bool {
        self.endpoints.jwks.is_some() || self.discovery.is_some()
    }

    /// For a preset that states its URLs: the keys alone come from the document below `issuer`.
    pub(crate) fn keys_discovered(mut self, issuer: impl Into<String>) -> Self {
        self.discovery = Some(Discovery {
            issuer: issuer.into(),
            fills: Fills::Keys,
        });
        self
    }
}

/// The two places of the document, the usual one first.
///
/// OpenID Connect Discovery section 4.1: "If the Issuer value contains a path component, any terminating
/// / MUST be removed before appending /.well-known/openid-configuration." RFC 8414 section 3 inserts "a
/// well-known URI string into the authorization server's issuer identifier between the host component
/// and the path component (if any)".
pub(super) fn places(issuer: &str) -> [String; 2] {
    let issuer = issuer.trim_end_matches('/');
    let host = issuer.find("://").map_or(0, |at| at + 3);
    let path = issuer.get(host..).and_then(|rest| rest.find('/'));
    let (origin, path) = issuer.split_at(path.map_or(issuer.len(), |at| host + at));
    [
        format!("{issuer}/.well-known/openid-configuration"),
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
    ]
}

/// The provider, with what its document fills in. What was stated stays as it is.
///
/// The document is the provider's word about itself, fetched over TLS from the issuer that the operator
/// named. So its endpoints may be at any host, as some providers' are.
pub(super) fn filled(
    stated: &Provider,
    discovery: &Discovery,
    document: &Metadata,
) -> Result<Provider, DiscoveryError> {
    check_issuer(stated, discovery, document)?;
    let mut filled = stated.clone();
    let (to, from) = (&mut filled.endpoints, &document.endpoints);
    let is_plain = discovery.issuer.starts_with("http:");
    let fill = |stated: &mut Option<String>, member, named: &Option<String>| match (&stated, named)
    {
        (None, Some(url)) => {
            check_endpoint(member, url, is_plain)?;
            *stated = Some(url.clone());
            Ok(())
        }
        _ => Ok(()),
    };
    fill(&mut to.jwks, "jwks_uri", &from.jwks)?;
    if discovery.fills == Fills::Keys {
        return Ok(filled);
    }
    for (stated, member, named) in [
        (&mut to.authorize, "authorization_endpoint", &from.authorize),
        (&mut to.token, "token_endpoint", &from.token),
        (&mut to.revocation, "revocation_endpoint", &from.revocation),
        (&mut to.userinfo, "userinfo_endpoint", &from.userinfo),
        (
            &mut to.introspection,
            "introspection_endpoint",
            &from.introspection,
        ),
    ] {
        fill(stated, member, named)?;
    }
    to.authorize()?;
    to.token()?;
    check_algorithms(stated, document)?;
    if stated.open.client_auth
        && matches!(
            stated.credential,
            Credential::Secret(_) | Credential::MadeSecret(_)
        )
    {
        filled.token_endpoint_auth = client_auth(document)?;
    }
    filled.names_issuer |= document.names_issuer;
    let is_listed = document.grant_types.iter().any(|it| it == TOKEN_EXCHANGE);
    filled.exchanges_tokens = stated.exchanges_tokens.or(Some(is_listed));
    if stated.open.upstream_scopes && document.scopes.iter().any(|scope| scope == OFFLINE) {
        filled.upstream_scopes.push(OFFLINE.to_owned());
    }
    Ok(filled)
}

/// Without it many providers give no refresh token (OpenID Connect Core section 11), and some refuse a
/// scope that they do not list.
const OFFLINE: &str = "offline_access";

/// OpenID Connect Discovery section 4.3: "The issuer value returned MUST be identical to the Issuer URL
/// that was directly used to retrieve the configuration information." RFC 8414 section 3.3 says the same,
/// and "If these values are not identical, the data contained in the response MUST NOT be used."
///
/// A trailing slash is part of the name. Where the operator names the issuer, that is the one; else a
/// preset may know a provider that names itself otherwise.
fn check_issuer(
    stated: &Provider,
    discovery: &Discovery,
    document: &Metadata,
) -> Result<(), DiscoveryError> {
    let named = &document.issuer;
    let (expected, is_admitted) = match &stated.issuer {
        Some(issuer) => (issuer, issuer == named),
        None => {
            let asked = &discovery.issuer;
            (asked, stated.dialect.admits_document(asked, named))
        }
    };
    match is_admitted {
        true => Ok(()),
        false => Err(DiscoveryError::issuer(expected, named)),
    }
}

/// https, or loopback http where the issuer itself is that.
fn check_endpoint(member: &'static str, url: &str, is_plain: bool) -> Result<(), DiscoveryError> {
    let why = match check_url(url) {
        Err(why) => why,
        Ok(()) if url.len() > MAX_DOCUMENT_URL => "is too long",
        Ok(()) if !is_plain && !url.starts_with("https:") => "must be https, as the issuer is",
        Ok(()) => return Ok(()),
    };
    Err(DiscoveryError::endpoint(member, url, why))
}

/// Keys that are published verify no HMAC: OpenID Connect Core section 10.1 has the client secret for
/// that, which any reader of the configuration could sign with. It is not taken in their place.
fn check_algorithms(stated: &Provider, document: &Metadata) -> Result<(), DiscoveryError> {
    let Some(listed) = &document.id_token_algorithms else {
        return Ok(());
    };
    let is_known = |name: &String| Algorithm::parse(name).is_some();
    match stated.endpoints.jwks.is_some() || listed.is_empty() || listed.iter().any(is_known) {
        true => Ok(()),
        false => Err(DiscoveryError::algorithms(listed)),
    }
}

/// OpenID Connect Discovery section 3 and RFC 8414 section 2: "If omitted, the default is
/// client_secret_basic".
fn client_auth(document: &Metadata) -> Result<TokenEndpointAuth, DiscoveryError> {
    let Some(listed) = &document.client_auth else {
        return Ok(TokenEndpointAuth::Basic);
    };
    let lists = |name: &str| listed.iter().any(|listed| listed == name);
    if lists("client_secret_basic") {
        Ok(TokenEndpointAuth::Basic)
    } else if lists("client_secret_post") {
        Ok(TokenEndpointAuth::Post)
    } else {
        Err(DiscoveryError::client_auth(listed))
    }
}

#[cfg(test)]
mod tests;
