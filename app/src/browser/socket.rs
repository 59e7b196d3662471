//! The session: connects, joins after the last event of the page, sends the outbox, applies what it
//! receives, and reconnects when the connection is lost.

use crate::{
    base::link,
    browser::{
        carrier::{Carrier, Signal},
        storage,
    },
    client::{
        ApplyResult, Backoff, ConnectionEnd, Heartbeat, HeartbeatAction, Transport, TransportChoice,
        UnreadCount,
    },
    clock::steady,
    page_data::NameError,
    state::{Live, Status},
    wire::{ClientFrame, CommandId, DisplayName, ErrorCode, Millis, RoomName, Seq, ServerFrame, User},
};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::{
    StreamExt,
    future::{Either, select},
    stream,
};
use gloo_timers::future::{IntervalStream, TimeoutFuture, sleep};
use leptos::{prelude::*, task::spawn_local};
use std::fmt::Write;

/// How often the pulse is felt, in milliseconds.
const TICK_MS: u32 = 1_000;

/// How long a WebSocket may take up to its welcome before the page turns to HTTP, in milliseconds.
const SOCKET_WELCOME_WAIT_MS: u32 = 4_000;

/// How long a WebSocket may take up to its welcome beside HTTP, in milliseconds.
const PROBE_WAIT_MS: u32 = 10_000;

/// How long a stream over HTTP may take up to its welcome, in milliseconds.
const STREAM_WELCOME_WAIT_MS: u32 = 10_000;

/// How often a tab gives a sign of life and looks for what others left waiting, in milliseconds.
const LOOK_MS: u32 = 5_000;

/// Pause in milliseconds before a command that the server could not store is tried again.
const AGAIN_MS: u32 = 2_000;

/// What keeps a connection going.
enum Sign {
    /// Something came over the connection.
    Signal(Signal),
    /// There is something to send.
    Work,
    /// A second has passed.
    Tick,
    /// The tab woke up, was looked at, or the network came or went.
    Nudge,
}

/// One open connection.
struct Connection {
    live: Live,
    carrier: Carrier,
    /// The identity of the server's log.
    log: String,
    /// The identity that it had for what is shown here before this connection.
    former_log: String,
    pulse: Heartbeat,
    /// Milliseconds since the connection was opened, until the server has welcomed it.
    unwelcome_ms: Option<u32>,
    /// When the server welcomed it.
    welcomed: Option<Millis>,
    /// The room's head at the last pong: if it is still not here at the next, something was lost.
    promised: Seq,
    joined: bool,
    /// The change of name that this connection has sent.
    naming: Option<CommandId>,
    wake: UnboundedSender<()>,
}

/// Keeps a room connected. Runs once, after hydration.
pub(crate) fn connect(live: Live) {
    storage::tab_heartbeat();
    live.restore_outbox();
    crate::browser::notifications::listen(&window(), "pagehide", storage::tab_closed);
    spawn_local(async move {
        let mut looks = IntervalStream::new(LOOK_MS);
        while looks.next().await.is_some() {
            storage::tab_heartbeat();
            live.restore_outbox();
        }
    });
    let (wake, mut work) = unbounded();
    let mut nudges = nudges();
    let waker = wake.clone();
    Effect::new(move || {
        live.work.track();
        // The receiver lives as long as the task below, and that as long as the page.
        let _ = waker.unbounded_send(());
    });
    live.status.set(Status::Connecting);
    let blocked = storage::is_socket_blocked();
    let choice = if blocked { TransportChoice::blocked(steady()) } else { TransportChoice::default() };
    let choice = StoredValue::new(choice);
    crate::browser::notifications::listen(&window(), "online", move || {
        choice.update_value(|choice| choice.on_network_change(steady()));
    });
    spawn_local(async move {
        let mut reconnect = Backoff::default();
        loop {
            let transport = choice.with_value(TransportChoice::next);
            let opened = match transport {
                Transport::WebSocket => Carrier::socket(),
                Transport::Http => Carrier::stream(&stream_path(live)),
            };
            let ended = match opened {
                Some(opened) => {
                    talk(live, opened, &mut work, &mut nudges, &wake, &mut reconnect, choice).await
                }
                None => ConnectionEnd::TimedOut,
            };
            choice.update_value(|choice| choice.on_connection_end(transport, ended, steady()));
            live.with_outbox(crate::client::Outbox::reset_in_flight);
            let delay = reconnect.next_delay(js_sys::Math::random());
            live.next_try.set(Some(steady() + delay.as_millis() as u64));
            live.status.set(Status::Offline);
            select(Box::pin(sleep(delay)), nudges.next()).await;
            live.next_try.set(None);
        }
    });
}

