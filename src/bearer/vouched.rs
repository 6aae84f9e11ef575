//! A token that another server vouches for: its word, then the operator's, then the session.

use serde_json::Value;

use super::{
    objection::Objection,
    others_token::{Holder, OthersToken, session},
    verdict::Verdict,
    word::{Against, ask},
};
use crate::{
    event::{Reason, Who},
    login::admission::{NotAdmitted, TokenBearer},
    resource_server::{ResourceServer, Voucher},
    session::{TokenSource, UpstreamTokens, Validated},
    token::VerifiedToken,
};

pub(super) async fn vouched(
    server: &ResourceServer,
    voucher: &Voucher,
    source: TokenSource,
    asked: OthersToken,
) -> Verdict {
    let patience = server.options.upstream_request_timeout;
    let verified = match ask(asked.subject(), &*voucher.verifier, patience).await {
        Ok(verified) => verified,
        // Told by no form of its own: the provider's verifier may know it.
        Err(Against::Unknown(_)) if server.verifier.is_some() => return Verdict::NotMine,
        Err(Against::Unknown(objection) | Against::Known(objection)) => {
            return Verdict::Refused(objection.said_by(&voucher.shown()));
        }
    };
    let who = who(&verified);
    let found = admitted(server, voucher, source, asked, verified).await;
    found
        .map_err(|objection| objection.said_by(&voucher.shown()).about(who))
        .into()
}

/// Whom a verified token is about, for events.
fn who(verified: &VerifiedToken) -> Who {
    let email = verified.claims.get("email").and_then(Value::as_str);
    let who = Who::default().person(Some(&verified.subject), email);
    match &verified.client_id {
        Some(client) => who.client(client, None),
        None => who,
    }
}

async fn admitted(
    server: &ResourceServer,
    voucher: &Voucher,
    source: TokenSource,
    asked: OthersToken,
    verified: VerifiedToken,
) -> Result<Validated, Objection> {
    // Before anyone is asked about a person whose token is over.
    asked.end(&verified)?;
    let subject = voucher.name(server.proxy.as_ref(), &verified.subject);
    let subject = subject.ok_or_else(|| {
        let why = format!(
            "its person {:?} cannot be told from one of another provider or issuer",
            verified.subject
        );
        Objection::invalid().detail(why)
    })?;
    if let Some(admission) = &voucher.admission {
        let (resource, _) = asked.resource(&verified, &server.options.base);
        let bearer = TokenBearer {
            subject: &subject,
            client_id: verified.client_id.as_deref().unwrap_or_default(),
            scopes: &verified.scopes,
            resource: resource.as_str(),
            claims: &verified.claims,
        };
        admission.ask(bearer).await?;
    }
    let holder = Holder {
        source,
        provider_subject: Some(verified.subject.as_str().into()),
        subject,
        provider: voucher.provider.clone(),
        // The token is for this service: no other should see it.
        upstream: UpstreamTokens::none(),
        renewal: None,
    };
    session(server, &asked, verified, holder)
}

impl From<NotAdmitted> for Objection {
    fn from(no: NotAdmitted) -> Self {
        match no {
            NotAdmitted::No { reason, detail, .. } => Self::not_admitted(reason).detail(detail),
            NotAdmitted::Later { detail } => Self::unavailable(Reason::HookDenied).detail(detail),
        }
    }
}
