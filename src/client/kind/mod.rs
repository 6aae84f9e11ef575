//! The kinds of clients, one file each: where such a client comes from, and what its id means.

mod configured;
mod configured_clients;
mod document;
mod document_hosts;
mod document_metadata;
mod document_url;
mod machine;
mod signed;

pub use configured::StaticClient;
pub(super) use configured_clients::ConfiguredClients;
pub(crate) use document::DocumentClients;
pub use document_hosts::MetadataDocuments;
pub(super) use document_url::DocumentUrl;
pub(crate) use document_url::UrlFault;
pub(crate) use machine::Machine;
pub(super) use signed::{SignedClients, TooLarge};
