use proptest::prelude::*;

use super::*;
use crate::{SecretKey, time::Unix};

fn keys(secret: u8) -> Rotating<MacKey> {
    let secret = SecretKey::for_test(secret);
    Rotating::new(secret.mac("registration"), [])
}

fn registration(name: &str, uris: &[&str], auth_method: ClientAuthMethod) -> Registration {
    Registration {
        redirect_uris: uris
            .iter()
            .map(|u| RedirectUri::parse(u).unwrap())
            .collect(),
        name: Some(name.to_owned()),
        auth: AuthRule::Exactly(auth_method),
        keys: None,
        application_type: Some(ApplicationType::Native),
        scope: None,
        issued_at: Unix::at(1_795_000_000),
    }
}

fn real_clients() -> Vec<Registration> {
    use ClientAuthMethod::{ClientSecretPost, None};
    vec![
        registration("Claude", &["https://claude.ai/api/mcp/auth_callback"], None),
        registration(
            "Cursor",
            &[
                "cursor://anysphere.cursor-mcp/oauth/callback",
                "https://www.cursor.com/agents/mcp/oauth/callback",
                "http://localhost:8787/callback",
            ],
            None,
        ),
        registration(
            "Visual Studio Code",
            &[
                "https://insiders.vscode.dev/redirect",
                "https://vscode.dev/redirect",
                "http://127.0.0.1/",
                "http://127.0.0.1:33418/",
            ],
            None,
        ),
        registration(
            "ChatGPT",
            &["https://chatgpt.com/connector/oauth/AbCdEf123456"],
            None,
        ),
        Registration {
            scope: Some(ScopeSet::parse("openid email profile").unwrap()),
            ..registration(
                "MCP CLI Proxy",
                &["http://localhost:3334/oauth/callback"],
                ClientSecretPost,
            )
        },
        registration(
            "Copilot Studio",
            &["https://global.consent.azure-apim.net/redirect/cr1a2-5ftool-5f0123456789abcdef"],
            None,
        ),
    ]
}

#[test]
fn registrations_of_real_clients_come_back_and_stay_under_200_characters() {
    for registration in real_clients() {
        let client_id = sign(&registration, &keys(1)).unwrap();
        assert!(client_id.len() < 200, "{} {}", client_id.len(), client_id);
        assert_eq!(read(&client_id, &keys(1)), Ok(registration));
    }
}

#[test]
fn the_same_metadata_in_the_same_second_is_another_client_with_another_secret() {
    let registration = real_clients().remove(4);
    let clients = SignedClients::new(keys(1), DerivedSecrets::new(keys(2)));
    let [(one, secret), (other, _)] = [0; 2].map(|_| clients.register(&registration).unwrap());
    assert_ne!(one, other);
    let secret = secret.unwrap();
    assert!(clients.is_secret_of(&one, &secret));
    assert!(!clients.is_secret_of(&other, &secret));
}

#[test]
fn no_bit_can_be_changed_and_nothing_cut_off_or_added() {
    for registration in real_clients() {
        let client_id = sign(&registration, &keys(1)).unwrap();
        let signed = URL_SAFE_NO_PAD.decode(&client_id).unwrap();
        for bit in 0..signed.len() * 8 {
            let mut flipped = signed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&URL_SAFE_NO_PAD.encode(flipped), &keys(1)).is_err());
        }
        for end in 0..client_id.len() {
            assert!(read(&client_id[..end], &keys(1)).is_err());
            assert!(read(&client_id[end + 1..], &keys(1)).is_err());
        }
        for changed in [
            format!("{client_id}A"),
            format!("{client_id}="),
            format!("{client_id}\n"),
            format!(" {client_id}"),
            format!("{client_id}{client_id}"),
        ] {
            assert!(read(&changed, &keys(1)).is_err());
        }
    }
}

#[test]
fn a_client_id_has_one_spelling() {
    for registration in real_clients() {
        let client_id = sign(&registration, &keys(1)).unwrap();
        let (rest, last) = client_id.split_at(client_id.len() - 1);
        let others = ('!'..='~').filter(|c| !last.contains(*c));
        for other in others {
            assert!(read(&format!("{rest}{other}"), &keys(1)).is_err());
        }
    }
}

