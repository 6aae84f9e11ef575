//! What every store's lists share: their bounds, a page, and where the next one begins.

use crate::{error::StorageError, limits::MAX_LIST_NAME};

/// The most members that one page of a list has, however many are asked for.
///
/// A page is built while a lock of the store is held; a thousand short names take well below a
/// millisecond, and some 25 KB.
pub const MAX_LIST_PAGE: usize = 1_000;

/// Some members of a list, those with the earliest end first; see
/// [`TokenStorage::list_page`](super::TokenStorage::list_page).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListPage {
    /// At most as many as were asked for.
    pub members: Vec<String>,
    /// Where the next page begins: text that only the store understands, printable ASCII. `None`
    /// when this page is the last.
    pub next: Option<String>,
}

impl ListPage {
    /// A page of these members; `next` is where the following one begins.
    #[must_use]
    pub fn new(members: Vec<String>, next: Option<String>) -> Self {
        Self { members, next }
    }
}

/// Where a page begins: behind this member, in the order of ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place<'a> {
    /// In the store's own unit.
    pub(super) end: u64,
    pub(super) member: &'a str,
}

impl<'a> Place<'a> {
    /// Reads what [`next`](Self::next) wrote.
    pub(super) fn parse(text: &'a str) -> Result<Self, StorageError> {
        let place = text.split_once(':').and_then(|(end, member)| {
            let end = end.parse().ok()?;
            Some(Self { end, member })
        });
        place.ok_or_else(|| StorageError::Corrupt("no page of a list begins there".to_owned()))
    }

    pub(super) fn next(self) -> String {
        format!("{}:{}", self.end, self.member)
    }
}

/// The page that these members make, which are in order and one more than `limit` where there are
/// more.
pub(super) fn page<M: AsRef<str>>(found: &[(u64, M)], limit: usize) -> ListPage {
    let has_more = found.len() > limit;
    let last = found.get(limit.saturating_sub(1)).filter(|_| has_more);
    let next = last.map(|(end, member)| {
        let (end, member) = (*end, member.as_ref());
        Place { end, member }.next()
    });
    let members = found.iter().take(limit);
    ListPage {
        members: members
            .map(|(_, member)| member.as_ref().to_owned())
            .collect(),
        next,
    }
}

pub(super) fn page_size(limit: usize) -> usize {
    limit.clamp(1, MAX_LIST_PAGE)
}

/// Printable ASCII without space, 1 to 100 bytes: what every backend keeps, compares and sorts alike.
pub(super) fn check_names(names: &[&str]) -> Result<(), StorageError> {
    for name in names {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_graphic());
        if name.is_empty() || name.len() > MAX_LIST_NAME || !is_plain {
            return Err(StorageError::unavailable(format!(
                "a list and its members are named by 1 to {MAX_LIST_NAME} bytes of printable ASCII"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_page_reads_back_and_nothing_else_does() {
        let place = Place {
            end: 17,
            member: "a:b",
        };
        assert_eq!(Place::parse(&place.next()).unwrap(), place);
        for text in ["", "17", "x:a", "-1:a", ":"] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_page_says_whether_more_follow() {
        let found = |n: u64| (0..n).map(|n| (n, n.to_string())).collect::<Vec<_>>();
        assert_eq!(page(&found(3), 3).next, None);
        let more = page(&found(4), 3);
        assert_eq!(more.members, ["0", "1", "2"]);
        assert_eq!(more.next.as_deref(), Some("2:2"));
        assert_eq!(page(&found(0), 3), ListPage::default());
    }

    #[test]
    fn names_are_short_and_plain() {
        let longest = "x".repeat(MAX_LIST_NAME);
        assert!(check_names(&["a", &longest]).is_ok());
        for name in ["", "a b", "ü", "a\n", &format!("{longest}x")] {
            assert!(check_names(&["a", name]).is_err(), "{name:?}");
        }
    }
}
