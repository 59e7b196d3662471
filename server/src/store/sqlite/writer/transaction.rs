//! One transaction: commands in their order, and the effects to publish once they are durable.

use super::{
    HeadCache, ReadMarkerCache, UnrestrictedCache, UserCache, WriteCommand, WriteOutput, WriteResult, Writer,
};
use crate::store::{
    AccessChange, Appended, NewEvent, StoreError, StoreResult, WriterLoad, columns, now,
    reactions::Summary,
    rules::{self, Target},
    sqlite::{queries, rows, sql},
};
use app::wire::{CommandId, Event, EventBody, Millis, Operation, RoomName, Seq, UserId};
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Bytes that a probe writes: a few of the longest messages.
const PROBE_BYTES: u32 = 64 * 1_024;

/// Bytes that an event, a room or a user takes beside its text, with its entries in the indexes.
const ROW_BYTES: u64 = 512;

/// Bytes that a mention takes: its line, and its row with an entry in an index.
const MENTION_BYTES: usize = 512;

/// The events that a transaction appended to each room, in order.
type NewEventsByRoom = BTreeMap<RoomName, Vec<Arc<Event>>>;

/// Heads that are cached. A full cache is cleared.
const MAX_CACHED_HEADS: usize = 10_000;

/// The changes of a transaction, to be published once it is durable.
pub(super) struct CommitEffects {
    pub(super) events: NewEventsByRoom,
    /// The heads of rooms into which events were imported.
    pub(super) imported: BTreeMap<RoomName, Seq>,
    /// Users who appear differently now.
    pub(super) users: Vec<UserId>,
    /// Rooms whose title or topic has changed.
    pub(super) rooms: Vec<RoomName>,
    /// Read markers that have moved.
    pub(super) read_markers: Vec<(UserId, RoomName, MovedMarker)>,
    /// Users of whom devices were signed out.
    pub(super) signed_out: Vec<UserId>,
    /// A text was purged.
    pub(super) has_purged: bool,
    pub(super) access_changes: Vec<AccessChange>,
}

/// The move of a read marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MovedMarker {
    /// Forward, to this `seq`.
    To(Seq),
    /// The user has marked messages as unread.
    Unread,
}

/// A transaction before its commit.
pub(super) struct WriteTransaction<'a> {
    pub(super) at: Millis,
    pub(super) transaction: Transaction<'a>,
    pub(super) heads: &'a mut HeadCache,
    pub(super) last_active: &'a mut Option<RoomName>,
    pub(super) users: &'a mut UserCache,
    pub(super) read_markers: &'a mut ReadMarkerCache,
    pub(super) unrestricted: &'a mut UnrestrictedCache,
    pub(super) events: NewEventsByRoom,
    /// The heads of rooms into which events were imported.
    pub(super) imported: BTreeMap<RoomName, Seq>,
    pub(super) access_changes: Vec<AccessChange>,
    /// Users who appear differently now: after a rename, or because a user with a confusable name has posted for the
    /// first time.
    pub(super) changed_users: Vec<UserId>,
    pub(super) changed_rooms: Vec<RoomName>,
    pub(super) moved_markers: Vec<(UserId, RoomName, MovedMarker)>,
    pub(super) signed_out: Vec<UserId>,
    /// Bytes that the transaction may still add; `None` without a quota.
    bytes_left: Option<u64>,
    pub(super) has_purged: bool,
    /// The words that were removed from the index of the search.
    pub(super) unindexed: RefCell<BTreeSet<String>>,
    /// How many commands it has.
    pub(super) load: WriterLoad,
    /// Rooms were created, which are active at the same time.
    pub(super) has_new_rooms: bool,
}

impl<'a> WriteTransaction<'a> {
    pub(super) fn begin(writer: &'a mut Writer) -> rusqlite::Result<Self> {
        let bytes_left = writer.upkeep.bytes_left(&writer.connection)?;
        Ok(Self {
            at: now(),
            transaction: writer.connection.transaction_with_behavior(TransactionBehavior::Immediate)?,
            heads: &mut writer.heads,
            last_active: &mut writer.last_active,
            users: &mut writer.users,
            read_markers: &mut writer.read_markers,
            unrestricted: &mut writer.unrestricted,
            access_changes: Vec::new(),
            events: NewEventsByRoom::new(),
            imported: BTreeMap::new(),
            changed_users: Vec::new(),
            changed_rooms: Vec::new(),
            moved_markers: Vec::new(),
            signed_out: Vec::new(),
            bytes_left,
            has_purged: false,
            unindexed: RefCell::default(),
            load: WriterLoad::Idle,
            has_new_rooms: false,
        })
    }