/// Whenever the connection may have died or come back unseen.
fn nudges() -> UnboundedReceiver<()> {
    let (nudge, nudges) = unbounded();
    for event in ["online", "offline", "visibilitychange", "pageshow", "focus"] {
        let nudge = nudge.clone();
        // It lives as long as the page.
        let listener = window_event_listener_untyped(event, move |_| {
            let _ = nudge.unbounded_send(());
        });
        std::mem::forget(listener);
    }
    nudges
}

/// Serves one connection until it is lost, or until a WebSocket gets through beside it.
async fn talk(
    live: Live,
    (carrier, mut signals): (Carrier, UnboundedReceiver<Signal>),
    work: &mut UnboundedReceiver<()>,
    nudges: &mut UnboundedReceiver<()>,
    wake: &UnboundedSender<()>,
    reconnect: &mut Backoff,
    choice: StoredValue<TransportChoice>,
) -> ConnectionEnd {
    let ticks = IntervalStream::new(TICK_MS).map(|()| Sign::Tick);
    let mut signs = stream::select(
        signals.by_ref().map(Sign::Signal),
        stream::select(stream::select(work.map(|()| Sign::Work), nudges.map(|()| Sign::Nudge)), ticks),
    );
    let mut connection = Connection {
        live,
        carrier,
        log: String::new(),
        former_log: String::new(),
        pulse: Heartbeat::default(),
        unwelcome_ms: Some(0),
        welcomed: None,
        promised: 0,
        joined: false,
        naming: None,
        wake: wake.clone(),
    };
    let is_http = connection.carrier.transport() == Transport::Http;
    let mut is_late = false;
    while let Some(sign) = signs.next().await {
        let is_tick = matches!(sign, Sign::Tick);
        if connection.follow(sign).is_none() {
            is_late = is_tick;
            break;
        }
        if connection.joined {
            reconnect.reset();
            if is_http
                && is_tick
                && choice.try_update_value(|choice| choice.should_probe(steady())) == Some(true)
                && let Some(socket) = Carrier::socket()
            {
                spawn_local(probe(choice, socket));
            }
            if is_http && !choice.with_value(TransportChoice::is_blocked) {
                break;
            }
        }
    }
    drop(signs);
    match connection.welcomed {
        Some(since) => ConnectionEnd::Lasted(steady().saturating_sub(since)),
        None if is_late => {
            if !is_http {
                // On a slow network its welcome may still come.
                spawn_local(probe(choice, (connection.carrier, signals)));
            }
            ConnectionEnd::TimedOut
        }
        None => ConnectionEnd::Refused,
    }
}

/// Waits whether a WebSocket gets through.
async fn probe(
    choice: StoredValue<TransportChoice>,
    (_carrier, mut signals): (Carrier, UnboundedReceiver<Signal>),
) {
    let welcome = select(signals.next(), TimeoutFuture::new(PROBE_WAIT_MS)).await;
    if let Either::Left((Some(Signal::Frame(_)), _)) = welcome {
        choice.update_value(TransportChoice::probe_succeeded);
    }
}

/// The stream of this room's frames after the last event that is shown, and of the other rooms that are followed.
fn stream_path(live: Live) -> String {
    let room = live.room.get_value();
    let mut path = live.with_feed(|feed| {
        let id = feed.last_id().map(|id| format!("&after_id={id}")).unwrap_or_default();
        link(&format!("/api/rooms/{room}/frames?after={}{id}&log={}&also=", feed.last(), feed.log()))
    });
    for (room, head) in live.followed() {
        // Text takes everything.
        let _ = write!(path, "{room}.{head},");
    }
    path
}

impl Connection {
    /// Does what a sign asks for; `None` where the connection is over.
    fn follow(&mut self, sign: Sign) -> Option<()> {
        match sign {
            Sign::Signal(Signal::Frame(json)) => {
                self.pulse.on_receive();
                self.read(&json)
            }
            // No proof that the stream of frames lives.
            Sign::Signal(Signal::Answer(json)) => {
                self.live.foreign.set(false);
                self.read(&json)
            }
            Sign::Signal(Signal::Lost) => None,
            Sign::Signal(Signal::Unanswered) => {
                self.send_again();
                Some(())
            }
            Sign::Signal(Signal::Forbidden) => {
                self.live.foreign.set(true);
                self.send_again();
                Some(())
            }
            Sign::Work => self.work(),
            Sign::Tick => match &mut self.unwelcome_ms {
                Some(waited) => {
                    *waited += TICK_MS;
                    let limit = match self.carrier.transport() {
                        Transport::WebSocket => SOCKET_WELCOME_WAIT_MS,
                        Transport::Http => STREAM_WELCOME_WAIT_MS,
                    };
                    (*waited < limit).then_some(())
                }
                None => {
                    self.live.attend();
                    self.live.announce_summary();
                    let beat = self.pulse.tick(TICK_MS.into());
                    self.beat(beat)?;
                    if self.joined { self.report() } else { Some(()) }
                }
            },
            // A stream is not asked: it is silent for a while only when it is dead.
            Sign::Nudge if self.unwelcome_ms.is_none() && !self.is_http() => {
                let beat = self.pulse.probe();
                self.beat(beat)
            }
            Sign::Nudge => Some(()),
        }
    }

