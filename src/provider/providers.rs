//! All the providers of one proxy.

use std::{sync::Arc, time::Duration};

use super::requests::ProviderClient;

/// The providers that people can log in at, the main one first. Clones are the same.
#[derive(Clone)]
pub(crate) struct Providers {
    main: Arc<ProviderClient>,
    all: Arc<[Arc<ProviderClient>]>,
}

impl Providers {
    pub(crate) fn new(main: Arc<ProviderClient>, others: Vec<Arc<ProviderClient>>) -> Self {
        let all = [Arc::clone(&main)].into_iter().chain(others);
        Self {
            all: all.collect(),
            main,
        }
    }

    /// The one that the configuration began with.
    pub(crate) fn main(&self) -> &Arc<ProviderClient> {
        &self.main
    }

    /// The one with this id; `None` where it is not configured: nothing of it may be sent to another.
    pub(crate) fn of(&self, id: &str) -> Option<&Arc<ProviderClient>> {
        self.iter().find(|provider| provider.about().id == id)
    }

    /// The one that sends its people back to this path.
    pub(crate) fn returning_to(&self, path: &str) -> Option<&Arc<ProviderClient>> {
        self.iter()
            .find(|provider| provider.terms().callback_path == path)
    }

    /// All of them, the main one first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<ProviderClient>> {
        self.all.iter()
    }

    /// The same, with more patience for each answer.
    pub(crate) fn waiting_longer(&self, by: Duration) -> Self {
        let longer = |provider: &Arc<ProviderClient>| Arc::new(provider.waiting_longer(by));
        Self::new(
            longer(&self.main),
            self.iter().skip(1).map(longer).collect(),
        )
    }
}
