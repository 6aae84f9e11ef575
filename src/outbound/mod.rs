//! The one door outwards: the HTTP clients, one exchange bounded in time and size, the guard of addresses
//! that strangers name, and documents that are fetched once for all who ask.
//!
//! What an answer means is for the room that asked.

mod address;
mod destination;
mod door;
mod fetch_error;
mod fetched;
mod flights;
mod http_client;
mod library;
mod lookup;
mod networks;
mod pace;
mod parsed;
mod send;
mod shelf_life;
#[cfg(test)]
#[cfg(feature = "rustls")]
mod tests;

pub(crate) use address::{AskedBy, NamedBy, is_metadata};
pub(crate) use door::Outbound;
pub(crate) use fetch_error::FetchError;
pub(crate) use fetched::Documents;
pub(crate) use http_client::{Customize, WayOut};
pub(crate) use networks::Networks;
pub(crate) use parsed::Document;
pub(crate) use send::{OutboundError, Reply, send};
pub(crate) use shelf_life::imf_fixdate;
