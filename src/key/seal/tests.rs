use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

use super::*;
use crate::key::{SecretKey, tests::key};

fn keys() -> Rotating<SealKey> {
    Rotating::new(key().seal("storage"), [])
}

#[test]
fn a_sealed_value_opens_only_in_its_context_and_whole() {
    let keys = keys();
    let sealed = keys.seal(b"grant:1", b"plain");
    assert_eq!(sealed.len(), b"plain".len() + SEALING_BYTES);
    assert_eq!(keys.open(b"grant:1", sealed.clone()), Ok(b"plain".to_vec()));
    assert_eq!(keys.open(b"grant:2", sealed.clone()), Err(Shut::Damaged));
    for end in 0..sealed.len() {
        let cut = sealed[..end].to_vec();
        assert_eq!(keys.open(b"grant:1", cut), Err(Shut::Damaged), "{end}");
    }
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let shut = keys.open(b"grant:1", flipped).unwrap_err();
        let in_name = (8..40).contains(&bit);
        assert_eq!(matches!(shut, Shut::OtherKey(_)), in_name, "{bit}");
    }
    let nothing = keys.seal(b"", b"");
    assert_eq!(keys.open(b"", nothing), Ok(Vec::new()));
}

/// What the key `storage` of [`key`] sealed in the context `grant:1`, as some store holds it. **Never
/// change these**: another version adds its own, and still opens them.
const SAMPLES: [(&str, &[u8]); 2] = [
    (
        "ASzdh35mTaj8R1JOAqLv/ddQfMENydDNGDcteT0b92+bkVelHfbVUu0vUG2f",
        b"",
    ),
    (
        "ASzdh36ZcjydjwSMammbczbeKlC6ZFYTVEkzhCLtCzu8JfNnukNiNWtbNk+YAh14r1o",
        b"plain",
    ),
];

#[test]
fn what_version_1_sealed_still_opens() {
    for (sealed, plain) in SAMPLES {
        let sealed = STANDARD_NO_PAD.decode(sealed).unwrap();
        assert_eq!(keys().open(b"grant:1", sealed.clone()), Ok(plain.to_vec()));
        assert_eq!(keys().open(b"grant:2", sealed), Err(Shut::Damaged));
    }
}

#[test]
fn two_sealings_of_one_value_share_neither_nonce_nor_text() {
    let sealed = [(); 2].map(|()| keys().seal(b"", &[0; 64]));
    let [one, two] = &sealed;
    assert_eq!(one[..HEAD_BYTES], two[..HEAD_BYTES]);
    // Both halves of the nonce: the one that chooses the key, and the one under it.
    assert_ne!(one[5..17], two[5..17]);
    assert_ne!(one[17..29], two[17..29]);
    assert_ne!(one[29..93], two[29..93]);
}

#[test]
fn what_a_key_that_is_not_known_sealed_says_its_name() {
    let other = SecretKey::for_test(8);
    let sealed = Rotating::new(other.seal("storage"), []).seal(b"", b"m");
    assert_eq!(keys().open(b"", sealed), Err(Shut::OtherKey(other.id())));
}

