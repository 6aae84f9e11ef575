//! The known name that somebody may have meant.

/// The name that is nearest to the given one, where it is near enough to be meant.
pub(super) fn nearest<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let far = |name: &&str| distance(given, name);
    let best = known.into_iter().min_by_key(far)?;
    // A third of the letters may be others.
    let longest = letters(best).len().max(letters(given).len());
    (far(&best) * 3 <= longest).then_some(best)
}

/// How many letters have to be put in, left out, replaced, or to change places with the next
/// (Damerau and Levenshtein, of neighbours).
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (letters(one), letters(other));
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    let mut previous = None;
    for (row, &a) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        let mut left = None;
        for (column, &b) in other.iter().enumerate() {
            let get = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut best = (get(&last, column) + usize::from(a != b))
                .min(get(&last, column + 1) + 1)
                .min(get(&current, column) + 1);
            if previous == Some(b) && left == Some(a) && column > 0 {
                best = best.min(get(&before_last, column - 1) + 1);
            }
            current.push(best);
            left = Some(b);
        }
        before_last = std::mem::replace(&mut last, current);
        previous = Some(a);
    }
    last.last().copied().unwrap_or_default()
}

/// Names are compared without case, `-` and `_` being the same. A very long one is no slip of the hand.
fn letters(name: &str) -> Vec<char> {
    const LONGEST: usize = 80;
    let letters = name.chars().take(LONGEST);
    letters
        .map(|c| {
            if c == '-' {
                '_'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted_that_differ() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("scopes", "scopes", 0),
            ("scope", "scopes", 1),
            ("csopes", "scopes", 1),
            ("Allow-ed", "allow_ed", 0),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn only_a_near_name_is_meant() {
        let known = ["allowed_domains", "allowed_emails", "tenant"];
        assert_eq!(nearest("allowed_domain", known), Some("allowed_domains"));
        assert_eq!(nearest("allowedDomains", known), Some("allowed_domains"));
        assert_eq!(nearest("tenantx", known), Some("tenant"));
        assert_eq!(nearest("something", known), None);
        assert_eq!(nearest("x", []), None);
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }
}
