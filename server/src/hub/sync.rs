//! The locks and counters of the hub, its rooms and their links: the usual ones, or those of a model
//! checker that decides who goes on at each of them (feature `shuttle`).

#[cfg(feature = "shuttle")]
pub(crate) use shuttle::sync::{Mutex, MutexGuard, atomic};
#[cfg(not(feature = "shuttle"))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic};
