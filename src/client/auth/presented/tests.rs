use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;
use crate::limits::MAX_BASIC;

fn read(header: Option<&str>, body: &str) -> Result<Presented, OAuthErrorCode> {
    read_lines(header.as_slice(), body)
}

fn read_lines(lines: &[&str], body: &str) -> Result<Presented, OAuthErrorCode> {
    let lines = lines.iter().map(|line| line.as_bytes());
    Presented::read(lines, &Params::parse(body).unwrap()).map_err(|error| error.code)
}

fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

fn secret(presented: &Presented) -> Option<&str> {
    match &presented.proof {
        Proof::None => None,
        Proof::Basic(secret) | Proof::Post(secret) | Proof::Assertion(secret) => {
            Some(secret.expose_secret())
        }
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
fn a_malformed_basic_header_is_an_invalid_client_and_never_falls_back_to_the_body() {
    for header in [
        "Basic".to_owned(),
        " bASIC\t".to_owned(),
        "Basic ".to_owned(),
        "Basic\tYzpz".to_owned(),
        "Basic !!!".to_owned(),
        "Basic Yw==Yw==".to_owned(),
        "Basic Yzpz, Bearer abc".to_owned(),
        "Basic \u{e9}".to_owned(),
        basic("no-colon"),
        basic(":s"),
        basic("%zz:s"),
        basic("c:%f"),
        basic("c:%ff"),
        format!("Basic {}", STANDARD.encode(b"\xff:s")),
        format!("Basic {}", "A".repeat(MAX_BASIC)),
        basic(&format!("c:{}", "s".repeat(MAX_CLIENT_SECRET + 1))),
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
fn a_header_of_another_scheme_is_no_authentication_and_the_body_names_the_client() {
    for header in [
        "",
        "Bearer abc",
        "bearer",
        "Basically YzpzMQ==",
        "BasicYzpzMQ==",
        "Digest username=\"c\"",
        "Negotiate YII=",
        "Token \u{e9}",
        "Bearer abc, Basic ZDpz",
    ] {
        let public = read(Some(header), "client_id=c").unwrap();
        assert_eq!(public.method(), ClientAuthMethod::None, "{header}");
        let posted = read(Some(header), "client_id=c&client_secret=s").unwrap();
        assert_eq!(posted.method(), ClientAuthMethod::ClientSecretPost);
        let nobody = read(Some(header), "grant_type=x");
        assert_eq!(nobody.unwrap_err(), OAuthErrorCode::InvalidClient);
    }
}

#[test]
fn beside_a_header_of_another_scheme_basic_counts_and_twice_it_is_refused() {
    let (basic, other) = (basic("c:s"), basic("d:s"));
    for lines in [["Bearer abc", &basic], [&basic, "Bearer abc"]] {
        let presented = read_lines(&lines, "").unwrap();
        assert_eq!(presented.method(), ClientAuthMethod::ClientSecretBasic);
        assert_eq!(presented.id, "c");
    }
    for lines in [[&*basic, &*basic], [&basic, &other], ["Basic", &basic]] {
        let refused = read_lines(&lines, "client_id=c").unwrap_err();
        assert_eq!(refused, OAuthErrorCode::InvalidRequest);
    }
}

#[test]
fn an_empty_secret_in_the_header_is_a_name_and_no_proof() {
    for body in ["", "client_id=c", "client_id=c&client_secret="] {
        let presented = read(Some(&basic("c:")), body).unwrap();
        assert_eq!(presented.method(), ClientAuthMethod::None);
        assert_eq!(presented.id, "c");
    }
    for body in ["client_id=d", "client_secret=s"] {
        let refused = read(Some(&basic("c:")), body).unwrap_err();
        assert_eq!(refused, OAuthErrorCode::InvalidRequest);
    }
}

#[test]
fn no_client_an_oversized_one_and_an_assertion_are_an_invalid_client() {
    let long_id = format!("client_id={}", "c".repeat(MAX_CLIENT_ID + 1));
    let long_secret = format!(
        "client_id=c&client_secret={}",
        "s".repeat(MAX_CLIENT_SECRET + 1)
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

/// A JWT of these claims; nothing verifies it.
fn assertion(claims: &str) -> String {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
    format!(
        "{}.{}.AA",
        B64.encode(r#"{"alg":"ES256"}"#),
        B64.encode(claims)
    )
}

const JWT_BEARER: &str =
    "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[test]
fn the_client_of_an_assertion_is_its_subject() {
    let text = assertion(r#"{"sub":"c","iss":"d"}"#);
    for body in [
        format!("{JWT_BEARER}&client_assertion={text}"),
        format!("{JWT_BEARER}&client_assertion={text}&client_id=c"),
        format!("{JWT_BEARER}&client_assertion={text}&client_secret="),
    ] {
        let presented = read(None, &body).unwrap();
        assert_eq!(presented.id, "c");
        assert_eq!(presented.method(), ClientAuthMethod::PrivateKeyJwt);
        assert_eq!(secret(&presented), Some(&*text));
        assert!(!format!("{presented:?}").contains(&text));
    }
    let subject = "c".repeat(MAX_CLIENT_ID + 1);
    let long = assertion(&format!(r#"{{"sub":"{subject}"}}"#));
    for body in [
        format!("{JWT_BEARER}&client_assertion={long}"),
        format!("{JWT_BEARER}&client_assertion={text}&client_id=d"),
        format!("{JWT_BEARER}&client_assertion={}", assertion("{}")),
        format!(
            "{JWT_BEARER}&client_assertion={}",
            assertion(r#"{"sub":7}"#)
        ),
        format!("{JWT_BEARER}&client_assertion={}", assertion("7")),
        format!("{JWT_BEARER}&client_assertion=x"),
        format!("{JWT_BEARER}&client_id=c"),
        format!("client_assertion={text}&client_id=c"),
        format!("client_assertion_type=jwt-bearer&client_assertion={text}"),
    ] {
        let refused = read(None, &body).unwrap_err();
        assert_eq!(refused, OAuthErrorCode::InvalidClient, "{body:.200}");
    }
    let body = format!("{JWT_BEARER}&client_assertion={text}");
    for (header, body) in [
        (Some(basic("c:s")), body.clone()),
        (Some(basic("c:")), body.clone()),
        (Some("Basic !".to_owned()), body.clone()),
        (None, format!("{body}&client_secret=s")),
    ] {
        let refused = read(header.as_deref(), &body).unwrap_err();
        assert_eq!(refused, OAuthErrorCode::InvalidRequest, "{header:?}");
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
        prop_assert_eq!(secret(&presented), Some(key.as_str()).filter(|key| !key.is_empty()));
    }

    #[test]
    fn nothing_panics(header in any::<String>(), pair in any::<Vec<u8>>()) {
        let _ = read(Some(&header), "");
        let _ = read(Some(&format!("Basic {}", STANDARD.encode(pair))), "");
    }
}
