//! The side of the clients: listener, connections, and what a request has to pass before the layer sees it.

mod activity;
mod app;
mod connection;
mod delivered;
mod door;
mod listener;

pub(crate) use app::App;
pub(crate) use connection::serve;
pub(crate) use listener::Listener;
