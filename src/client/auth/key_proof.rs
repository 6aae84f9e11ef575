//! Whether a key of the client's signed its assertion: `private_key_jwt` (RFC 7523 sections 2.2 and 3,
//! OpenID Connect Core section 9).

use std::{fmt, sync::Arc};

use serde_json::{Map, Value};

use super::keys::ClientKeys;
use crate::{
    assertion::{AssertionFault, OneUse, UseMark, UsedAssertions},
    clock::Clock,
    error::StorageError,
    jose::{Jwt, KeySet, SignatureError, decode, has_type},
    limits::{MAX_KEY_SET_BYTES, MAX_SHOWN_HEADER},
    oauth::printable,
    outbound::{AskedBy, Documents, FetchError, NamedBy, Outbound},
    time::Unix,
    vault::Vault,
};

/// The check of assertions, with the key sets that it fetches.
pub(crate) struct KeyProofs {
    used: UsedAssertions,
    operators: Documents<KeySet>,
    strangers: Documents<KeySet>,
}

/// Why an assertion proves nothing, for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyFault {
    #[error("the assertion is not a signed JWT")]
    Form,
    #[error("the assertion's `typ` is `{0}`, which is another kind of token")]
    Type(String),
    #[error("the assertion's `iss` and `sub` are not the client_id")]
    Subject,
    #[error("the assertion does not count: {0}")]
    Claims(#[from] AssertionFault),
    #[error("the client has no keys")]
    NoKeys,
    #[error("no key of the client vouches for the assertion: {0}")]
    Signature(#[from] SignatureError),
    #[error("the client's keys: {0}")]
    Keys(FetchError),
}

impl KeyFault {
    /// Whether nothing is said against the client: its keys could not be asked for.
    pub(crate) fn is_trouble(&self) -> bool {
        matches!(self, Self::Keys(error) if error.is_trouble() || error.tells_of_inside())
    }

    /// Whether its keys were not asked for, because too many others had asked before.
    pub(crate) fn is_crowded(&self) -> bool {
        matches!(self, Self::Keys(error) if error.is_crowded())
    }
}

impl KeyProofs {
    pub(crate) fn new(outbound: &Outbound, clock: &Arc<dyn Clock>, vault: Arc<Vault>) -> Self {
        let documents = |named_by| {
            Documents::new(
                outbound.clone(),
                Arc::clone(clock),
                named_by,
                MAX_KEY_SET_BYTES,
                |reply| KeySet::parse(&reply.body).map_err(|error| error.to_string()),
            )
        };
        Self {
            used: UsedAssertions::new(vault, "client"),
            operators: documents(NamedBy::Operator),
            strangers: documents(NamedBy::Stranger),
        }
    }

    /// Checks that one of these keys signed the assertion, about this client and for us. What it says of its
    /// use is not used up by that.
    ///
    /// Nothing is fetched for an assertion that could not count whoever signed it.
    pub(in crate::client) async fn check(
        &self,
        assertion: &str,
        client_id: &str,
        (keys, named_by, asked_by): (&ClientKeys, NamedBy, AskedBy),
        audiences: &[&str],
        now: Unix,
    ) -> Result<OneUse, KeyFault> {
        let Jwt { header, claims } = decode(assertion).ok_or(KeyFault::Form)?;
        check_type(&header)?;
        check_subject(&claims, client_id)?;
        let once = OneUse::of(&claims, audiences, now)?;
        match keys {
            ClientKeys::Inline(keys) => keys.set().verify(assertion).map(drop)?,
            ClientKeys::At(url) => {
                let documents = match named_by {
                    NamedBy::Operator => &self.operators,
                    NamedBy::Stranger => &self.strangers,
                };
                verify(documents, assertion, url, asked_by).await?;
            }
        }
        Ok(once)
    }

    /// Uses the assertion up; `None` when it was used before.
    pub(in crate::client) async fn first_use(
        &self,
        client_id: &str,
        once: &OneUse,
        now: Unix,
    ) -> Result<Option<UseMark>, StorageError> {
        self.used.first_use(client_id, once, now).await
    }

    pub(in crate::client) async fn give_back(&self, mark: &UseMark) {
        self.used.give_back(mark).await;
    }
}

/// Verifies by the keys at this URL. A key that is not there may be new: the set is then asked for once
/// more, within the cooldown of documents.
async fn verify(
    documents: &Documents<KeySet>,
    assertion: &str,
    url: &str,
    asked_by: AskedBy,
) -> Result<(), KeyFault> {
    let keys = documents.get_for(url, asked_by).await;
    let keys = keys.map_err(KeyFault::Keys)?;
    match keys.verify(assertion) {
        Err(SignatureError::UnknownKey(_)) => {}
        verified => return Ok(verified.map(drop)?),
    }
    let newer = documents.newer_for(url, asked_by, &keys).await;
    let newer = newer.map_err(KeyFault::Keys)?;
    Ok(newer.verify(assertion).map(drop)?)
}

/// RFC 8725 section 3.11: explicit typing keeps one kind of JWT from being taken for another. A client signs
/// others with the same key (proofs of possession, request objects), and libraries have none here, `JWT`, or
/// the one of draft-ietf-oauth-rfc7523bis.
fn check_type(header: &Map<String, Value>) -> Result<(), KeyFault> {
    let known = ["JWT", "client-authentication+jwt"];
    match header.get("typ") {
        None => Ok(()),
        Some(_) if known.iter().any(|known| has_type(header, known)) => Ok(()),
        Some(typ) => Err(KeyFault::Type(printable(
            &typ.to_string(),
            MAX_SHOWN_HEADER,
        ))),
    }
}

/// RFC 7523 section 3: "For client authentication, the subject MUST be the "client_id" of the OAuth client."
/// OpenID Connect Core section 9 of `iss`: "This MUST contain the client_id of the OAuth Client."
fn check_subject(claims: &Map<String, Value>, client_id: &str) -> Result<(), KeyFault> {
    let is_client = |name| claims.get(name).and_then(Value::as_str) == Some(client_id);
    match is_client("iss") && is_client("sub") {
        true => Ok(()),
        false => Err(KeyFault::Subject),
    }
}

impl fmt::Debug for KeyProofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyProofs").finish_non_exhaustive()
    }
}