#[test]
fn a_client_id_of_another_key_is_unknown_by_its_name_and_a_previous_key_still_opens_it() {
    let registration = real_clients().remove(0);
    let client_id = sign(&registration, &keys(1)).unwrap();
    let name = keys(1).current().id();
    assert_eq!(read(&client_id, &keys(2)), Err(Unknown::OtherKey(name)));
    let rotated = Rotating::new(keys(2).current().clone(), [keys(1).current().clone()]);
    assert_eq!(read(&client_id, &rotated), Ok(registration));
    // Neither another server's id nor garbage is taken for one of another key.
    for other in [
        "",
        "web",
        "550e8400-e29b-41d4-a716-446655440000",
        &"0".repeat(64),
    ] {
        assert_eq!(read(other, &keys(2)), Err(Unknown::NotIssued), "{other}");
    }
}

/// Signs what is given as if it were a registration.
fn signed(body: &[u8]) -> Result<Registration, Unknown> {
    let mut signed = [body, &[0; NONCE_BYTES], &keys(1).current().id().0].concat();
    signed.extend(keys(1).tag(&signed).iter().take(TAG_BYTES));
    read(&URL_SAFE_NO_PAD.encode(signed), &keys(1))
}

/// A public client of `app:/cb`, issued at this time.
fn small(issued_at: &[u8]) -> Vec<u8> {
    [&[1, 0x40], issued_at, &[0, 7], b"app:/cb"].concat()
}

#[test]
fn what_is_no_registration_is_refused_although_the_tag_is_right() {
    let good = small(&[0]);
    assert_eq!(signed(&good).unwrap().redirect_uris[0].as_str(), "app:/cb");
    for (what, at, byte) in [
        ("an application type", 1, 0x4c),
        ("a name that is not there", 1, 0x50),
        ("a scope that is not there", 1, 0x60),
        ("more URIs than there are", 1, 0x80),
        ("no URI, and bytes after it", 1, 0),
        ("a prefix", 3, 200),
        ("a length beyond the end", 4, 8),
        ("a length before the end", 4, 6),
        ("a byte that is not UTF-8", 5, 0xff),
    ] {
        let mut body = good.clone();
        body[at] = byte;
        assert_eq!(signed(&body), Err(Unknown::Outdated), "{what}");
    }
    let trailing = [&good[..], &[0]].concat();
    let no_uri = [1, 0, 0, 0].to_vec();
    let counted_although_few = [&[1, 0, 0, 1, 0, 7][..], b"app:/cb"].concat();
    let script = [&[1, 0x40, 0, 0, 14][..], b"javascript://x"].concat();
    let scope = [&[1, 0x60, 0, 1, b'"', 0, 7][..], b"app:/cb"].concat();
    let endless = [&[1, 0, 0][..], &[0xff; 9], &[1]].concat();
    for body in [
        trailing,
        no_uri,
        counted_although_few,
        script,
        scope,
        endless,
        vec![1],
    ] {
        assert_eq!(signed(&body), Err(Unknown::Outdated), "{body:?}");
    }
    // Another version is not this format at all.
    for body in [&[][..], &[0], &[3], &[&[3], &good[1..]].concat()] {
        assert_eq!(signed(body), Err(Unknown::NotIssued), "{body:?}");
    }
}

#[test]
fn a_number_is_written_in_one_way_and_fits() {
    assert_eq!(signed(&small(&[7])).unwrap().issued_at, Unix::at(7));
    let largest = [&[0xff; 9][..], &[0x01]].concat();
    assert_eq!(signed(&small(&largest)).unwrap().issued_at, Unix::NEVER);
    let overflowing = [&[0x80; 9][..], &[0x02]].concat();
    for number in [&overflowing[..], &[0x87, 0x00], &[0x80, 0x80, 0x00]] {
        let refused = signed(&small(number));
        assert_eq!(refused, Err(Unknown::Outdated), "{number:?}");
    }
}

