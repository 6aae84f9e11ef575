//! What a request has to prove about an authorization code (RFC 6749 section 4.1.3, RFC 7636 section
//! 4.6, RFC 9700 section 4.5).

use std::fmt::Display;

use super::request::missing;
use crate::{
    client::Client,
    endpoint::refusal::Refusal,
    event::Reason,
    grant::{CodeMark, Grant, Phase, code_hash},
    key::constant_time_eq,
    oauth::{Params, describable},
    time::Unix,
};

/// All that a request has to prove, whether it is the first one with this code or a replay: that it
/// has the code, is the code's client, comes in time, and holds the redirect URI and the verifier.
pub(super) fn proven<'a>(
    grant: &'a Grant,
    client: &Client,
    code: &str,
    params: &Params,
    now: Unix,
) -> Result<&'a CodeMark, Refusal> {
    let mark = match &grant.phase {
        Phase::Pending(mark)
        | Phase::Spent(mark)
        | Phase::Active {
            code: Some(mark), ..
        } => mark,
        // Redeemed so long ago that a replay can no longer be recognised.
        Phase::Active { code: None, .. } | Phase::Asserted { .. } => {
            return Err(Refusal::grant(Reason::GrantEnded));
        }
    };
    // The id in front of a code is no secret: it stands in access tokens.
    if !constant_time_eq(mark.hash.as_bytes(), code_hash(code).as_bytes()) {
        let refusal = Refusal::grant(Reason::InvalidToken);
        return Err(refusal.detail("the code has the id of a grant and not its secret"));
    }
    let refused = |reason: Reason, why: &dyn Display| {
        match grant.phase {
        Phase::Pending(_) => Refusal::grant(reason).detail(why),
        _ => Refusal::grant(reason).detail(format_args!(
            "{why}; the code was redeemed before, and this request does not prove what its client did"
        )),
    }
    };
    // RFC 6749 section 4.1.3: "ensure that the authorization code was issued to the authenticated
    // confidential client, or if the client is public, [...] to client_id in the request".
    if grant.client_id != client.id {
        let owner = describable(&grant.client_id);
        let why = format_args!("the code is of client `{owner}`").to_string();
        return Err(refused(Reason::ForeignClient, &why));
    }
    // An old code from some log is no attack on what it gave.
    if now >= mark.expires_at {
        return Err(refused(
            Reason::Expired,
            &"the code is older than `authorization_code_ttl`",
        ));
    }
    // OAuth 2.1 no longer sends redirect_uri here; RFC 6749 does, and then it has to be the same.
    if let Some(redirect_uri) = params.get("redirect_uri")
        && redirect_uri != &*mark.redirect_uri
    {
        let (asked, meant) = (describable(redirect_uri), describable(&mark.redirect_uri));
        let why = format!("redirect_uri is {asked}, and was {meant} at authorize");
        return Err(refused(Reason::RedirectUri, &why));
    }
    let verifier = params
        .get("code_verifier")
        .ok_or_else(|| missing("code_verifier"))?;
    // RFC 7636 section 4.6: "If the values are not equal, an error response indicating
    // "invalid_grant" [...] MUST be returned."
    if !mark.challenge.verify(verifier) {
        return Err(refused(
            Reason::Pkce,
            &"code_verifier is not that of the code_challenge",
        ));
    }
    Ok(mark)
}
