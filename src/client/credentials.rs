//! What a client presents at the token and revocation endpoints: RFC 6749 section 2.3.1.

use std::fmt;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use secrecy::SecretString;

use super::{ClientAuthMethod, sealed::MAX_CLIENT_ID, static_client::MAX_SECRET_BYTES};
use crate::{
    error::{OAuthError, OAuthErrorCode},
    oauth::{Params, form_decode},
};

/// The longest `Authorization` header, in bytes: an id and a secret of full length, each character
/// form-encoded as three, then base64.
const MAX_HEADER_BYTES: usize = (MAX_CLIENT_ID + MAX_SECRET_BYTES) * 4;
/// Some clients leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An unverified claim to be a client.
#[derive(Clone)]
pub(crate) struct Presented {
    pub(crate) id: String,
    pub(crate) proof: Proof,
}

/// What comes with the claim.
#[derive(Clone)]
pub(crate) enum Proof {
    /// Only the id, in the body.
    None,
    /// A secret in the `Authorization` header.
    Basic(SecretString),
    /// A secret in the body.
    Post(SecretString),
}

impl Presented {
    /// Reads the `Authorization` header and the form. The secret is not checked here.
    ///
    /// # Errors
    ///
    /// `invalid_request` when more than one method is used at once (RFC 6749 section 2.3), and
    /// `invalid_client` when there is no client, another method, or a malformed header.
    pub(crate) fn read(authorization: Option<&str>, params: &Params) -> Result<Self, OAuthError> {
        // RFC 7521 section 4.2: an assertion is a method of its own, which is not offered here.
        if params.get("client_assertion").is_some() || params.get("client_assertion_type").is_some()
        {
            return Err(invalid_client("client assertions are not supported"));
        }
        let body_id = params.get("client_id");
        let body_secret = params.get("client_secret");
        let Some(header) = authorization else {
            let id = body_id.ok_or_else(|| invalid_client("client_id is missing"))?;
            let proof = match body_secret {
                Some(secret) if secret.len() > MAX_SECRET_BYTES => return Err(too_long()),
                Some(secret) => Proof::Post(secret.into()),
                None => Proof::None,
            };
            return Self::bounded(id.to_owned(), proof);
        };
        if body_secret.is_some() {
            return Err(OAuthError::new(
                OAuthErrorCode::InvalidRequest,
                "the client uses more than one authentication method",
            ));
        }
        let (id, secret) = read_basic(header)?;
        if body_id.is_some_and(|body_id| body_id != id) {
            return Err(OAuthError::new(
                OAuthErrorCode::InvalidRequest,
                "client_id differs from the one in the Authorization header",
            ));
        }
        Self::bounded(id, Proof::Basic(secret))
    }

    fn bounded(id: String, proof: Proof) -> Result<Self, OAuthError> {
        if id.len() > MAX_CLIENT_ID {
            return Err(too_long());
        }
        Ok(Self { id, proof })
    }

    /// The method that was used, to be compared with the registered one.
    pub(crate) fn method(&self) -> ClientAuthMethod {
        match self.proof {
            Proof::None => ClientAuthMethod::None,
            Proof::Basic(_) => ClientAuthMethod::ClientSecretBasic,
            Proof::Post(_) => ClientAuthMethod::ClientSecretPost,
        }
    }
}

/// `Basic` of RFC 7617, with id and secret form-encoded before base64 (RFC 6749 section 2.3.1).
fn read_basic(header: &str) -> Result<(String, SecretString), OAuthError> {
    if header.len() > MAX_HEADER_BYTES {
        return Err(too_long());
    }
    let malformed = || invalid_client("the Authorization header is malformed");
    let (scheme, credentials) = header.trim().split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Err(invalid_client(
            "clients authenticate with Basic, or in the body",
        ));
    }
    let decoded = BASE64.decode(credentials.trim()).map_err(|_| malformed())?;
    let decoded = String::from_utf8(decoded).map_err(|_| malformed())?;
    let (id, secret) = decoded.split_once(':').ok_or_else(malformed)?;
    let id = form_decode(id).ok_or_else(malformed)?;
    let secret = form_decode(secret).ok_or_else(malformed)?;
    if id.is_empty() {
        return Err(malformed());
    }
    if secret.len() > MAX_SECRET_BYTES {
        return Err(too_long());
    }
    Ok((id, secret.into()))
}

fn invalid_client(description: &'static str) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidClient, description)
}

