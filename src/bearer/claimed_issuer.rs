//! Which issuer a JWT names, before anything in it is verified: that says which source is asked, and nothing else.

use serde_json::Value;

use super::objection::Objection;
use crate::{jose::unverified_claims, mode::Mode, resource_server::ResourceServer};

pub(super) enum Claimed {
    /// No JWT, or one without an issuer.
    Nothing,
    /// It names this proxy, which did not sign it as it stands: of a forgery no other server is asked.
    Ours(Objection),
    Issuer(String),
}

pub(super) fn claimed(server: &ResourceServer, token: &str) -> Claimed {
    let Some(mut claims) = unverified_claims(token) else {
        return Claimed::Nothing;
    };
    let Some(Value::String(issuer)) = claims.remove("iss") else {
        return Claimed::Nothing;
    };
    let proxy = server.proxy.as_ref();
    let has_tokens = proxy.is_some_and(|proxy| matches!(proxy.mode, Mode::Swap(_)));
    match has_tokens && issuer == server.options.base.as_str() {
        true => Claimed::Ours(Objection::invalid().detail(
            "it names this proxy as its issuer, and no key of this proxy signed it as it stands",
        )),
        false => Claimed::Issuer(issuer),
    }
}
