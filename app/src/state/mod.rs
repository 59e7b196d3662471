//! What a page shows, as signals.

pub(crate) mod commands;
pub(crate) mod members;
mod room;
mod rooms;

pub use members::{TYPING_MS, Typist, told_apart};
pub use room::{Live, Status};