fn too_long() -> OAuthError {
    invalid_client("the client credentials are too long")
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("id", &self.id)
            .field("method", &self.method())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    fn read(header: Option<&str>, body: &str) -> Result<Presented, OAuthErrorCode> {
        Presented::read(header, &Params::parse(body).unwrap()).map_err(|error| error.code)
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    fn secret(presented: &Presented) -> Option<&str> {
        match &presented.proof {
            Proof::None => None,
            Proof::Basic(secret) | Proof::Post(secret) => Some(secret.expose_secret()),
        }
    }

    #[test]
    fn each_method_is_recognised_by_where_its_parts_stand() {
        let none = read(None, "client_id=c").unwrap();
        assert_eq!(
            (none.method(), secret(&none)),
            (ClientAuthMethod::None, None)
        );
        let post = read(None, "client_id=c&client_secret=s%2B").unwrap();
        assert_eq!(post.method(), ClientAuthMethod::ClientSecretPost);
        assert_eq!(secret(&post), Some("s+"));
        let header = read(Some(&basic("c:s")), "grant_type=x&client_id=c").unwrap();
        assert_eq!(header.method(), ClientAuthMethod::ClientSecretBasic);
        assert_eq!((header.id.as_str(), secret(&header)), ("c", Some("s")));
    }

    #[test]
    fn basic_is_form_decoded_after_base64_and_split_at_the_first_colon() {
        // The example of RFC 6749 section 2.3.1.
        let example = "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3";
        let read_example = read(Some(example), "").unwrap();
        assert_eq!(read_example.id, "s6BhdRkqt3");
        assert_eq!(secret(&read_example), Some("7Fjfp0ZBr1KtDRbnfVdmIw"));
        let encoded = read(Some(&basic("a%3Ab:p%20q+r:s")), "").unwrap();
        assert_eq!(
            (encoded.id.as_str(), secret(&encoded)),
            ("a:b", Some("p q r:s"))
        );
        let lower = format!("basic  {}", STANDARD.encode("c:s1").trim_end_matches('='));
        assert_eq!(secret(&read(Some(&lower), "").unwrap()), Some("s1"));
    }

    #[test]
    fn two_methods_at_once_and_two_ids_are_an_invalid_request() {
        let header = basic("c:s");
        for body in [
            "client_id=c&client_secret=s",
            "client_secret=s",
            "client_id=d",
        ] {
            let refused = read(Some(&header), body).unwrap_err();
            assert_eq!(refused, OAuthErrorCode::InvalidRequest, "{body}");
        }
        // Sent without a value, a parameter counts as omitted.
        assert!(read(Some(&header), "client_id=c&client_secret=").is_ok());
    }

    #[test]
    fn a_malformed_or_foreign_header_is_an_invalid_client_and_never_falls_back_to_the_body() {
        for header in [
            String::new(),
            "Basic".to_owned(),
            "Basic ".to_owned(),
            "Basic !!!".to_owned(),
            "Basic Yw==Yw==".to_owned(),
            "Bearer abc".to_owned(),
            basic("no-colon"),
            basic(":s"),
            basic("%zz:s"),
            basic("c:%f"),
            basic("c:%ff"),
            format!("Basic {}", STANDARD.encode(b"\xff:s")),
            format!("Basic {}", "A".repeat(MAX_HEADER_BYTES)),
            basic(&format!("c:{}", "s".repeat(MAX_SECRET_BYTES + 1))),
        ] {
            let refused = read(Some(&header), "client_id=c").unwrap_err();
            assert_eq!(refused, OAuthErrorCode::InvalidClient, "{header:.60}");
        }
        let long_id = basic(&format!("{}:s", "c".repeat(MAX_CLIENT_ID + 1)));
        assert_eq!(
            read(Some(&long_id), "").unwrap_err(),
            OAuthErrorCode::InvalidClient
        );
    }

    #[test]
    fn no_client_an_oversized_one_and_an_assertion_are_an_invalid_client() {
        let long_id = format!("client_id={}", "c".repeat(MAX_CLIENT_ID + 1));
        let long_secret = format!(
            "client_id=c&client_secret={}",
            "s".repeat(MAX_SECRET_BYTES + 1)
        );
        for body in [
            "",
            "client_id=",
            "client_secret=s",
            "client_id=c&client_assertion=x",
            &long_id,
            &long_secret,
        ] {
            assert_eq!(
                read(None, body).unwrap_err(),
                OAuthErrorCode::InvalidClient,
                "{body:.60}"
            );
        }
    }

    #[test]
    fn debug_prints_no_secret() {
        let presented = read(Some(&basic("c:s3cret")), "").unwrap();
        assert!(!format!("{presented:?}").contains("s3cret"));
    }

    proptest! {
        #[test]
        fn what_a_client_encodes_is_what_is_read(id in "\\PC{1,30}", key in "\\PC{0,30}") {
            let encode = |text: &str| {
                url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
            };
            let header = basic(&format!("{}:{}", encode(&id), encode(&key)));
            let presented = read(Some(&header), "").unwrap();
            prop_assert_eq!(&presented.id, &id);
            prop_assert_eq!(secret(&presented), Some(key.as_str()));
        }

        #[test]
        fn nothing_panics(header in any::<String>(), pair in any::<Vec<u8>>()) {
            let _ = read(Some(&header), "");
            let _ = read(Some(&format!("Basic {}", STANDARD.encode(pair))), "");
        }
    }
}