    pub(super) fn commit(mut self) -> rusqlite::Result<CommitEffects> {
        self.update_heads()?;
        self.purge_separators()?;
        let Self { transaction, events, imported, has_purged, signed_out, .. } = self;
        transaction.commit()?;
        let (users, rooms, read_markers) = (self.changed_users, self.changed_rooms, self.moved_markers);
        let access_changes = self.access_changes;
        Ok(CommitEffects {
            events,
            imported,
            users,
            rooms,
            read_markers,
            signed_out,
            has_purged,
            access_changes,
        })
    }

    /// Executes a command. An inner error refuses the command; an outer one fails the whole transaction.
    pub(super) fn execute(&mut self, command: WriteCommand) -> rusqlite::Result<WriteResult> {
        match command {
            WriteCommand::Append(event) => Ok(self.append(event)?.map(WriteOutput::Appended)),
            WriteCommand::SetDisplayName(user, name) => {
                Ok(self.set_display_name(user, name)?.map(WriteOutput::Users))
            }
            WriteCommand::SetReadMarker(user, room, seq) => {
                Ok(self.set_read_marker(user, &room, seq)?.map(WriteOutput::Marker))
            }
            WriteCommand::MarkUnread(user, room, seq) => {
                Ok(self.mark_unread(user, &room, seq)?.map(WriteOutput::Marker))
            }
            WriteCommand::RemoveReadMarker(user, room) => {
                self.remove_read_marker(user, room).map(|()| Ok(WriteOutput::None))
            }
            WriteCommand::CreateRoom(room, info) => self.create_room(room, info),
            WriteCommand::UpdateRoom { room, user, title, topic } => {
                self.update_room(room, user, title, topic)
            }
            WriteCommand::CreateDeviceLink(hash, user, lifetime) => {
                self.create_device_link(&hash, user, lifetime)
            }
            WriteCommand::RedeemDeviceLink(hash) => self.redeem_device_link(&hash),
            WriteCommand::Moderate(moderation) => self.moderate(*moderation),
            WriteCommand::Set(setting, value) => {
                self.change_setting(setting, value.as_deref()).map(|()| Ok(WriteOutput::None))
            }
            WriteCommand::RedeemAdminLink(secret, user) => {
                self.redeem_admin_link(&secret, user).map(|is| Ok(WriteOutput::AdminLinkRedeemed(is)))
            }
            WriteCommand::Admit(user) => Ok(self.admit(user, "")?.map(|()| WriteOutput::None)),
            WriteCommand::RedeemInvitation(hash, user) => self.redeem_invitation(&hash, user),
            WriteCommand::Report { user, room, seq, reason } => {
                Ok(self.report(user, &room, seq, &reason)?.map(|()| WriteOutput::None))
            }
            WriteCommand::SetBlocked { user, other, is_blocked } => {
                Ok(self.set_blocked(user, other, is_blocked)?.map(|()| WriteOutput::None))
            }
            WriteCommand::RecordDevice(user, sign_in, label) => {
                self.record_device(user, sign_in, label.as_ref()).map(|()| Ok(WriteOutput::None))
            }
            WriteCommand::SignOut(user, what) => {
                self.sign_out(user, what).map(|generation| Ok(WriteOutput::Generation(generation)))
            }
            WriteCommand::SetRecoveryCode(user, hash) => self.set_recovery_code(user, &hash),
            WriteCommand::RevokeRecoveryCode(user) => {
                self.revoke_recovery_code(user).map(|()| Ok(WriteOutput::None))
            }
            WriteCommand::RedeemRecoveryCode(hash) => {
                self.redeem_recovery_code(&hash).map(|user| Ok(WriteOutput::Recovered(user)))
            }
            WriteCommand::SetRetention(room, user, retention) => self.set_retention(room, user, retention),
            WriteCommand::Expire(room, sweep) => {
                self.expire(&room, sweep).map(|count| Ok(WriteOutput::Expired(count)))
            }
            WriteCommand::RemoveIfAbandoned(room, now) => {
                self.remove_if_abandoned(&room, now).map(|removed| Ok(WriteOutput::RoomRemoved(removed)))
            }
            WriteCommand::RecordRoomVisit(room, now) => {
                self.record_room_visit(&room, now).map(|()| Ok(WriteOutput::None))
            }
            WriteCommand::BeginErasure(user) => self.begin_erasure(user).map(|()| Ok(WriteOutput::None)),
            WriteCommand::NoteErased(user, erased, position) => {
                self.note_erased(user, erased, position).map(|()| Ok(WriteOutput::None))
            }
            WriteCommand::Index(batch) => {
                let is_full = self.index(*batch)?;
                Ok(Ok(WriteOutput::Indexed { load: self.load, is_full }))
            }
            WriteCommand::MergeIndex => self.merge_index().map(|more| Ok(WriteOutput::Merged(more))),
            WriteCommand::ChangeFile(command) => self.change_file(*command),
            WriteCommand::ImportEvents(import) => self.import_events(*import),
            WriteCommand::Probe => self.probe().map(|()| Ok(WriteOutput::None)),
        }
    }

