//! A grant as its record says it: the fields of [`Grant`], [`Phase`], [`CodeMark`] and [`UpstreamGrant`] in
//! the same order, each text where it stands in the record.

use bytes::Bytes;
use serde::Deserialize;

use super::record::{
    About, CodeMark, Grant, Phase, UpstreamGrant, VERSION, VERSION_ASSERTED, VERSION_WITH_CLIENT,
};
use crate::{
    oauth::{CodeChallenge, Resource, ScopeSet, SharedText},
    time::Unix,
    token::CarriedClaims,
};

impl Grant {
    /// Reads what [`encode`](Self::encode) wrote, to the last byte.
    pub(crate) fn decode(record: Vec<u8>) -> Result<Self, UnreadableRecord> {
        let record = Bytes::from(record);
        let (version, fields) = record.split_first().ok_or(UnreadableRecord::Malformed)?;
        if !matches!(*version, VERSION | VERSION_WITH_CLIENT | VERSION_ASSERTED) {
            return Err(UnreadableRecord::Version(*version));
        }
        let stored = postcard::take_from_bytes::<Stored<'_>>(fields);
        let (stored, rest) = stored.map_err(|_| UnreadableRecord::Malformed)?;
        let seen_client = match (*version, rest) {
            (VERSION | VERSION_ASSERTED, []) => None,
            (VERSION_WITH_CLIENT, rest) => match postcard::take_from_bytes::<&[u8]>(rest) {
                Ok((seen, [])) => Some(record.slice_ref(seen)),
                _ => return Err(UnreadableRecord::Malformed),
            },
            _ => return Err(UnreadableRecord::Malformed),
        };
        let grant = stored.grant(&record).ok_or(UnreadableRecord::Malformed)?;
        Ok(Self {
            seen_client,
            ..grant
        })
    }
}

/// Why bytes are not a record. Does not quote them: they hold the provider's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnreadableRecord {
    #[error("the record has version {0}, which this version of the proxy does not know")]
    Version(u8),
    #[error("the record is cut, changed, or not a grant")]
    Malformed,
}

#[derive(Deserialize)]
struct Stored<'a> {
    provider: String,
    client_id: String,
    subject: String,
    scopes: ScopeSet,
    resource: Resource,
    roles: Vec<String>,
    claims: CarriedClaims,
    #[serde(borrow)]
    phase: StoredPhase<'a>,
    created_at: Unix,
    proven_at: Unix,
    listed_until: Unix,
    step: u64,
    #[serde(borrow)]
    upstream: StoredUpstream<'a>,
}

#[derive(Deserialize)]
enum StoredPhase<'a> {
    #[serde(borrow)]
    Pending(StoredMark<'a>),
    Active {
        generation: u32,
        rotated_at: Unix,
        #[serde(borrow)]
        code: Option<StoredMark<'a>>,
    },
    #[serde(borrow)]
    Spent(StoredMark<'a>),
    Asserted {
        issuer: String,
        about: About,
    },
}

#[derive(Deserialize)]
struct StoredMark<'a> {
    #[serde(borrow)]
    hash: &'a [u8],
    expires_at: Unix,
    #[serde(borrow)]
    redirect_uri: &'a [u8],
    challenge: CodeChallenge,
}

#[derive(Deserialize)]
struct StoredUpstream<'a> {
    expires_at: Option<Unix>,
    renew_at: Option<Unix>,
    renewed_at: Option<Unix>,
    refused_since: Option<Unix>,
    #[serde(borrow)]
    access_token: &'a [u8],
    #[serde(borrow)]
    id_token: Option<&'a [u8]>,
    #[serde(borrow)]
    refresh_token: Option<&'a [u8]>,
}

impl Stored<'_> {
    /// The grant, whose long texts share the record's bytes; `None` when one of them is no text.
    fn grant(self, record: &Bytes) -> Option<Grant> {
        let Self {
            provider,
            client_id,
            subject,
            scopes,
            resource,
            roles,
            claims,
            phase,
            created_at,
            proven_at,
            listed_until,
            step,
            upstream,
        } = self;
        Some(Grant {
            provider,
            client_id,
            subject,
            scopes,
            resource,
            roles,
            claims,
            phase: phase.phase(record)?,
            created_at,
            proven_at,
            listed_until,
            step,
            upstream: upstream.upstream(record)?,
            seen_client: None,
        })
    }
}

impl StoredPhase<'_> {
    fn phase(self, record: &Bytes) -> Option<Phase> {
        Some(match self {
            Self::Pending(mark) => Phase::Pending(mark.mark(record)?),
            Self::Active {
                generation,
                rotated_at,
                code,
            } => Phase::Active {
                generation,
                rotated_at,
                code: match code {
                    Some(mark) => Some(mark.mark(record)?),
                    None => None,
                },
            },
            Self::Spent(mark) => Phase::Spent(mark.mark(record)?),
            Self::Asserted { issuer, about } => Phase::Asserted { issuer, about },
        })
    }
}

impl StoredMark<'_> {
    fn mark(self, record: &Bytes) -> Option<CodeMark> {
        Some(CodeMark {
            hash: SharedText::cut(record, self.hash)?,
            expires_at: self.expires_at,
            redirect_uri: SharedText::cut(record, self.redirect_uri)?,
            challenge: self.challenge,
        })
    }
}

impl StoredUpstream<'_> {
    fn upstream(self, record: &Bytes) -> Option<UpstreamGrant> {
        let cut = |part: Option<&[u8]>| match part {
            Some(part) => SharedText::cut(record, part).map(Some),
            None => Some(None),
        };
        Some(UpstreamGrant {
            expires_at: self.expires_at,
            renew_at: self.renew_at,
            renewed_at: self.renewed_at,
            refused_since: self.refused_since,
            access_token: SharedText::cut(record, self.access_token)?,
            id_token: cut(self.id_token)?,
            refresh_token: cut(self.refresh_token)?,
        })
    }
}