/// Clients keep their id for years. Each of these was issued once, and is read for ever.
#[test]
fn a_client_id_of_each_version_is_read_today() {
    let web = Registration {
        name: None,
        auth: AuthRule::AnySecret,
        application_type: Some(ApplicationType::Web),
        ..registration(
            "",
            &["https://app.example/cb", "app:/cb"],
            ClientAuthMethod::None,
        )
    };
    let clients = real_clients();
    for (client_id, registration) in [
        (
            "AdjAjfbXBgZDdXJzb3INAA4AAQ04Nzg3L2NhbGxiYWNrpMGgrlnHO2ws3Yd-6LaAic2S7aFY1z5-inuP1Q",
            &clients[1],
        ),
        (
            "ARjAjfbXBhJWaXN1YWwgU3R1ZGlvIENvZGUECwAKAAQAAwYzMzQxOC8jHpEmFiGSvyzdh376DzSDzYqNUUa8r5o1RA-s",
            &clients[2],
        ),
        (
            "AXrAjfbXBg1NQ1AgQ0xJIFByb3h5FG9wZW5pZCBlbWFpbCBwcm9maWxlARMzMzM0L29hdXRoL2NhbGxiYWNrqiqFhSCv_d4s3Yd-ko_m7p58stPL2k5jXO3PUA",
            &clients[4],
        ),
        (
            "AYfAjfbXBgYOYXBwLmV4YW1wbGUvY2IAB2FwcDovY2LdvN_iKHojCizdh34c31cOk7ctEd9Jbam5ZU6Q",
            &web,
        ),
    ] {
        assert_eq!(read(client_id, &keys(7)).as_ref(), Ok(registration));
    }
}

#[test]
fn what_does_not_fit_is_refused_on_both_ways() {
    let long = format!("https://h.example/{}", "a".repeat(900));
    let mut registration = registration("x", &[&long], ClientAuthMethod::None);
    assert!(sign(&registration, &keys(1)).is_ok());
    registration
        .redirect_uris
        .push(RedirectUri::parse(&format!("{long}/b")).unwrap());
    assert_eq!(
        sign(&registration, &keys(1)),
        Err(TooLarge::of(&registration))
    );
    // Nothing over the limit is read, even if it is signed right.
    let too_large = signed(&pack(&registration).unwrap());
    assert_eq!(too_large, Err(Unknown::NotIssued));
}

proptest! {
    #[test]
    fn every_registration_comes_back(
        uris in proptest::collection::vec(
            "(http://localhost(:[1-9][0-9]{0,3})?|https://[a-z]{1,9}\\.example|app:/)/[a-z/]{0,30}", 1..6),
        name in proptest::option::of(any::<String>()),
        scope in proptest::option::of("[a-z:/.]{1,20}( [a-z]{1,9}){0,5}"),
        issued_at in any::<u64>(),
        method in 0..4_usize,
        application in 0..3_usize,
    ) {
        let registration = Registration {
            redirect_uris: uris.iter().map(|u| RedirectUri::parse(u).unwrap()).collect(),
            name,
            auth: ClientAuthMethod::ALL[..3].get(method).map_or(AuthRule::AnySecret, |m| AuthRule::Exactly(*m)),
            keys: None,
            application_type: [None, Some(ApplicationType::Web), Some(ApplicationType::Native)][application],
            scope: scope.map(|s| ScopeSet::parse(&s).unwrap()),
            issued_at: Unix::at(issued_at),
        };
        match sign(&registration, &keys(1)) {
            Ok(client_id) => prop_assert_eq!(read(&client_id, &keys(1)), Ok(registration)),
            Err(TooLarge(_)) => prop_assert!(pack(&registration).unwrap().len() > 1_100),
        }
    }

    #[test]
    fn garbage_is_never_a_client(raw in any::<String>(), bytes in any::<Vec<u8>>()) {
        prop_assert!(read(&raw, &keys(1)).is_err());
        prop_assert!(read(&URL_SAFE_NO_PAD.encode(&bytes), &keys(1)).is_err());
        // The reader itself stands garbage, too.
        let _ = unpack(&bytes);
    }
}

fn with_keys(keys: ClientKeys) -> Registration {
    Registration {
        keys: Some(keys),
        ..registration(
            "Batch",
            &["http://localhost:3334/cb", "https://batch.example/cb"],
            ClientAuthMethod::PrivateKeyJwt,
        )
    }
}

