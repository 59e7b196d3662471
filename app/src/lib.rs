//! What both sides of Hubbub share.
//!
//! - [`wire`]: the words on the wire: names, events, frames, limits. Knows nothing of Leptos.
//! - [`client`]: what one browser keeps of a room, as plain data: the feed, the outbox, the reconnect steps.
//! - [`state`]: what a page shows, as signals.
//! - `browser`: in the browser only, the socket, the storage and the rest that drives them.
//! - [`i18n`]: what the screen says, a file for each language.
//! - `base`: the path below which the browser sees the server, and the links that carry it.
//! - [`ui`]: one thing on screen each.
//! - [`pages`]: one page each.
//! - `raw_text`: texts inside elements whose children Leptos does not escape.
//! - [`App`]: the room, the same on both sides; the server puts it into a document.

#![recursion_limit = "256"]

mod app;
mod base;
#[cfg(feature = "hydrate")]
mod browser;
pub mod client;
mod clock;
pub mod i18n;
#[cfg(feature = "ssr")]
pub mod page_context;
pub mod page_data;
pub mod pages;
mod raw_text;
#[cfg(feature = "ssr")]
mod shell;
pub mod state;
#[cfg(feature = "ssr")]
mod theme;
pub mod ui;
pub mod wire;

pub use app::App;
#[cfg(feature = "ssr")]
pub use base::Base;
#[cfg(feature = "ssr")]
pub use page_context::{AssetUrls, PageContext};
#[cfg(feature = "ssr")]
pub use shell::{View, shell};
#[cfg(feature = "ssr")]
pub use theme::Theme;
#[cfg(feature = "ssr")]
pub use ui::share::ShareLink;
