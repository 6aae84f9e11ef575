//! The guide: chapters for those who build a service behind this layer, and for those who run it.
//!
//! | question | chapter |
//! |---|---|
//! | What happens in a login, and who sees what? | [`how_it_works`] |
//! | Which of the three modes is mine? | [`modes`] |
//! | Every option and its default | [`options`] |
//! | **Who comes in** | |
//! | Which MCP clients can connect, and what does each need? | [`clients`] |
//! | How do I register the app at my identity provider? | [`setup`], step by step for ten |
//! | What is known of my provider? | [`providers`] |
//! | Who may log in? | [`people`] |
//! | How do programs without a person come in? | [`machines`] |
//! | How do the pages look, and in which language? | [`pages`] |
//! | **What they may do** | |
//! | How do I protect one route? | [`guards`] |
//! | How do I say who may call which tool? | [`tools`] |
//! | How does a client get more scopes later? | [`step_up`] |
//! | How do I call another API in the person's name? | [`on_behalf`] |
//! | How does another service verify the tokens? | [`services`] |
//! | When does a change take effect: a role, a person who left? | [`lifecycle`] |
//! | My server is not written in Rust: a program in front of it | [`gateway`] |
//! | **Running it** | |
//! | axum, hyper, tonic, CORS: what goes where in my server? | [`stacks`] |
//! | nginx, Caddy, a path below a host, several instances | [`deployment`] |
//! | Is my configuration what I think, and do its parts work? | [`doctor`] |
//! | What do I look at when it runs? | [`operations`] |
//! | Anyone on the internet reaches it: what bounds them? | [`limits`] |
//! | What is counted and timed, for a dashboard and for alerts? | [`metrics`] |
//! | Which store, how large, and what if it fails? | [`stores`] |
//! | How do I replace a secret or a key? | [`keys`] |
//! | What leaves this server, and how do I open or close it? | [`network`] |
//! | How does a local MCP server (`npx`, `uvx`) become a remote one? | [`stdio`] |
//! | **Something is wrong** | [`troubleshooting`] |
//! | What does an event say, and what is each reason's remedy? | [`events`] |
//! | **Deciding** | |
//! | What is promised, and what is not? | [`security`] |
//! | What does it cost? | [`cost`] |
//! | How do I come from FastMCP? | [`migration`] |
//! | How do I test my service? | [`testing_your_service`] |

#[doc = include_str!("clients.md")]
pub mod clients {}

#[doc = include_str!("cost.md")]
pub mod cost {}

#[doc = include_str!("deployment.md")]
pub mod deployment {}

#[doc = include_str!("doctor.md")]
pub mod doctor {}

#[doc = include_str!("events.md")]
pub mod events {}

#[doc = include_str!("gateway.md")]
pub mod gateway {}

#[doc = include_str!("guards.md")]
pub mod guards {}

#[doc = include_str!("how_it_works.md")]
/// <div>
#[doc = include_str!("journey.svg")]
/// </div>
pub mod how_it_works {}

#[doc = include_str!("keys.md")]
pub mod keys {}

#[doc = include_str!("lifecycle.md")]
pub mod lifecycle {}

#[doc = include_str!("limits.md")]
pub mod limits {}

#[doc = include_str!("machines.md")]
pub mod machines {}

#[doc = include_str!("metrics.md")]
pub mod metrics {}

#[doc = include_str!("migration.md")]
pub mod migration {}

#[doc = include_str!("modes.md")]
pub mod modes {}

#[doc = include_str!("network.md")]
pub mod network {}

#[doc = include_str!("on_behalf.md")]
pub mod on_behalf {}

#[doc = include_str!("operations.md")]
pub mod operations {}

#[doc = include_str!("options.md")]
pub mod options {}

#[doc = include_str!("pages.md")]
pub mod pages {}

#[doc = include_str!("people.md")]
pub mod people {}

#[doc = include_str!("providers.md")]
pub mod providers {}

#[doc = include_str!("security.md")]
#[doc = include_str!("../../SECURITY.md")]
pub mod security {}

#[doc = include_str!("services.md")]
pub mod services {}

#[doc = include_str!("setup.md")]
pub mod setup {}

#[doc = include_str!("stacks.md")]
pub mod stacks {}

#[doc = include_str!("stdio.md")]
pub mod stdio {}

#[doc = include_str!("step_up.md")]
pub mod step_up {}

#[doc = include_str!("stores.md")]
pub mod stores {}

#[doc = include_str!("testing_your_service.md")]
pub mod testing_your_service {}

#[doc = include_str!("tools.md")]
pub mod tools {}

#[doc = include_str!("troubleshooting.md")]
pub mod troubleshooting {}
