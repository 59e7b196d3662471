//! Events that come from another installation.

use super::{WriteOutput, WriteResult, transaction::WriteTransaction};
use crate::store::{
    AccessChange, ImportRefusal, MAX_IMPORTED_EVENTS, RoomImport, StoreError, columns,
    reactions::Summary,
    rules::{self, EventState, ImportPlan, ImportedRoom},
    sqlite::{queries, rows, sql},
};
use app::wire::{DisplayName, Event, EventBody, RoomName, Seq, UserId};
use rusqlite::OptionalExtension;
use std::collections::{BTreeMap, HashSet};

/// The event at a position: its kind, its author, and whether it was deleted.
const SELECT_PLACE: &str = "
    SELECT e.kind, e.author, c.at IS NOT NULL AND c.text IS NULL
    FROM event e LEFT JOIN change c ON c.room = e.room AND c.seq = e.seq WHERE e.room = ?1 AND e.seq = ?2";

/// Removes the texts of the edits of a message before a position.
const PURGE_EDITS_BEFORE: &str = "
    UPDATE event SET text = '', mentions = NULL
    WHERE room = ?1 AND target = ?2 AND kind = 1 AND seq < ?3 AND text <> ''";

/// Moves the latest position of a room. A room that the import has created is as active as its last event.
const UPDATE_HEAD: &str = "
    UPDATE room SET head = ?2, active_at = CASE WHEN ?4 THEN ?3 ELSE max(active_at, ?3) END WHERE name = ?1";

