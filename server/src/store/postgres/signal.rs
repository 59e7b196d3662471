//! The messages that the servers of an installation send each other with `NOTIFY`: hints, which may be lost.

use crate::store::{EphemeralEvent, Notification};
use app::wire::{RoomName, Seq, User, UserId};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    mem,
};

/// Bytes of one payload. PostgreSQL refuses 8,000.
const MAX_PAYLOAD_BYTES: usize = 7_900;

/// Rooms, read markers, and marks of unread messages, that wait to be sent, at most of each. Past it the others are sent [`Signal::Missed`].
const MAX_WAITING: usize = 10_000;

/// Ephemeral events that wait to be sent, at most. The oldest ones are dropped.
const MAX_WAITING_EPHEMERAL: usize = 256;

/// A message between servers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Signal {
    /// Rooms with their new heads.
    Heads(Vec<(RoomName, Seq)>),
    /// The generation of names after these users have changed.
    Users(i64, Vec<UserId>),
    /// The title or topic of a room has changed.
    Room(RoomName),
    /// A read marker has moved.
    Marker(UserId, RoomName, Seq),
    /// A user has marked messages as unread.
    Unread(UserId, RoomName),
    /// Devices of a user were signed out.
    SignedOut(UserId),
    /// The users present in rooms have changed.
    Presence(Vec<RoomName>),
    /// A user is typing.
    Typing(RoomName, User),
    /// The rights of users have changed.
    Access,
    /// Other messages were lost.
    Missed,
}

impl Signal {
    /// Parses a payload. Returns the name of the server that sent it, and the message unless a newer version sent it.
    pub(super) fn parse(payload: &str) -> (&str, Option<Self>) {
        let (node, rest) = payload.split_once(' ').unwrap_or((payload, ""));
        let (kind, body) = rest.split_once(' ').unwrap_or((rest, ""));
        (node, parse_body(kind, body))
    }

    /// Returns the message as notifications of this process.
    pub(super) fn into_notifications(self) -> Vec<Notification> {
        match self {
            Self::Heads(heads) => {
                let appended = |(room, head)| Notification::Appended { room, head, events: None };
                heads.into_iter().map(appended).collect()
            }
            Self::Users(_, users) => vec![Notification::UsersChanged(users)],
            Self::Room(room) => vec![Notification::RoomChanged(room)],
            Self::Marker(user, room, seq) => vec![Notification::ReadMarkerMoved { user, room, seq }],
            Self::Unread(user, room) => vec![Notification::MarkedUnread { user, room }],
            Self::SignedOut(user) => vec![Notification::SignedOut(user)],
            Self::Presence(rooms) => rooms.into_iter().map(Notification::PresenceChanged).collect(),
            Self::Typing(room, user) => vec![Notification::Ephemeral(EphemeralEvent::Typing { room, user })],
            Self::Access => vec![Notification::AccessChanged],
            Self::Missed => vec![Notification::Missed],
        }
    }
}

fn parse_body(kind: &str, body: &str) -> Option<Signal> {
    match kind {
        "heads" => {
            let head = |pair: &str| {
                let (room, head) = pair.split_once(':')?;
                Some((room.parse().ok()?, head.parse().ok()?))
            };
            body.split(',').map(head).collect::<Option<_>>().map(Signal::Heads)
        }
        "users" => {
            let (generation, ids) = body.split_once(' ')?;
            let id = |id: &str| Some(UserId(id.parse::<i64>().ok()?.cast_unsigned()));
            Some(Signal::Users(generation.parse().ok()?, ids.split(',').map(id).collect::<Option<_>>()?))
        }
        "room" => Some(Signal::Room(body.parse().ok()?)),
        "marker" => {
            let mut words = body.split(' ');
            let user = UserId(words.next()?.parse::<i64>().ok()?.cast_unsigned());
            Some(Signal::Marker(user, words.next()?.parse().ok()?, words.next()?.parse().ok()?))
        }
        "unread" => {
            let (user, room) = body.split_once(' ')?;
            Some(Signal::Unread(UserId(user.parse::<i64>().ok()?.cast_unsigned()), room.parse().ok()?))
        }
        "signedout" => Some(Signal::SignedOut(UserId(body.parse::<i64>().ok()?.cast_unsigned()))),
        "presence" => {
            body.split(',').map(|room| room.parse().ok()).collect::<Option<_>>().map(Signal::Presence)
        }
        "typing" => {
            let (room, user) = body.split_once(' ')?;
            Some(Signal::Typing(room.parse().ok()?, serde_json::from_str(user).ok()?))
        }
        "access" => Some(Signal::Access),
        "missed" => Some(Signal::Missed),
        _ => None,
    }
}

