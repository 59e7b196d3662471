//! The rows that `hubbub migrate` takes from a SQLite file to a PostgreSQL database: rows in chunks, as the database reads
//! them.

mod chunk;
mod table;

pub(super) use chunk::ChunkBuilder;
pub(super) use table::Kind;

pub use chunk::{Chunk, Digest};
pub use table::{Key, Position, Table};
