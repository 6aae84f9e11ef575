//! One provider a file: where it is, how it wants to be asked, and what only it does.

pub(super) mod entra;
mod generic;
pub(super) mod github;
mod google;

pub use entra::azure;
pub use generic::generic;
pub use github::github;
pub use google::google;
