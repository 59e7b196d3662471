//! The protocol as a client follows it: inputs in, effects out, without I/O, signals or a browser.
//!
//! A driver owns the connection. It passes whatever happens to [`Session::handle`] and carries out the effects in their
//! order: the browser over its WebSocket or its stream of frames, the tests over theirs. A session outlives its
//! connections; [`Session::open`] and [`Session::close`] frame each of them.

mod frames;

use super::{
    Backoff, ConnectionEnd, Heartbeat, HeartbeatAction, Outbox, ReadMarker, Timeline, Transport,
    TransportChoice, TypingNotifier,
};
use crate::wire::{ClientFrame, CommandId, DisplayName, ErrorCode, Millis, RoomName, Seq, ServerFrame, User};
use std::{fmt::Write, time::Duration};

/// Milliseconds that a WebSocket may take up to the server's welcome before the page switches to HTTP.
const SOCKET_WELCOME_TIMEOUT_MS: u64 = 4_000;

/// Milliseconds that a stream over HTTP may take up to the server's welcome.
const STREAM_WELCOME_TIMEOUT_MS: u64 = 10_000;

/// Delay in milliseconds before a command that the server could not store is sent again.
const RETRY_DELAY_MS: u64 = 2_000;

/// Longest delay in milliseconds that the server may ask for before a command is sent again.
const MAX_RETRY_DELAY_MS: u64 = 60_000;

/// An input of a session.
#[derive(Debug)]
pub enum Input {
    /// A frame has arrived over the connection.
    Frame(ServerFrame),
    /// A request over HTTP was answered. This does not prove that the stream of frames is alive.
    Reply(ServerFrame),
    /// A request over HTTP was not answered by the server.
    Unanswered,
    /// The server has refused a request over HTTP, since it accepts no commands from the page's origin.
    OriginRejected,
    /// There may be something to send.
    Wakeup,
    /// This many milliseconds have passed.
    Tick(u64),
    /// Something has happened that may have killed the connection: the network changed, or the device has slept.
    Probe,
}

/// An effect of a session, which the driver carries out.
#[derive(Debug)]
pub enum Effect {
    /// It sends a frame.
    Send(ClientFrame),
    /// It closes the connection.
    Disconnect,
    /// It calls [`Outbox::reset_in_flight`] in this many milliseconds, and wakes the session.
    RetryIn(u64),
    /// It shows whether the server accepts commands from the page's origin.
    ShowOrigin {
        /// The server rejects them.
        is_rejected: bool,
    },
    /// It stores for the next pages whether WebSockets are blocked: this connection has joined its room.
    StoreTransport {
        /// The connection is a stream over HTTP.
        is_socket_blocked: bool,
    },
    /// It shows what the frame says. After a `joined` frame of the session's room it wakes the session, since showing
    /// the messages may advance the read marker.
    Show(ServerFrame),
    /// It joins the other rooms that it follows, with [`Session::follow`]: this connection has joined its own room. The
    /// address of a stream over HTTP names them already.
    Follow,
    /// The timeline was changed.
    TimelineChanged,
    /// The timeline was replaced by the newest page.
    TimelineReset {
        /// The messages of the page.
        count: usize,
        /// There are older messages.
        has_older: bool,
    },
    /// It forgets a command, which is durable at this `seq` or needless.
    Complete(CommandId, Option<Seq>),
    /// It stores that the server has refused a command.
    Reject(CommandId, ErrorCode),
    /// The server has taken the user's new name, and has shown whether other users have it too.
    Renamed,
    /// The server has refused the user's new name.
    RenameRejected {
        /// The name before it.
        previous: DisplayName,
        /// The reason.
        code: ErrorCode,
    },
    /// The server has refused a reaction, which is not shown any more.
    ReactionRejected(ErrorCode),
    /// It loads the page again, which says why the user may not enter the room any more.
    Reload,
    /// The device was signed out: it closes the connection, says so, and opens no other one.
    SignedOut,
    /// It opens a WebSocket beside the stream over HTTP, and calls [`TransportChoice::probe_succeeded`] if the server
    /// welcomes it.
    ProbeSocket,
}

/// A new name that the server has not taken yet.
#[derive(Debug, Clone)]
pub struct PendingRename {
    /// The id of its command.
    pub id: CommandId,
    /// The new name.
    pub name: DisplayName,
    /// The name before it.
    pub previous: DisplayName,
}

