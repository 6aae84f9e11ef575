//! An ID token and the keys that vouch for it, brought together.

use serde_json::{Map, Value};

use super::{
    id_token::{self, Expected, IdTokenError},
    requests::ProviderClient,
    upstream_error::UpstreamError,
};
use crate::{
    jose::{KeySet, SignatureError},
    time::Unix,
};

impl ProviderClient {
    /// What the rules make of an ID token: its claims may be believed, by its signature where the provider's
    /// keys are known. A key that is not here may be new, so the keys are asked for once more.
    ///
    /// # Errors
    ///
    /// The keys cannot be had, so nothing is known of the token.
    pub(crate) async fn id_token(
        &self,
        token: &str,
        nonce: Option<&str>,
        now: Unix,
    ) -> Result<Result<Map<String, Value>, IdTokenError>, UpstreamError> {
        let Some(keys) = self.lookup.keys(&self.provider).await? else {
            return Ok(self.checked(token, None, nonce, now));
        };
        match self.checked(token, Some(&keys.set), nonce, now) {
            Err(IdTokenError::Key(SignatureError::UnknownKey(_))) => {
                let newer = self.lookup.newer(&keys).await?;
                Ok(self.checked(token, Some(&newer.set), nonce, now))
            }
            checked => Ok(checked),
        }
    }

    /// The same with what is here. `None`: the keys have to be fetched first.
    pub(crate) fn id_token_here(
        &self,
        token: &str,
        nonce: Option<&str>,
        now: Unix,
    ) -> Option<Result<Map<String, Value>, IdTokenError>> {
        if !self.provider.has_keys() {
            return Some(self.checked(token, None, nonce, now));
        }
        let keys = self.lookup.keys_here(&self.provider)?;
        match self.checked(token, Some(&keys), nonce, now) {
            Err(IdTokenError::Key(SignatureError::UnknownKey(_))) => None,
            checked => Some(checked),
        }
    }

    fn checked(
        &self,
        token: &str,
        keys: Option<&KeySet>,
        nonce: Option<&str>,
        now: Unix,
    ) -> Result<Map<String, Value>, IdTokenError> {
        let provider = &*self.provider;
        let expected = Expected {
            provider,
            keys,
            nonce,
            now,
        };
        id_token::check(token, &expected)
    }
}