/// Returns the payload about a room whose title or topic has changed.
pub(super) fn room_payload(node: &str, room: &RoomName) -> String {
    format!("{node} room {room}")
}

/// The signals that wait to be sent to the other servers, merged.
#[derive(Default)]
pub(super) struct Outgoing {
    heads: HashMap<RoomName, Seq>,
    markers: HashMap<(UserId, RoomName), Seq>,
    unread: HashSet<(UserId, RoomName)>,
    presence: HashSet<RoomName>,
    typing: VecDeque<(RoomName, User)>,
    has_missed: bool,
}

impl Outgoing {
    /// Adds the head of a room.
    pub(super) fn add_head(&mut self, room: RoomName, head: Seq) {
        if let Some(waiting) = self.heads.get_mut(&room) {
            *waiting = head.max(*waiting);
        } else if self.heads.len() < MAX_WAITING {
            self.heads.insert(room, head);
        } else {
            self.has_missed = true;
        }
    }

    /// Adds a read marker that has moved.
    pub(super) fn add_marker(&mut self, user: UserId, room: RoomName, seq: Seq) {
        if self.markers.len() < MAX_WAITING {
            self.markers.insert((user, room), seq);
        } else {
            self.has_missed = true;
        }
    }

    /// Adds a user who has marked messages of a room as unread.
    pub(super) fn add_unread(&mut self, user: UserId, room: RoomName) {
        if self.unread.len() < MAX_WAITING {
            self.unread.insert((user, room));
        } else {
            self.has_missed = true;
        }
    }

    /// Adds a room whose users on this server have changed.
    pub(super) fn add_presence(&mut self, room: RoomName) {
        if self.presence.len() < MAX_WAITING {
            self.presence.insert(room);
        } else {
            self.has_missed = true;
        }
    }

    /// Adds an ephemeral event.
    pub(super) fn add_ephemeral(&mut self, event: EphemeralEvent) {
        let EphemeralEvent::Typing { room, user } = event;
        if self.typing.len() >= MAX_WAITING_EPHEMERAL {
            self.typing.pop_front();
        }
        self.typing.push_back((room, user));
    }

    /// Notes that messages could not be sent. What is ephemeral is dropped.
    pub(super) fn note_missed(&mut self) {
        self.has_missed = true;
        self.typing.clear();
    }

    /// Takes everything, as payloads.
    pub(super) fn take_payloads(&mut self, node: &str) -> Vec<String> {
        let mut payloads = Vec::new();
        if mem::take(&mut self.has_missed) {
            payloads.push(format!("{node} missed"));
        }
        let heads = mem::take(&mut self.heads).into_iter().map(|(room, head)| format!("{room}:{head}"));
        payloads.extend(lists(node, "heads", heads));
        let present = mem::take(&mut self.presence).into_iter().map(|room| room.to_string());
        payloads.extend(lists(node, "presence", present));
        let markers = mem::take(&mut self.markers);
        payloads.extend(
            markers
                .into_iter()
                .map(|((user, room), seq)| format!("{node} marker {} {room} {seq}", user.0.cast_signed())),
        );
        payloads.extend(
            mem::take(&mut self.unread)
                .into_iter()
                .map(|(user, room)| format!("{node} unread {} {room}", user.0.cast_signed())),
        );
        payloads.extend(mem::take(&mut self.typing).into_iter().filter_map(|(room, user)| {
            Some(format!("{node} typing {room} {}", serde_json::to_string(&user).ok()?))
        }));
        payloads
    }
}