    fn read(&mut self, json: &str) -> Option<()> {
        // A frame that this version cannot read is skipped; a gap in the events shows itself.
        self.handle_frame(ServerFrame::parse(json).unwrap_or(ServerFrame::Unknown))
    }

    fn is_http(&self) -> bool {
        self.carrier.transport() == Transport::Http
    }

    /// Lets everything be sent again that may not have arrived.
    fn send_again(&mut self) {
        self.naming = None;
        self.live.reading.update_value(crate::client::ReadMarker::on_reconnect);
        self.try_again_in(AGAIN_MS);
    }

    fn beat(&mut self, beat: HeartbeatAction) -> Option<()> {
        match beat {
            HeartbeatAction::None => Some(()),
            HeartbeatAction::Ping(n) => self.send(&ClientFrame::Ping { n }),
            HeartbeatAction::Timeout => None,
        }
    }

    fn handle_frame(&mut self, frame: ServerFrame) -> Option<()> {
        match frame {
            ServerFrame::Welcome { log, heartbeat_ms, you, .. } => {
                self.unwelcome_ms = None;
                self.welcomed = Some(steady());
                self.log = log;
                self.former_log = self.live.with_feed(|feed| feed.log().to_owned());
                self.pulse.set_interval(heartbeat_ms);
                self.live.you.set(you);
                self.join()
            }
            ServerFrame::Joined { room, head, reset, read, .. } if !self.is_here(&room) => {
                if reset {
                    self.live.reset_head(&room, head);
                }
                self.live.read_elsewhere(&room, read, None);
                Some(())
            }
            ServerFrame::Joined {
                head,
                reset,
                messages,
                more,
                members,
                member_count,
                read,
                room,
                title,
                topic,
            } => {
                self.live.titled(&room, title, topic);
                self.live.people.set(crate::client::members::sorted(members));
                self.live.people_count.set(member_count);
                self.live.reading.update_value(|reading| {
                    reading.on_reconnect();
                    if read > 0 {
                        reading.advance_remote(read);
                    }
                });
                if reset {
                    let (log, messages) = (self.log.clone(), messages.unwrap_or_default());
                    self.live.reset(log, head, messages, more.unwrap_or(false));
                } else {
                    self.live.change(|feed| feed.set_log(&self.log));
                }
                if !self.joined {
                    storage::socket_blocked(self.is_http());
                    self.follow_others()?;
                }
                self.joined = true;
                self.live.status.set(Status::Open);
                self.live.look();
                self.work()
            }
            ServerFrame::Events { room, events } if !self.is_here(&room) => {
                self.live.apply_room_events(&room, &events);
                Some(())
            }
            ServerFrame::Events { room, events } => match self.live.change(|feed| feed.apply_events(&events))
            {
                ApplyResult::Applied => {
                    events.iter().for_each(|event| self.live.clear_typing(event.author.id));
                    self.live.on_messages(events.iter().filter(|event| event.is_message()).count());
                    self.live.apply_room_events(&room, &events);
                    self.live.look();
                    Some(())
                }
                ApplyResult::Gap => self.join(),
            },
            ServerFrame::Ack { id, seq, .. } => self.acknowledged(id, seq),
            ServerFrame::Error { id, code, retry_ms, .. } => self.refused(id, code, retry_ms),
            ServerFrame::Renamed { id, name, ambiguous, tag } => {
                self.live.renamed(User { id, name, ambiguous, tag });
                Some(())
            }
            ServerFrame::Presence { room, here, gone, count } => {
                if self.is_here(&room) {
                    self.live.apply_presence(here, &gone, count);
                }
                Some(())
            }
            ServerFrame::Typing { room, user } => {
                if self.is_here(&room) {
                    self.live.show_typing(user);
                }
                Some(())
            }
            ServerFrame::Read { room, seq, head, unread } => {
                let counted = head.zip(unread).map(|(head, unread)| UnreadCount { head, unread });
                self.live.read_elsewhere(&room, seq, counted);
                Some(())
            }
            ServerFrame::RoomUpdated { room, title, topic } => {
                self.live.titled(&room, title, topic);
                Some(())
            }
            ServerFrame::Pong { heads, .. } => {
                let head = self.live.room.with_value(|here| heads.get(here).copied());
                self.compare(head.unwrap_or(0))
            }
            ServerFrame::Unknown => Some(()),
        }
    }

