//! The commits of one room that are not yet broadcast. Plain data: the room holds it under a lock and passes its
//! cursor in.

use app::wire::{Event, Seq};
use std::{mem, sync::Arc};

/// Events in a backlog. Beyond them the hub reads from the store when their turn comes.
const MAX_BACKLOG_EVENTS: usize = 4_096;

/// The events of one commit.
pub type Commit = Arc<[Arc<Event>]>;

/// Commits that wait to be broadcast.
#[derive(Debug, Default)]
pub struct Backlog {
    commits: Vec<Commit>,
    event_count: usize,
    /// The store has events that `commits` lacks.
    overflowed: bool,
    /// A task is draining the backlog, or about to.
    draining: bool,
}

/// The next broadcast of the hub.
#[derive(Debug)]
pub enum NextDelivery {
    /// These events, which follow the cursor.
    Events(Vec<Arc<Event>>),
    /// The events that the store has after the cursor.
    ReadFromStore,
}

impl Backlog {
    /// Adds the events of a commit; `None` stands for events that only the store has. Returns `true` if the caller
    /// must drain the backlog.
    #[must_use]
    pub fn enqueue(&mut self, commit: Option<&Commit>) -> bool {
        match commit {
            Some(commit) if self.event_count < MAX_BACKLOG_EVENTS => {
                self.event_count += commit.len();
                self.commits.push(commit.clone());
            }
            _ => self.overflowed = true,
        }
        !mem::replace(&mut self.draining, true)
    }

    /// Returns `true` while a task drains the backlog.
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// Takes what follows `cursor`. After `None` the caller no longer drains the backlog.
    pub fn take(&mut self, cursor: Seq) -> Option<NextDelivery> {
        if self.commits.is_empty() && !self.overflowed {
            self.draining = false;
            return None;
        }
        let Self { commits, overflowed, .. } = mem::replace(self, Self { draining: true, ..Self::default() });
        let (events, has_gap) = contiguous_events(&commits, cursor);
        self.overflowed = overflowed || has_gap;
        if events.is_empty() && self.overflowed {
            self.overflowed = false;
            return Some(NextDelivery::ReadFromStore);
        }
        Some(NextDelivery::Events(events))
    }
}

/// Returns the events that follow `cursor` without a gap, and whether a gap comes after them.
fn contiguous_events(commits: &[Commit], cursor: Seq) -> (Vec<Arc<Event>>, bool) {
    let (mut cursor, mut events) = (cursor, Vec::new());
    for commit in commits {
        match (commit.first(), commit.last()) {
            (Some(first), Some(last)) if first.seq == cursor + 1 => {
                events.extend_from_slice(commit);
                cursor = last.seq;
            }
            (_, Some(last)) if last.seq > cursor => return (events, true),
            _ => {}
        }
    }
    (events, false)
}
