//! How long a document is good, by what its source says (RFC 9111), within our own bounds.

use std::time::Duration;

use crate::limits::{DOCUMENT_LIFE_ASSUMED, DOCUMENT_LIFE_LEAST, DOCUMENT_LIFE_MOST};

/// What the headers of an answer say about its life.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said<'a> {
    /// `Cache-Control`, several lines joined with commas.
    pub(super) cache_control: Option<&'a str>,
    pub(super) expires: Option<&'a str>,
    pub(super) date: Option<&'a str>,
    pub(super) age: Option<&'a str>,
}

/// How long the document is used without asking again. The source's word counts within bounds: one that
/// says `no-store` would be asked with each request, and one that says a year could never withdraw a key.
pub(super) fn shelf_life(said: &Said<'_>) -> Duration {
    let life = said_life(said).map(|life| life.saturating_sub(age(said)));
    life.unwrap_or(DOCUMENT_LIFE_ASSUMED)
        .clamp(DOCUMENT_LIFE_LEAST, DOCUMENT_LIFE_MOST)
}

fn said_life(said: &Said<'_>) -> Option<Duration> {
    let mut max_age = None;
    for directive in said.cache_control.unwrap_or_default().split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return Some(Duration::ZERO),
            // RFC 9111 section 4.2.1: of several "either the first occurrence should be used or the
            // response should be considered stale".
            "max-age" if max_age.is_none() => {
                // One that is no number: section 4.2.1, "Caches are encouraged to consider responses
                // that have invalid freshness information [...] to be stale."
                max_age = Some(seconds(value).unwrap_or(Duration::ZERO));
            }
            _ => {}
        }
    }
    // Section 5.3: "If a response includes a Cache-Control header field with the max-age directive
    // (Section 5.2.2.1), a recipient MUST ignore the Expires header field."
    max_age.or_else(|| expires(said))
}

/// RFC 9111 section 5.3: "A cache recipient MUST interpret invalid date formats, especially the value
/// "0", as representing a time in the past (i.e., "already expired")."
fn expires(said: &Said<'_>) -> Option<Duration> {
    let expires = imf_fixdate(said.expires?).unwrap_or(0);
    let date = said.date.and_then(imf_fixdate);
    // Without the source's own clock, its two instants cannot be compared.
    let life = date.map_or(0, |date| expires.saturating_sub(date));
    Some(Duration::from_secs(life))
}

/// How long a cache on the way has had it.
fn age(said: &Said<'_>) -> Duration {
    said.age.and_then(seconds).unwrap_or_default()
}

