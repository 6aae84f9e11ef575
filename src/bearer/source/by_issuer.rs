//! JWTs of trusted issuers: told by their `iss`, verified by the issuer's keys.

use std::sync::Arc;

use crate::{
    bearer::{
        claimed_issuer::{Claimed, claimed},
        others_token::OthersToken,
        verdict::{Presented, Verdict},
        vouched::vouched,
    },
    resource_server::ResourceServer,
    session::TokenSource,
};

pub(super) fn judge(server: &Arc<ResourceServer>, presented: &Presented<'_>) -> Verdict {
    if server.vouchers.issuers.is_empty() {
        return Verdict::NotMine;
    }
    let issuer = match claimed(server, presented.token) {
        Claimed::Nothing => return Verdict::NotMine,
        Claimed::Ours(objection) => return Verdict::Refused(objection),
        Claimed::Issuer(issuer) => issuer,
    };
    let Some(voucher) = server.vouchers.issuing(&issuer) else {
        return Verdict::NotMine;
    };
    let (server, voucher) = (Arc::clone(server), Arc::clone(voucher));
    let token = OthersToken::new(presented);
    let source = TokenSource::TrustedIssuer;
    Verdict::ask(async move { vouched(&server, &voucher, source, token).await })
}
