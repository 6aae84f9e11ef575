//! Which of a browser's logins in progress have to go when one more comes: a pure rule.
//!
//! Any page can send the browser to authorize. What it starts there may push out only what such
//! pages started, never a login that the person began or approved.

use super::kind::Kind;
use crate::{
    limits::{MAX_COOKIES_BYTES, MAX_COOKIES_BYTES_EVER, MAX_LOGINS_PER_BROWSER},
    time::Unix,
};

/// One of our cookies in a browser.
pub(super) struct Held {
    /// `None` when it does not open, or has expired.
    pub(super) issued_at: Option<Unix>,
    pub(super) kind: Kind,
    pub(super) rank: Rank,
    pub(super) bytes: usize,
    pub(super) tag: String,
}

/// Whose it is, the first to go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// It is over.
    Finished,
    /// A page of another site started it, and the person was not asked yet.
    Elsewhere,
    /// The person started it: by hand, from an app, from a page of ours.
    Request,
    /// The person approved it, or started it where no consent is asked for.
    Login,
}

impl Rank {
    pub(super) fn of(kind: Kind, from_elsewhere: bool) -> Self {
        match (kind, from_elsewhere) {
            (Kind::Finished, _) => Self::Finished,
            (_, true) => Self::Elsewhere,
            (Kind::Login | Kind::Account, false) => Self::Login,
            (_, false) => Self::Request,
        }
    }
}

/// The cookies that go when this one comes, beside that many bytes of others: those that are dead;
/// then the oldest of the same kind and rank over the number; then, over the bytes, the oldest of
/// those that do not rank higher. `None` when that is not enough.
pub(super) fn evicted(held: Vec<Held>, new: &Held, besides: usize) -> Option<Vec<Held>> {
    let (mut live, mut evicted): (Vec<_>, Vec<_>) =
        held.into_iter().partition(|held| held.issued_at.is_some());
    live.sort_by_key(|held| (held.rank, held.issued_at));

    let is_alike = |held: &Held| (held.kind, held.rank) == (new.kind, new.rank);
    let alike = live.iter().filter(|held| is_alike(held)).count();
    let mut over_number = (alike + 1).saturating_sub(MAX_LOGINS_PER_BROWSER);
    evicted.extend(live.extract_if(.., |held| {
        let goes = over_number > 0 && is_alike(held);
        over_number -= usize::from(goes);
        goes
    }));

    let mut bytes = besides + new.bytes + live.iter().map(|held| held.bytes).sum::<usize>();
    evicted.extend(live.extract_if(.., |held| {
        let goes = bytes > room_beside(held.rank, new.rank);
        bytes -= if goes { held.bytes } else { 0 };
        goes
    }));
    (bytes <= MAX_COOKIES_BYTES_EVER).then_some(evicted)
}

/// How many bytes there may be before one makes room for the other.
fn room_beside(held: Rank, new: Rank) -> usize {
    match new {
        _ if held <= new => MAX_COOKIES_BYTES,
        // Rather than refuse the person: what they start now is what they want.
        Rank::Request => MAX_COOKIES_BYTES_EVER,
        _ => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(tag: &str, rank: Rank, issued_at: impl Into<Option<u64>>, bytes: usize) -> Held {
        let kind = match rank {
            Rank::Login => Kind::Login,
            Rank::Finished => Kind::Finished,
            _ => Kind::Request,
        };
        Held {
            issued_at: issued_at.into().map(Unix::at),
            kind,
            rank,
            bytes,
            tag: tag.to_owned(),
        }
    }

    fn tags(held: Vec<Held>, new: Rank, bytes: usize) -> Option<Vec<String>> {
        let evicted = evicted(held, &self::held("new", new, 99, bytes), 0)?;
        Some(evicted.into_iter().map(|held| held.tag).collect())
    }

    /// Three of each rank, oldest first by name.
    fn full(bytes: usize) -> Vec<Held> {
        [Rank::Elsewhere, Rank::Request, Rank::Login]
            .into_iter()
            .flat_map(|rank| [3, 1, 2].map(|at| held(&format!("{rank:?}{at}"), rank, at, bytes)))
            .collect()
    }

    #[test]
    fn the_fourth_of_its_kind_and_rank_takes_the_oldest_of_them() {
        for rank in [Rank::Elsewhere, Rank::Request, Rank::Login] {
            assert_eq!(tags(full(100), rank, 100).unwrap(), [format!("{rank:?}1")]);
        }
        assert!(
            tags(vec![held("a", Rank::Request, 1, 9)], Rank::Request, 9)
                .unwrap()
                .is_empty()
        );
        let dead = vec![held("dead", Rank::Login, None, 9)];
        assert_eq!(tags(dead, Rank::Elsewhere, 9).unwrap(), ["dead"]);
    }

    #[test]
    fn what_another_site_starts_pushes_out_only_what_such_a_site_started() {
        for bytes in [100, 800, 900] {
            for new in [100, 2_000, 4_000] {
                let gone = tags(full(bytes), Rank::Elsewhere, new).unwrap_or_default();
                assert!(
                    gone.iter().all(|tag| tag.starts_with("Elsewhere")),
                    "{gone:?}"
                );
            }
        }
        // Where that is not enough, it is refused.
        let logins = vec![held("a", Rank::Login, 1, 4_000)];
        assert_eq!(tags(logins, Rank::Elsewhere, 4_000), None);
        let requests = vec![held("a", Rank::Request, 1, 4_000)];
        assert_eq!(tags(requests, Rank::Elsewhere, 4_000), None);
    }

    #[test]
    fn over_the_bytes_the_lowest_and_oldest_go_and_a_login_last() {
        let gone = tags(full(800), Rank::Login, 800).unwrap();
        assert_eq!(gone, ["Login1", "Elsewhere1", "Elsewhere2"]);
        let gone = tags(full(900), Rank::Login, 2_000).unwrap();
        assert_eq!(
            gone,
            [
                "Login1",
                "Elsewhere1",
                "Elsewhere2",
                "Elsewhere3",
                "Request1"
            ]
        );
        // Beside a login the person's own request fits as long as it can, and then replaces it.
        let login = |bytes| vec![held("a", Rank::Login, 1, bytes)];
        assert!(tags(login(3_500), Rank::Request, 4_000).unwrap().is_empty());
        assert_eq!(tags(login(4_000), Rank::Request, 4_000).unwrap(), ["a"]);
        assert_eq!(tags(login(4_000), Rank::Login, 4_000).unwrap(), ["a"]);
    }
}
