//! The effect of an import's events on a room.

use super::{ImportPlan, ImportedChange, ImportedRow};
use crate::store::{ImportRefusal, columns::kind, known_emoji, reactions::Summary};
use app::wire::{Event, EventBody, Files, Mentions, Millis, Seq, UserId};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// The event at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum EventState {
    /// A message.
    Message(UserId),
    /// A message that was deleted.
    Deleted,
    /// An event that has expired.
    Expired,
    /// Another event.
    Other,
}

impl EventState {
    /// Returns what the columns of an event say.
    pub(in crate::store) fn new(kind: i16, author: UserId, is_deleted: bool) -> Self {
        match kind {
            kind::MESSAGE if is_deleted => Self::Deleted,
            kind::MESSAGE => Self::Message(author),
            kind::EXPIRED => Self::Expired,
            _ => Self::Other,
        }
    }
}

/// The parts of a room to which the new events of an import refer.
#[derive(Debug, Default)]
pub(in crate::store) struct ImportedRoom {
    /// The last event that has expired.
    pub(in crate::store) expired: Seq,
    /// The events that new ones are about.
    pub(in crate::store) states: HashMap<Seq, EventState>,
    /// The reactions to these.
    pub(in crate::store) reactions: HashMap<Seq, Summary>,
    /// For each user and emoji of one of these: `true` if the user has given it.
    pub(in crate::store) given: HashMap<(Seq, UserId, Arc<str>), bool>,
    /// The users who have erased everything.
    pub(in crate::store) erased: HashSet<UserId>,
}

/// Returns the positions to which events refer.
pub(in crate::store) fn referred(events: &[Event]) -> Vec<Seq> {
    let mut positions: Vec<Seq> = events.iter().filter_map(target).collect();
    positions.sort_unstable();
    positions.dedup();
    positions
}

fn target(event: &Event) -> Option<Seq> {
    match &event.body {
        EventBody::Message { reply_to, .. } => *reply_to,
        EventBody::Edit { target, .. } | EventBody::Delete { target } | EventBody::React { target, .. } => {
            Some(*target)
        }
        EventBody::Expire { .. } | EventBody::Expired | EventBody::Unknown => None,
    }
}

/// Decides what the new events of an import make of a room. They bring about the state that they have brought about where they
/// come from:
///
/// - A past event has the present text of its message, or none if that was deleted: a message or an edit without text counts
///   as deleted at once, even if the event that says so comes later or never.
/// - Everything up to an event that has expired, or that an `expire` event names, has expired.
/// - Of users who have erased everything, messages count as deleted, and reactions do not count.
/// - A message is only edited by its author. Who may delete it was decided where it was deleted.
///
/// Of the first `known` events, which the room has, only those count that have expired since.
///
/// # Errors
/// [`ImportRefusal`] for the first event that cannot have come about.
pub(in crate::store) fn plan_import(
    mut room: ImportedRoom,
    events: &[Event],
    known: usize,
) -> Result<ImportPlan, ImportRefusal> {
    let mut plan = ImportPlan::default();
    let (stored, events) = events.split_at(known);
    let first = events.first().map_or(Seq::MAX, |first| first.seq);
    if let Some(expired) = stored.iter().rfind(|event| event.body == EventBody::Expired) {
        room.expire(expired.seq, &mut plan, first);
    }
    for event in events {
        let state = match target(event) {
            Some(target) if target == 0 || target >= event.seq => {
                return Err(ImportRefusal::NoMessage(event.seq));
            }
            Some(target) if target <= room.expired => Some((target, EventState::Expired)),
            Some(target) => room.states.get(&target).map(|state| (target, *state)),
            None => None,
        };
        let row = room.apply(event, state, &mut plan, first)?;
        plan.rows.push(row);
    }
    for (seq, change) in &plan.changes {
        if let Some(row) = seq.checked_sub(first).and_then(|n| plan.rows.get_mut(usize::try_from(n).ok()?)) {
            row.text = change.text.clone().unwrap_or_default();
            row.mentions = change.mentions.clone();
            if change.text.is_none() {
                row.files = Files::default();
            }
        }
    }
    Ok(plan)
}

impl ImportedRow {
    /// Returns the row of an event that has expired.
    fn empty(event: &Event) -> Self {
        Self {
            seq: event.seq,
            at: event.at,
            id: event.id,
            author: event.author.id,
            kind: kind::EXPIRED,
            text: Arc::default(),
            reply_to: None,
            target: None,
            mentions: Mentions::default(),
            files: Files::default(),
        }
    }
}