    fn append(&mut self, mut new: NewEvent) -> rusqlite::Result<StoreResult<Appended>> {
        if let Err(refused) = self.check_access(&new)? {
            // What was appended before the user lost the right is still acknowledged.
            return Ok(self.find_duplicate(&new)?.unwrap_or(Err(refused)));
        }
        if let Err(erased) = self.authorize_author(new.author, &new.operation)? {
            return Ok(self.find_duplicate(&new)?.unwrap_or(Err(erased)));
        }
        // A plain message needs no look-up: the insert itself finds out whether it is a repeat.
        if new.operation.target().is_some() || !matches!(new.operation, Operation::Post { .. }) {
            if let Some(first) = self.find_duplicate(&new)? {
                return Ok(first);
            }
            if let Err(refused) = self.authorize(&new)? {
                return Ok(Err(refused));
            }
        }
        let reactions = match self.react(&new)? {
            Ok(reactions) => reactions,
            Err(unchanged) => return Ok(unchanged),
        };
        let frees_space =
            matches!(new.operation, Operation::Delete { .. } | Operation::React { on: false, .. });
        let mention_bytes = new.mentions.iter().count() * MENTION_BYTES;
        if !self.take_bytes(new.operation.text_bytes() + mention_bytes) && !frees_space {
            return Ok(self.find_duplicate(&new)?.unwrap_or(Err(StoreError::ReadOnly)));
        }
        if !self.has_files(&new)? {
            // The upkeep has removed one, whose claim was older than an hour, or another command has one that was released.
            return Ok(self.find_duplicate(&new)?.unwrap_or(Err(StoreError::FileNotFound)));
        }
        let head = self.head(&new.room)?;
        let seq = head.unwrap_or(0) + 1;
        if !self.insert_event(&new, seq)? {
            return self.find_duplicate(&new)?.ok_or(rusqlite::Error::QueryReturnedNoRows);
        }
        if head.is_none() {
            self.create_addressed_room(&new.room)?;
        }
        self.post_files(new.id, &new.files)?;
        self.apply_change(&new)?;
        self.store_reactions(&new, seq, reactions)?;
        self.insert_mentions(&new, seq)?;
        self.record_visit(new.author, &new.room, seq)?;
        let author = self.author(new.author)?;
        queries::set_names(&self.transaction, &mut new.mentions)?;
        let NewEvent { id, room, operation, mentions, files, .. } = new;
        let body = operation.into_body(mentions, files);
        self.events.entry(room.clone()).or_default().push(Arc::new(Event {
            seq,
            at: self.at,
            id,
            author,
            body,
        }));
        Ok(Ok(Appended { room, seq, at: self.at, is_duplicate: false }))
    }

    /// Returns the result of the command that had this id before, if there is one.
    fn find_duplicate(&self, new: &NewEvent) -> rusqlite::Result<Option<StoreResult<Appended>>> {
        let first = self.event_by_id(new.id)?;
        Ok(first.map(
            |(author, first)| if author == new.author { Ok(first) } else { Err(StoreError::IdConflict) },
        ))
    }

    /// Checks that the target of the operation exists, and that the author may do this to it.
    fn authorize(&self, new: &NewEvent) -> rusqlite::Result<StoreResult<()>> {
        let target = match new.operation.target() {
            None => None,
            Some(target) => self.message_author(&new.room, target)?.map(|author| Target { author }),
        };
        let moderates = match (&new.operation, target) {
            (Operation::Delete { .. }, Some(target)) if target.author != new.author => {
                let standing = |user| self.standing(user, Some(&new.room));
                rules::may_delete(&new.room, &standing(new.author)?, &standing(target.author)?)
            }
            _ => false,
        };
        Ok(rules::authorize(&new.operation, new.author, target, |_| moderates))
    }

