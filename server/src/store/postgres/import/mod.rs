//! Filling an empty database with the rows of a data folder, chunk by chunk. Each chunk is one transaction, which also writes
//! down how far the import is, so that a killed one continues.

mod chunks;
mod error;
mod target;
mod verify;

pub use error::ImportError;
pub use target::{ImportTarget, TargetState};

use crate::store::transfer::Position;
use deadpool_postgres::ClientWrapper;
use uuid::Uuid;

/// An import that has begun and is not finished.
pub struct Import {
    client: ClientWrapper,
    id: Uuid,
    /// The number of chunks that are copied.
    chunks: i64,
    position: Option<Position>,
    rows: u64,
}

impl Import {
    /// Returns the id, by which the import is found again.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Returns how far the import was when it was opened.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// Returns the number of rows that are copied.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}
