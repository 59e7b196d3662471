//! The positions up to which users have read.

use super::transaction::{MovedMarker, WriteTransaction};
use crate::store::{
    MAX_READ_MARKERS, MarkerUpdate, StoreError, StoreResult,
    sqlite::{rows, sql},
};
use app::wire::{RoomName, Seq, UserId};

/// Read markers that are cached. A full cache is cleared.
const MAX_CACHED_READ_MARKERS: usize = 10_000;

impl WriteTransaction<'_> {
    /// Sets the first read marker of `user` in `room` to `seq`, because they have posted there or created it. Leaves
    /// an existing marker as it is.
    pub(super) fn record_visit(&mut self, user: UserId, room: &RoomName, seq: Seq) -> rusqlite::Result<()> {
        let visit = (user, room.clone());
        if self.read_markers.contains(&visit) {
            return Ok(());
        }
        if self.read_markers.len() >= MAX_CACHED_READ_MARKERS {
            self.read_markers.clear();
        }
        self.insert_read_marker(user, room, seq)?;
        self.read_markers.insert(visit);
        Ok(())
    }

    /// Returns the latest `seq` of a room that exists; `None` for a lobby without a row.
    fn head_of_existing(&mut self, room: &RoomName) -> rusqlite::Result<StoreResult<Option<Seq>>> {
        let stored = self.head(room)?;
        Ok(if stored.is_none() && !room.is_lobby() { Err(StoreError::RoomNotFound) } else { Ok(stored) })
    }

    /// Moves the read marker of `user` in `room` forward to `seq`.
    pub(super) fn set_read_marker(
        &mut self,
        user: UserId,
        room: &RoomName,
        seq: Seq,
    ) -> rusqlite::Result<StoreResult<MarkerUpdate>> {
        let stored = match self.head_of_existing(room)? {
            Ok(stored) => stored,
            Err(missing) => return Ok(Err(missing)),
        };
        let seq = seq.min(stored.unwrap_or(0));
        let can_insert = seq > 0 || stored == Some(0);
        // Past the quota a marker moves forward, but none is added.
        let has_moved = (seq > 0 && self.place_read_marker(sql::MOVE_READ_MARKER, user, room, seq)?)
            || (can_insert && self.take_bytes(0) && self.insert_read_marker(user, room, seq)?);
        if !has_moved {
            return Ok(Ok(MarkerUpdate::Unchanged));
        }
        self.moved_markers.push((user, room.clone(), MovedMarker::To(seq)));
        Ok(Ok(MarkerUpdate::Moved(seq)))
    }

    /// Moves the read marker of `user` in `room` to the event before `seq`, also back.
    pub(super) fn mark_unread(
        &mut self,
        user: UserId,
        room: &RoomName,
        seq: Seq,
    ) -> rusqlite::Result<StoreResult<MarkerUpdate>> {
        let stored = match self.head_of_existing(room)? {
            Ok(stored) => stored,
            Err(missing) => return Ok(Err(missing)),
        };
        let seq = seq.saturating_sub(1).min(stored.unwrap_or(0));
        let has_moved = self.place_read_marker(sql::SET_READ_MARKER, user, room, seq)?
            || (stored.is_some() && self.take_bytes(0) && self.insert_read_marker(user, room, seq)?);
        self.moved_markers.push((user, room.clone(), MovedMarker::Unread));
        Ok(Ok(if has_moved { MarkerUpdate::Moved(seq) } else { MarkerUpdate::Unchanged }))
    }

    /// Removes the read marker of `user` in `room`.
    pub(super) fn remove_read_marker(&mut self, user: UserId, room: RoomName) -> rusqlite::Result<()> {
        let id = user.0.cast_signed();
        let mut delete = self.transaction.prepare_cached(sql::DELETE_READ_MARKER)?;
        if delete.execute((id, room.as_str()))? > 0 {
            self.transaction.prepare_cached(sql::DECREMENT_MARKER_COUNT)?.execute([id])?;
        }
        self.read_markers.remove(&(user, room));
        Ok(())
    }

    /// Moves an existing read marker to `seq` with `update`. Returns `false` if that changes nothing.
    fn place_read_marker(
        &self,
        update: &str,
        user: UserId,
        room: &RoomName,
        seq: Seq,
    ) -> rusqlite::Result<bool> {
        let mut statement = self.transaction.prepare_cached(update)?;
        let moved = statement.execute((user.0.cast_signed(), room.as_str(), seq, self.at))?;
        Ok(moved > 0)
    }

    /// Inserts a read marker, and evicts the oldest one past [`MAX_READ_MARKERS`]. Returns `false` if the user has one
    /// in the room already.
    fn insert_read_marker(&mut self, user: UserId, room: &RoomName, seq: Seq) -> rusqlite::Result<bool> {
        if self.is_erased(user)? {
            return Ok(false);
        }
        let id = user.0.cast_signed();
        let mut insert = self.transaction.prepare_cached(sql::INSERT_READ_MARKER)?;
        if insert.execute((id, room.as_str(), seq, self.at))? == 0 {
            return Ok(false);
        }
        let mut increment = self.transaction.prepare_cached(sql::INCREMENT_MARKER_COUNT)?;
        let count: u32 = increment.query_row([id], |row| row.get(0))?;
        if count > MAX_READ_MARKERS {
            let mut evict = self.transaction.prepare_cached(sql::EVICT_READ_MARKER)?;
            let evicted = evict.query_row((id, room.as_str()), |row| rows::room_name(row, 0))?;
            self.read_markers.remove(&(user, evicted));
            self.transaction.prepare_cached(sql::DECREMENT_MARKER_COUNT)?.execute([id])?;
        }
        Ok(true)
    }
}
