//! How often strangers may make us ask one host.

use std::collections::HashMap;

use crate::{
    limits::{MAX_PACED_HOSTS, MAX_STRANGERS_FETCHES_PER_MINUTE},
    time::Unix,
};

/// The fetches that strangers began in this minute, by host.
#[derive(Debug, Default)]
pub(super) struct Pace {
    minute: u64,
    begun: HashMap<Box<str>, u32>,
}

impl Pace {
    /// Whether one more fetch may begin there now; it is counted, if it may.
    pub(super) fn may_begin(&mut self, host: &str, now: Unix) -> bool {
        let minute = now.secs() / 60;
        if minute != self.minute {
            self.minute = minute;
            self.begun.clear();
        }
        if let Some(begun) = self.begun.get_mut(host) {
            let may = *begun < MAX_STRANGERS_FETCHES_PER_MINUTE;
            *begun += u32::from(may);
            return may;
        }
        // Rather than refuse hosts that did nothing: to come around here takes a thousand other hosts.
        if self.begun.len() >= MAX_PACED_HOSTS {
            self.begun.clear();
        }
        self.begun.insert(Box::from(host), 1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_asked_so_often_in_a_minute_and_again_in_the_next() {
        let (mut pace, now) = (Pace::default(), Unix::at(1_800_000_000));
        let begun = |pace: &mut Pace, host, now| {
            (0..2 * MAX_STRANGERS_FETCHES_PER_MINUTE)
                .filter(|_| pace.may_begin(host, now))
                .count()
        };
        let most = MAX_STRANGERS_FETCHES_PER_MINUTE as usize;
        assert_eq!(begun(&mut pace, "one.example", now), most);
        assert!(!pace.may_begin("one.example", now + std::time::Duration::from_secs(59)));
        assert_eq!(begun(&mut pace, "other.example", now), most);
        let next = now + std::time::Duration::from_secs(60);
        assert_eq!(begun(&mut pace, "one.example", next), most);
        // A clock that is set back begins another minute.
        assert!(pace.may_begin("one.example", now));
    }

    #[test]
    fn any_number_of_hosts_takes_a_bounded_room_and_none_of_them_is_refused_for_the_others() {
        let (mut pace, now) = (Pace::default(), Unix::at(1_800_000_000));
        for n in 0..10 * MAX_PACED_HOSTS {
            assert!(pace.may_begin(&format!("{n}.example"), now));
            assert!(pace.begun.len() <= MAX_PACED_HOSTS);
        }
    }
}
