//! The rules of an authorization request (RFC 6749 section 4.1.1), pure and in their order.
//!
//! [`proven_redirect_uri`] comes first: until it is proven, an error can go nowhere but to a page. Every
//! other rule stands in [`RULES`], and its error goes back to the client.

use super::{AuthorizationRequest, WishError, Wishes};
use crate::{
    client::{Client, ClientKind, RedirectUri},
    config::Options,
    error::OAuthErrorCode as Code,
    event::Reason,
    oauth::{CodeChallenge, InvalidScope, InvalidTarget, Params, PkceError, Resource, ScopeSet},
};

/// The rules of a request whose client and redirect URI are proven, in the order in which a client
/// would want to hear of them.
const RULES: [Rule; 7] = [
    response_type,
    response_mode,
    request_object,
    code_challenge,
    scope,
    resource,
    wishes,
];

/// Checks one thing of a request, and keeps what the login needs of it.
type Rule = fn(&mut Draft, &Params, &Client, &Options) -> Result<(), RequestError>;

/// What the rules have read so far.
#[derive(Default)]
struct Draft {
    challenge: Option<CodeChallenge>,
    scopes: ScopeSet,
    resource: Option<Resource>,
    wishes: Wishes,
}

/// Why a request is refused, in words for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("response_type is missing")]
    NoResponseType,
    #[error("only response_type=code is served")]
    ResponseType,
    #[error("only response_mode=query is served")]
    ResponseMode,
    #[error("request objects are not served")]
    RequestObject,
    #[error("PKCE is required: code_challenge is missing")]
    NoChallenge,
    #[error(transparent)]
    Challenge(PkceError),
    #[error(transparent)]
    Scope(InvalidScope),
    #[error("none of the requested scopes exists here")]
    NoKnownScope,
    #[error(transparent)]
    Resource(InvalidTarget),
    #[error(transparent)]
    Wish(WishError),
}

impl RequestError {
    /// The `error` that the client reads.
    pub(crate) fn code(self) -> Code {
        match self {
            Self::ResponseType => Code::UnsupportedResponseType,
            Self::Scope(_) | Self::NoKnownScope => Code::InvalidScope,
            Self::Resource(_) => Code::InvalidTarget,
            Self::Wish(WishError::PromptNone) => Code::InteractionRequired,
            Self::NoResponseType
            | Self::ResponseMode
            | Self::RequestObject
            | Self::NoChallenge
            | Self::Challenge(_)
            | Self::Wish(WishError::MaxAge) => Code::InvalidRequest,
        }
    }

    /// The reason that the operator counts.
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::NoResponseType => Reason::MissingParameter,
            Self::NoChallenge | Self::Challenge(_) => Reason::Pkce,
            Self::Scope(_) | Self::NoKnownScope => Reason::Scope,
            Self::Resource(_) => Reason::Resource,
            Self::ResponseType | Self::ResponseMode | Self::RequestObject | Self::Wish(_) => {
                Reason::UnsupportedType
            }
        }
    }
}

/// Why a redirect URI is not proven to be the client's, in words for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnprovenRedirect {
    #[error("redirect_uri is malformed")]
    Malformed,
    #[error("redirect_uri is missing")]
    Missing,
    #[error("redirect_uri is not registered")]
    NotRegistered,
    #[error("redirect_uri is not allowed by the redirect policy")]
    NotPermitted,
}

/// Where the answer may go.
///
/// RFC 6749 section 3.1.2.4: "If an authorization request fails validation due to a missing,
/// invalid, or mismatching redirection URI, the authorization server SHOULD inform the resource
/// owner of the error and MUST NOT automatically redirect the user-agent to the invalid redirection
/// URI."
pub(crate) fn proven_redirect_uri(
    params: &Params,
    client: &Client,
    options: &Options,
) -> Result<RedirectUri, UnprovenRedirect> {
    let redirect_uri = match params.get("redirect_uri") {
        Some(raw) => RedirectUri::parse(raw).map_err(|_| UnprovenRedirect::Malformed)?,
        // RFC 6749 section 3.1.2.3: "If multiple redirection URIs have been registered, if only part
        // of the redirection URI has been registered, or if no redirection URI has been registered,
        // the client MUST include a redirection URI with the authorization request".
        None => match client.redirect_uris.as_slice() {
            [only] => only.clone(),
            _ => return Err(UnprovenRedirect::Missing),
        },
    };
    // The same section: "the authorization server MUST compare and match the value received against
    // at least one of the registered redirection URIs".
    if !client.owns(&redirect_uri) {
        return Err(UnprovenRedirect::NotRegistered);
    }
    let is_permitted = match client.kind {
        ClientKind::Configured => true,
        // The policy may have become stricter since the client registered.
        ClientKind::Signed => options.redirect_policy.permits(&redirect_uri),
        // Draft-ietf-oauth-client-id-metadata-document-00 section 6.1: an authorization server may "restrict the
        // redirect_uri to the same-origin as the Client ID Metadata Document. Without restrictions like these,
        // there are potential trust and safety issues where the client attempts to impersonate a more well-known
        // client".
        ClientKind::Document => {
            options.redirect_policy.permits(&redirect_uri)
                || (options.let_documents_vouch() && client.vouches_for(&redirect_uri))
        }
    };
    match is_permitted {
        true => Ok(redirect_uri),
        false => Err(UnprovenRedirect::NotPermitted),
    }
}

