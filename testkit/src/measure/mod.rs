//! What the benches share: processes, a provider that answers at once, people who log in, and
//! figures.

pub mod child;
pub mod figures;
pub mod host;
pub mod login;
pub mod paths;
pub mod person;
pub mod provider;
pub mod records;
pub mod socket;
pub mod usage;
pub mod world;
