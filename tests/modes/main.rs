//! What the operator can choose, each option end to end.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod admin;
mod allowed;
mod app_proof;
mod assertions;
mod claims;
mod client_keys;
mod clients;
mod cors;
mod inside;
mod introspect;
mod introspection;
mod jwks;
mod keys;
mod known_clients;
mod languages;
mod limits;
mod machines;
mod metadata_documents;
mod mistakes;
mod oidc;
mod on_use;
mod pages;
mod passthrough;
mod paths;
mod people;
mod presets;
mod probe;
mod proof;
mod resource_server;
mod several;
mod signatures;
mod signing;
mod silence;
mod sources;
mod surplus;
mod upstream;
mod userinfo;
mod why;
mod workloads;
