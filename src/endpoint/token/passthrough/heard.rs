//! What a client hears where the provider does not renew.

use crate::{
    endpoint::refusal::Refusal,
    error::OAuthErrorCode,
    event::Reason,
    provider::{Finality, UpstreamError},
};

/// What a client hears of the provider's refusal. Nothing is kept here, so the time that a refusal
/// has stood cannot be counted: what a retry cannot mend is said at once.
///
/// | the provider | the client hears | why |
/// |---|---|---|
/// | `invalid_scope` | the same | it can ask for less |
/// | refuses the operator's own credentials | 503 | a login would fail as well, and the token works again once that is mended |
/// | any other code (`invalid_grant`, `interaction_required`, `invalid_request` …) | `invalid_grant` | a person has to come again: only that can help |
/// | 5xx, 429, no code at all, no answer | 503 | nothing was decided; it ends with the refresh token's own end |
pub(super) fn heard(error: &UpstreamError) -> Refusal {
    let code = match error {
        UpstreamError::Rejected { code, .. } if error.finality() != Finality::Trouble => {
            code.as_str()
        }
        _ => return Refusal::unavailable(error.reason()).told(error.told()),
    };
    if code == "invalid_scope" {
        let text = "the identity provider does not grant this scope, or no longer";
        let code = OAuthErrorCode::InvalidScope;
        return Refusal::new(Reason::ProviderRejected, code, text).told(error.told());
    }
    Refusal::grant(Reason::ProviderRejected).told(error.told())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_repeating_cannot_mend_is_said_at_once_and_trouble_is_no_refusal() {
        let said = |code: &str, finality: Finality| {
            let refusal = heard(&UpstreamError::Rejected {
                status: 400,
                code: code.to_owned(),
                description: None,
                finality,
            });
            refusal.error.code
        };
        for (code, finality) in [
            ("invalid_grant", Finality::Ends),
            ("interaction_required", Finality::Ends),
            ("invalid_request", Finality::Bounded),
            ("odd", Finality::Bounded),
        ] {
            let said = said(code, finality);
            assert_eq!(said, OAuthErrorCode::InvalidGrant, "{code}");
        }
        let scope = said("invalid_scope", Finality::Bounded);
        assert_eq!(scope, OAuthErrorCode::InvalidScope);
        for code in ["invalid_client", "incorrect_client_credentials"] {
            let said = said(code, Finality::Trouble);
            assert_eq!(said, OAuthErrorCode::TemporarilyUnavailable, "{code}");
        }
        for trouble in [
            UpstreamError::Timeout,
            UpstreamError::Transport(String::new()),
            UpstreamError::Malformed(String::new()),
        ] {
            let code = heard(&trouble).error.code;
            assert_eq!(code, OAuthErrorCode::TemporarilyUnavailable, "{trouble}");
        }
    }
}
