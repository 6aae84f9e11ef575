//! Chapters for whoever runs a service behind this layer.

#[doc = include_str!("stores.md")]
pub mod stores {}
