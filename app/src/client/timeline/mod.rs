//! The messages of a room in one browser: the confirmed ones in the log's order, then its own pending ones.

mod bounds;
mod expiry;
mod held_deletions;
mod quotes;

pub use bounds::MAX_ENTRIES;

use self::quotes::Sources;
use super::entry::assign_group_indexes;
use crate::{
    client::{Command, DeliveryState, Entry, EntryView, OutboxOperation},
    clock,
    markup::excerpt,
    wire::{CommandId, ErrorCode, Event, EventBody, Files, Mentions, Message, Millis, Seq, User, UserId},
};
use std::{ops::Range, sync::Arc};

/// A change of a confirmed message that waits for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PendingChange {
    command: Command,
    author: User,
    refused: Option<ErrorCode>,
    /// It is a deletion that its author can still undo. Nothing of it was sent.
    is_held: bool,
}

/// The outcome of applying events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplyResult {
    /// The timeline has all of them.
    Applied,
    /// Events before them are missing: the client joins again after [`Timeline::last`].
    Gap,
}

/// The messages of a room as one browser has them.
#[derive(Debug, Clone)]
pub struct Timeline {
    log: String,
    last: Seq,
    /// The id of the event at `last`, if it is known: by it the server recognizes a log with another past.
    last_id: Option<CommandId>,
    /// Messages of others than this user after this `seq` are unread.
    unread_after: Option<(Seq, UserId)>,
    /// Returns the day of a moment: in UTC, until the browser sets its own time zone.
    day_of: fn(Millis) -> u64,
    /// There is nothing before the oldest entry.
    has_oldest: bool,
    /// Entries of events after this one were dropped or not stored, although `last` is beyond it.
    detached_at: Option<Seq>,
    /// In the order of their `seq`.
    confirmed: Vec<Entry>,
    pending: Vec<Entry>,
    changes: Vec<PendingChange>,
    sources: Sources,
    /// The oldest entries that have expired since the last [trim](Timeline::trim).
    expired: usize,
}

impl Timeline {
    /// Creates a timeline that has everything up to `last`, of which `messages` are the newest.
    pub fn new(log: String, last: Seq, messages: Vec<Message>) -> Self {
        let last_id = messages.last().filter(|newest| newest.seq == last).map(|newest| newest.id);
        let mut confirmed: Vec<Entry> = messages.into_iter().map(Entry::from).collect();
        assign_group_indexes(&mut confirmed, 0);
        let mut timeline = Self {
            log,
            last,
            last_id,
            unread_after: None,
            day_of: clock::day_in_utc,
            has_oldest: true,
            detached_at: None,
            confirmed,
            pending: Vec::new(),
            changes: Vec::new(),
            sources: Sources::default(),
            expired: 0,
        };
        timeline.look_up_all_sources();
        timeline
    }

    /// Marks messages after `seq` as unread, unless `user` has posted them.
    pub fn set_unread_after(&mut self, seq: Seq, user: UserId) {
        self.unread_after = Some((seq, user));
    }

    /// Returns the event after which messages are unread, if that is known.
    pub fn unread_after(&self) -> Option<Seq> {
        self.unread_after.map(|(seq, _)| seq)
    }

    /// Returns `true` if there is nothing before the oldest entry.
    pub fn has_oldest(&self) -> bool {
        self.has_oldest
    }

    /// Sets whether there is nothing before the oldest entry.
    pub fn set_has_oldest(&mut self, has_oldest: bool) {
        self.has_oldest = has_oldest;
    }

    /// Separates days by the browser's time zone instead of UTC.
    #[cfg(feature = "hydrate")]
    pub(crate) fn use_local_days(&mut self) {
        self.day_of = clock::day_here;
    }

    /// Returns the newest message of `user` that can still be changed.
    pub fn newest_message_of(&self, user: UserId) -> Option<Seq> {
        let is_theirs = |entry: &&Entry| entry.author.id == user && !entry.deleted;
        self.confirmed.iter().rev().find(is_theirs).and_then(|entry| entry.delivery.seq())
    }

    /// Returns the identity of the log that it follows.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// Returns the last `seq` that it has.
    pub fn last(&self) -> Seq {
        self.last
    }

