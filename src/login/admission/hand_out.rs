//! The code's way past the account page: handed out at the person's word, or never.

use super::admit::Admission;
use crate::{
    error::StorageError,
    grant::{CodeMark, GrantId, Phase, code_hash},
    key::constant_time_eq,
    limits::HAND_OUT_TRIES,
    time::Unix,
};

/// What came of handing out a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HandedOut {
    /// The client may redeem it, from now on or since a click before.
    Code,
    /// It was redeemed already.
    Redeemed,
    /// The grant has ended: by its time, by the person or by the operator.
    Gone,
}

impl Admission {
    /// The person has said yes: the code is good from now on, for its usual time, and older grants of theirs make
    /// room. The same again changes nothing: a second click in the same moment is answered like the first.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: nothing has changed, and the same may be tried again.
    pub(crate) async fn hand_out(
        &self,
        id: GrantId,
        code: &str,
        now: Unix,
    ) -> Result<HandedOut, StorageError> {
        let options = &self.options;
        for _ in 0..HAND_OUT_TRIES {
            let Some(seen) = self.grants.load(&id).await? else {
                return Ok(HandedOut::Gone);
            };
            let Phase::Pending(mark) = &seen.phase else {
                return Ok(HandedOut::Redeemed);
            };
            if !constant_time_eq(mark.hash.as_bytes(), code_hash(code).as_bytes()) {
                return Ok(HandedOut::Gone);
            }
            if !mark.is_held_back() {
                return Ok(HandedOut::Code);
            }
            let (ttl, before) = (options.authorization_code_ttl, options.transaction_ttl);
            let good = Phase::Pending(CodeMark {
                expires_at: now + ttl,
                ..mark.clone()
            });
            let written = self.grants.advance(&id, &seen, good, ttl, before, now);
            if let Some(grant) = written.await? {
                if self.keeps_grants {
                    let subject = self.grants.subject_of(&grant);
                    let limit = options.grants_per_person;
                    self.ending.end_surplus(id, &subject, limit).await;
                }
                return Ok(HandedOut::Code);
            }
        }
        let text = "others changed this grant each time that its code was to be handed out";
        Err(StorageError::unavailable(text))
    }

    /// The person has said no: the grant goes, unless its client has redeemed it by now. `false` where there was
    /// none to go.
    ///
    /// The provider does not hear of it: many providers would end the person's other grants along with it.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: then it ends by its time, and no one holds its code.
    pub(crate) async fn drop_held_back(&self, id: GrantId) -> Result<bool, StorageError> {
        match self.grants.look(&id).await? {
            Some(grant) if matches!(grant.phase, Phase::Pending(_)) => {
                Ok(self.grants.end(&id).await?.is_some())
            }
            _ => Ok(false),
        }
    }
}
