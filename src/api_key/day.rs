//! A day or an instant as people write it (RFC 3339).

use crate::time::Unix;

/// `2027-06-30`, which is midnight UTC, or `2027-06-30T12:00:00Z`; `None` for any other text, and before 1970.
pub(super) fn instant(text: &str) -> Option<Unix> {
    let (day, time) = match text.split_once('T') {
        Some((day, time)) => (day, Some(time.strip_suffix('Z')?)),
        None => (text, None),
    };
    let [year, month, day] = numbers(day, '-', [4, 2, 2])?;
    let [hours, minutes, seconds] = match time {
        Some(time) => numbers(time, ':', [2, 2, 2])?,
        None => [0; 3],
    };
    if year < 1970 || hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let days = days_since_1970(year, month, day)?;
    Some(Unix::at(
        ((days * 24 + hours) * 60 + minutes) * 60 + seconds,
    ))
}

/// Three numbers of so many digits.
fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut number = |digits| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse().ok())?
    };
    let [first, second, third] = digits;
    let numbers = [number(first)?, number(second)?, number(third)?];
    parts.next().is_none().then_some(numbers)
}

fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let february = if is_leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month.checked_sub(1)?).ok()?;
    if !(1..=*months.get(before)?).contains(&day) {
        return None;
    }
    let leap_years = |year: u64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leap_years(year - 1) - leap_years(1969);
    Some(years + months.iter().take(before).sum::<u64>() + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants_are_read_as_calendars_have_them() {
        for (text, secs) in [
            ("1970-01-01", 0),
            ("1970-01-01T00:00:01Z", 1),
            ("1999-12-31T23:59:59Z", 946_684_799),
            ("2000-02-29", 951_782_400),
            ("2000-03-01", 951_868_800),
            ("2027-06-30", 1_814_313_600),
            ("2027-06-30T12:34:56Z", 1_814_358_896),
            ("2100-03-01", 4_107_542_400),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(instant(text), Some(Unix::at(secs)), "{text}");
        }
    }

    #[test]
    fn what_is_on_no_calendar_is_no_time() {
        for text in [
            "",
            "2027",
            "2027-6-30",
            "27-06-30",
            "2027-13-01",
            "2027-00-01",
            "2027-06-31",
            "2027-06-00",
            "2027-02-29",
            "2100-02-29",
            "1969-12-31",
            "2027-06-30T",
            "2027-06-30Z",
            "2027-06-30T12:00Z",
            "2027-06-30T12:00:00",
            "2027-06-30T24:00:00Z",
            "2027-06-30T12:60:00Z",
            "2027-06-30T12:00:60Z",
            "2027-06-30T12:00:00+02:00",
            "2027-06-30T12:00:00.5Z",
            "2027-06-30-01",
            " 2027-06-30",
            "+027-06-30",
            "2027/06/30",
            "soon",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