fn inline() -> ClientKeys {
    let jwks = serde_json::json!({"keys": [{
        "kty": "OKP", "crv": "Ed25519", "kid": "2026",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }]});
    ClientKeys::read(Some(&jwks), None).unwrap()
}

#[test]
fn a_client_with_keys_comes_back_with_them_and_cannot_be_changed_either() {
    let at = ClientKeys::At("https://batch.example/jwks.json".to_owned());
    for registration in [with_keys(inline()), with_keys(at)] {
        let client_id = sign(&registration, &keys(1)).unwrap();
        assert!(client_id.len() < 250, "{}", client_id.len());
        assert_eq!(read(&client_id, &keys(1)), Ok(registration));
        let signed = URL_SAFE_NO_PAD.decode(&client_id).unwrap();
        assert_eq!(signed[0], KEYED);
        for bit in 0..signed.len() * 8 {
            let mut flipped = signed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&URL_SAFE_NO_PAD.encode(flipped), &keys(1)).is_err());
        }
    }
}

#[test]
fn a_method_and_keys_that_do_not_belong_together_are_not_signed() {
    let keyed = with_keys(inline());
    for auth in [
        AuthRule::AnySecret,
        AuthRule::Exactly(ClientAuthMethod::None),
        AuthRule::Exactly(ClientAuthMethod::ClientSecretPost),
    ] {
        let odd = Registration {
            auth,
            ..keyed.clone()
        };
        assert!(sign(&odd, &keys(1)).is_err(), "{auth:?}");
    }
    let without = Registration {
        keys: None,
        ..keyed
    };
    assert!(sign(&without, &keys(1)).is_err());
}

#[test]
fn what_is_no_registration_with_keys_is_refused_although_the_tag_is_right() {
    let url = [&[2, 0x41, 0, 0, 7][..], b"app:/cb", &[6, 9], b"a.example"].concat();
    let read = signed(&url).unwrap();
    let at = ClientKeys::At("https://a.example".to_owned());
    assert_eq!(read.keys, Some(at));
    assert_eq!(
        read.auth,
        AuthRule::Exactly(ClientAuthMethod::PrivateKeyJwt)
    );
    for (what, at, byte) in [
        ("a kind of keys", 1, 0x42),
        ("another kind of keys", 1, 0x43),
        ("keys that are none", 1, 0x40),
        ("version 1 with keys", 0, 1),
        ("a prefix", 12, 200),
        ("a length beyond the end", 13, 10),
        ("a length before the end", 13, 8),
    ] {
        let mut body = url.clone();
        body[at] = byte;
        assert_eq!(signed(&body), Err(Unknown::Outdated), "{what}");
    }
    let longer = [
        &[2, 0x41, 0, 0, 7][..],
        b"app:/cb",
        &[0, 17],
        b"https://a.example",
    ]
    .concat();
    assert_eq!(signed(&longer), Err(Unknown::Outdated));
    let no_keys = [&[2, 0x41, 0, 0, 7][..], b"app:/cb"].concat();
    assert_eq!(signed(&no_keys), Err(Unknown::Outdated));
}

/// As above, of the version with keys: one that was issued once, and what is inside of another.
#[test]
fn a_client_id_with_keys_is_read_today() {
    let issued = "ApjAjfbXBgVCYXRjaAEHMzMzNC9jYgYQYmF0Y2guZXhhbXBsZS9jYgEBBDIwMjYABCDXWpgBgrEKt9VL_tPJZAc6DuFy89qmIyWvAhpo9wdRGvFmv1NyqnRtLN2Hft-uowmR4vbWPZs1uykRxd0";
    assert_eq!(read(issued, &keys(7)), Ok(with_keys(inline())));
    let x = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let key = [&[1, 1, 4][..], b"2026", &[0, 4, 32], &x.unwrap()].concat();
    let body = [&[2, 0x40, 0, 0, 7][..], b"app:/cb", &key].concat();
    let read = signed(&body).unwrap();
    assert_eq!(read.keys, Some(inline()));
    assert_eq!(pack(&read), Some(body));
}
