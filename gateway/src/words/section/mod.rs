//! The tables of the settings, one file each: their keys, and what is made of them.

pub(crate) mod clients;
mod configured_client;
pub(crate) mod identity;
pub(crate) mod listening;
pub(crate) mod machines;
pub(crate) mod operation;
pub(crate) mod pages;
pub(crate) mod paths;
pub(crate) mod people;
pub(crate) mod provider;
pub(crate) mod provider_keys;
pub(crate) mod rules;
pub(crate) mod secrets;
pub(crate) mod store;
pub(crate) mod tokens;
mod trusted_issuer;
pub(crate) mod upstream;
mod verifier;
