use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Map, Value, json};

use super::*;
use crate::{grant::record_read::UnreadableRecord, oauth::BaseUrl};

/// Of RFC 7636 appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A record of version 1 in each phase, as some store holds them. **Never change these**: another
/// version adds its own, and still reads them.
const SAMPLES: [&str; 3] = [
    concat!(
        "AQZnaXRodWIGY2xpZW50A2FkYQpyZWFkIHdyaXRlFWh0dHBzOi8vcC5leGFtcGxlL21jcAAAAARoYXNo",
        "BRNodHRwOi8vbG9jYWxob3N0L2NiK0U5TWVsaG9hMk93dkZyRU1USmd1Q0hhb2VLMXQ4VVJXYnVHSlNz",
        "dHctY00BCQoGCAAAAAACYXQAAA",
    ),
    concat!(
        "AQZnaXRodWIGY2xpZW50A2FkYQpyZWFkIHdyaXRlFWh0dHBzOi8vcC5leGFtcGxlL21jcAIFYWRtaW4D",
        "b3BzGXsiYWdlIjo3LCJuYW1lIjoiQWRhIMOpIn0BrAIEAQRoYXNoBRNodHRwOi8vbG9jYWxob3N0L2Ni",
        "K0U5TWVsaG9hMk93dkZyRU1USmd1Q0hhb2VLMXQ4VVJXYnVHSlNzdHctY00ACQoGCAGApKfaBgHEo6fa",
        "BgELAQyCAWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh",
        "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh",
        "YWFhYWFhYWFhYWFhYWFhYWEBAml0AQJydA",
    ),
    concat!(
        "AQZnaXRodWIGY2xpZW50A2FkYQpyZWFkIHdyaXRlFWh0dHBzOi8vcC5leGFtcGxlL21jcAIFYWRtaW4D",
        "b3BzGXsiYWdlIjo3LCJuYW1lIjoiQWRhIMOpIn0CBGhhc2gFE2h0dHA6Ly9sb2NhbGhvc3QvY2IrRTlN",
        "ZWxob2EyT3d2RnJFTVRKZ3VDSGFvZUsxdDhVUldidUdKU3N0dy1jTQAJCgYIAYCkp9oGAcSjp9oGAQsB",
        "DIIBYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh",
        "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh",
        "YWFhYWFhYWFhYWFhYQECaXQBAnJ0",
    ),
];

/// What the samples were made of.
fn samples() -> [Grant; 3] {
    [
        // Everything that can be absent is.
        Grant {
            claims: CarriedClaims::default(),
            roles: Vec::new(),
            upstream: UpstreamGrant {
                access_token: "at".into(),
                refresh_token: None,
                id_token: None,
                expires_at: None,
                renew_at: None,
                renewed_at: None,
                refused_since: None,
            },
            phase: Phase::Pending(mark("plain")),
            ..grant()
        },
        grant(),
        Grant {
            phase: Phase::Spent(mark("S256")),
            ..grant()
        },
    ]
}

fn grant() -> Grant {
    let base = BaseUrl::parse("https://p.example").unwrap();
    let claims = json!({"name": "Ada é", "age": 7});
    Grant {
        provider: "github".into(),
        client_id: "client".into(),
        subject: "ada".into(),
        scopes: ScopeSet::parse("read write").unwrap(),
        resource: Resource::at(&base, "/mcp").unwrap(),
        claims: claims.as_object().unwrap().clone().into(),
        roles: vec!["admin".into(), "ops".into()],
        upstream: UpstreamGrant {
            access_token: "a".repeat(130).into(),
            refresh_token: Some("rt".into()),
            id_token: Some("it".into()),
            expires_at: Some(Unix::at(1_800_000_000)),
            renew_at: Some(Unix::at(1_799_999_940)),
            renewed_at: Some(Unix::at(11)),
            refused_since: Some(Unix::at(12)),
        },
        phase: Phase::Active {
            generation: 300,
            rotated_at: Unix::at(4),
            code: Some(mark("S256")),
        },
        created_at: Unix::at(9),
        proven_at: Unix::at(10),
        listed_until: Unix::at(6),
        step: 8,
        seen_client: None,
    }
}

fn mark(method: &str) -> CodeMark {
    CodeMark {
        hash: "hash".into(),
        expires_at: Unix::at(5),
        redirect_uri: "http://localhost/cb".into(),
        challenge: CodeChallenge::parse(CHALLENGE, Some(method), true).unwrap(),
    }
}