    /// Returns the id of the event at [`last`](Self::last), if it is known.
    pub fn last_id(&self) -> Option<CommandId> {
        self.last_id
    }

    /// Changes the identity of the log: the server continues after [`last`](Self::last) under another one.
    pub fn set_log(&mut self, log: &str) {
        if self.log != log {
            log.clone_into(&mut self.log);
        }
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.confirmed.len() + self.pending.len()
    }

    /// Returns `true` if there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the `seq` of the oldest entry.
    pub fn first(&self) -> Option<Seq> {
        self.confirmed.first().and_then(|entry| entry.delivery.seq())
    }

    /// Returns the entries of `range` in order, the pending ones at the end.
    pub fn visible_entries(&self, range: Range<usize>) -> Vec<EntryView> {
        let entries = self.confirmed.iter().chain(&self.pending);
        // The entry above that is shown, and its index in its group.
        let above =
            (0..range.start).rev().filter_map(|at| self.entry(at)).find(|entry| !self.is_hidden(entry));
        let mut above = above.map(|entry| (entry, entry.group_index));
        let first_unread = self.first_unread();
        entries
            .skip(range.start)
            .take(range.len())
            .map(|entry| {
                let starts_day = self.starts_day(entry, above.map(|(above, _)| above));
                let is_first_unread = first_unread.is_some() && entry.delivery.seq() == first_unread;
                let group_index = match above {
                    Some((above, index)) if entry.continues_group(above) => entry.group_index_after(index),
                    _ => 0,
                };
                let starts_group = group_index == 0 || starts_day || is_first_unread;
                let mut view = self.view(entry, starts_group, starts_day, is_first_unread);
                view.is_hidden = self.is_hidden(entry);
                if view.is_hidden {
                    (view.starts_day, view.is_first_unread) = (false, false);
                } else {
                    above = Some((entry, group_index));
                }
                view
            })
            .collect()
    }

    fn entry(&self, at: usize) -> Option<&Entry> {
        self.confirmed.get(at).or_else(|| self.pending.get(at.checked_sub(self.confirmed.len())?))
    }

    /// Returns the first unread message; `None` if it may be on an older page.
    pub fn first_unread(&self) -> Option<Seq> {
        let (after, user) = self.unread_after?;
        let from = self.confirmed.partition_point(|entry| entry.delivery.seq() <= Some(after));
        if from == 0 && !self.has_oldest && self.first() > Some(after + 1) {
            return None;
        }
        let is_unread = |entry: &&Entry| entry.author.id != user && !entry.deleted && !self.is_hidden(entry);
        self.confirmed[from..].iter().find(is_unread)?.delivery.seq()
    }

    /// Counts the messages of others than `user` after `seq`.
    pub fn count_unread_after(&self, seq: Seq, user: UserId) -> usize {
        let from = self.confirmed.partition_point(|entry| entry.delivery.seq() <= Some(seq));
        self.confirmed[from..].iter().filter(|entry| entry.author.id != user && !entry.deleted).count()
    }

    /// Counts the messages after `seq` that address `user`.
    pub fn count_mentions_after(&self, seq: Seq, user: UserId) -> usize {
        let from = self.confirmed.partition_point(|entry| entry.delivery.seq() <= Some(seq));
        self.confirmed[from..].iter().filter(|entry| entry.is_to(user)).count()
    }

    fn starts_day(&self, entry: &Entry, before: Option<&Entry>) -> bool {
        let Some(at) = entry.delivery.at() else { return false };
        match before.map(|before| before.delivery.at()) {
            None => true,
            Some(Some(before)) => (self.day_of)(before) != (self.day_of)(at),
            Some(None) => false,
        }
    }

