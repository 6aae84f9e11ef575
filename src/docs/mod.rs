//! Chapters for those who run a service behind this layer.

#[doc = include_str!("clients.md")]
pub mod clients {}

#[doc = include_str!("cost.md")]
pub mod cost {}

#[doc = include_str!("events.md")]
pub mod events {}

#[doc = include_str!("lifecycle.md")]
pub mod lifecycle {}

#[doc = include_str!("machines.md")]
pub mod machines {}

#[doc = include_str!("metrics.md")]
pub mod metrics {}

#[doc = include_str!("modes.md")]
pub mod modes {}

#[doc = include_str!("network.md")]
pub mod network {}

#[doc = include_str!("on_behalf.md")]
pub mod on_behalf {}

#[doc = include_str!("providers.md")]
pub mod providers {}

#[doc = include_str!("services.md")]
pub mod services {}

#[doc = include_str!("setup.md")]
pub mod setup {}

#[doc = include_str!("step_up.md")]
pub mod step_up {}

#[doc = include_str!("stores.md")]
pub mod stores {}