#[test]
fn a_record_that_version_1_wrote_is_read_and_written_the_same() {
    for (sample, grant) in SAMPLES.iter().zip(samples()) {
        assert_eq!(STANDARD_NO_PAD.encode(grant.encode()), *sample);
        let read = Grant::decode(STANDARD_NO_PAD.decode(sample).unwrap());
        assert_eq!(read, Ok(grant));
    }
}

/// **Never change these** either: a person's and a workload's.
const SAMPLES_ASSERTED: [&str; 2] = [
    concat!(
        "AwZnaXRodWIGY2xpZW50A2FkYQpyZWFkIHdyaXRlFWh0dHBzOi8vcC5leGFtcGxlL21jcAIFYWRtaW4Db3Bz",
        "GXsiYWdlIjo3LCJuYW1lIjoiQWRhIMOpIn0DBGFjbWUACQoGCAGApKfaBgAAAAAAAA",
    ),
    concat!(
        "AwZnaXRodWIGY2xpZW50A2FkYQpyZWFkIHdyaXRlFWh0dHBzOi8vcC5leGFtcGxlL21jcAIFYWRtaW4Db3Bz",
        "GXsiYWdlIjo3LCJuYW1lIjoiQWRhIMOpIn0DBGFjbWUBCQoGCAGApKfaBgAAAAAAAA",
    ),
];

#[test]
fn a_record_of_an_assertion_that_version_3_wrote_is_read_and_written_the_same() {
    for (sample, about) in SAMPLES_ASSERTED
        .iter()
        .zip([About::Person, About::Workload])
    {
        let grant = Grant {
            phase: Phase::Asserted {
                issuer: "acme".into(),
                about,
            },
            upstream: UpstreamGrant::none(Unix::at(1_800_000_000)),
            ..grant()
        };
        assert_eq!(STANDARD_NO_PAD.encode(grant.encode()), *sample);
        let read = Grant::decode(STANDARD_NO_PAD.decode(sample).unwrap());
        assert_eq!(read, Ok(grant));
    }
}

/// A record of version 2, the shortest of the samples with a client. **Never change this.**
const SAMPLE_WITH_CLIENT: &str = concat!(
    "AgZnaXRodWIGY2xpZW50A2FkYQpyZWFkIHdyaXRlFWh0dHBzOi8vcC5leGFtcGxlL21jcAAAAARoYXNoBRNo",
    "dHRwOi8vbG9jYWxob3N0L2NiK0U5TWVsaG9hMk93dkZyRU1USmd1Q0hhb2VLMXQ4VVJXYnVHSlNzdHctY00B",
    "CQoGCAAAAAACYXQAAARzZWVu",
);

fn with_client() -> Grant {
    let [pending, ..] = samples();
    Grant {
        seen_client: Some(Bytes::from_static(b"seen")),
        ..pending
    }
}

#[test]
fn a_record_that_version_2_wrote_is_read_and_written_the_same() {
    assert_eq!(
        STANDARD_NO_PAD.encode(with_client().encode()),
        SAMPLE_WITH_CLIENT
    );
    let read = Grant::decode(STANDARD_NO_PAD.decode(SAMPLE_WITH_CLIENT).unwrap());
    assert_eq!(read, Ok(with_client()));
}

#[test]
fn a_record_of_another_version_or_with_bytes_behind_it_is_unreadable() {
    let record = grant().encode();
    let refusal = |bytes: &[u8]| Grant::decode(bytes.to_vec()).map(|_| ()).unwrap_err();
    assert_eq!(refusal(&[]), UnreadableRecord::Malformed);
    let later = VERSION_ASSERTED + 1;
    let other = [&[later], &record[1..]].concat();
    assert_eq!(refusal(&other), UnreadableRecord::Version(later));
    let longer = [&record[..], &[0]].concat();
    assert_eq!(refusal(&longer), UnreadableRecord::Malformed);
    // Each version is all that it is, and nothing more.
    let without = [&[VERSION_WITH_CLIENT], &record[1..]].concat();
    assert_eq!(refusal(&without), UnreadableRecord::Malformed);
    let with = with_client().encode();
    let longer = [&with[..], &[0]].concat();
    assert_eq!(refusal(&longer), UnreadableRecord::Malformed);
    let as_first = [&[VERSION], &with[1..]].concat();
    assert_eq!(refusal(&as_first), UnreadableRecord::Malformed);
    // As it was written before there were versions.
    assert_eq!(refusal(b"{}"), UnreadableRecord::Version(b'{'));
}