/// The state of one connection.
#[derive(Debug, Default)]
struct Connection {
    is_http: bool,
    /// The identity of the server's log.
    log: String,
    /// The identity that the timeline had before this connection.
    former_log: String,
    heartbeat: Heartbeat,
    /// Milliseconds since it was opened, until the server has welcomed it.
    handshake_ms: u64,
    welcomed_at: Option<Millis>,
    /// The server's welcome did not come in time.
    has_timed_out: bool,
    /// The room's head at the last pong: if the timeline has not reached it by the next pong, an event was lost.
    expected_head: Seq,
    is_joined: bool,
    /// The rename that was sent over it.
    sent_rename: Option<CommandId>,
    /// The user, as the server has last shown them.
    user: Option<User>,
    /// A name that the server has taken and not yet shown.
    taken_name: Option<DisplayName>,
}

/// One client in one room.
#[derive(Debug)]
pub struct Session {
    room: RoomName,
    /// The messages of the room.
    pub timeline: Timeline,
    /// The commands that the server has not acknowledged.
    pub outbox: Outbox,
    /// The position up to which the user has read.
    pub read_marker: ReadMarker,
    /// The typing state of the user.
    pub typing: TypingNotifier,
    /// The new name of the user that the server has not taken yet.
    pub pending_rename: Option<PendingRename>,
    /// The transport of the next connection.
    pub transport: TransportChoice,
    backoff: Backoff,
    connection: Connection,
}

impl Session {
    /// Begins with what a page has of `room`.
    pub fn new(room: RoomName, timeline: Timeline, read_marker: ReadMarker) -> Self {
        Self {
            room,
            timeline,
            outbox: Outbox::default(),
            read_marker,
            typing: TypingNotifier::default(),
            pending_rename: None,
            transport: TransportChoice::default(),
            backoff: Backoff::default(),
            connection: Connection::default(),
        }
    }

    /// Begins a connection over `transport`, which waits for the server's welcome.
    pub fn open(&mut self, transport: Transport) {
        self.connection = Connection { is_http: transport == Transport::Http, ..Connection::default() };
    }

    /// Ends the connection at `now`. Returns how it ended, and the delay before the next one for a `random` number from
    /// 0 to 1.
    pub fn close(&mut self, now: Millis, random: f64) -> (ConnectionEnd, Duration) {
        let Connection { is_http, welcomed_at, has_timed_out, .. } = self.connection;
        let end = match welcomed_at {
            Some(since) => ConnectionEnd::Lasted(now.saturating_sub(since)),
            None if has_timed_out => ConnectionEnd::TimedOut,
            None => ConnectionEnd::Refused,
        };
        let transport = if is_http { Transport::Http } else { Transport::WebSocket };
        self.transport.on_connection_end(transport, end, now);
        self.outbox.reset_in_flight();
        (end, self.backoff.next_delay(random))
    }

    /// Ends a connection that the browser could not even open, as [`close`](Self::close) does.
    pub fn fail(&mut self, now: Millis, random: f64) -> (ConnectionEnd, Duration) {
        self.connection.has_timed_out = true;
        self.close(now, random)
    }

    /// Returns `true` if the server has welcomed the connection.
    pub fn is_welcomed(&self) -> bool {
        self.connection.welcomed_at.is_some()
    }

    /// Returns `true` if the connection has joined the room.
    pub fn is_joined(&self) -> bool {
        self.connection.is_joined
    }

    /// Returns the path of a stream of frames, which begins after the last event of the timeline, and after the given
    /// heads of the `others`.
    pub fn stream_path(&self, others: &[(RoomName, Seq)]) -> String {
        let (last, log) = (self.timeline.last(), self.timeline.log());
        let mut path = format!("/api/rooms/{}/frames?after={last}", self.room);
        // A string accepts every write.
        if let Some(id) = self.timeline.last_id() {
            let _ = write!(path, "&after_id={id}");
        }
        let _ = write!(path, "&log={log}&also=");
        for (room, head) in others {
            let _ = write!(path, "{room}.{head},");
        }
        path
    }

    /// Returns the frame that joins another room after `head`, where the user is not listed as present.
    pub fn follow(&self, room: &RoomName, head: Seq) -> ClientFrame {
        ClientFrame::Join {
            room: room.to_string(),
            after: Some(head),
            after_id: None,
            log: Some(self.connection.former_log.clone()),
            limit: Some(1),
            presence: false,
        }
    }