impl ImportedRoom {
    /// Applies an event to what is known of the room, and returns its row. `state` is that of the message that it is about.
    fn apply(
        &mut self,
        event: &Event,
        state: Option<(Seq, EventState)>,
        plan: &mut ImportPlan,
        first: Seq,
    ) -> Result<ImportedRow, ImportRefusal> {
        let Event { seq, at, author, body, .. } = event;
        let (seq, at, author) = (*seq, *at, author.id);
        let is_erased = self.erased.contains(&author);
        let mut row = ImportedRow::empty(event);
        let about = || match state {
            None | Some((_, EventState::Other)) => Err(ImportRefusal::NoMessage(seq)),
            Some(state) => Ok(state),
        };
        self.states.insert(seq, EventState::Other);
        match body {
            EventBody::Message { text, reply_to, mentions, files } => {
                if reply_to.is_some() {
                    about()?;
                }
                (row.kind, row.reply_to) = (kind::MESSAGE, *reply_to);
                if text.is_empty() || is_erased {
                    self.delete(seq, at, plan);
                } else {
                    (row.text, row.mentions, row.files) = (text.clone(), mentions.clone(), files.clone());
                    self.states.insert(seq, EventState::Message(author));
                }
            }
            EventBody::Edit { text, mentions, .. } => {
                let (target, state) = about()?;
                (row.kind, row.target) = (kind::EDIT, Some(target));
                match state {
                    EventState::Message(by) if by != author => return Err(ImportRefusal::OtherAuthor(seq)),
                    EventState::Message(_) if text.is_empty() || is_erased => {
                        supersede(plan, target);
                        self.delete(target, at, plan);
                    }
                    EventState::Message(_) => {
                        supersede(plan, target);
                        (row.text, row.mentions) = (text.clone(), mentions.clone());
                        let (text, mentions) = (Some(text.clone()), mentions.clone());
                        plan.changes.insert(target, ImportedChange { at, text, mentions, author });
                    }
                    _ => {}
                }
            }
            EventBody::Delete { .. } => {
                let (target, state) = about()?;
                (row.kind, row.target) = (kind::DELETE, Some(target));
                if state != EventState::Expired {
                    supersede(plan, target);
                    self.delete(target, at, plan);
                }
            }
            EventBody::React { emoji, on, .. } => {
                let (target, state) = about()?;
                if known_emoji(emoji) != Some(&**emoji) {
                    return Err(ImportRefusal::Reaction(seq));
                }
                row.kind = if *on { kind::REACT } else { kind::UNREACT };
                (row.target, row.text) = (Some(target), emoji.clone());
                if matches!(state, EventState::Message(_)) && !is_erased {
                    self.react((target, author, emoji.clone()), *on, seq, plan)?;
                }
            }
            EventBody::Expire { up_to } if *up_to < seq => {
                (row.kind, row.target) = (kind::EXPIRE, Some(*up_to));
                self.expire(*up_to, plan, first);
            }
            EventBody::Expire { .. } => return Err(ImportRefusal::NoMessage(seq)),
            EventBody::Expired => self.expire(seq, plan, first),
            EventBody::Unknown => return Err(ImportRefusal::UnknownKind(seq)),
        }
        Ok(row)
    }

    fn delete(&mut self, message: Seq, at: Millis, plan: &mut ImportPlan) {
        self.states.insert(message, EventState::Deleted);
        plan.reactions.remove(&message);
        let (text, mentions, author) = (None, Mentions::default(), UserId(0));
        plan.changes.insert(message, ImportedChange { at, text, mentions, author });
    }

    fn react(
        &mut self,
        key: (Seq, UserId, Arc<str>),
        on: bool,
        seq: Seq,
        plan: &mut ImportPlan,
    ) -> Result<(), ImportRefusal> {
        let refused = Err(ImportRefusal::Reaction(seq));
        let (target, user, emoji) = key.clone();
        if self.given.insert(key, on).unwrap_or(false) == on {
            return refused;
        }
        let stored = || (seq, self.reactions.remove(&target).unwrap_or_default());
        let (last, summary) = plan.reactions.entry(target).or_insert_with(stored);
        *last = seq;
        if !on {
            summary.remove(&emoji, user);
        } else if summary.add(&emoji, user).is_err() {
            return refused;
        }
        Ok(())
    }

    /// Notes what has expired. New events among it lose their content here, those that are stored when the plan is carried out.
    fn expire(&mut self, up_to: Seq, plan: &mut ImportPlan, first: Seq) {
        if up_to <= self.expired {
            return;
        }
        let before = self.expired;
        self.expired = up_to;
        plan.expired = Some(up_to);
        plan.changes.retain(|seq, _| *seq > up_to);
        plan.reactions.retain(|seq, _| *seq > up_to);
        let from = usize::try_from(before.saturating_add(1).saturating_sub(first)).unwrap_or(usize::MAX);
        for row in plan.rows.iter_mut().skip(from).take_while(|row| row.seq <= up_to) {
            if row.kind != kind::EXPIRE {
                clear(row);
                (row.kind, row.reply_to, row.target) = (kind::EXPIRED, None, None);
            }
        }
        // An edit that is younger than its message has the text of that.
        for row in plan.rows.iter_mut().filter(|row| row.kind == kind::EDIT && row.target <= Some(up_to)) {
            clear(row);
        }
    }
}

/// Removes the texts of new edits of a message, which another change supersedes.
fn supersede(plan: &mut ImportPlan, message: Seq) {
    for row in plan.rows.iter_mut().filter(|row| row.kind == kind::EDIT && row.target == Some(message)) {
        clear(row);
    }
}

fn clear(row: &mut ImportedRow) {
    (row.text, row.mentions, row.files) = (Arc::default(), Mentions::default(), Files::default());
}
