//! What both sides of Hubbub share.
//!
//! - [`wire`]: the words on the wire: names, events, frames, limits. Knows nothing of Leptos.
//! - [`live`]: what one browser keeps of a room, as plain data: the feed, the outbox, the reconnect
//!   steps; and, in the browser only, the socket that drives them.
//! - [`ui`]: one thing on screen each.
//! - [`pages`]: one page each.
//! - [`App`]: the screen, the same on both sides; the server puts it into a document.

#![recursion_limit = "256"]

mod clock;
#[cfg(feature = "ssr")]
mod document;
pub mod live;
pub mod pages;
mod screen;
pub mod ui;
pub mod wire;

#[cfg(feature = "ssr")]
pub use document::{Links, document};
pub use screen::{App, Screen};