    /// Joins after the last event that is shown: nothing is missed and nothing comes twice.
    fn join(&mut self) -> Option<()> {
        if self.is_http() {
            // The stream's address says where it begins, so another place needs another stream.
            return (!self.joined).then_some(());
        }
        let (after, after_id, log) =
            self.live.with_feed(|feed| (Some(feed.last()), feed.last_id(), Some(feed.log().to_owned())));
        let room = self.live.room.get_value().to_string();
        self.send(&ClientFrame::Join { room, after, after_id, log, limit: None, presence: true })
    }

    fn is_here(&self, room: &RoomName) -> bool {
        self.live.room.with_value(|here| here == room)
    }

    /// Follows the user's other rooms, without being listed as present there.
    fn follow_others(&mut self) -> Option<()> {
        if self.is_http() {
            return Some(());
        }
        for (room, head) in self.live.followed() {
            let (room, after, log) = (room.to_string(), Some(head), Some(self.former_log.clone()));
            let join =
                ClientFrame::Join { room, after, after_id: None, log, limit: Some(1), presence: false };
            self.send(&join)?;
        }
        Some(())
    }

    /// Reports the read marker now and then.
    fn report(&mut self) -> Option<()> {
        let now = steady();
        let read = self.live.reading.try_update_value(|reading| reading.take_report(now)).flatten();
        match read {
            Some(seq) => {
                let room = self.live.room.get_value().to_string();
                self.send(&ClientFrame::Read { room, seq })
            }
            None => Some(()),
        }
    }

    /// Sends what waits, once the room is joined.
    fn work(&mut self) -> Option<()> {
        if !self.joined {
            return Some(());
        }
        if let Some((id, name, _)) = self.live.naming.get_value().filter(|(id, ..)| self.naming != Some(*id))
        {
            self.naming = Some(id);
            self.send(&ClientFrame::Rename { id, name: name.to_string() })?;
        }
        if let Some(command) = self.live.with_outbox(crate::client::Outbox::next_to_send) {
            let frame = self.live.room.with_value(|room| command.frame(room));
            self.send(&frame)?;
        }
        if self.live.take_typing_signal() {
            let room = self.live.room.get_value().to_string();
            self.send(&ClientFrame::Typing { room })?;
        }
        self.report()
    }

    fn acknowledged(&mut self, id: CommandId, seq: Option<Seq>) -> Option<()> {
        if self.named(id).is_some() {
            // A name that another user has is not accepted silently.
            self.live.name_asks.set(self.live.you.with_untracked(|you| you.ambiguous));
        } else {
            self.live.settle(id);
            if seq.is_some_and(|seq| seq <= self.live.with_feed(crate::client::Timeline::last)) {
                // It happened before: its event does not come again.
                self.live.change(|feed| feed.remove_pending(id));
            }
        }
        self.work()
    }

    fn refused(&mut self, id: Option<String>, code: ErrorCode, retry_ms: Option<u64>) -> Option<()> {
        // Without a command's id it is the join that has failed, which the next connection tries again.
        let Some(id) = id.and_then(|id| id.parse().ok()) else { return self.joined.then_some(()) };
        if let Some(before) = self.named(id) {
            self.live.name_problem.set(self.live.rename_error(NameError::Command(code)));
            // First, so that the field is open, and keeps what was typed, when the name changes back.
            self.live.name_asks.set(true);
            self.live.you.update(|you| you.name = before);
            return Some(());
        }
        if !self.live.with_outbox(|outbox| outbox.is_in_flight(id)) {
            return Some(());
        }
        match code {
            ErrorCode::RateLimited | ErrorCode::Internal => {
                let pause = retry_ms.map_or(AGAIN_MS, |ms| ms.min(60_000) as u32);
                self.try_again_in(pause);
                Some(())
            }
            _ => {
                self.live.refuse(id, code);
                self.work()
            }
        }
    }

    /// The name before the change of name that was under way, if `id` is its command; it is settled then.
    fn named(&self, id: CommandId) -> Option<DisplayName> {
        let naming = self.live.naming;
        let before = naming.get_value().filter(|(naming, ..)| *naming == id).map(|(_, _, before)| before);
        if before.is_some() {
            naming.set_value(None);
        }
        before
    }

    fn try_again_in(&self, ms: u32) {
        let (live, wake) = (self.live, self.wake.clone());
        spawn_local(async move {
            TimeoutFuture::new(ms).await;
            live.with_outbox(crate::client::Outbox::reset_in_flight);
            let _ = wake.unbounded_send(());
        });
    }

    /// A head that was promised a heartbeat ago and is not here was lost on the way.
    fn compare(&mut self, head: Seq) -> Option<()> {
        let last = self.live.with_feed(crate::client::Timeline::last);
        let lost = self.promised > last;
        self.promised = head;
        if lost { self.join() } else { Some(()) }
    }

    fn send(&mut self, frame: &ClientFrame) -> Option<()> {
        self.carrier.send(frame)
    }
}
