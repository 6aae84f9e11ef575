//! What refusals say, written out once: a stranger's request formats no text that can be a constant.

/// The words of one refusal.
pub(crate) struct Words {
    /// The JSON body.
    pub(super) body: &'static str,
    /// The part of the challenge that names the error; empty where no error is named.
    pub(super) challenge: &'static str,
}

macro_rules! words {
    ($error:literal, $description:literal) => {
        Words {
            body: concat!(
                r#"{"error":""#,
                $error,
                r#"","error_description":""#,
                $description,
                r#""}"#
            ),
            challenge: concat!(
                r#"error=""#,
                $error,
                r#"", error_description=""#,
                $description,
                r#"", "#
            ),
        }
    };
}

pub(super) const NO_CREDENTIALS: Words = Words {
    body: r#"{"error_description":"a bearer token is required"}"#,
    challenge: "",
};
pub(super) const INSUFFICIENT_SCOPE: Words = words!(
    "insufficient_scope",
    "the token does not cover this request"
);
pub(super) const FORBIDDEN: Words =
    words!("access_denied", "this session is not allowed to do this");
pub(super) const UNAVAILABLE: Words = words!(
    "temporarily_unavailable",
    "the token cannot be verified right now; retry later"
);

pub(crate) const MALFORMED: Words =
    words!("invalid_token", "the Authorization header is malformed");
pub(crate) const INVALID: Words = words!("invalid_token", "the token is not valid");
pub(crate) const EXPIRED: Words = words!("invalid_token", "the token has expired");
pub(crate) const OTHER_ISSUER: Words = words!("invalid_token", "the token is from another issuer");
pub(crate) const ELSEWHERE: Words = words!("invalid_token", "the token is for another resource");
pub(crate) const ENDED: Words = words!("invalid_token", "the grant has ended");
pub(crate) const NOT_ADMITTED: Words =
    words!("invalid_token", "this account may not use this service");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_is_json_and_says_what_its_challenge_says() {
        for words in [
            INSUFFICIENT_SCOPE,
            FORBIDDEN,
            UNAVAILABLE,
            MALFORMED,
            INVALID,
            EXPIRED,
            OTHER_ISSUER,
            ELSEWHERE,
            ENDED,
            NOT_ADMITTED,
        ] {
            let body: serde_json::Value = serde_json::from_str(words.body).unwrap();
            let text = |name: &str| body[name].as_str().unwrap().to_owned();
            let challenge = format!(
                r#"error="{}", error_description="{}", "#,
                text("error"),
                text("error_description")
            );
            assert_eq!(words.challenge, challenge);
            assert_eq!(body.as_object().unwrap().len(), 2);
            // RFC 6750 section 3: what may stand in the two parameters.
            let plain = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(text("error_description").bytes().all(plain));
        }
        assert!(serde_json::from_str::<serde_json::Value>(NO_CREDENTIALS.body).is_ok());
    }
}
