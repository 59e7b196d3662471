//! The commands of this browser that the server has not acknowledged yet.

use crate::wire::{
    ClientFrame, CommandId, Files, MentionHint, RoomName, Seq,
    json::{FromJson, Json, ObjectWriter, ToJson, fields},
};
use std::{collections::VecDeque, sync::Arc};

/// One operation with its id, by which the server recognizes a repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its id, the same at every attempt.
    pub id: CommandId,
    /// The operation.
    pub operation: OutboxOperation,
}

/// An operation of a user in a room, with the choices of its author that the server has not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxOperation {
    /// Posts a message.
    Post {
        /// Its text.
        text: Arc<str>,
        /// The message that it replies to.
        reply_to: Option<Seq>,
        /// The users whom its author has chosen for names in it.
        mentions: Vec<MentionHint>,
        /// The files that it shows.
        files: Files,
    },
    /// Replaces the text of a message of one's own.
    Edit {
        /// The message's `seq`.
        target: Seq,
        /// The new text.
        text: Arc<str>,
    },
    /// Deletes a message.
    Delete {
        /// The message's `seq`.
        target: Seq,
    },
    /// Gives a reaction to a message, or takes it back.
    React {
        /// The message's `seq`.
        target: Seq,
        /// The emoji.
        emoji: Arc<str>,
        /// The user gives it.
        on: bool,
    },
}

impl OutboxOperation {
    /// Returns the operation that posts a message that replies to none.
    pub fn post(text: impl Into<Arc<str>>) -> Self {
        Self::Post { text: text.into(), reply_to: None, mentions: Vec::new(), files: Files::default() }
    }
}

impl Command {
    /// Returns the frame that carries it to the server.
    pub fn frame(&self, room: &RoomName) -> ClientFrame {
        let (id, room) = (self.id, room.to_string());
        match &self.operation {
            OutboxOperation::Post { text, reply_to, mentions, files } => ClientFrame::Post {
                id,
                room,
                text: text.to_string(),
                reply_to: *reply_to,
                mentions: mentions.clone(),
                files: files.ids(),
            },
            // The server keeps the mentions of the message.
            OutboxOperation::Edit { target, text } => {
                ClientFrame::Edit { id, room, target: *target, text: text.to_string(), mentions: Vec::new() }
            }
            OutboxOperation::Delete { target } => ClientFrame::Delete { id, room, target: *target },
            OutboxOperation::React { target, emoji, on } => {
                ClientFrame::React { id, room, target: *target, emoji: emoji.to_string(), on: *on }
            }
        }
    }
}

/// The key of the operation in the browser's storage, which is older than its name here.
const OPERATION_KEY: &str = "deed";

impl FromJson for Command {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        Some(Self { id: json.read("id")?, operation: json.read(OPERATION_KEY)? })
    }
}

impl ToJson for Command {
    fn write_json(&self, json: &mut String) {
        let object = ObjectWriter::new("id", &self.id).field(OPERATION_KEY, &self.operation);
        json.push_str(&object.end());
    }
}

impl FromJson for OutboxOperation {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        let (name, json) = json.variant()?;
        let json = json?;
        match name {
            "post" => fields!(json Self::Post { text, reply_to, mentions: default, files: default }),
            "edit" => fields!(json Self::Edit { target, text }),
            "delete" => fields!(json Self::Delete { target }),
            "react" => fields!(json Self::React { target, emoji, on }),
            _ => None,
        }
    }
}

impl ToJson for OutboxOperation {
    fn write_json(&self, json: &mut String) {
        let (name, object) = match self {
            Self::Post { text, reply_to, mentions, files } => {
                let object = ObjectWriter::new("text", &**text).field("reply_to", reply_to);
                ("post", object.field("mentions", &mentions[..]).field("files", files))
            }
            Self::Edit { target, text } => {
                ("edit", ObjectWriter::new("target", target).field("text", &**text))
            }
            Self::Delete { target } => ("delete", ObjectWriter::new("target", target)),
            Self::React { target, emoji, on } => {
                ("react", ObjectWriter::new("target", target).field("emoji", &**emoji).field("on", on))
            }
        };
        json.push_str(&ObjectWriter::with_json(name, &object.end()).end());
    }
}

/// Commands that wait for their acknowledgment, in the order in which the user gave them.
///
/// One is in flight at a time, so that they arrive in that order whatever is refused or resent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbox {
    queue: VecDeque<Command>,
    /// The first command was sent over the present connection.
    in_flight: bool,
}

impl Outbox {
    /// Queues a command, unless it is queued already.
    pub fn push(&mut self, command: Command) {
        if !self.queue.iter().any(|queued| queued.id == command.id) {
            self.queue.push_back(command);
        }
    }