impl WriteTransaction<'_> {
    pub(super) fn import_events(&mut self, mut import: RoomImport) -> rusqlite::Result<WriteResult> {
        let refuse = |refusal| Ok(Ok(WriteOutput::Imported(Err(refusal))));
        import.events.truncate(MAX_IMPORTED_EVENTS);
        let head = self.head(&import.room)?;
        let known = match import.known(head.unwrap_or(0)) {
            Ok(known) => known,
            Err(gap) => return refuse(gap),
        };
        if let Err(refusal) = self.check_ids(&import, known)? {
            return refuse(refusal);
        }
        let users = import.users(known);
        let new = &import.events[known..];
        let room = self.imported_room(&import.room, new, &users)?;
        let erased = room.erased.clone();
        let mut plan = match rules::plan_import(room, &import.events, known) {
            Ok(plan) => plan,
            Err(refusal) => return refuse(refusal),
        };
        let files = self.files(plan.files())?;
        if let Err(refusal) = plan.attach_files(&import.room, &files) {
            return refuse(refusal);
        }
        let has_space = plan.rows.iter().all(|row| self.take_bytes(row.text.len()));
        if !has_space || head.is_none() && !self.take_bytes(import.info.topic.as_str().len()) {
            return Ok(Err(StoreError::ReadOnly));
        }
        if head.is_none() && (!import.room.is_lobby() || !new.is_empty()) {
            self.create_imported_room(&import, &erased)?;
        }
        self.introduce(&users, &erased)?;
        self.store_import(&import.room, &plan)?;
        for (author, seq) in plan.first_posts(&erased) {
            self.record_visit(author, &import.room, seq)?;
        }
        if let Some(last) = plan.rows.last() {
            let mut update = self.transaction.prepare_cached(UPDATE_HEAD)?;
            update.execute((import.room.as_str(), last.seq, last.at, head.is_none()))?;
            *self.last_active = None;
            self.imported.insert(import.room.clone(), last.seq);
        }
        Ok(Ok(WriteOutput::Imported(Ok(plan.rows.len() as u32))))
    }

    /// Checks that the room has the first `known` events of an import, and that nothing has the ids of the others.
    fn check_ids(&self, import: &RoomImport, known: usize) -> rusqlite::Result<Result<(), ImportRefusal>> {
        let (stored, new) = import.events.split_at(known);
        for event in stored {
            let found = queries::event_at(&self.transaction, &import.room, event.seq)?;
            if found.is_none_or(|(id, _)| id != event.id) {
                return Ok(Err(ImportRefusal::OtherEvent(event.seq)));
            }
        }
        let mut ids = HashSet::new();
        for event in new {
            if !ids.insert(event.id) || self.event_by_id(event.id)?.is_some() {
                return Ok(Err(ImportRefusal::IdTaken(event.seq)));
            }
        }
        Ok(Ok(()))
    }

    /// Reads what the room has where new events refer to it.
    fn imported_room(
        &self,
        name: &RoomName,
        new: &[Event],
        users: &BTreeMap<UserId, DisplayName>,
    ) -> rusqlite::Result<ImportedRoom> {
        let mut room = ImportedRoom::default();
        let mut expired = self.transaction.prepare_cached("SELECT expired FROM room WHERE name = ?1")?;
        room.expired = expired.query_row([name.as_str()], |row| row.get(0)).optional()?.unwrap_or(0);
        for seq in rules::referred(new) {
            let mut select = self.transaction.prepare_cached(SELECT_PLACE)?;
            let state = |row: &rusqlite::Row<'_>| {
                Ok(EventState::new(row.get(0)?, rows::user_id(row.get(1)?), row.get(2)?))
            };
            let Some(state) = select.query_row((name.as_str(), columns::position(seq)), state).optional()?
            else {
                continue;
            };
            room.states.insert(seq, state);
            let mut select = self.transaction.prepare_cached(sql::SELECT_REACTIONS)?;
            let summary = select.query_row((name.as_str(), seq), |row| row.get::<_, String>(0)).optional()?;
            room.reactions.extend(summary.map(|json| (seq, Summary::parse(&json))));
        }
        for event in new {
            if let EventBody::React { target, emoji, .. } = &event.body {
                let (is_given, _) =
                    queries::last_reaction(&self.transaction, name, *target, event.author.id, emoji)?;
                room.given.insert((*target, event.author.id, emoji.clone()), is_given);
            }
        }
        for user in users.keys() {
            if self.is_erased(*user)? {
                room.erased.insert(*user);
            }
        }
        Ok(room)
    }

    fn create_imported_room(
        &mut self,
        import: &RoomImport,
        erased: &HashSet<UserId>,
    ) -> rusqlite::Result<()> {
        let is_taken = |key: &str| self.other_with_title(&import.room, key).map(|other| other.is_some());
        let info = import.new_room(erased, is_taken)?;
        if let Some(owner) = info.owner {
            self.record_visit(owner, &import.room, 0)?;
        }
        self.store_room(import.room.clone(), info)?;
        if import.members_only {
            let close = "UPDATE room SET members_only = 1 WHERE name = ?1";
            self.transaction.prepare_cached(close)?.execute([import.room.as_str()])?;
            self.note_access_change(AccessChange { subject: None, room: Some(import.room.clone()) });
        }
        Ok(())
    }

    /// Stores the users who do not exist.
    fn introduce(
        &mut self,
        users: &BTreeMap<UserId, DisplayName>,
        erased: &HashSet<UserId>,
    ) -> rusqlite::Result<()> {
        for (id, name) in users {
            if queries::user(&self.transaction, *id)?.is_some() {
                continue;
            }
            let is_erased = erased.contains(id);
            let name = if is_erased { DisplayName::generated(*id) } else { name.clone() };
            let changed = self.rename(*id, name)?;
            let changed = changed.into_iter().filter(|user| user.ambiguous);
            self.changed_users.extend(changed.map(|user| user.id));
        }
        Ok(())
    }

    fn store_import(&mut self, room: &RoomName, plan: &ImportPlan) -> rusqlite::Result<()> {
        let (name, first) = (room.as_str(), plan.rows.first().map_or(Seq::MAX, |row| row.seq));
        for row in &plan.rows {
            let mut insert = self.transaction.prepare_cached(sql::INSERT_EVENT)?;
            let (id, author, mentions) =
                (row.id.as_bytes(), row.author.0.cast_signed(), columns::of_mentions(&row.mentions));
            insert.execute((
                name,
                row.seq,
                row.at,
                id,
                author,
                row.kind,
                &*row.text,
                row.reply_to,
                row.target,
                mentions,
                columns::of_files(&row.files),
            ))?;
            self.claim_and_post(row.id, &row.files)?;
        }
        for (message, change) in &plan.changes {
            let text = change.text.as_deref();
            self.transaction.prepare_cached(sql::UPSERT_CHANGE)?.execute((name, message, change.at, text))?;
            if *message < first {
                let indexed = self.unindex(room, *message)?;
                let mut update = self.transaction.prepare_cached(sql::UPDATE_EVENT_TEXT)?;
                let mentions = columns::of_mentions(&change.mentions);
                update.execute((name, message, text.unwrap_or_default(), mentions))?;
                if let Some(row) = indexed.filter(|_| text.is_some()) {
                    self.index_again(row)?;
                }
            }
            self.transaction.prepare_cached(PURGE_EDITS_BEFORE)?.execute((name, message, first))?;
            self.transaction.prepare_cached(sql::DELETE_MENTIONS)?.execute((name, message))?;
            if text.is_none() {
                self.transaction.prepare_cached(sql::DELETE_REACTIONS)?.execute((name, message))?;
            }
            self.has_purged = true;
        }
        for (message, author, mentions) in plan.addressing() {
            for user in columns::notified(mentions, author) {
                let mut insert = self.transaction.prepare_cached(sql::INSERT_MENTION)?;
                insert.execute((user.0.cast_signed(), name, message))?;
            }
        }
        for (message, (last, summary)) in &plan.reactions {
            let mut upsert = self.transaction.prepare_cached(sql::UPSERT_REACTIONS)?;
            upsert.execute((name, message, last, summary.to_json()))?;
        }
        if let Some(up_to) = plan.expired {
            let mut expired = self.transaction.prepare_cached("SELECT expired FROM room WHERE name = ?1")?;
            let after: Seq = expired.query_row([name], |row| row.get(0))?;
            drop(expired);
            self.remove_content(room, after, up_to)?;
            self.has_purged = true;
        }
        Ok(())
    }
}
