//! A clock that stands still until a test moves it.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::clock::Clock;

pub(super) struct ByHand(Mutex<SystemTime>);

impl ByHand {
    pub(super) fn new() -> Arc<Self> {
        let start = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        Arc::new(Self(Mutex::new(start)))
    }

    pub(super) fn pass(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }

    pub(super) fn set_back(&self, time: Duration) {
        *self.0.lock().unwrap() -= time;
    }
}

impl Clock for ByHand {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }
}