    /// Returns the command to send now, if any, which is in flight then.
    pub fn next_to_send(&mut self) -> Option<Command> {
        if self.in_flight {
            return None;
        }
        let first = self.queue.front().cloned();
        self.in_flight = first.is_some();
        first
    }

    /// Removes a command: it is durable, or the user has discarded it.
    pub fn complete(&mut self, id: CommandId) {
        if self.is_first(id) {
            self.in_flight = false;
        }
        self.queue.retain(|command| command.id != id);
    }

    /// Lets the first command be sent again: it was refused for now, or the connection was lost.
    pub fn reset_in_flight(&mut self) {
        self.in_flight = false;
    }

    /// Returns `true` if `id` is the command in flight.
    pub fn is_in_flight(&self, id: CommandId) -> bool {
        self.in_flight && self.is_first(id)
    }

    /// Returns `true` if `id` is a queued reaction.
    pub fn is_reaction(&self, id: CommandId) -> bool {
        let is_reaction = |command: &Command| {
            command.id == id && matches!(command.operation, OutboxOperation::React { .. })
        };
        self.queue.iter().any(is_reaction)
    }

    /// Returns `true` if `id` is a queued deletion.
    pub fn is_deletion(&self, id: CommandId) -> bool {
        let is_deletion = |command: &Command| {
            command.id == id && matches!(command.operation, OutboxOperation::Delete { .. })
        };
        self.queue.iter().any(is_deletion)
    }

    /// Returns `true` if nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    fn is_first(&self, id: CommandId) -> bool {
        self.queue.front().is_some_and(|first| first.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::UserId;
    use uuid::Uuid;

    fn post(n: u128) -> Command {
        Command { id: Uuid::from_u128(n), operation: OutboxOperation::post(format!("{n}")) }
    }

    #[test]
    fn one_command_is_in_flight_until_its_ack() {
        let mut outbox = Outbox::default();
        outbox.push(post(1));
        outbox.push(post(2));
        assert_eq!((outbox.next_to_send(), outbox.next_to_send()), (Some(post(1)), None));
        outbox.complete(post(1).id);
        assert_eq!(outbox.next_to_send(), Some(post(2)));
    }

    #[test]
    fn a_lost_connection_sends_the_first_command_again() {
        let mut outbox = Outbox::default();
        outbox.push(post(1));
        outbox.push(post(2));
        assert_eq!(outbox.next_to_send(), Some(post(1)));
        outbox.reset_in_flight();
        assert_eq!(outbox.next_to_send(), Some(post(1)));
    }

    #[test]
    fn a_late_ack_of_another_command_keeps_one_in_flight() {
        let mut outbox = Outbox::default();
        outbox.push(post(1));
        outbox.push(post(2));
        assert_eq!(outbox.next_to_send(), Some(post(1)));
        outbox.complete(post(2).id);
        assert_eq!(outbox.next_to_send(), None);
        outbox.complete(post(1).id);
        assert!(outbox.is_empty());
    }

    #[test]
    fn push_ignores_a_command_that_is_already_queued() {
        let mut outbox = Outbox::default();
        outbox.push(post(1));
        outbox.push(post(1));
        outbox.next_to_send();
        outbox.complete(post(1).id);
        assert!(outbox.is_empty());
    }

    #[test]
    fn a_stored_command_reads_back_unchanged() {
        let edit = Command {
            id: Uuid::from_u128(7),
            operation: OutboxOperation::Edit { target: 3, text: "a\nb".into() },
        };
        let files =
            Files::parse(r#"[{"id":"019ac000-0000-7000-8000-000000000001","name":"a","type":"b","size":1}]"#);
        assert_eq!(files.ids().len(), 1);
        let mentions = vec![MentionHint { name: "Ann \"A\"".into(), id: UserId(7) }];
        let mentioning = OutboxOperation::Post { text: "hi".into(), reply_to: Some(3), mentions, files };
        let mentioning = Command { id: Uuid::from_u128(8), operation: mentioning };
        for command in [post(1), edit, mentioning] {
            let mut stored = String::new();
            command.write_json(&mut stored);
            assert_eq!(Command::from_json(&Json::parse(&stored).unwrap()), Some(command), "{stored}");
        }
    }

    #[test]
    fn a_command_that_an_earlier_version_has_stored_is_read() {
        let stored =
            r#"{"id":"019ac000-0000-7000-8000-000000000001","deed":{"edit":{"target":3,"text":"a"}}}"#;
        let command = Command::from_json(&Json::parse(stored).unwrap()).unwrap();
        assert_eq!(command.operation, OutboxOperation::Edit { target: 3, text: "a".into() });
        let mut again = String::new();
        command.write_json(&mut again);
        assert_eq!(again, stored);
    }
}