/// What the client asks for, once every rule is kept.
pub(crate) fn validated(
    params: &Params,
    client: &Client,
    redirect_uri: &RedirectUri,
    options: &Options,
) -> Result<AuthorizationRequest, RequestError> {
    let mut draft = Draft::default();
    for rule in RULES {
        rule(&mut draft, params, client, options)?;
    }
    Ok(AuthorizationRequest {
        client: client.seen(),
        redirect_uri: redirect_uri.clone(),
        state: params.get_raw("state").map(str::to_owned),
        // Without the rule of PKCE in the list, nothing passes.
        challenge: draft.challenge.ok_or(RequestError::NoChallenge)?,
        scopes: draft.scopes,
        resource: draft
            .resource
            .unwrap_or_else(|| Resource::base(&options.base)),
        wishes: draft.wishes,
    })
}

/// RFC 6749 section 3.1.1: "If an authorization request is missing the "response_type" parameter, or
/// if the response type is not understood, the authorization server MUST return an error response".
fn response_type(
    _: &mut Draft,
    params: &Params,
    _: &Client,
    _: &Options,
) -> Result<(), RequestError> {
    match params.get("response_type") {
        Some("code") => Ok(()),
        Some(_) => Err(RequestError::ResponseType),
        None => Err(RequestError::NoResponseType),
    }
}

/// `query` is the default of `code` (OAuth 2.0 Multiple Response Type Encoding Practices section
/// 2.1). Another mode would carry the code where the client's page does not look for it.
fn response_mode(
    _: &mut Draft,
    params: &Params,
    _: &Client,
    _: &Options,
) -> Result<(), RequestError> {
    match params.get("response_mode") {
        None | Some("query") => Ok(()),
        Some(_) => Err(RequestError::ResponseMode),
    }
}

/// RFC 9101 section 6.3: "The authorization server MUST only use the parameters in the Request
/// Object, even if the same parameter is provided in the query parameter." A server that ignored the
/// object would use the others.
fn request_object(
    _: &mut Draft,
    params: &Params,
    _: &Client,
    _: &Options,
) -> Result<(), RequestError> {
    match params.get("request").or_else(|| params.get("request_uri")) {
        None => Ok(()),
        Some(_) => Err(RequestError::RequestObject),
    }
}

/// RFC 7636 section 4.4.1: "If the server requires Proof Key for Code Exchange (PKCE) by OAuth public
/// clients and the client does not send the "code_challenge" in the request, the authorization
/// endpoint MUST return the authorization error response with the "error" value set to
/// "invalid_request"." Here it is required of every client (RFC 9700 section 2.1.1).
fn code_challenge(
    draft: &mut Draft,
    params: &Params,
    _: &Client,
    options: &Options,
) -> Result<(), RequestError> {
    let challenge = params
        .get("code_challenge")
        .ok_or(RequestError::NoChallenge)?;
    let method = params.get("code_challenge_method");
    let challenge = CodeChallenge::parse(challenge, method, options.allow_plain_pkce);
    draft.challenge = Some(challenge.map_err(RequestError::Challenge)?);
    Ok(())
}

/// RFC 6749 section 3.3: "If the client omits the scope parameter when requesting authorization, the
/// authorization server MUST either process the request using a pre-defined default value or fail the
/// request indicating an invalid scope." The default is the registration's scope, which is never a
/// cap; without one it is every scope.
///
/// Unknown scopes are dropped (claude.ai has sent `claudeai`); when none is left it is
/// `invalid_scope`. `offline_access` is always accepted.
fn scope(
    draft: &mut Draft,
    params: &Params,
    client: &Client,
    options: &Options,
) -> Result<(), RequestError> {
    let configured = &options.scopes;
    let known = |scopes: &ScopeSet| {
        scopes.retain(|scope| scope == "offline_access" || configured.contains(scope))
    };
    let Some(requested) = params.get("scope") else {
        let default = client.scope.as_ref().map(known);
        let default = default.filter(|scopes| !scopes.is_empty());
        draft.scopes = default.unwrap_or_else(|| configured.clone());
        return Ok(());
    };
    draft.scopes = known(&ScopeSet::parse(requested).map_err(RequestError::Scope)?);
    if draft.scopes.is_empty() && !configured.is_empty() {
        return Err(RequestError::NoKnownScope);
    }
    Ok(())
}

/// RFC 8707 section 2.1: "If the authorization server fails to parse the provided value(s) or does
/// not consider the resource(s) acceptable, it should reject the request with an error response using
/// the error code "invalid_target"". Without one it is the base URL.
fn resource(
    draft: &mut Draft,
    params: &Params,
    _: &Client,
    options: &Options,
) -> Result<(), RequestError> {
    let asked = Resource::asked_for(params, &options.base);
    draft.resource = asked.map_err(RequestError::Resource)?;
    Ok(())
}

/// What else the provider is asked (OpenID Connect Core section 3.1.2.1), where the operator
/// passes it on.
fn wishes(
    draft: &mut Draft,
    params: &Params,
    _: &Client,
    options: &Options,
) -> Result<(), RequestError> {
    draft.wishes = Wishes::read(params, &options.pass_on).map_err(RequestError::Wish)?;
    Ok(())
}

#[cfg(test)]
mod tests;
