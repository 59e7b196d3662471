//! The locks and counters of the hub: those of the standard library, or those of a model checker that schedules the
//! threads at each of them (feature `shuttle`).

#[cfg(feature = "shuttle")]
pub use shuttle::sync::{Mutex, MutexGuard, atomic};
#[cfg(not(feature = "shuttle"))]
pub use std::sync::{Mutex, MutexGuard, atomic};
