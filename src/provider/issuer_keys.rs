//! An issuer of access tokens, and whether one of its keys signed a token.

use std::{fmt, sync::Arc};

use super::{
    discovery_error::DiscoveryError,
    discovery_lookup::{Lookup, Lookups},
    preset::{generic, oidc},
    provider::Provider,
    upstream_error::UpstreamError,
};
use crate::jose::{Jwt, SignatureError};

/// An issuer's keys, fetched when they are needed.
pub(crate) struct IssuerKeys {
    pub(super) lookup: Lookup,
    pub(super) about: Arc<Provider>,
}

/// Why a token is not known to be signed by a key of its issuer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    /// The keys could not be asked for: nothing is said against the token.
    #[error(transparent)]
    Unreadable(#[from] UpstreamError),
    /// No key vouches for it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl IssuerKeys {
    /// The keys at this URL.
    pub(crate) fn at(lookups: &Lookups, jwks_url: &str) -> Self {
        Self::of(lookups, generic("", "", "", "").jwks_url(jwks_url))
    }

    /// The keys that this issuer names in its document about itself.
    pub(crate) fn discovered(lookups: &Lookups, issuer: &str) -> Self {
        Self::of(lookups, oidc(issuer, "", "").keys_discovered(issuer))
    }

    fn of(lookups: &Lookups, about: Provider) -> Self {
        let (lookup, about) = (Lookup::new(lookups), Arc::new(about));
        Self { lookup, about }
    }

    /// The token's header and claims, where one of the keys signed it. A key that is not there may be new: the
    /// set is then asked for once more, within the cooldown of documents.
    pub(crate) async fn verify(&self, token: &str) -> Result<Jwt, KeysError> {
        let here = self.lookup.keys_here(&self.about);
        match here.map(|keys| keys.verify(token)) {
            Some(Err(SignatureError::UnknownKey(_))) => Box::pin(self.asked(token, true)).await,
            Some(verified) => Ok(verified?),
            None => Box::pin(self.asked(token, false)).await,
        }
    }

    /// The same by way of the issuer. `is_unknown`: the keys that are here do not vouch for it.
    async fn asked(&self, token: &str, is_unknown: bool) -> Result<Jwt, KeysError> {
        let keys = self.lookup.keys(&self.about).await?;
        let missing = || UpstreamError::from(DiscoveryError::Missing("jwks_uri"));
        let keys = keys.ok_or_else(missing)?;
        if !is_unknown {
            match keys.set.verify(token) {
                Err(SignatureError::UnknownKey(_)) => {}
                verified => return Ok(verified?),
            }
        }
        let newer = self.lookup.newer(&keys).await?;
        Ok(newer.set.verify(token)?)
    }
}

impl fmt::Debug for IssuerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerKeys").finish_non_exhaustive()
    }
}
