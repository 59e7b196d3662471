//! What both sides of Hubbub share.
//!
//! - [`wire`]: the words on the wire: names, events, frames, limits. Knows nothing of Leptos.
//! - [`live`]: what one browser keeps of a room, as plain data: the feed, the outbox, the reconnect
//!   steps; and, in the browser only, the socket that drives them.
//! - [`words`]: what the screen says, a file for each language.
//! - `base`: the path below which the browser sees the server, and the links that carry it.
//! - [`ui`]: one thing on screen each.
//! - [`pages`]: one page each.
//! - `raw_text`: texts inside elements whose children Leptos does not escape.
//! - [`App`]: the room, the same on both sides; the server puts it into a document.

#![recursion_limit = "256"]

mod base;
mod clock;
#[cfg(feature = "ssr")]
mod document;
pub mod live;
pub mod pages;
mod raw_text;
mod screen;
#[cfg(feature = "ssr")]
mod sheets;
pub mod ui;
pub mod wire;
pub mod words;

#[cfg(feature = "ssr")]
pub use base::Base;
#[cfg(feature = "ssr")]
pub use document::{Frame, Links, Screen, Shared, Theme, document};
pub use screen::App;