/// A number of seconds, quoted or not. One that is too large is as good as endless (RFC 9111 section
/// 1.2.2).
fn seconds(text: &str) -> Option<Duration> {
    let digits = text.trim().trim_matches('"');
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_secs(digits.parse().unwrap_or(u64::from(u32::MAX))))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` in seconds since 1970: the one form that is still sent (RFC 9110
/// section 5.6.7). The two obsolete ones count as past, so the document is asked for again.
pub(crate) fn imf_fixdate(text: &str) -> Option<u64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let (_, rest) = text.trim().split_once(", ")?;
    let mut parts = rest.split([' ', ':']);
    let mut number = |length: usize| {
        let part = parts.next()?;
        let is_number = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse::<u64>().ok()).flatten()
    };
    let day = number(2)?;
    let month = rest.get(3..6)?;
    let month = MONTHS.find(month).filter(|at| at % 3 == 0)? as u64 / 3 + 1;
    // The month itself is no number.
    let _ = number(2);
    let (year, hour, minute, second) = (number(4)?, number(2)?, number(2)?, number(2)?);
    if parts.next() != Some("GMT") || parts.next().is_some() {
        return None;
    }
    let is_time = (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    if !is_time || year < 1970 {
        return None;
    }
    // Days since 1970-03-01 of a calendar whose year begins in March: leap days come last.
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    // Those of 1970-01-01 by the same count.
    let days = days.checked_sub(719_468)?;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: &str = "Fri, 15 Jan 2027 08:00:00 GMT";
    const IN_20_MINUTES: &str = "Fri, 15 Jan 2027 08:20:00 GMT";

    fn controlled(cache_control: &str) -> Duration {
        shelf_life(&Said {
            cache_control: Some(cache_control),
            ..Said::default()
        })
    }

    #[test]
    fn max_age_counts_within_bounds() {
        for (said, secs) in [
            ("max-age=600", 600),
            ("public, MAX-AGE=601, must-revalidate", 601),
            ("max-age=\"602\"", 602),
            (" max-age = 603 ", 603),
            ("max-age=1200, max-age=700", 1200),
            ("max-age=61", 61),
            ("max-age=60", 60),
            ("max-age=59", 60),
            ("max-age=0", 60),
            ("max-age=3600", 3600),
            ("max-age=3601", 3600),
            ("max-age=99999999999999999999999", 3600),
            // What is no number is no life.
            ("max-age=-1", 60),
            ("max-age=1e9", 60),
            ("max-age=", 60),
            ("max-age", 60),
            // The most restrictive counts.
            ("max-age=1200, no-cache", 60),
            ("no-store, max-age=1200", 60),
            ("No-Store", 60),
            // Not said.
            ("", 600),
            ("public", 600),
            ("s-maxage=1200", 600),
            ("x-max-age=1200", 600),
        ] {
            assert_eq!(controlled(said), Duration::from_secs(secs), "{said}");
        }
        assert_eq!(shelf_life(&Said::default()), DOCUMENT_LIFE_ASSUMED);
    }

    #[test]
    fn expires_counts_by_the_clock_of_the_source_and_only_without_max_age() {
        let said = |cache_control, expires, date| {
            shelf_life(&Said {
                cache_control,
                expires: Some(expires),
                date,
                age: None,
            })
            .as_secs()
        };
        assert_eq!(said(None, IN_20_MINUTES, Some(NOW)), 1200);
        assert_eq!(said(Some("public"), IN_20_MINUTES, Some(NOW)), 1200);
        assert_eq!(said(Some("max-age=700"), IN_20_MINUTES, Some(NOW)), 700);
        assert_eq!(said(Some("max-age=x"), IN_20_MINUTES, Some(NOW)), 60);
        for past in ["0", "-1", "", "soon", NOW, "Friday, 15-Jan-27 09:00:00 GMT"] {
            assert_eq!(said(None, past, Some(NOW)), 60, "{past}");
        }
        assert_eq!(said(None, IN_20_MINUTES, None), 60);
        assert_eq!(said(None, IN_20_MINUTES, Some("now")), 60);
    }

    #[test]
    fn the_time_in_a_cache_on_the_way_is_taken_off() {
        let aged = |age| {
            shelf_life(&Said {
                cache_control: Some("max-age=1000"),
                age: Some(age),
                ..Said::default()
            })
            .as_secs()
        };
        assert_eq!(aged("300"), 700);
        assert_eq!(aged("2000"), 60);
        assert_eq!(aged("99999999999999999999"), 60);
        assert_eq!(aged("young"), 1000);
    }

    #[test]
    fn a_date_is_read_to_the_second() {
        for (text, secs) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
            ("Fri, 15 Jan 2027 08:00:00 GMT", 1_800_000_000),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ] {
            assert_eq!(imf_fixdate(text), Some(secs), "{text}");
        }
        for text in [
            "",
            "0",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 GMT GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 anF 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 01994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Wed, 31 Dec 1969 23:59:59 GMT",
            "Sun, 06 Növ 1994 08:49:37 GMT",
        ] {
            assert_eq!(imf_fixdate(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_said_leaves_the_bounds(
            cache_control in proptest::option::of("[ -~]{0,40}"),
            expires in proptest::option::of("\\PC{0,40}"),
            age in proptest::option::of("[0-9]{0,30}"),
        ) {
            let life = shelf_life(&Said {
                cache_control: cache_control.as_deref(),
                expires: expires.as_deref(),
                date: Some(NOW),
                age: age.as_deref(),
            });
            prop_assert!((DOCUMENT_LIFE_LEAST..=DOCUMENT_LIFE_MOST).contains(&life));
        }
    }
}
