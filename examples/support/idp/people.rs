//! Who can log in.

use serde_json::{Value, json};

/// A person and what they may do.
#[derive(Debug)]
pub struct Person {
    /// `sub`, and the value of their button.
    pub id: &'static str,
    /// As people read it.
    pub name: &'static str,
    /// The `roles` claim.
    pub roles: &'static [&'static str],
}

/// All of them.
pub const PEOPLE: [Person; 2] = [
    Person {
        id: "ada",
        name: "Ada Lovelace",
        roles: &["staff", "admin"],
    },
    Person {
        id: "bob",
        name: "Bob Miner",
        roles: &["staff"],
    },
];

impl Person {
    /// Finds a person.
    pub fn named(id: &str) -> Option<&'static Self> {
        PEOPLE.iter().find(|person| person.id == id)
    }

    /// OpenID Connect claims, as in userinfo.
    pub fn claims(&self) -> Value {
        json!({
            "sub": self.id,
            "name": self.name,
            "email": format!("{}@example.com", self.id),
            "email_verified": true,
            "roles": self.roles,
        })
    }
}