    /// Brings the state of a message up to its edit or delete. The text before is purged, also from past events.
    /// Touches a constant number of rows, because only the newest edit of a message has a text.
    fn apply_change(&mut self, new: &NewEvent) -> rusqlite::Result<()> {
        let (target, text) = match &new.operation {
            Operation::Post { .. } | Operation::React { .. } => return Ok(()),
            Operation::Edit { target, text } => (*target, Some(&**text)),
            Operation::Delete { target } => (*target, None),
        };
        let (room, row) = (new.room.as_str(), self.transaction.last_insert_rowid());
        let indexed = self.unindex(&new.room, target)?;
        self.transaction.prepare_cached(sql::UPSERT_CHANGE)?.execute((room, target, self.at, text))?;
        let mut update = self.transaction.prepare_cached(sql::UPDATE_EVENT_TEXT)?;
        update.execute((room, target, text.unwrap_or_default(), columns::of_mentions(&new.mentions)))?;
        self.transaction.prepare_cached(sql::DELETE_MENTIONS)?.execute((room, target))?;
        self.transaction.prepare_cached(sql::PURGE_PREVIOUS_EDIT)?.execute((room, target, row))?;
        match (text, indexed) {
            (None, _) => {
                self.transaction.prepare_cached(sql::DELETE_REACTIONS)?.execute((room, target))?;
            }
            (Some(_), Some(indexed)) => self.index_again(indexed)?,
            (Some(_), None) => {}
        }
        self.has_purged = true;
        Ok(())
    }

    /// Returns what a reaction makes of those to its message, or the result of the command if it changes nothing or if there
    /// are too many.
    fn react(&self, new: &NewEvent) -> rusqlite::Result<Result<Option<Summary>, StoreResult<Appended>>> {
        let Operation::React { target, emoji, on } = &new.operation else { return Ok(Ok(None)) };
        let (is_given, at) =
            queries::last_reaction(&self.transaction, &new.room, *target, new.author, emoji)?;
        if is_given == *on {
            let (room, seq) = (new.room.clone(), at.unwrap_or(*target));
            return Ok(Err(Ok(Appended { room, seq, at: self.at, is_duplicate: true })));
        }
        let mut statement = self.transaction.prepare_cached(sql::SELECT_REACTIONS)?;
        let stored =
            statement.query_row((new.room.as_str(), target), |row| row.get::<_, String>(0)).optional()?;
        let mut summary = stored.map(|json| Summary::parse(&json)).unwrap_or_default();
        if !on {
            summary.remove(emoji, new.author);
        } else if let Err(refused) = summary.add(emoji, new.author) {
            return Ok(Err(Err(refused)));
        }
        Ok(Ok(Some(summary)))
    }

    /// Stores the reactions to the message of a reaction, which is the event at `seq`.
    fn store_reactions(&self, new: &NewEvent, seq: Seq, reactions: Option<Summary>) -> rusqlite::Result<()> {
        let (Some(summary), Some(target)) = (reactions, new.operation.target()) else { return Ok(()) };
        let mut upsert = self.transaction.prepare_cached(sql::UPSERT_REACTIONS)?;
        upsert.execute((new.room.as_str(), target, seq, summary.to_json())).map(drop)
    }

    /// Records whom a message addresses, after it was posted at `seq` or edited.
    fn insert_mentions(&self, new: &NewEvent, seq: Seq) -> rusqlite::Result<()> {
        let message = match new.operation {
            Operation::Post { .. } => seq,
            Operation::Edit { target, .. } => target,
            Operation::Delete { .. } | Operation::React { .. } => return Ok(()),
        };
        for user in columns::notified(&new.mentions, new.author) {
            let mut insert = self.transaction.prepare_cached(sql::INSERT_MENTION)?;
            insert.execute((user.0.cast_signed(), new.room.as_str(), message))?;
        }
        Ok(())
    }

    /// Takes the bytes of a row and its text from the quota. Returns `false` if too few are left.
    #[must_use]
    pub(super) fn take_bytes(&mut self, text_bytes: usize) -> bool {
        let Some(left) = &mut self.bytes_left else { return true };
        let after = left.checked_sub(text_bytes as u64 + ROW_BYTES);
        *left = after.unwrap_or(*left);
        after.is_some()
    }

    fn probe(&self) -> rusqlite::Result<()> {
        self.transaction.execute("INSERT INTO probe (filler) VALUES (zeroblob(?1))", [PROBE_BYTES])?;
        self.transaction.execute("DELETE FROM probe", []).map(drop)
    }

