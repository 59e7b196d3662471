//! Limits on clients: how fast each user and each network may act, and how many connections are open.

pub mod connection_limit;
pub mod form_limit;
pub mod network;
pub mod permit_counter;
pub mod rate_limit;