#[test]
fn a_length_beyond_the_record_allocates_no_more_than_the_record_is_long() {
    const BOMB: [u8; 10] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    let record = grant().encode();
    for at in 1..record.len() {
        let bomb = [&record[..at], &BOMB, &record[at..]].concat();
        let given = bomb.clone();
        let taken = allocation_counter::measure(|| drop(Grant::decode(given)));
        // Roles are a list of texts of one byte or more, each of which takes a `String`.
        let limit = bomb.len() * size_of::<String>();
        assert!(
            taken.bytes_max <= limit as u64,
            "{at}: {} bytes",
            taken.bytes_max
        );
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,8}", "[!-~]{120,140}", any::<String>()]
}

fn any_mark() -> impl Strategy<Value = CodeMark> {
    (text(), any::<u64>(), text(), any::<bool>()).prop_map(|(hash, expires_at, uri, is_plain)| {
        let method = if is_plain { "plain" } else { "S256" };
        CodeMark {
            hash: hash.into(),
            expires_at: Unix::at(expires_at),
            redirect_uri: uri.into(),
            ..mark(method)
        }
    })
}

fn any_phase() -> impl Strategy<Value = Phase> {
    let active = (any::<u32>(), any::<u64>(), option::of(any_mark()));
    prop_oneof![
        any_mark().prop_map(Phase::Pending),
        any_mark().prop_map(Phase::Spent),
        active.prop_map(|(generation, rotated_at, code)| Phase::Active {
            generation,
            rotated_at: Unix::at(rotated_at),
            code
        }),
    ]
}

fn any_upstream() -> impl Strategy<Value = UpstreamGrant> {
    let tokens = (text(), option::of(text()), option::of(text()));
    let times = any::<[Option<u64>; 4]>().prop_map(|times| times.map(|time| time.map(Unix::at)));
    (tokens, times).prop_map(
        |((access_token, refresh_token, id_token), times)| UpstreamGrant {
            access_token: access_token.into(),
            refresh_token: refresh_token.map(SharedText::from),
            id_token: id_token.map(SharedText::from),
            expires_at: times[0],
            renew_at: times[1],
            renewed_at: times[2],
            refused_since: times[3],
        },
    )
}

fn any_grant() -> impl Strategy<Value = Grant> {
    let names = (text(), text(), text(), "([a-z:]{1,9} ?){0,4}");
    let lists = (vec((text(), text()), 0..4), vec(text(), 0..4));
    let seen = option::of(vec(any::<u8>(), 0..200));
    let rest = (any_upstream(), any_phase(), any::<[u64; 4]>(), seen);
    (names, lists, rest).prop_map(
        |(names, (claims, roles), (upstream, phase, numbers, seen))| {
            let claims = claims.into_iter().map(|(name, value)| (name, value.into()));
            let claims: Map<String, Value> = claims.collect();
            Grant {
                provider: names.0,
                client_id: names.1,
                subject: names.2,
                scopes: ScopeSet::parse(&names.3).unwrap(),
                claims: claims.into(),
                roles,
                upstream,
                phase,
                created_at: Unix::at(numbers[0]),
                proven_at: Unix::at(numbers[1]),
                listed_until: Unix::at(numbers[2]),
                step: numbers[3],
                seen_client: seen.map(Bytes::from),
                ..grant()
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(grant in any_grant()) {
        let record = grant.encode();
        let read = Grant::decode(record.clone()).unwrap();
        prop_assert_eq!(&read, &grant);
        prop_assert_eq!(read.encode(), record);
    }

    #[test]
    fn a_cut_record_is_unreadable(grant in any_grant(), at in any::<prop::sample::Index>()) {
        let record = grant.encode();
        prop_assert!(Grant::decode(record[..at.index(record.len())].to_vec()).is_err());
    }

    #[test]
    fn a_changed_byte_is_refused_or_read_as_something_that_can_be_written(
        grant in any_grant(),
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        let mut record = grant.encode();
        *at.get_mut(&mut record) = to;
        if let Ok(read) = Grant::decode(record.clone()) {
            prop_assert!(Grant::decode(read.encode()).is_ok());
        }
    }

    #[test]
    fn any_bytes_are_refused_or_read(bytes in vec(any::<u8>(), 0..600)) {
        let _ = Grant::decode(bytes);
    }
}
