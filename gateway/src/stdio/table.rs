//! Which processes there are, whose they are, and which has to go when there is no room.

use std::{collections::HashMap, time::Instant};

use super::{
    owner::{Owner, Told},
    settings::StdioLimits,
};

/// A process, as the table sees it.
pub(super) trait Worker: Clone {
    /// Since when nobody has used it; `None` while somebody does.
    fn idle_since(&self) -> Option<Instant>;
    fn has_ended(&self) -> bool;
}

struct Entry<W> {
    owner: Owner,
    told: Told,
    /// For all requests of its owner that have no session.
    is_shared: bool,
    /// Nobody finds it any more; it counts until it has ended.
    is_closed: bool,
    worker: W,
}

pub(super) struct Table<W> {
    entries: HashMap<Box<str>, Entry<W>>,
    is_shut: bool,
}

/// Whether one more may start.
pub(super) enum Place<W> {
    Free,
    /// When this one has ended.
    After(W),
    Full,
    /// The gateway stops.
    Shut,
}

impl<W: Worker> Table<W> {
    pub(super) fn new() -> Self {
        Self {
            entries: HashMap::new(),
            is_shut: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries
            .values()
            .filter(|entry| !entry.worker.has_ended())
            .count()
    }

    /// The process of this session. Another's session is as unknown as one that has ended.
    pub(super) fn find(&self, id: &str, owner: &Owner, told: &Told) -> Option<&W> {
        let entry = self.entries.get(id)?;
        let fits = !entry.is_shared && entry.serves(owner, told);
        fits.then_some(&entry.worker)
    }

    /// The process for this owner's requests without a session.
    pub(super) fn shared(&self, owner: &Owner, told: &Told) -> Option<&W> {
        let mut fitting = self
            .entries
            .values()
            .filter(|entry| entry.is_shared && entry.serves(owner, told));
        fitting.next().map(|entry| &entry.worker)
    }

    /// Whether this person may have one more. A process that nobody uses makes room: first one of theirs, else the one
    /// that has rested longest.
    pub(super) fn place(&mut self, owner: &Owner, limits: &StdioLimits) -> Place<W> {
        if self.is_shut {
            return Place::Shut;
        }
        self.entries.retain(|_, entry| !entry.worker.has_ended());
        let theirs = self
            .entries
            .values()
            .filter(|entry| entry.owner.is_same_person(owner))
            .count();
        if theirs >= limits.processes_of_one {
            return self.make_room(|entry| entry.owner.is_same_person(owner));
        }
        if self.entries.len() >= limits.processes {
            return self.make_room(|_| true);
        }
        Place::Free
    }

    fn make_room(&mut self, may_go: impl Fn(&Entry<W>) -> bool) -> Place<W> {
        let candidates = self.entries.values_mut().filter(|entry| may_go(entry));
        // One that ends already makes room too.
        let resting = candidates.filter_map(|entry| {
            let since = if entry.is_closed {
                None
            } else {
                Some(entry.worker.idle_since()?)
            };
            Some((since, entry))
        });
        match resting.min_by_key(|(since, _)| *since) {
            Some((_, entry)) => {
                entry.is_closed = true;
                Place::After(entry.worker.clone())
            }
            None => Place::Full,
        }
    }

    pub(super) fn add(
        &mut self,
        id: Box<str>,
        owner: Owner,
        told: Told,
        is_shared: bool,
        worker: W,
    ) {
        self.entries.insert(
            id,
            Entry {
                owner,
                told,
                is_shared,
                is_closed: false,
                worker,
            },
        );
    }

    /// Ends a session for its owner.
    pub(super) fn close(&mut self, id: &str, owner: &Owner) -> Option<W> {
        let entry = self.entries.get_mut(id)?;
        if entry.is_shared || entry.is_closed || entry.owner != *owner || entry.worker.has_ended() {
            return None;
        }
        entry.is_closed = true;
        Some(entry.worker.clone())
    }

    /// Nothing starts any more: all that have to end.
    pub(super) fn shut(&mut self) -> Vec<W> {
        self.is_shut = true;
        let all = self.entries.values_mut().map(|entry| {
            entry.is_closed = true;
            entry.worker.clone()
        });
        all.collect()
    }
}

impl<W: Worker> Entry<W> {
    fn serves(&self, owner: &Owner, told: &Told) -> bool {
        !self.is_closed
            && self.owner == *owner
            && self.told.still_holds(told)
            && !self.worker.has_ended()
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc, time::Duration};

    use tower_oauth_proxy::{AuthSession, testing::session};

    use super::*;

    /// Its number, since when it rests, and whether it has ended.
    #[derive(Clone)]
    struct Fake(u32, Rc<RefCell<(Option<Instant>, bool)>>);

    impl Fake {
        fn new(number: u32, rests: Option<Instant>) -> Self {
            Self(number, Rc::new(RefCell::new((rests, false))))
        }

        fn end(&self) {
            self.1.borrow_mut().1 = true;
        }
    }

    impl Worker for Fake {
        fn idle_since(&self) -> Option<Instant> {
            self.1.borrow().0
        }

        fn has_ended(&self) -> bool {
            self.1.borrow().1
        }
    }

    fn person(name: &str) -> (Owner, Told) {
        of(&session(name).scopes(["read"]).build())
    }

