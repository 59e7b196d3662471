//! The index of all messages: what is posted comes in some time after its commit, what is changed or removed goes at once.

use super::transaction::WriteTransaction;
use crate::store::sqlite::{
    search::{IndexBatch, IndexedRow, indexed_row},
    search_sql as sql,
};
use app::wire::{RoomName, Seq};
use rusqlite::OptionalExtension;

/// Pages that one merge writes, about.
const PAGES_PER_MERGE: u32 = 200;

/// Bytes that the index takes for each byte of what is indexed.
const BYTES_PER_BYTE: usize = 2;

impl WriteTransaction<'_> {
    /// Adds messages to the index, unless another step has added them. A message that was changed since it was read is indexed
    /// as it is now. Ends early if the quota is used up, and returns `true` then.
    pub(super) fn index(&mut self, batch: IndexBatch) -> rusqlite::Result<bool> {
        if self.indexed()? != batch.after {
            return Ok(false);
        }
        let (mut up_to, mut is_full) = (batch.up_to, false);
        for message in batch.messages {
            if !self.take_bytes(message.document.len() * BYTES_PER_BYTE) {
                (up_to, is_full) = (message.row - 1, true);
                break;
            }
            let mut select = self.transaction.prepare_cached(sql::IS_UNCHANGED)?;
            let event = (message.row, message.id, &message.text);
            let is_same: Option<bool> = select.query_row(event, |row| row.get(0)).optional()?;
            match is_same {
                Some(true) => self.insert_indexed(message.row, &message.document)?,
                _ => self.index_again(message.row)?,
            }
        }
        self.transaction.prepare_cached(sql::UPDATE_INDEXED)?.execute([up_to])?;
        Ok(is_full)
    }

    /// Merges a part of the index, so that queries look into few segments. Returns `false` if there is nothing to merge.
    pub(super) fn merge_index(&self) -> rusqlite::Result<bool> {
        let changes = || -> rusqlite::Result<u64> {
            self.transaction.prepare_cached(sql::SELECT_TOTAL_CHANGES)?.query_row([], |row| row.get(0))
        };
        let before = changes()?;
        self.transaction.prepare_cached(sql::MERGE_INDEX)?.execute([PAGES_PER_MERGE])?;
        // The statement itself counts as one.
        Ok(changes()? >= before + 2)
    }

    /// Removes a message from the index before its text changes. Returns its row if it was in the index.
    pub(super) fn unindex(&self, room: &RoomName, seq: Seq) -> rusqlite::Result<Option<i64>> {
        let mut select = self.transaction.prepare_cached(sql::SELECT_ROW)?;
        let row: Option<i64> = select.query_row((room.as_str(), seq), |row| row.get(0)).optional()?;
        let Some(row) = row else { return Ok(None) };
        if row > self.indexed()? {
            return Ok(None);
        }
        self.unindex_row(row)?;
        Ok(Some(row))
    }

    /// Removes the messages of a range of events from the index before their texts are removed.
    pub(super) fn unindex_range(&self, room: &RoomName, after: Seq, up_to: Seq) -> rusqlite::Result<()> {
        let indexed = self.indexed()?;
        let mut select = self.transaction.prepare_cached(sql::SELECT_ROWS_OF_RANGE)?;
        let rows = select.query_map((room.as_str(), after, up_to), |row| row.get(0))?;
        let rows: Vec<i64> = rows.collect::<Result<_, _>>()?;
        rows.into_iter().filter(|row| *row <= indexed).try_for_each(|row| self.unindex_row(row))
    }

    /// Adds a message to the index with its present text.
    pub(super) fn index_again(&self, row: i64) -> rusqlite::Result<()> {
        let mut select = self.transaction.prepare_cached(sql::SELECT_INDEXED_EVENT)?;
        match select.query_row([row], indexed_row).optional()? {
            Some(IndexedRow { document, .. }) if !document.is_empty() => self.insert_indexed(row, &document),
            _ => Ok(()),
        }
    }

    /// Continues the index with the rows that the next events use, after events were removed.
    pub(super) fn lower_indexed(&self) -> rusqlite::Result<()> {
        self.transaction.prepare_cached(sql::LOWER_INDEXED)?.execute([]).map(drop)
    }

    fn unindex_row(&self, row: i64) -> rusqlite::Result<()> {
        let mut select = self.transaction.prepare_cached(sql::SELECT_INDEXED_EVENT)?;
        let IndexedRow { document, .. } = select.query_row([row], indexed_row)?;
        if !document.is_empty() {
            self.transaction.prepare_cached(sql::DELETE_INDEXED)?.execute((row, document))?;
        }
        Ok(())
    }

    fn insert_indexed(&self, row: i64, document: &str) -> rusqlite::Result<()> {
        self.transaction.prepare_cached(sql::INSERT_INDEXED)?.execute((row, document)).map(drop)
    }

    /// Returns up to which row the events are in the index.
    fn indexed(&self) -> rusqlite::Result<i64> {
        self.transaction.prepare_cached(sql::SELECT_INDEXED)?.query_row([], |row| row.get(0))
    }
}
