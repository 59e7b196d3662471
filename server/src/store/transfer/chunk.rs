//! Rows in the binary format of PostgreSQL's `COPY`, with their digest.

use super::table::{Key, Table};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// Rows of one chunk, at most. A chunk is one transaction of the database.
const MAX_CHUNK_ROWS: u64 = 10_000;

/// Bytes of one chunk, at most, besides those of its last row.
const MAX_CHUNK_BYTES: usize = 4 * 1_024 * 1_024;

/// The first bytes of the format: its signature, no flags and no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The last bytes of the format: -1 instead of a number of fields.
const TRAILER: &[u8] = &[0xff, 0xff];

/// The SHA-256 of rows.
pub type Digest = [u8; 32];

/// Rows of one table that follow each other.
pub struct Chunk {
    /// Their table.
    pub table: Table,
    /// The key of the row before the first one; `None` if that is the first row of the table.
    pub after: Option<Key>,
    /// The key of the last row; `None` if the chunk is the whole table.
    pub last: Option<Key>,
    /// The number of rows.
    pub rows: u64,
    /// The rows as `COPY … FROM STDIN (FORMAT binary)` reads them.
    pub copy: Bytes,
    /// The digest of the rows as `record_send` of PostgreSQL has them.
    pub digest: Digest,
}

/// Collects the rows of a chunk.
pub(in super::super) struct ChunkBuilder {
    table: Table,
    after: Option<Key>,
    last: Option<Key>,
    rows: u64,
    copy: Vec<u8>,
    digest: Sha256,
}

impl ChunkBuilder {
    /// Begins a chunk of the rows after a key.
    pub(in super::super) fn new(table: Table, after: Option<Key>) -> Self {
        Self { table, after, last: after, rows: 0, copy: HEADER.into(), digest: Sha256::new() }
    }

    /// Begins the next row.
    pub(in super::super) fn begin_row(&mut self, key: Option<Key>) {
        let columns = self.table.columns().len();
        self.last = key;
        self.rows += 1;
        self.copy.extend((columns as u16).to_be_bytes());
        self.digest.update((columns as u32).to_be_bytes());
    }

    /// Adds the value of the next column, in the binary format of its type; `None` is NULL.
    pub(in super::super) fn push(&mut self, oid: u32, value: Option<&[u8]>) {
        let start = self.copy.len();
        let bytes = value.map_or(-1, |value| value.len() as i32);
        self.copy.extend(bytes.to_be_bytes());
        self.copy.extend(value.unwrap_or_default());
        self.digest.update(oid.to_be_bytes());
        self.digest.update(&self.copy[start..]);
    }

    /// Returns `true` if no further row belongs into the chunk.
    pub(in super::super) fn is_full(&self) -> bool {
        self.table.key_columns() > 0 && (self.rows >= MAX_CHUNK_ROWS || self.copy.len() >= MAX_CHUNK_BYTES)
    }

    /// Returns the chunk, and begins the next one of the table. Returns `None` if it has no rows.
    pub(in super::super) fn take(&mut self) -> Option<Chunk> {
        if self.rows == 0 {
            return None;
        }
        let full = std::mem::replace(self, Self::new(self.table, self.last));
        let Self { table, after, last, rows, mut copy, digest } = full;
        copy.extend(TRAILER);
        Some(Chunk { table, after, last, rows, copy: copy.into(), digest: digest.finalize().into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_binary_format_of_copy() {
        let mut chunk = ChunkBuilder::new(Table::RoomActivity, None);
        chunk.begin_row(Some((7, 0)));
        chunk.push(23, Some(&7_i32.to_be_bytes()));
        chunk.push(20, None);
        let chunk = chunk.take().unwrap();
        let row = [0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 255, 255, 255, 255];
        assert_eq!(chunk.copy, [HEADER, &row, TRAILER].concat());
        assert_eq!((chunk.rows, chunk.after, chunk.last), (1, None, Some((7, 0))));
        let sent = [0, 0, 0, 2, 0, 0, 0, 23, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 20, 255, 255, 255, 255];
        assert_eq!(chunk.digest[..], Sha256::digest(sent)[..]);
    }

    #[test]
    fn a_chunk_is_full_at_its_bounds_and_the_next_one_continues() {
        let mut chunk = ChunkBuilder::new(Table::Event, Some((1, 5)));
        assert!(chunk.take().is_none(), "no rows");
        for seq in 0..MAX_CHUNK_ROWS {
            assert!(!chunk.is_full());
            chunk.begin_row(Some((1, 6 + seq as i64)));
        }
        assert!(chunk.is_full());
        let full = chunk.take().unwrap();
        assert_eq!((full.after, full.last, full.rows), (Some((1, 5)), Some((1, 10_005)), MAX_CHUNK_ROWS));
        chunk.begin_row(Some((1, 10_006)));
        chunk.push(25, Some(&vec![b'x'; MAX_CHUNK_BYTES]));
        assert!(chunk.is_full());
        assert_eq!(chunk.take().unwrap().after, Some((1, 10_005)));
    }
}