/// Names are four bytes, so two keys can share one: each is tried.
#[test]
fn of_two_keys_with_one_name_either_opens() {
    let name = KeyId(*b"same");
    let key = |byte| SealKey::new(name, &[byte; 32]);
    let old = Rotating::new(key(1), []).seal(b"", b"m");
    let keys = Rotating::new(key(2), [key(1)]);
    assert_eq!(keys.open(b"", old), Ok(b"m".to_vec()));
    let new = keys.seal(b"", b"m");
    assert_eq!(keys.open(b"", new), Ok(b"m".to_vec()));
    let strange = Rotating::new(key(3), []).seal(b"", b"m");
    assert_eq!(keys.open(b"", strange), Err(Shut::Damaged));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sealed_by(key: &[u8; 32], nonce: &[u8; 24], context: &[u8], plain: &[u8]) -> Vec<u8> {
    let key = SealKey::new(KeyId([0; 4]), key);
    let mut text = plain.to_vec();
    let tag = key.encrypt(nonce, context, &mut text);
    let sealed = [&text[..], &tag].concat();
    let opened = key.decrypt(nonce, context, sealed.clone(), 0..);
    assert_eq!(opened.as_deref(), Some(plain));
    sealed
}

/// The vectors of <https://c2sp.org/XAES-256-GCM>; between them, both ways of the doubling.
#[test]
fn the_published_vectors_hold() {
    for (byte, context, k1, expected) in [
        (
            1,
            "",
            "e531954aca063d5b8d9c47a47d4cc6f0",
            "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271",
        ),
        (
            3,
            "c2sp.org/XAES-256-GCM",
            "23810ec50edb99f374409466ed1f4b7b",
            "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
        ),
    ] {
        let key = [byte; 32];
        assert_eq!(hex(&*SealKey::new(KeyId([0; 4]), &key).k1), k1);
        let nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX";
        let sealed = sealed_by(&key, nonce, context.as_bytes(), b"XAES-256-GCM");
        assert_eq!(hex(&sealed), expected);
    }
}

/// The same document's accumulated test: 10,000 random inputs, one hash.
#[test]
fn ten_thousand_random_messages_hash_to_the_published_value() {
    let mut stream = Shake128::of(b"");
    assert_eq!(
        hex(&Shake128::of(b"").take(16)),
        "7f9c2ba4e88f827d616045507605853e"
    );
    let mut hash = Shake128::default();
    for _ in 0..10_000 {
        let key = stream.take(32).try_into().unwrap();
        let nonce = stream.take(24).try_into().unwrap();
        let [length] = stream.take(1)[..] else {
            unreachable!()
        };
        let plain = stream.take(length.into());
        let [length] = stream.take(1)[..] else {
            unreachable!()
        };
        let context = stream.take(length.into());
        hash.put(&sealed_by(&key, &nonce, &context, &plain));
    }
    hash.pad();
    assert_eq!(
        hex(&hash.take(32)),
        "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"
    );
}

/// SHAKE-128 (FIPS 202), for the test above alone.
#[derive(Default)]
struct Shake128 {
    state: [u64; 25],
    at: usize,
}

impl Shake128 {
    const RATE: usize = 168;

    fn of(message: &[u8]) -> Self {
        let mut shake = Self::default();
        shake.put(message);
        shake.pad();
        shake
    }

    fn xor(&mut self, at: usize, byte: u8) {
        self.state[at / 8] ^= u64::from(byte) << (8 * (at % 8));
    }

    fn put(&mut self, message: &[u8]) {
        for byte in message {
            self.xor(self.at, *byte);
            self.at += 1;
            if self.at == Self::RATE {
                self.permute();
            }
        }
    }

    fn pad(&mut self) {
        self.xor(self.at, 0x1f);
        self.xor(Self::RATE - 1, 0x80);
        self.permute();
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let mut next = || {
            if self.at == Self::RATE {
                self.permute();
            }
            let byte = self.state[self.at / 8].to_le_bytes()[self.at % 8];
            self.at += 1;
            byte
        };
        (0..length).map(|_| next()).collect()
    }

    /// Keccak-f[1600].
    fn permute(&mut self) {
        let state = &mut self.state;
        let mut feedback = 1_u8;
        for _ in 0..24 {
            let sums: [u64; 5] =
                std::array::from_fn(|x| (0..5).fold(0, |sum, y| sum ^ state[x + 5 * y]));
            for (at, lane) in state.iter_mut().enumerate() {
                *lane ^= sums[(at + 4) % 5] ^ sums[(at + 1) % 5].rotate_left(1);
            }
            let (mut x, mut y, mut lane) = (1, 0, state[1]);
            for step in 1..=24_u32 {
                (x, y) = (y, (2 * x + 3 * y) % 5);
                let turned = lane.rotate_left((step * (step + 1) / 2) % 64);
                lane = mem::replace(&mut state[x + 5 * y], turned);
            }
            for row in state.as_chunks_mut::<5>().0 {
                let old = *row;
                for x in 0..5 {
                    row[x] = old[x] ^ (!old[(x + 1) % 5] & old[(x + 2) % 5]);
                }
            }
            for bit in 0..7 {
                state[0] ^= u64::from(feedback & 1) << ((1 << bit) - 1);
                feedback = (feedback << 1) ^ (0x71 * (feedback >> 7));
            }
        }
        self.at = 0;
    }
}
