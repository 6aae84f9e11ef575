//! Tokens of any form that the operator's introspection endpoint knows, after all sources that tell theirs by
//! their form.

use std::sync::Arc;

use crate::{
    bearer::{
        claimed_issuer::{Claimed, claimed},
        credentials::is_token68,
        objection::Objection,
        others_token::OthersToken,
        verdict::{Presented, Verdict},
        vouched::vouched,
    },
    resource_server::ResourceServer,
    session::TokenSource,
};

pub(super) fn judge(server: &Arc<ResourceServer>, presented: &Presented<'_>) -> Verdict {
    let Some(voucher) = &server.vouchers.introspection else {
        return Verdict::NotMine;
    };
    // What cannot be a token never leaves this process, and neither does one of ours that went wrong.
    if !is_token68(presented.token) {
        return Verdict::NotMine;
    }
    if let Claimed::Ours(objection) = claimed(server, presented.token) {
        return Verdict::Refused(objection);
    }
    if is_refresh_token(server, presented.token) {
        let why = "it is a refresh token of this proxy";
        return Verdict::Refused(Objection::invalid().detail(why));
    }
    let (server, voucher) = (Arc::clone(server), Arc::clone(voucher));
    let token = OthersToken::new(presented);
    let source = TokenSource::Introspection;
    Verdict::ask(async move { vouched(&server, &voucher, source, token).await })
}

/// No other server gets one, however it came here: it is good for months.
fn is_refresh_token(server: &ResourceServer, token: &str) -> bool {
    let proxy = server.proxy.as_ref();
    proxy.is_some_and(|proxy| proxy.grants.refresh_tokens.read(token).is_some())
}