    fn of(session: &AuthSession) -> (Owner, Told) {
        (Owner::of(session), Told::of(session, false))
    }

    fn add(table: &mut Table<Fake>, id: &str, name: &str, worker: &Fake) {
        let (owner, told) = person(name);
        table.add(id.into(), owner, told, false, worker.clone());
    }

    fn limits() -> StdioLimits {
        StdioLimits {
            processes: 3,
            processes_of_one: 2,
            ..StdioLimits::default()
        }
    }

    fn goes(place: &Place<Fake>) -> Option<u32> {
        match place {
            Place::After(worker) => Some(worker.0),
            _ => None,
        }
    }

    #[test]
    fn a_session_is_found_by_its_owner_alone() {
        let mut table = Table::new();
        let worker = Fake::new(1, None);
        add(&mut table, "s", "ada", &worker);
        let find = |table: &Table<Fake>, (owner, told): (Owner, Told)| {
            table.find("s", &owner, &told).is_some()
        };
        assert!(find(&table, person("ada")));
        assert!(!find(&table, person("eve")), "another person");
        assert!(
            !find(
                &table,
                of(&session("ada").client("other").scopes(["read"]).build())
            ),
            "another client"
        );
        assert!(
            !find(&table, of(&session("ada").build())),
            "a token that allows less"
        );
        assert!(
            find(
                &table,
                of(&session("ada").scopes(["read", "write"]).build())
            ),
            "a token that allows more"
        );
        assert!(table.shared(&person("ada").0, &person("ada").1).is_none());
        worker.end();
        assert!(!find(&table, person("ada")), "it has ended");
    }

    #[test]
    fn only_its_owner_ends_a_session_and_only_once() {
        let mut table = Table::new();
        add(&mut table, "s", "ada", &Fake::new(1, None));
        assert!(table.close("s", &person("eve").0).is_none());
        assert!(table.close("s", &person("ada").0).is_some());
        assert!(table.close("s", &person("ada").0).is_none());
        let (owner, told) = person("ada");
        assert!(table.find("s", &owner, &told).is_none());
        assert_eq!(table.len(), 1, "it counts until it has ended");
    }

    #[test]
    fn a_shared_process_is_no_session() {
        let mut table = Table::new();
        let (owner, told) = person("ada");
        table.add(
            "s".into(),
            owner.clone(),
            told.clone(),
            true,
            Fake::new(1, None),
        );
        assert!(table.shared(&owner, &told).is_some());
        assert!(table.find("s", &owner, &told).is_none());
        assert!(table.close("s", &owner).is_none());
        let (other, other_told) = person("eve");
        assert!(table.shared(&other, &other_told).is_none());
    }

    #[test]
    fn one_person_takes_no_room_of_others() {
        let mut table = Table::new();
        let now = Instant::now();
        add(&mut table, "1", "eve", &Fake::new(1, None));
        add(&mut table, "2", "eve", &Fake::new(2, None));
        assert!(matches!(
            table.place(&person("eve").0, &limits()),
            Place::Full
        ));
        assert!(matches!(
            table.place(&person("ada").0, &limits()),
            Place::Free
        ));
        add(&mut table, "3", "ada", &Fake::new(3, Some(now)));
        assert!(
            matches!(table.place(&person("eve").0, &limits()), Place::Full),
            "ada's is not eve's to end"
        );
    }

    #[test]
    fn another_client_of_the_same_person_is_no_more_room() {
        let mut table = Table::new();
        add(&mut table, "1", "eve", &Fake::new(1, None));
        add(&mut table, "2", "eve", &Fake::new(2, None));
        let (other, _) = of(&session("eve").client("another").scopes(["read"]).build());
        assert!(matches!(table.place(&other, &limits()), Place::Full));
    }

    #[test]
    fn what_has_rested_longest_makes_room() {
        let mut table = Table::new();
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        add(&mut table, "1", "ada", &Fake::new(1, Some(later)));
        add(&mut table, "2", "ada", &Fake::new(2, Some(now)));
        add(&mut table, "3", "bob", &Fake::new(3, None));
        assert_eq!(
            goes(&table.place(&person("ada").0, &limits())),
            Some(2),
            "of one's own"
        );
        let (owner, told) = person("ada");
        assert!(
            table.find("2", &owner, &told).is_none(),
            "nobody finds it any more"
        );
        assert_eq!(
            goes(&table.place(&person("cyd").0, &limits())),
            Some(2),
            "it ends already"
        );
    }

    #[test]
    fn what_has_ended_makes_room_by_itself() {
        let mut table = Table::new();
        let worker = Fake::new(1, None);
        add(&mut table, "1", "ada", &worker);
        add(&mut table, "2", "ada", &Fake::new(2, None));
        worker.end();
        assert!(matches!(
            table.place(&person("ada").0, &limits()),
            Place::Free
        ));
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn nothing_starts_when_the_gateway_stops() {
        let mut table = Table::new();
        add(&mut table, "1", "ada", &Fake::new(1, None));
        assert_eq!(table.shut().len(), 1);
        assert!(matches!(
            table.place(&person("bob").0, &limits()),
            Place::Shut
        ));
        let (owner, told) = person("ada");
        assert!(table.find("1", &owner, &told).is_none());
    }
}
