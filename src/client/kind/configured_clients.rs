//! All clients that the operator configures, by their ids.

use std::collections::HashMap;

use super::{
    configured::{OPTION, StaticClient},
    machine::Machine,
};
use crate::{client::identified::Client, error::ConfigError};

/// Every configured client, by its id.
pub(in crate::client) struct ConfiguredClients {
    by_id: HashMap<String, StaticClient>,
    machines: HashMap<String, Machine>,
}

impl ConfiguredClients {
    /// # Errors
    ///
    /// [`ConfigError`] when a client cannot work, or two have one id.
    pub(in crate::client) fn new(
        clients: impl IntoIterator<Item = StaticClient>,
    ) -> Result<Self, ConfigError> {
        let (mut by_id, mut machines) = (HashMap::new(), HashMap::new());
        for client in clients {
            let (id, machine) = (client.id().to_owned(), client.check()?);
            machines.extend(machine.map(|machine| (id.clone(), machine)));
            if by_id.insert(id.clone(), client).is_some() {
                let why = format!("two clients have the id `{id}`");
                return Err(ConfigError::new(OPTION, why));
            }
        }
        Ok(Self { by_id, machines })
    }

    /// What a client may in its own name; `None` where it may nothing.
    pub(in crate::client) fn machine(&self, client_id: &str) -> Option<&Machine> {
        self.machines.get(client_id)
    }

    pub(in crate::client) fn machine_ids(&self) -> impl Iterator<Item = &str> {
        self.machines.keys().map(String::as_str)
    }

    pub(in crate::client) fn has(&self, client_id: &str) -> bool {
        self.by_id.contains_key(client_id)
    }

    pub(in crate::client) fn find(&self, client_id: &str) -> Option<Client> {
        self.by_id.get(client_id).map(StaticClient::client)
    }

    pub(in crate::client) fn is_secret_of(&self, client_id: &str, presented: &str) -> bool {
        let configured = self.by_id.get(client_id);
        configured.is_some_and(|client| client.has_secret(presented))
    }

    pub(in crate::client) fn len(&self) -> usize {
        self.by_id.len()
    }
}
