//! Messages that are kept no longer, and rooms that are abandoned.

use super::{WriteOutput, WriteResult, transaction::WriteTransaction};
use crate::store::{
    AgingRoom, MAX_EXPIRED_PER_STEP, StoreError, Sweep, VISIT_INTERVAL,
    columns::kind,
    retention::MAX_MARKERS_PER_STEP,
    rules,
    sqlite::{retention::aging_room, rows, sql},
};
use app::wire::{DisplayName, Event, EventBody, Millis, Retention, RoomName, Seq, User, UserId};
use rusqlite::OptionalExtension;
use std::sync::Arc;
use uuid::Uuid;

/// The author of events that no user has caused.
const NOBODY: UserId = UserId(0);

impl WriteTransaction<'_> {
    pub(super) fn set_retention(
        &mut self,
        room: RoomName,
        user: UserId,
        retention: Option<Retention>,
    ) -> rusqlite::Result<WriteResult> {
        if !self.room_exists(&room)? {
            return Ok(Err(StoreError::RoomNotFound));
        }
        if let Err(refused) = rules::authorize_update(user, self.room_info(&room)?.owner) {
            return Ok(Err(refused));
        }
        let hours = retention.map(Retention::hours);
        self.transaction.prepare_cached(sql::SET_RETENTION)?.execute((room.as_str(), hours))?;
        self.changed_rooms.push(room);
        Ok(Ok(WriteOutput::None))
    }

    /// Removes the oldest events of a room that have expired, with everything about them.
    pub(super) fn expire(&mut self, room: &RoomName, sweep: Sweep) -> rusqlite::Result<u32> {
        let Some((found, expired)) = self.aging_room(room)? else { return Ok(0) };
        let Some(cutoff) = rules::cutoff(found.retention, sweep) else { return Ok(0) };
        let mut statement = self.transaction.prepare_cached(sql::SELECT_OLDEST_EVENTS)?;
        let oldest = statement.query_map((room.as_str(), expired, MAX_EXPIRED_PER_STEP), |row| {
            Ok((row.get::<_, Seq>(0)?, row.get::<_, Millis>(1)?, row.get::<_, i16>(2)?))
        })?;
        let mut oldest = oldest.collect::<Result<Vec<_>, _>>()?;
        drop(statement);
        oldest.truncate(rules::count_expired(oldest.iter().map(|(_, at, _)| *at), sweep.now, cutoff));
        let Some((up_to, ..)) = oldest.last() else { return Ok(0) };
        self.remove_content(room, expired, *up_to)?;
        if oldest.iter().any(|(.., kind)| *kind == kind::MESSAGE) {
            self.append_expire(room, *up_to)?;
        }
        self.has_purged = true;
        Ok(oldest.len() as u32)
    }

    /// Removes the content of the events after `after` up to `up_to`, and everything about them.
    pub(super) fn remove_content(&self, room: &RoomName, after: Seq, up_to: Seq) -> rusqlite::Result<()> {
        let range = (room.as_str(), after, up_to);
        self.unindex_range(room, after, up_to)?;
        // Only the newest edit of a message has a text, and it may be younger than what has expired.
        let edited: Vec<Seq> = self
            .transaction
            .prepare_cached(sql::SELECT_EDITED)?
            .query_map(range, |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for message in edited {
            let mut purge = self.transaction.prepare_cached(sql::PURGE_PREVIOUS_EDIT)?;
            purge.execute((room.as_str(), message, i64::MAX))?;
        }
        for statement in [
            sql::DELETE_CHANGES_OF_RANGE,
            sql::DELETE_REACTIONS_OF_RANGE,
            sql::DELETE_MENTIONS_OF_RANGE,
            sql::EXPIRE_EVENTS,
        ] {
            self.transaction.prepare_cached(statement)?.execute(range)?;
        }
        self.transaction.prepare_cached(sql::SET_EXPIRED)?.execute((room.as_str(), up_to)).map(drop)
    }

    /// Appends the event that says what has expired. It has the time of the event before it, so that the room is no more
    /// active than before.
    fn append_expire(&mut self, room: &RoomName, up_to: Seq) -> rusqlite::Result<()> {
        let head = self.head(room)?.unwrap_or(0);
        let mut statement = self.transaction.prepare_cached(sql::SELECT_EVENT_TIME)?;
        let at: Millis = statement.query_row((room.as_str(), head), |row| row.get(0))?;
        drop(statement);
        let (seq, id) = (head + 1, Uuid::now_v7());
        let mut insert = self.transaction.prepare_cached(sql::INSERT_EVENT)?;
        let (none, author) = (None::<&str>, NOBODY.0.cast_signed());
        let columns =
            (room.as_str(), seq, at, id.as_bytes(), author, kind::EXPIRE, "", none, Some(up_to), none, none);
        insert.execute(columns)?;
        drop(insert);
        let author = User::new(NOBODY, DisplayName::generated(NOBODY));
        let event = Event { seq, at, id, author, body: EventBody::Expire { up_to } };
        self.events.entry(room.clone()).or_default().push(Arc::new(event));
        Ok(())
    }

    /// Removes a room if it is abandoned. Returns whether it is gone.
    pub(super) fn remove_if_abandoned(&mut self, room: &RoomName, now: Millis) -> rusqlite::Result<bool> {
        let Some((found, _)) = self.aging_room(room)? else { return Ok(false) };
        if !rules::is_abandoned(&found, 0, now) || self.events.contains_key(room) {
            return Ok(false);
        }
        let messages: u32 = self
            .transaction
            .prepare_cached(sql::COUNT_MESSAGES)?
            .query_row([room.as_str()], |row| row.get(0))?;
        if !rules::is_abandoned(&found, messages, now) {
            return Ok(false);
        }
        self.has_purged = true;
        let removed = self.remove_markers(room)?;
        if removed == MAX_MARKERS_PER_STEP {
            return Ok(false);
        }
        self.remove_content(room, 0, found.head)?;
        self.forget_places(room)?;
        self.transaction.prepare_cached(sql::DELETE_EVENTS)?.execute([room.as_str()])?;
        self.lower_indexed()?;
        for statement in sql::DELETE_RIGHTS_OF_ROOM {
            self.transaction.prepare_cached(statement)?.execute([room.as_str()])?;
        }
        self.unrestricted.clear();
        self.transaction.prepare_cached(sql::DELETE_ROOM)?.execute([room.as_str()])?;
        self.heads.remove(room);
        *self.last_active = None;
        Ok(true)
    }

    /// Removes some of the read markers in a room. Returns how many.
    fn remove_markers(&mut self, room: &RoomName) -> rusqlite::Result<u32> {
        let mut statement = self.transaction.prepare_cached(sql::SELECT_MARKERS_OF_ROOM)?;
        let users = statement.query_map((room.as_str(), MAX_MARKERS_PER_STEP), |row| row.get(0))?;
        let users: Vec<UserId> = users.map(|user| user.map(rows::user_id)).collect::<Result<Vec<_>, _>>()?;
        drop(statement);
        for user in &users {
            self.remove_read_marker(*user, room.clone())?;
        }
        Ok(users.len() as u32)
    }

    pub(super) fn record_room_visit(&self, room: &RoomName, now: Millis) -> rusqlite::Result<()> {
        let mut record = self.transaction.prepare_cached(sql::RECORD_ROOM_VISIT)?;
        record.execute((room.as_str(), now, now.saturating_sub(VISIT_INTERVAL))).map(drop)
    }

    /// Returns a room as a sweep looks at it, without its oldest event, and up to which event it has expired.
    fn aging_room(&self, room: &RoomName) -> rusqlite::Result<Option<(AgingRoom, Seq)>> {
        let mut statement = self.transaction.prepare_cached(sql::SELECT_AGING_ROOM)?;
        statement.query_row([room.as_str()], |row| Ok((aging_room(row)?, row.get(6)?))).optional()
    }
}
