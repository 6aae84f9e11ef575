//! What a refusal of the provider does to a grant: the one table.
//!
//! A wrong [`Finality::Ends`] logs a person out for nothing, a wrong [`Finality::Trouble`] leaves a
//! person with a dead login for ever. What is not surely one of the two is [`Finality::Bounded`].
//! `docs::providers` has the same table in words. What only one provider says, and that provider has a
//! preset, stands in its preset.

use super::{
    dialect::Dialect,
    upstream_error::{Finality, UpstreamError},
};

impl UpstreamError {
    /// What this answer does to the grant whose token was presented.
    ///
    /// A refused *access* token ends a grant that has no way to another one: renew first.
    pub(crate) fn finality(&self) -> Finality {
        match self {
            Self::Rejected { finality, .. } => *finality,
            Self::TokenRefused { .. } => Finality::Ends,
            Self::NotPermitted { .. } => Finality::Bounded,
            Self::Transport(_)
            | Self::Timeout
            | Self::Failed { .. }
            | Self::Credential(_)
            | Self::Malformed(_)
            | Self::Discovery(_)
            | Self::Keys(_) => Finality::Trouble,
        }
    }
}

/// Whether a code is in the table, or this provider's own: no gateway's word for a status.
pub(super) fn is_known(dialect: &dyn Dialect, code: &str) -> bool {
    let tables = [ENDS, PERSON_HAS_TO_COME, OPERATORS, UNDECIDED];
    dialect.finality(code).is_some() || tables.iter().any(|codes| codes.contains(&code))
}

/// What a refusal with this code does to a grant.
pub(super) fn of_code(
    dialect: &dyn Dialect,
    status: u16,
    code: &str,
    description: Option<&str>,
) -> Finality {
    if let Some(finality) = dialect.finality(code) {
        return finality;
    }
    if ENDS.contains(&code) || PERSON_HAS_TO_COME.contains(&code) && matches!(status, 200 | 400) {
        return Finality::Ends;
    }
    if PASSING.contains(&code) || OPERATORS.contains(&code) {
        return Finality::Trouble;
    }
    if code == "unauthorized_client" && calls_the_token_dead(description.unwrap_or_default()) {
        return Finality::Ends;
    }
    Finality::Bounded
}

/// RFC 6749 section 5.2 keeps `unauthorized_client` for a client that may not use the grant type,
/// which is the operator's to mend. Atlassian says it of a dead token: 403, "refresh_token is
/// invalid". Others say only what the client may not do. Auth0: "Grant type 'refresh_token' not
/// allowed for the client"; Ory Hydra: "not allowed to use authorization grant 'refresh_token'".
fn calls_the_token_dead(description: &str) -> bool {
    let text = description.to_ascii_lowercase().replace('_', " ");
    let is_dead = ["invalid", "expired", "revoked"]
        .iter()
        .any(|word| text.contains(word));
    text.contains("refresh token") && is_dead && !text.contains("grant")
}

/// OpenID Connect Core section 3.1.2.6; Entra ID answers renewals with them, under the status that
/// RFC 6749 section 5.2 asks for. Under 401 and 403 a gateway of a company can say the same of its own
/// login.
const PERSON_HAS_TO_COME: &[&str] = &[
    "interaction_required",
    "login_required",
    "consent_required",
    "account_selection_required",
];

/// The token is dead: trying again cannot help.
const ENDS: &[&str] = &[
    // RFC 6749 section 5.2
    "invalid_grant",
    // Auth0, with 403, where a rule asks for a second factor at each renewal
    "mfa_required",
    // Slack
    "invalid_code",
    "code_already_used",
    "invalid_refresh_token",
    "token_revoked",
];

/// Codes of the protocol that decide nothing for good: believed under any status, because no gateway
/// says them. RFC 6749 section 5.2, RFC 7009 section 2.2.1, RFC 8707 section 2.
const UNDECIDED: &[&str] = &[
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_token_type",
    "access_denied",
];

/// What a provider's API says of an access token that is dead.
pub(super) const TOKEN_REFUSED: &[&str] = &[
    // RFC 6750 section 3.1
    "invalid_token",
    // Slack. Its `invalid_auth` is missing on purpose: it also means an address that is not allowed.
    "token_revoked",
    "token_expired",
    "account_inactive",
];

/// "Later", with any status: nothing was decided.
pub(super) const PASSING: &[&str] = &[
    // RFC 6749 section 4.1.2.1, RFC 8628 section 3.5
    "temporarily_unavailable",
    "server_error",
    "slow_down",
    // Google
    "rate_limit_exceeded",
    "internal_failure",
    // Slack
    "ratelimited",
    "internal_error",
    "service_unavailable",
    "fatal_error",
    // Auth0
    "too_many_requests",
    "too_many_attempts",
];

/// The operator's own credentials are refused. That says nothing about any person, and logging
/// everyone out would not fix it.
const OPERATORS: &[&str] = &[
    // RFC 6749 section 5.2
    "invalid_client",
    // Slack
    "bad_client_secret",
    "invalid_client_id",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::dialect::Standard;

    fn rejected(code: &str, description: Option<&str>) -> Finality {
        of_code(&Standard, 400, code, description)
    }

    #[test]
    fn only_the_providers_word_on_this_token_or_person_ends_a_grant() {
        for code in ENDS.iter().chain(PERSON_HAS_TO_COME) {
            assert_eq!(rejected(code, None), Finality::Ends, "{code}");
        }
        let atlassian = Some("refresh_token is invalid");
        assert_eq!(rejected("unauthorized_client", atlassian), Finality::Ends);
        for (code, description) in [
            ("unauthorized_client", None),
            (
                "unauthorized_client",
                Some("Grant type 'refresh_token' not allowed for the client."),
            ),
            (
                "unauthorized_client",
                Some("The client is not authorized to use the provided grant type."),
            ),
            (
                "unauthorized_client",
                Some(
                    "The client is not authorized to request a token using this method. The OAuth \
                     2.0 Client is not allowed to use authorization grant 'refresh_token'.",
                ),
            ),
            (
                "unauthorized_client",
                Some("This client may not use refresh tokens."),
            ),
            ("invalid_request", Some("The refresh_token is invalid.")),
            ("invalid_scope", None),
            ("access_denied", None),
            ("BAD_REFRESH_TOKEN", None),
            ("a word of tomorrow", None),
        ] {
            let finality = rejected(code, description);
            assert_eq!(finality, Finality::Bounded, "{code} {description:?}");
        }
    }

    #[test]
    fn the_operators_own_credentials_and_passing_trouble_never_end_a_grant() {
        for code in OPERATORS.iter().chain(PASSING) {
            assert_eq!(rejected(code, None), Finality::Trouble, "{code}");
        }
        let api = UpstreamError::TokenRefused {
            status: 401,
            said: None,
        };
        assert_eq!(api.finality(), Finality::Ends);
        let closed = UpstreamError::NotPermitted {
            status: 403,
            said: None,
        };
        assert_eq!(closed.finality(), Finality::Bounded);
        let failed = |status| UpstreamError::Failed { status, said: None };
        for trouble in [
            failed(400),
            failed(403),
            failed(503),
            UpstreamError::Timeout,
            UpstreamError::Transport(String::new()),
            UpstreamError::Malformed(String::new()),
        ] {
            assert_eq!(trouble.finality(), Finality::Trouble, "{trouble}");
        }
    }
}