    /// Returns the author and position of the event with this id.
    pub(super) fn event_by_id(&self, id: CommandId) -> rusqlite::Result<Option<(UserId, Appended)>> {
        let mut statement = self.transaction.prepare_cached(sql::SELECT_EVENT_BY_ID)?;
        statement
            .query_row([id.as_bytes()], |row| {
                let room = rows::room_name(row, 1)?;
                let appended = Appended { room, seq: row.get(2)?, at: row.get(3)?, is_duplicate: true };
                Ok((rows::user_id(row.get(0)?), appended))
            })
            .optional()
    }

    /// Returns the author of a message that exists and was not deleted.
    pub(super) fn message_author(&self, room: &RoomName, seq: Seq) -> rusqlite::Result<Option<UserId>> {
        let Ok(seq) = i64::try_from(seq) else { return Ok(None) };
        let mut statement = self.transaction.prepare_cached(sql::SELECT_MESSAGE_AUTHOR)?;
        statement.query_row((room.as_str(), seq), |row| row.get(0).map(rows::user_id)).optional()
    }

    /// Returns the room's latest `seq`, including this transaction's own events; `None` if the room has no row.
    pub(super) fn head(&mut self, room: &RoomName) -> rusqlite::Result<Option<Seq>> {
        let own = self.events.get(room).and_then(|events| events.last()).map(|last| last.seq);
        if let Some(head) = own.max(self.imported.get(room).copied()) {
            return Ok(Some(head));
        }
        if let Some(head) = self.heads.get(room) {
            return Ok(Some(*head));
        }
        let stored = queries::stored_head(&self.transaction, room)?;
        if let Some(head) = stored {
            self.cache_head(room, head);
        }
        Ok(stored)
    }

    fn cache_head(&mut self, room: &RoomName, head: Seq) {
        if let Some(cached) = self.heads.get_mut(room) {
            *cached = head;
            return;
        }
        if self.heads.len() >= MAX_CACHED_HEADS {
            self.heads.clear();
        }
        self.heads.insert(room.clone(), head);
    }

    /// Inserts an event. Returns `false` if its id was used before.
    fn insert_event(&self, new: &NewEvent, seq: Seq) -> rusqlite::Result<bool> {
        let (kind, text, reply_to, target) = columns::of_operation(&new.operation);
        let mut statement = self.transaction.prepare_cached(sql::INSERT_EVENT)?;
        let (room, id, author) = (new.room.as_str(), new.id.as_bytes(), new.author.0.cast_signed());
        let (mentions, files) = (columns::of_mentions(&new.mentions), columns::of_files(&new.files));
        let inserted = statement
            .execute((room, seq, self.at, id, author, kind, text, reply_to, target, mentions, files))?;
        Ok(inserted == 1)
    }

    /// Stores the heads. A room that was the most recently active one already keeps its time: its place among the others
    /// stays the same, and the index of the times is not written.
    fn update_heads(&mut self) -> rusqlite::Result<()> {
        let heads: Vec<(RoomName, Seq)> = self
            .events
            .iter()
            .filter_map(|(room, events)| Some((room.clone(), events.last()?.seq)))
            .filter(|(room, head)| self.imported.get(room) < Some(head))
            .collect();
        // What only says that messages have expired makes no room more active.
        let is_quiet = |events: &Vec<Arc<Event>>| {
            events.iter().all(|event| matches!(event.body, EventBody::Expire { .. }))
        };
        let all_quiet = self.events.values().all(is_quiet);
        for (room, head) in &heads {
            if is_quiet(&self.events[room]) || heads.len() == 1 && self.last_active.as_ref() == Some(room) {
                self.transaction.prepare_cached(sql::UPDATE_HEAD)?.execute((room.as_str(), head))?;
            } else {
                let mut update = self.transaction.prepare_cached(sql::UPDATE_HEAD_AND_ACTIVITY)?;
                update.execute((room.as_str(), head, self.at))?;
            }
            self.cache_head(room, *head);
        }
        for (room, head) in self.imported.clone() {
            if heads.iter().all(|(own, _)| *own != room) {
                self.cache_head(&room, head);
            }
        }
        match &heads[..] {
            _ if all_quiet && !self.has_new_rooms => {}
            [(room, _)] if !self.has_new_rooms => *self.last_active = Some(room.clone()),
            _ => *self.last_active = None,
        }
        Ok(())
    }
}
