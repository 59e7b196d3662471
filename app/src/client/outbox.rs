//! What this browser has asked for and not yet got acknowledged.

use crate::wire::{ClientFrame, CommandId, RoomName, Seq};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, sync::Arc};

/// A command that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The same at every try.
    pub id: CommandId,
    /// What is to be done.
    pub deed: Deed,
}

/// What can be done in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Say something.
    Post {
        /// What.
        text: Arc<str>,
    },
    /// Let one's own message say something else.
    Edit {
        /// The message's `seq`.
        target: Seq,
        /// What it is to say.
        text: Arc<str>,
    },
    /// Take one's own message back.
    Delete {
        /// The message's `seq`.
        target: Seq,
    },
}

impl Command {
    /// As it goes over the wire.
    pub fn frame(&self, room: &RoomName) -> ClientFrame {
        let (id, room) = (self.id, room.to_string());
        match &self.deed {
            Deed::Post { text } => ClientFrame::Post { id, room, text: text.to_string(), reply_to: None },
            Deed::Edit { target, text } => {
                ClientFrame::Edit { id, room, target: *target, text: text.to_string() }
            }
            Deed::Delete { target } => ClientFrame::Delete { id, room, target: *target },
        }
    }
}

/// Commands that wait for their acknowledgement, in the order in which they were given.
///
/// One is under way at a time, so that they arrive in that order whatever is refused or resent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbox {
    waiting: VecDeque<Command>,
    /// The first of them has been sent over the present connection.
    under_way: bool,
}

impl Outbox {
    /// Something is to be done. What waits already is not taken twice.
    pub fn push(&mut self, command: Command) {
        if !self.waiting.iter().any(|waiting| waiting.id == command.id) {
            self.waiting.push_back(command);
        }
    }

    /// What to send now, if anything.
    pub fn send_next(&mut self) -> Option<Command> {
        if self.under_way {
            return None;
        }
        let first = self.waiting.front().cloned();
        self.under_way = first.is_some();
        first
    }

    /// The command is durable, or is given up: it waits no longer.
    pub fn settle(&mut self, id: CommandId) {
        if self.is_first(id) {
            self.under_way = false;
        }
        self.waiting.retain(|command| command.id != id);
    }

    /// The first is to be sent again: its try was refused for now, or the connection was lost.
    pub fn again(&mut self) {
        self.under_way = false;
    }

    /// Whether `id` is the command that is under way.
    pub fn is_under_way(&self, id: CommandId) -> bool {
        self.under_way && self.is_first(id)
    }

    /// Returns whether `id` is a deletion that waits.
    pub fn deletes(&self, id: CommandId) -> bool {
        let deletes = |command: &Command| command.id == id && matches!(command.deed, Deed::Delete { .. });
        self.waiting.iter().any(deletes)
    }

    /// Whether anything waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn is_first(&self, id: CommandId) -> bool {
        self.waiting.front().is_some_and(|first| first.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn post(n: u128) -> Command {
        Command { id: Uuid::from_u128(n), deed: Deed::Post { text: format!("{n}").into() } }
    }

    #[test]
    fn one_command_is_under_way_at_a_time_and_the_next_follows_its_ack() {
        let mut outbox = Outbox::default();
        outbox.push(post(1));
        outbox.push(post(2));
        assert_eq!((outbox.send_next(), outbox.send_next()), (Some(post(1)), None));
        outbox.settle(post(1).id);
        assert_eq!(outbox.send_next(), Some(post(2)));
    }

    #[test]
    fn after_a_lost_connection_the_same_post_goes_first_again() {
        let mut outbox = Outbox::default();
        outbox.push(post(1));
        outbox.push(post(2));
        assert_eq!(outbox.send_next(), Some(post(1)));
        outbox.again();
        assert_eq!(outbox.send_next(), Some(post(1)));
    }

    #[test]
    fn a_late_ack_of_another_post_does_not_let_two_be_under_way() {
        let mut outbox = Outbox::default();
        outbox.push(post(1));
        outbox.push(post(2));
        assert_eq!(outbox.send_next(), Some(post(1)));
        outbox.settle(post(2).id);
        assert_eq!(outbox.send_next(), None);
        outbox.settle(post(1).id);
        assert!(outbox.is_empty());
    }

    #[test]
    fn what_waits_already_is_not_taken_twice() {
        let mut outbox = Outbox::default();
        outbox.push(post(1));
        outbox.push(post(1));
        outbox.send_next();
        outbox.settle(post(1).id);
        assert!(outbox.is_empty());
    }

    #[test]
    fn a_command_is_kept_and_found_again_as_it_was() {
        let edit = Command { id: Uuid::from_u128(7), deed: Deed::Edit { target: 3, text: "a\nb".into() } };
        for command in [post(1), edit] {
            let kept = serde_json::to_string(&command).unwrap();
            assert_eq!(serde_json::from_str::<Command>(&kept).unwrap(), command);
        }
    }
}
