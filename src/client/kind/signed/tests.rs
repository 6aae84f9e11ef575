use proptest::prelude::*;

use super::*;
use crate::SecretKey;

fn opened(client_id: &str, keys: &Rotating<MacKey>) -> Option<Registration> {
    open(client_id, keys).ok()
}

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
        application_type: Some(ApplicationType::Native),
        scope: None,
        issued_at: 1_795_000_000,
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
        let client_id = seal(&registration, &keys(1)).unwrap();
        assert!(client_id.len() < 200, "{} {}", client_id.len(), client_id);
        assert_eq!(opened(&client_id, &keys(1)), Some(registration));
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
        let client_id = seal(&registration, &keys(1)).unwrap();
        let sealed = URL_SAFE_NO_PAD.decode(&client_id).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(opened(&URL_SAFE_NO_PAD.encode(flipped), &keys(1)), None);
        }
        for end in 0..client_id.len() {
            assert_eq!(opened(&client_id[..end], &keys(1)), None);
            assert_eq!(opened(&client_id[end + 1..], &keys(1)), None);
        }
        for changed in [
            format!("{client_id}A"),
            format!("{client_id}="),
            format!("{client_id}\n"),
            format!(" {client_id}"),
            format!("{client_id}{client_id}"),
        ] {
            assert_eq!(opened(&changed, &keys(1)), None);
        }
    }
}

#[test]
fn a_client_id_has_one_spelling() {
    for registration in real_clients() {
        let client_id = seal(&registration, &keys(1)).unwrap();
        let (rest, last) = client_id.split_at(client_id.len() - 1);
        let others = ('!'..='~').filter(|c| !last.contains(*c));
        for other in others {
            assert_eq!(opened(&format!("{rest}{other}"), &keys(1)), None);
        }
    }
}

#[test]
fn a_client_id_of_another_key_is_unknown_and_a_previous_key_still_opens() {
    let registration = real_clients().remove(0);
    let client_id = seal(&registration, &keys(1)).unwrap();
    assert_eq!(opened(&client_id, &keys(2)), None);
    let rotated = Rotating::new(keys(2).current().clone(), [keys(1).current().clone()]);
    assert_eq!(opened(&client_id, &rotated), Some(registration));
}

#[test]
fn another_version_unknown_flags_and_odd_bodies_are_refused_even_when_the_tag_is_right() {
    let good = encode(&real_clients()[1]);
    let signed = |body: &[u8]| {
        let mut sealed = [body, &[0; NONCE_BYTES], &keys(1).current().id().0].concat();
        sealed.extend(keys(1).tag(&sealed).iter().take(TAG_BYTES));
        opened(&URL_SAFE_NO_PAD.encode(sealed), &keys(1))
    };
    assert!(signed(&good).is_some());
    for (at, byte) in [(0, 0), (0, 2), (1, good[1] | 12), (1, 64), (1, 128)] {
        let mut body = good.clone();
        body[at] = byte;
        assert_eq!(signed(&body), None, "byte {at} as {byte}");
    }
    let too_long = [
        1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
    ];
    // 2^64 as the time of issue, before a URI that is right.
    let number = [&[0x80; 9][..], &[0x02]].concat();
    let overflowing = [&[1, 0][..], &number, &[0, 7], b"app:/cb"].concat();
    let largest = [&[0xff; 9][..], &[0x01]].concat();
    let fitting = [&[1, 0][..], &largest, &[0, 7], b"app:/cb"].concat();
    assert_eq!(signed(&fitting).unwrap().issued_at, u64::MAX);
    let no_uri = [1, 0, 0];
    let unknown_prefix = [1, 0, 0, 200, 1, b'x'];
    let script = [&[1, 0, 0, 0, 14][..], b"javascript://x"].concat();
    for body in [
        &too_long[..],
        &overflowing,
        &no_uri,
        &unknown_prefix,
        &script,
        &[1],
        &[],
    ] {
        assert_eq!(signed(body), None, "{body:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused_on_both_ways() {
    let long = format!("https://h.example/{}", "a".repeat(900));
    let mut registration = registration("x", &[&long], ClientAuthMethod::None);
    assert!(seal(&registration, &keys(1)).is_ok());
    registration
        .redirect_uris
        .push(RedirectUri::parse(&format!("{long}/b")).unwrap());
    assert_eq!(seal(&registration, &keys(1)), Err(TooLarge));
    // Nothing over the limit is read, even were it sealed right.
    let mut sealed = [encode(&registration), vec![0; NONCE_BYTES]].concat();
    sealed.extend(keys(1).tag(&sealed).iter().take(TAG_BYTES));
    assert_eq!(opened(&URL_SAFE_NO_PAD.encode(sealed), &keys(1)), None);
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
            auth: ClientAuthMethod::ALL.get(method).map_or(AuthRule::AnySecret, |m| AuthRule::Exactly(*m)),
            application_type: [None, Some(ApplicationType::Web), Some(ApplicationType::Native)][application],
            scope: scope.map(|s| ScopeSet::parse(&s).unwrap()),
            issued_at,
        };
        match seal(&registration, &keys(1)) {
            Ok(client_id) => prop_assert_eq!(opened(&client_id, &keys(1)), Some(registration)),
            Err(TooLarge) => prop_assert!(encode(&registration).len() > 1_100),
        }
    }

    #[test]
    fn garbage_is_never_a_client(raw in any::<String>(), bytes in any::<Vec<u8>>()) {
        prop_assert_eq!(opened(&raw, &keys(1)), None);
        prop_assert_eq!(opened(&URL_SAFE_NO_PAD.encode(&bytes), &keys(1)), None);
        // The reader itself stands garbage, too.
        let _ = decode(&bytes);
    }
}
