//! A verifier's connection to the layer that it works for.

use std::sync::OnceLock;

use super::{context::VerifierContext, token_verifier::VerifyError};

/// Empty until a configuration is built with the verifier.
#[derive(Default)]
pub(super) struct Connection(OnceLock<VerifierContext>);

impl Connection {
    /// A second layer with the same verifier finds it connected.
    pub(super) fn connect(&self, context: &VerifierContext) {
        let _ = self.0.set(context.clone());
    }

    pub(super) fn context(&self) -> Result<&VerifierContext, VerifyError> {
        let why = "the verifier was never connected to a layer: a verifier that wraps it has to hand on \
                   `TokenVerifier::connect`";
        let missing = || VerifyError::Unavailable(why.into());
        self.0.get().ok_or_else(missing)
    }
}