    fn view(&self, entry: &Entry, starts_group: bool, starts_day: bool, is_first_unread: bool) -> EntryView {
        let mut view = EntryView {
            entry: entry.clone(),
            starts_group,
            starts_day,
            is_first_unread,
            is_hidden: false,
            quote: entry.reply_to.map(|seq| self.quote(seq)),
            pending_change: None,
        };
        let seq = entry.delivery.seq();
        for PendingChange { command, refused, author, .. } in
            self.changes.iter().filter(|change| !change.is_held)
        {
            match &command.operation {
                OutboxOperation::Edit { target, text } if Some(*target) == seq => {
                    // Also if the message was deleted meanwhile: the user's text stays until the command is complete.
                    view.entry.deleted = false;
                    view.entry.edit(text.clone());
                }
                OutboxOperation::Delete { target } if Some(*target) == seq && refused.is_none() => {
                    view.entry.delete();
                }
                OutboxOperation::Delete { target } if Some(*target) == seq => {}
                OutboxOperation::React { target, emoji, on } if Some(*target) == seq => {
                    let reactions = &mut view.entry.reactions;
                    if reactions.has(emoji, author.id) != *on {
                        reactions.change(emoji, author, *on);
                    }
                    continue;
                }
                _ => continue,
            }
            view.pending_change = Some((command.id, *refused));
        }
        view
    }

    /// Returns `true` if `user` has given `emoji` to the message `seq`, or is about to.
    pub fn has_reacted(&self, seq: Seq, emoji: &str, user: UserId) -> bool {
        let is_about_to = self.changes.iter().rev().find_map(|change| match &change.command.operation {
            OutboxOperation::React { target, emoji: of, on } if *target == seq && **of == *emoji => Some(*on),
            _ => None,
        });
        let entry = self.index_of(seq).and_then(|at| self.confirmed.get(at));
        is_about_to.unwrap_or_else(|| entry.is_some_and(|entry| entry.reactions.has(emoji, user)))
    }

    /// Returns `true` if the command `id` is shown as pending or refused.
    pub fn has_pending(&self, id: CommandId) -> bool {
        self.pending.iter().any(|entry| entry.id == id)
            || self.changes.iter().any(|change| change.command.id == id)
    }

    /// Shows a command of this browser at once, before the server has it.
    pub fn add_local(&mut self, command: &Command, author: User) {
        match &command.operation {
            OutboxOperation::Post { text, reply_to, mentions, files } => {
                self.add_pending(Entry::local(
                    command.id,
                    author,
                    text.clone(),
                    *reply_to,
                    (Mentions::from_hints(mentions), files.clone()),
                    DeliveryState::Pending,
                ));
            }
            OutboxOperation::Edit { .. } | OutboxOperation::Delete { .. } | OutboxOperation::React { .. } => {
                self.changes.push(PendingChange {
                    command: command.clone(),
                    author,
                    refused: None,
                    is_held: false,
                });
            }
        }
    }

    /// Adds a page of older messages, without those that it has already.
    pub fn prepend(&mut self, messages: Vec<Message>) {
        let first = self.first().unwrap_or(Seq::MAX);
        let mut older: Vec<Entry> =
            messages.into_iter().filter(|message| message.seq < first).map(Entry::from).collect();
        assign_group_indexes(&mut older, 0);
        self.confirmed.splice(0..0, older);
        self.look_up_all_sources();
    }

    fn add_pending(&mut self, entry: Entry) {
        if !self.confirmed.iter().any(|confirmed| confirmed.id == entry.id) {
            self.look_up_sources(entry.reply_to.into_iter());
            self.pending.push(entry);
        }
    }

    /// Marks a command as refused by the server.
    pub fn fail(&mut self, id: CommandId, why: ErrorCode) {
        if let Some(change) = self.changes.iter_mut().find(|change| change.command.id == id) {
            change.refused = Some(why);
        } else if let Some(entry) = self.pending.iter_mut().find(|entry| entry.id == id) {
            entry.delivery = DeliveryState::Failed { why };
        }
    }

    /// Marks a failed command as pending again, and returns it; `None` if it has not failed.
    pub fn retry(&mut self, id: CommandId) -> Option<Command> {
        if let Some(change) = self.changes.iter_mut().find(|change| change.command.id == id) {
            return change.refused.take().map(|_| change.command.clone());
        }
        let entry = self.pending.iter_mut().find(|entry| entry.id == id)?;
        entry.delivery.failure()?;
        entry.delivery = DeliveryState::Pending;
        let (text, reply_to, mentions) = (entry.text.clone(), entry.reply_to, entry.mentions.hints());
        let files = entry.files.clone();
        let operation = OutboxOperation::Post { text, reply_to, mentions, files };
        Some(Command { id, operation })
    }

