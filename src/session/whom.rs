//! Whose a session is, for events.

use serde_json::Value;

use super::AuthSession;
use crate::event::Who;

impl AuthSession {
    /// For events.
    pub(crate) fn who(&self) -> Who {
        let email = self.claims().get("email").and_then(Value::as_str);
        let who = Who::default()
            .client(self.client_id(), None)
            .person(Some(self.subject()), email)
            .access(self.resource(), self.scopes());
        let who = self.provider().into_iter().fold(who, Who::provider);
        self.grant_id().into_iter().fold(who, Who::grant)
    }
}
