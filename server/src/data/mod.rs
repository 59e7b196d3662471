//! The data folder, and its files besides the store.

pub mod cookie_key;
pub mod durable;
pub mod folder;
pub mod key_ring;
pub mod move_mark;
