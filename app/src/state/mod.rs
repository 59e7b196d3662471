//! What a page shows, as signals.

pub(crate) mod commands;
mod members;
mod room;
mod rooms;

pub use room::{Live, Status};