/// Returns payloads of one kind with all `entries`, as many in each as fit.
fn lists(node: &str, kind: &str, entries: impl Iterator<Item = String>) -> Vec<String> {
    let mut payloads: Vec<String> = Vec::new();
    for entry in entries {
        match payloads.last_mut() {
            Some(last) if last.len() + 1 + entry.len() <= MAX_PAYLOAD_BYTES => {
                last.push(',');
                last.push_str(&entry);
            }
            _ => payloads.push(format!("{node} {kind} {entry}")),
        }
    }
    payloads
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::wire::DisplayName;

    fn user(id: u64) -> User {
        User {
            ambiguous: true,
            tag: Some("#2".into()),
            ..User::new(UserId(id), DisplayName::generated(UserId(id)))
        }
    }

    fn room(name: &str) -> RoomName {
        name.parse().unwrap()
    }

    #[test]
    fn payloads_parse_to_the_signals_that_were_added() {
        let mut outgoing = Outgoing::default();
        outgoing.add_head(room("tea"), 4);
        outgoing.add_head(room("tea"), 5);
        outgoing.add_marker(UserId(u64::MAX), room("jam"), 7);
        outgoing.add_unread(UserId(u64::MAX), room("jam"));
        outgoing.add_presence(room("tea"));
        outgoing.add_ephemeral(EphemeralEvent::Typing { room: room("tea"), user: user(3) });
        let payloads = outgoing.take_payloads("n1");
        let signals: Vec<_> = payloads.iter().map(|payload| Signal::parse(payload)).collect();
        assert_eq!(
            signals,
            [
                ("n1", Some(Signal::Heads(vec![(room("tea"), 5)]))),
                ("n1", Some(Signal::Presence(vec![room("tea")]))),
                ("n1", Some(Signal::Marker(UserId(u64::MAX), room("jam"), 7))),
                ("n1", Some(Signal::Unread(UserId(u64::MAX), room("jam")))),
                ("n1", Some(Signal::Typing(room("tea"), user(3)))),
            ]
        );
        assert_eq!(outgoing.take_payloads("n1"), [""; 0]);
        let users = Signal::parse("n2 users 8 -1,5");
        assert_eq!(users, ("n2", Some(Signal::Users(8, vec![UserId(u64::MAX), UserId(5)]))));
        assert_eq!(Signal::parse("n2 signedout -1"), ("n2", Some(Signal::SignedOut(UserId(u64::MAX)))));
        assert_eq!(Signal::parse(&room_payload("n2", &room("tea"))), ("n2", Some(Signal::Room(room("tea")))));
        assert_eq!(Signal::parse("n2 access 7"), ("n2", Some(Signal::Access)));
        for unknown in
            ["n1 later thing", "n1", "", "n1 heads tea", "n1 marker 1 tea", "n1 unread 1", "n1 signedout x"]
        {
            assert_eq!(Signal::parse(unknown).1, None, "{unknown}");
        }
    }

    #[test]
    fn payloads_fit_the_database_bound_and_the_queue_its_own() {
        let mut outgoing = Outgoing::default();
        for n in 0..MAX_WAITING + 1 {
            outgoing.add_head(room(&format!("a-room-with-quite-a-long-name-{n:034}")), Seq::MAX);
            outgoing.add_ephemeral(EphemeralEvent::Typing { room: room("tea"), user: user(n as u64) });
        }
        let payloads = outgoing.take_payloads("0123456789abcdef");
        assert!(payloads.iter().all(|payload| payload.len() < 8_000));
        let signals: Vec<_> = payloads.iter().filter_map(|payload| Signal::parse(payload).1).collect();
        assert_eq!(signals[0], Signal::Missed, "one room did not fit");
        let heads =
            signals.iter().map(|signal| if let Signal::Heads(heads) = signal { heads.len() } else { 0 });
        assert_eq!(heads.sum::<usize>(), MAX_WAITING);
        let typing = signals.iter().filter(|signal| matches!(signal, Signal::Typing(..))).count();
        assert_eq!(typing, MAX_WAITING_EPHEMERAL);
    }
}
