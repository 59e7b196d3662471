//! The index of all messages: what is posted comes in some time after its commit, what is changed or removed goes at once.

use super::transaction::WriteTransaction;
use crate::store::sqlite::{
    search::{IndexBatch, IndexedRow, indexed_row, places_of},
    search_sql as sql,
};
use app::wire::{Millis, RoomName, Seq};
use rusqlite::OptionalExtension;

/// Pages that one merge writes, about.
const PAGES_PER_MERGE: u32 = 200;

/// Bytes that the index takes for each byte of what is indexed.
const BYTES_PER_BYTE: usize = 2;

/// The byte before the words in the tables of FTS5, which has no index of prefixes here.
const MAIN_INDEX: &[u8] = b"0";

impl WriteTransaction<'_> {
    /// Adds messages to the index, unless another step has added them. A message that was changed since it was read is indexed
    /// as it is now. Ends early if the quota is used up, and returns `true` then.
    pub(super) fn index(&mut self, batch: IndexBatch) -> rusqlite::Result<bool> {
        if self.indexed()? != batch.after {
            return Ok(false);
        }
        let (mut up_to, mut is_full) = (batch.up_to, false);
        let mut last_at: Millis =
            self.transaction.prepare_cached(sql::SELECT_INDEXED_AT)?.query_row([], |row| row.get(0))?;
        for message in batch.messages {
            if !self.take_bytes(message.document.len() * BYTES_PER_BYTE) {
                (up_to, is_full) = (message.row - 1, true);
                break;
            }
            let mut select = self.transaction.prepare_cached(sql::IS_UNCHANGED)?;
            let event = (message.row, message.id, &message.text);
            let is_same: Option<bool> = select.query_row(event, |row| row.get(0)).optional()?;
            let (at, document) = match is_same {
                Some(true) => (message.at, message.document),
                _ => self.present(message.row)?.unwrap_or_default(),
            };
            if !document.is_empty() {
                self.insert_in_order(message.row, at, &mut last_at)?;
                self.insert_indexed(message.row, &document)?;
            }
        }
        self.transaction.prepare_cached(sql::UPDATE_INDEXED_AT)?.execute([last_at])?;
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
        match self.present(row)? {
            Some((_, document)) if !document.is_empty() => self.insert_indexed(row, &document),
            _ => Ok(()),
        }
    }

    /// Returns the time of a message and what the index has of it; nothing of one without a text.
    fn present(&self, row: i64) -> rusqlite::Result<Option<(Millis, String)>> {
        let mut select = self.transaction.prepare_cached(sql::SELECT_INDEXED_EVENT)?;
        let found = select.query_row([row], indexed_row).optional()?;
        Ok(found.map(|IndexedRow { at, document, .. }| (at, document)))
    }

    /// Gives a message that comes into the index its place there: by its row if it is the newest one, otherwise by its time.
    fn insert_in_order(&self, row: i64, at: Millis, last_at: &mut Millis) -> rusqlite::Result<()> {
        if at < *last_at {
            let (first, last) = places_of(at);
            return self.transaction.prepare_cached(sql::INSERT_PLACE)?.execute((row, first, last)).map(drop);
        }
        *last_at = at;
        self.transaction.prepare_cached(sql::INSERT_INDEX_TIME)?.execute((at, row)).map(drop)
    }

    /// Forgets the places of the late messages of a room before its events are removed.
    pub(super) fn forget_places(&self, room: &RoomName) -> rusqlite::Result<()> {
        self.transaction.prepare_cached(sql::DELETE_PLACES)?.execute([room.as_str()]).map(drop)
    }

    /// Continues the index with the rows that the next events use, after events were removed.
    pub(super) fn lower_indexed(&self) -> rusqlite::Result<()> {
        self.transaction.prepare_cached(sql::LOWER_INDEXED)?.execute([])?;
        self.transaction.prepare_cached(sql::DELETE_LATER_TIMES)?.execute([]).map(drop)
    }

    fn unindex_row(&self, row: i64) -> rusqlite::Result<()> {
        let mut select = self.transaction.prepare_cached(sql::SELECT_INDEXED_EVENT)?;
        let IndexedRow { document, .. } = select.query_row([row], indexed_row)?;
        if !document.is_empty() {
            let place = self.place(row)?;
            self.transaction.prepare_cached(sql::DELETE_INDEXED)?.execute((place, &document))?;
            self.unindexed.borrow_mut().extend(document.split(' ').map(str::to_ascii_lowercase));
        }
        Ok(())
    }

    /// Removes the removed words from the table by which FTS5 finds the pages of a segment: it has the beginning of the first
    /// word of a page, even if that word itself is gone. The next word of the index takes its place: the pages before have only
    /// smaller words, and this one has no smaller word.
    pub(super) fn purge_separators(&self) -> rusqlite::Result<()> {
        let words = self.unindexed.take();
        if words.is_empty() {
            return Ok(());
        }
        self.transaction.prepare_cached(sql::FLUSH_INDEX)?.execute([])?;
        let mut select = self.transaction.prepare_cached(sql::SELECT_SEGMENTS)?;
        let segments: Vec<i64> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut select = self.transaction.prepare_cached(sql::SELECT_SEPARATOR)?;
        for word in &words {
            let key = [MAIN_INDEX, word.as_bytes()].concat();
            for segment in &segments {
                let found: Option<Vec<u8>> =
                    select.query_row((segment, &key), |row| row.get(0)).optional()?;
                if let Some(separator) = found.filter(|separator| key.starts_with(separator)) {
                    self.replace_separator(*segment, &separator)?;
                }
            }
        }
        Ok(())
    }

    /// Replaces a separator, unless a word that is still in the index begins like it.
    fn replace_separator(&self, segment: i64, separator: &[u8]) -> rusqlite::Result<()> {
        let beginning = separator.strip_prefix(MAIN_INDEX).unwrap_or(separator);
        let mut select = self.transaction.prepare_cached(sql::SELECT_WORD_FROM)?;
        let next: Option<Vec<u8>> = select.query_row([beginning], |row| row.get(0)).optional()?;
        let Some(next) = next.filter(|next| !next.starts_with(beginning)) else { return Ok(()) };
        let replacement = [MAIN_INDEX, &next].concat();
        let mut update = self.transaction.prepare_cached(sql::UPDATE_SEPARATOR)?;
        update.execute((segment, separator, replacement)).map(drop)
    }

    fn insert_indexed(&self, row: i64, document: &str) -> rusqlite::Result<()> {
        let place = self.place(row)?;
        self.transaction.prepare_cached(sql::INSERT_INDEXED)?.execute((place, document)).map(drop)
    }

    /// Returns by which number a message is in the index.
    fn place(&self, row: i64) -> rusqlite::Result<i64> {
        let mut select = self.transaction.prepare_cached(sql::SELECT_PLACE)?;
        Ok(select.query_row([row], |row| row.get(0)).optional()?.unwrap_or(row))
    }

    /// Returns up to which row the events are in the index.
    fn indexed(&self) -> rusqlite::Result<i64> {
        self.transaction.prepare_cached(sql::SELECT_INDEXED)?.query_row([], |row| row.get(0))
    }
}
