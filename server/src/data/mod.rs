//! The data folder and the files in it that are not the store.

pub mod cookie_key;
pub mod durable;
pub mod folder;
