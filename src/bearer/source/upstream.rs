//! The provider's own access tokens, where clients hold those: the operator's verifier decides.

use std::sync::Arc;

use crate::{
    bearer::{
        credentials::is_token68,
        objection::Objection,
        others_token::{Holder, OthersToken, session},
        verdict::{Presented, Verdict},
        word::word_on,
    },
    resource_server::ResourceServer,
    session::{RenewsUpstream, TokenSource, UpstreamTokens, Validated},
    token::TokenVerifier,
};

pub(super) fn judge(server: &Arc<ResourceServer>, presented: &Presented<'_>) -> Verdict {
    let Some(verifier) = &server.verifier else {
        return Verdict::NotMine;
    };
    // What cannot be a token never reaches the verifier.
    if !is_token68(presented.token) {
        return Verdict::NotMine;
    }
    let token = OthersToken::new(presented);
    let (server, verifier) = (Arc::clone(server), Arc::clone(verifier));
    Verdict::ask(async move { validated(&server, &*verifier, token).await.into() })
}

/// The session of a token that the verifier accepts.
async fn validated(
    server: &ResourceServer,
    verifier: &dyn TokenVerifier,
    asked: OthersToken,
) -> Result<Validated, Objection> {
    let patience = server.options.upstream_request_timeout;
    let verified = word_on(asked.subject(), verifier, patience).await?;
    if server.options.subjects.is_reserved(&verified.subject) {
        let why = format!(
            "its subject {:?} could be that of an API key, or of a person of a trusted issuer",
            verified.subject
        );
        return Err(Objection::invalid().detail(why));
    }
    let proxy = server.proxy.as_ref();
    let holder = Holder {
        source: TokenSource::Provider,
        subject: verified.subject.clone(),
        provider_subject: None,
        provider: proxy.map(|proxy| Arc::clone(proxy.providers.main().id())),
        upstream: UpstreamTokens::alone(asked.token.clone(), asked.end(&verified)?),
        renewal: proxy.map(|proxy| Arc::clone(&proxy.delegation) as Arc<dyn RenewsUpstream>),
    };
    session(server, &asked, verified, holder)
}
