//! The event logs of a [`SqliteStore`].

use super::{SqliteStore, WriteCommand, WriteOutput, epoch::Shared, queries};
use crate::store::{
    Appended, EventStore, MAX_HEADS_PER_READ, MessagePage, NewEvent, PendingCommit, RoomSnapshot,
    StoreResult, StreamPosition, position,
};
use app::wire::{CommandId, Event, RoomName, Seq, UserId, limits::MAX_CATCH_UP_EVENTS};
use async_trait::async_trait;
use rusqlite::Connection;
use std::sync::Arc;

#[async_trait]
impl EventStore for SqliteStore {
    fn append(&self, event: NewEvent) -> PendingCommit<Appended> {
        self.commit(WriteCommand::Append(event), |output| match output {
            WriteOutput::Appended(appended) => Some(appended),
            _ => None,
        })
    }

    async fn events_after(&self, room: &RoomName, after: Seq, limit: u32) -> StoreResult<Vec<Arc<Event>>> {
        let room = room.clone();
        self.readers.read(move |db| queries::events_after(db, &room, after, limit)).await
    }

    async fn messages_before(&self, room: &RoomName, before: Seq, limit: u32) -> StoreResult<MessagePage> {
        let room = room.clone();
        self.readers.read(move |db| queries::messages_before(db, &room, before, limit)).await
    }

    async fn has_reacted(
        &self,
        room: &RoomName,
        user: UserId,
        reactions: &[(Seq, Arc<str>)],
    ) -> StoreResult<Vec<bool>> {
        let (room, reactions) = (room.clone(), reactions.to_vec());
        let read = self.readers.read(move |db| {
            let has_reacted = |(target, emoji): &(Seq, Arc<str>)| {
                queries::last_reaction(db, &room, *target, user, emoji).map(|(is_given, _)| is_given)
            };
            reactions.iter().map(has_reacted).collect()
        });
        read.await
    }

    async fn heads(&self, rooms: &[RoomName]) -> StoreResult<Vec<Seq>> {
        let rooms = rooms[..rooms.len().min(MAX_HEADS_PER_READ)].to_vec();
        let read = self.readers.read(move |db| {
            rooms.iter().map(|room| Ok(queries::stored_head(db, room)?.unwrap_or(0))).collect()
        });
        read.await
    }

    async fn snapshot(
        &self,
        room: &RoomName,
        user: UserId,
        past: Option<StreamPosition>,
        limit: u32,
    ) -> StoreResult<RoomSnapshot> {
        let (room, past) = (room.clone(), past.map(|past| (past.after, self.continuity(past))));
        let read = self.readers.read(move |db| {
            let record = queries::room_or_missing(db, &room)?;
            let head = record.head;
            let is_near = |after: Seq| after <= head && head - after <= MAX_CATCH_UP_EVENTS;
            let resumes = match past {
                Some((after, continuity)) if is_near(after) => continuity.is_given(db, &room)?,
                _ => false,
            };
            let page =
                if resumes { None } else { Some(queries::messages_before(db, &room, head + 1, limit)?) };
            Ok(RoomSnapshot { read: queries::read_marker(db, user, &room)?, record, page })
        });
        read.await
    }

    async fn continues(&self, room: &RoomName, position: StreamPosition) -> StoreResult<bool> {
        match self.continuity(position) {
            Continuity::Known(is_given) => Ok(is_given),
            continuity => {
                let room = room.clone();
                self.readers.read(move |db| continuity.is_given(db, &room)).await
            }
        }
    }
}

/// The condition under which the events after a position continue what a client has.
enum Continuity {
    /// The identity of the log says it.
    Known(bool),
    /// If the event at this position has this id.
    SameId(Seq, CommandId),
    /// If the event at this position is in a row before this one.
    RowBefore(Seq, i64),
}

impl Continuity {
    fn is_given(&self, db: &Connection, room: &RoomName) -> rusqlite::Result<bool> {
        Ok(match *self {
            Self::Known(is_given) => is_given,
            Self::SameId(at, expected) => {
                queries::event_at(db, room, at)?.is_some_and(|(id, _)| id == expected)
            }
            Self::RowBefore(at, bound) => {
                queries::event_at(db, room, at)?.is_some_and(|(_, row)| row < bound)
            }
        })
    }
}

impl SqliteStore {
    fn continuity(&self, position: StreamPosition) -> Continuity {
        if !position.may_be_of_log(&self.log_id) {
            return Continuity::Known(false);
        }
        let StreamPosition { after, after_id, log } = position;
        let shared = log.map_or(Shared::All, |log| self.epochs.shared(position::split_log_id(&log).1));
        match (after, after_id, shared) {
            (0, ..) | (_, None, Shared::All) => Continuity::Known(true),
            (_, None, Shared::Unknown) => Continuity::Known(false),
            (_, Some(id), _) => Continuity::SameId(after, id),
            (_, None, Shared::Before(row)) => Continuity::RowBefore(after, row),
        }
    }
}