    /// Handles an input at `now`, and appends what the driver has to do.
    pub fn handle(&mut self, input: Input, now: Millis, effects: &mut Vec<Effect>) {
        match input {
            Input::Frame(frame) => {
                self.connection.heartbeat.on_receive();
                self.handle_frame(frame, now, effects);
            }
            Input::Reply(frame) => {
                effects.push(Effect::ShowOrigin { is_rejected: false });
                self.handle_frame(frame, now, effects);
            }
            Input::Unanswered => self.resend(effects),
            Input::OriginRejected => {
                effects.push(Effect::ShowOrigin { is_rejected: true });
                self.resend(effects);
            }
            Input::Wakeup => self.send_pending(now, effects),
            Input::Tick(ms) => self.tick(ms, now, effects),
            // A stream over HTTP is not probed: it is silent for a while only when it is dead.
            Input::Probe if self.is_welcomed() && !self.connection.is_http => {
                let action = self.connection.heartbeat.probe();
                beat(action, effects);
            }
            Input::Probe => {}
        }
        if self.connection.is_http && self.is_joined() && !self.transport.is_blocked() {
            effects.push(Effect::Disconnect);
        }
    }

    /// Sends everything again that may not have arrived.
    fn resend(&mut self, effects: &mut Vec<Effect>) {
        self.connection.sent_rename = None;
        self.read_marker.on_reconnect();
        effects.push(Effect::RetryIn(RETRY_DELAY_MS));
    }

    fn tick(&mut self, ms: u64, now: Millis, effects: &mut Vec<Effect>) {
        let Connection { is_http, is_joined, .. } = self.connection;
        if !self.is_welcomed() {
            self.connection.handshake_ms += ms;
            let timeout = if is_http { STREAM_WELCOME_TIMEOUT_MS } else { SOCKET_WELCOME_TIMEOUT_MS };
            if self.connection.handshake_ms >= timeout {
                self.connection.has_timed_out = true;
                effects.push(Effect::Disconnect);
            }
            return;
        }
        let action = self.connection.heartbeat.tick(ms);
        beat(action, effects);
        if is_joined {
            self.report_read_marker(now, effects);
            if is_http && self.transport.should_probe(now) {
                effects.push(Effect::ProbeSocket);
            }
        }
    }

    /// Joins after the last event of the timeline, so that no event is missed and none arrives twice.
    fn join(&mut self, effects: &mut Vec<Effect>) {
        if self.connection.is_http {
            // The address of a stream says where it begins, so that another position needs another stream.
            if self.is_joined() {
                effects.push(Effect::Disconnect);
            }
            return;
        }
        effects.push(Effect::Send(ClientFrame::Join {
            room: self.room.to_string(),
            after: Some(self.timeline.last()),
            after_id: self.timeline.last_id(),
            log: Some(self.timeline.log().to_owned()),
            limit: None,
            presence: true,
        }));
    }

    /// Sends what waits, once the room is joined.
    fn send_pending(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if !self.is_joined() {
            return;
        }
        if let Some(rename) = &self.pending_rename
            && self.connection.sent_rename != Some(rename.id)
        {
            self.connection.sent_rename = Some(rename.id);
            let name = rename.name.to_string();
            effects.push(Effect::Send(ClientFrame::Rename { id: rename.id, name }));
        }
        if let Some(command) = self.outbox.next_to_send() {
            effects.push(Effect::Send(command.frame(&self.room)));
        }
        if self.typing.take_signal() {
            effects.push(Effect::Send(ClientFrame::Typing { room: self.room.to_string() }));
        }
        self.report_read_marker(now, effects);
    }

    fn report_read_marker(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if let Some(seq) = self.read_marker.take_unread() {
            effects.push(Effect::Send(ClientFrame::Unread { room: self.room.to_string(), seq }));
        }
        if let Some(seq) = self.read_marker.take_report(now) {
            effects.push(Effect::Send(ClientFrame::Read { room: self.room.to_string(), seq }));
        }
    }
}

fn beat(action: HeartbeatAction, effects: &mut Vec<Effect>) {
    match action {
        HeartbeatAction::None => {}
        HeartbeatAction::Ping(n) => effects.push(Effect::Send(ClientFrame::Ping { n })),
        HeartbeatAction::Timeout => effects.push(Effect::Disconnect),
    }
}

#[cfg(test)]
mod tests;