    /// Removes a pending command: it is done, or the user has discarded it.
    pub fn remove_pending(&mut self, id: CommandId) {
        self.pending.retain(|entry| entry.id != id);
        self.changes.retain(|change| change.command.id != id);
    }

    /// Applies events of the server in order. It ignores repeats, and applies nothing after a gap.
    pub fn apply_events(&mut self, events: &[Arc<Event>]) -> ApplyResult {
        for event in events {
            if event.seq > self.last + 1 {
                return ApplyResult::Gap;
            }
            if event.seq == self.last + 1 {
                self.apply_event(event);
            }
        }
        ApplyResult::Applied
    }

    /// Begins again with the newest page, as the server demands. Pending commands stay: the server does not have them.
    pub fn reset(&mut self, log: String, last: Seq, messages: Vec<Message>) {
        let is_same_log = self.log == log;
        let mut pending = std::mem::take(&mut self.pending);
        let mut changes = std::mem::take(&mut self.changes);
        if !is_same_log {
            // The messages to change are gone; the texts of the edits stay.
            pending.extend(changes.drain(..).filter_map(PendingChange::into_failed_entry));
        }
        let (unread_after, day_of) = (self.unread_after.filter(|_| is_same_log), self.day_of);
        *self = Self { changes, unread_after, day_of, ..Self::new(log, last, messages) };
        let is_confirmed = |entry: &Entry| self.confirmed.iter().any(|confirmed| confirmed.id == entry.id);
        self.pending = pending.into_iter().filter(|entry| !is_confirmed(entry)).collect();
        self.look_up_all_sources();
    }

    /// Changes the name of `user` in all of their messages, and where they are mentioned.
    pub fn update_user(&mut self, user: &User) {
        for entry in self.confirmed.iter_mut().chain(&mut self.pending) {
            entry.mentions.update_user(user);
            if entry.author.id == user.id {
                entry.author = user.clone();
            }
            entry.reactions.update_user(user);
        }
        self.sources.update_user(user);
    }

    fn apply_event(&mut self, event: &Event) {
        self.last = event.seq;
        self.last_id = Some(event.id);
        self.remove_pending(event.id);
        match &event.body {
            EventBody::Message { .. } => {
                if self.detached_at.is_none() {
                    let from = self.confirmed.len();
                    let entry = Message::from_event(event).map(Entry::from);
                    self.look_up_sources(entry.iter().filter_map(|entry| entry.reply_to));
                    self.confirmed.extend(entry);
                    assign_group_indexes(&mut self.confirmed, from);
                }
            }
            EventBody::Edit { target, text, mentions } => {
                self.sources.update(*target, |source| source.excerpt = Some(excerpt(text)));
                self.update_confirmed(*target, |entry| {
                    entry.edit(text.clone());
                    entry.mentions = mentions.clone();
                });
            }
            EventBody::Delete { target } => {
                self.sources.update(*target, |source| source.excerpt = None);
                self.update_confirmed(*target, Entry::delete);
            }
            EventBody::React { target, emoji, on } => {
                self.update_confirmed(*target, |entry| {
                    if !entry.deleted {
                        entry.reactions.apply(event.seq, emoji, &event.author, *on);
                    }
                });
            }
            EventBody::Expire { up_to } => self.expire(*up_to),
            EventBody::Expired => self.expire(event.seq),
            EventBody::Unknown => {}
        }
    }

    fn update_confirmed(&mut self, seq: Seq, update: impl FnOnce(&mut Entry)) {
        // Entries are in the order of their seq; one that is not here is on an older page.
        if let Some(at) = self.index_of(seq) {
            update(&mut self.confirmed[at]);
        }
    }
}

impl PendingChange {
    /// Returns a failed entry with the text of an edit whose message is gone.
    fn into_failed_entry(self) -> Option<Entry> {
        let OutboxOperation::Edit { text, .. } = self.command.operation else { return None };
        let delivery = DeliveryState::Failed { why: ErrorCode::NoSuchMessage };
        Some(Entry::local(
            self.command.id,
            self.author,
            text,
            None,
            (Mentions::default(), Files::default()),
            delivery,
        ))
    }
}

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod tests;
