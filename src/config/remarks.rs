//! What the operator is told of a configuration, and no other part of the checked one says any more.

use std::any::type_name_of_val;

use super::{builder::OAuthProxyConfigBuilder, secrets::KeyOption};
use crate::{client::StaticClient, storage::TokenStorage};

/// Kept for [`OAuthProxyConfig::report`](crate::OAuthProxyConfig).
#[derive(Debug, Clone, Default)]
pub(crate) struct Remarks {
    /// What is weaker than it could be.
    pub(crate) weak: Vec<String>,
    /// What may mean something else than it says.
    pub(crate) odd: Vec<String>,
    pub(crate) has_secret_key: bool,
    pub(crate) previous_secret_keys: usize,
    pub(crate) clients: Vec<RemarkedClient>,
}

/// A client of the configuration.
#[derive(Debug, Clone)]
pub(crate) struct RemarkedClient {
    pub(crate) id: String,
    pub(crate) is_machine: bool,
    pub(crate) introspects: bool,
}

impl Remarks {
    /// Before the builder is taken apart.
    pub(super) fn of(builder: &OAuthProxyConfigBuilder) -> Self {
        let KeyOption { current, previous } = &builder.secret_keys;
        let client = |client: &StaticClient| RemarkedClient {
            id: client.shown_id(),
            is_machine: client.is_machine(),
            introspects: !client.introspected().is_empty(),
        };
        Self {
            has_secret_key: current.is_some(),
            previous_secret_keys: previous.len(),
            clients: builder.static_clients.iter().map(client).collect(),
            ..Self::default()
        }
    }
}

/// The name of a store's type, without its path: `RedisStorage`.
pub(super) fn name_of(storage: &impl TokenStorage) -> String {
    let path = type_name_of_val(storage);
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path).to_owned()
}
