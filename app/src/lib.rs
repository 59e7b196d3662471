//! The code that server and browser share. Each module uses only those above it.
//!
//! - [`wire`]: the protocol: names, events, frames, limits. It does not depend on Leptos.
//! - [`markup`]: the markup of a message, parsed to a small tree.
//! - [`i18n`]: the texts of the user interface, one folder for each language.
//! - `base`, `brand`, `theme`, `clock`, `raw_text`, `keyboard`, [`page_data`], `page_context`: the parts of pages.
//! - [`client`]: the state of one client as plain data: timeline, outbox, heartbeat.
//! - [`state`]: the state of a page as signals.
//! - `browser`: the socket, the storage and everything else that needs a browser.
//! - `commands`: the commands of the user on the page.
//! - [`ui`]: the components.
//! - [`pages`]: one component for each page.
//! - [`App`]: the root that the browser hydrates; `shell` is the HTML document around it.

#![recursion_limit = "256"]

mod app;
mod base;
#[cfg(feature = "ssr")]
mod brand;
#[cfg(feature = "hydrate")]
mod browser;
pub mod client;
mod clock;
mod commands;
pub mod i18n;
mod keyboard;
pub mod markup;
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
pub use brand::Brand;
#[cfg(feature = "ssr")]
pub use page_context::{AssetUrls, PageContext};
#[cfg(feature = "ssr")]
pub use shell::{View, shell};
#[cfg(feature = "ssr")]
pub use theme::Theme;
#[cfg(feature = "ssr")]
pub use ui::{retention::RoomRetention, share::ShareLink};
