//! The socket: connects, joins after the last event of the page, says what waits, hears what is told,
//! and comes back when it is lost.

use super::{Beat, Heard, Live, Pulse, Reconnect, Status, storage};
use crate::{
    pages::NameTrouble,
    wire::{Author, ClientFrame, CommandId, ErrorCode, PROTOCOL, RoomName, Seq, ServerFrame},
};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::{SinkExt, StreamExt, future::select, stream, stream::SplitSink};
use gloo_net::websocket::{Message, futures::WebSocket};
use gloo_timers::future::{IntervalStream, TimeoutFuture, sleep};
use leptos::{prelude::*, task::spawn_local};

/// How often the pulse is felt, in milliseconds.
const TICK_MS: u32 = 1_000;

/// How long a connection may take to be made, up to its welcome, in milliseconds.
const WELCOME_WAIT_MS: u32 = 10_000;

/// How often a tab gives a sign of life and looks for what others left waiting, in milliseconds.
const LOOK_MS: u32 = 5_000;

/// Pause in milliseconds before a command that the server could not store is tried again.
const AGAIN_MS: u32 = 2_000;

/// What keeps a connection going.
enum Sign {
    /// A frame came in.
    Frame(String),
    /// The connection is lost.
    Lost,
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
    sink: SplitSink<WebSocket, Message>,
    /// The identity of the server's log.
    log: String,
    pulse: Pulse,
    /// Milliseconds since the socket was opened, until the server has welcomed it.
    unwelcome_ms: Option<u32>,
    /// The room's head at the last pong: if it is still not here at the next, something was lost.
    promised: Seq,
    joined: bool,
    /// The change of name that this connection has sent.
    naming: Option<CommandId>,
    wake: UnboundedSender<()>,
}

/// Keeps a room connected. Runs once, after hydration.
pub(super) fn connect(live: Live) {
    storage::live_on();
    live.take_up_what_waits();
    super::notice::listen(&window(), "pagehide", storage::live_no_more);
    spawn_local(async move {
        let mut looks = IntervalStream::new(LOOK_MS);
        while looks.next().await.is_some() {
            storage::live_on();
            live.take_up_what_waits();
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
    spawn_local(async move {
        let mut reconnect = Reconnect::default();
        loop {
            if let Ok(socket) = WebSocket::open_with_protocol(&url(), PROTOCOL) {
                talk(live, socket, &mut work, &mut nudges, &wake, &mut reconnect).await;
            }
            live.with_outbox(super::Outbox::again);
            let delay = reconnect.delay(js_sys::Math::random());
            live.next_try.set(Some(crate::clock::now() + delay.as_millis() as u64));
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

/// Serves one connection until it is lost.
async fn talk(
    live: Live,
    socket: WebSocket,
    work: &mut UnboundedReceiver<()>,
    nudges: &mut UnboundedReceiver<()>,
    wake: &UnboundedSender<()>,
    reconnect: &mut Reconnect,
) {
    let (sink, frames) = socket.split();
    let frames = frames.map(|frame| match frame {
        Ok(Message::Text(json)) => Sign::Frame(json),
        Ok(Message::Bytes(_)) | Err(_) => Sign::Lost,
    });
    let ticks = IntervalStream::new(TICK_MS).map(|()| Sign::Tick);
    let mut signs = stream::select(
        frames.chain(stream::iter([Sign::Lost])),
        stream::select(stream::select(work.map(|()| Sign::Work), nudges.map(|()| Sign::Nudge)), ticks),
    );
    let mut connection = Connection {
        live,
        sink,
        log: String::new(),
        pulse: Pulse::default(),
        unwelcome_ms: Some(0),
        promised: 0,
        joined: false,
        naming: None,
        wake: wake.clone(),
    };
    while let Some(sign) = signs.next().await {
        if connection.follow(sign).await.is_none() {
            break;
        }
        if connection.joined {
            reconnect.succeeded();
        }
    }
}

impl Connection {
    /// Does what a sign asks for; `None` where the connection is over.
    async fn follow(&mut self, sign: Sign) -> Option<()> {
        match sign {
            Sign::Frame(json) => {
                self.pulse.heard();
                // A frame that this version cannot read is skipped; a gap in the events shows itself.
                let frame = ServerFrame::parse(&json).unwrap_or(ServerFrame::Unknown);
                self.hear(frame).await
            }
            Sign::Lost => None,
            Sign::Work => self.work().await,
            Sign::Tick => match &mut self.unwelcome_ms {
                Some(waited) => {
                    *waited += TICK_MS;
                    (*waited < WELCOME_WAIT_MS).then_some(())
                }
                None => {
                    self.live.say_what_came();
                    let beat = self.pulse.tick(TICK_MS.into());
                    self.beat(beat).await?;
                    if self.joined { self.report().await } else { Some(()) }
                }
            },
            Sign::Nudge if self.unwelcome_ms.is_none() => {
                let beat = self.pulse.doubt();
                self.beat(beat).await
            }
            Sign::Nudge => Some(()),
        }
    }

    async fn beat(&mut self, beat: Beat) -> Option<()> {
        match beat {
            Beat::Rest => Some(()),
            Beat::Ping(n) => self.say(&ClientFrame::Ping { n }).await,
            Beat::Dead => None,
        }
    }

    async fn hear(&mut self, frame: ServerFrame) -> Option<()> {
        match frame {
            ServerFrame::Welcome { log, heartbeat_ms, you, .. } => {
                self.unwelcome_ms = None;
                self.log = log;
                self.pulse.every(heartbeat_ms);
                self.live.you.set(you);
                self.join().await
            }
            ServerFrame::Joined { room, head, reset, read, .. } if !self.is_here(&room) => {
                if reset {
                    self.live.entry_at(&room, head);
                }
                self.live.read_elsewhere(&room, read);
                Some(())
            }
            ServerFrame::Joined { head, reset, messages, more, members, read, room, title, topic } => {
                self.live.titled(&room, title, topic);
                self.live.people.set(super::people::in_order(members));
                self.live.reading.update_value(|reading| {
                    reading.again();
                    if read > 0 {
                        reading.elsewhere(read);
                    }
                });
                if reset {
                    let (log, messages) = (self.log.clone(), messages.unwrap_or_default());
                    self.live.start_afresh(log, head, messages, more.unwrap_or(false));
                }
                if !self.joined {
                    self.follow_others().await?;
                }
                self.joined = true;
                self.live.status.set(Status::Open);
                self.live.look();
                self.work().await
            }
            ServerFrame::Events { room, events } if !self.is_here(&room) => {
                self.live.hear_in(&room, &events);
                Some(())
            }
            ServerFrame::Events { room, events } => match self.live.change(|feed| feed.hear(&events)) {
                Heard::Applied => {
                    events.iter().for_each(|event| self.live.has_said(event.author.id));
                    self.live.comes(events.iter().filter(|event| event.is_message()).count());
                    self.live.hear_in(&room, &events);
                    self.live.look();
                    Some(())
                }
                Heard::Gap => self.join().await,
            },
            ServerFrame::Ack { id, seq, .. } => self.acknowledged(id, seq).await,
            ServerFrame::Error { id, code, retry_ms, .. } => self.refused(id, code, retry_ms).await,
            ServerFrame::Renamed { id, name, alike } => {
                self.live.renamed(Author { id, name, alike });
                Some(())
            }
            ServerFrame::Presence { room, here, gone } => {
                if self.is_here(&room) {
                    self.live.presence(here, &gone);
                }
                Some(())
            }
            ServerFrame::Typing { room, user } => {
                if self.is_here(&room) {
                    self.live.types(user);
                }
                Some(())
            }
            ServerFrame::Read { room, seq } => {
                self.live.read_elsewhere(&room, seq);
                Some(())
            }
            ServerFrame::Titled { room, title, topic } => {
                self.live.titled(&room, title, topic);
                Some(())
            }
            ServerFrame::Pong { heads, .. } => {
                let head = self.live.room.with_value(|here| heads.get(here).copied());
                self.compare(head.unwrap_or(0)).await
            }
            ServerFrame::Unknown => Some(()),
        }
    }

    /// Joins after the last event that is shown: nothing is missed and nothing comes twice.
    async fn join(&mut self) -> Option<()> {
        let (after, log) = self.live.with_feed(|feed| (feed.last(), feed.log().to_owned()));
        let room = self.live.room.get_value().to_string();
        self.say(&ClientFrame::Join { room, after: Some(after), log: Some(log), limit: None, quiet: false })
            .await
    }

    fn is_here(&self, room: &RoomName) -> bool {
        self.live.room.with_value(|here| here == room)
    }

    /// Hears what happens in this person's other rooms, without being seen there.
    async fn follow_others(&mut self) -> Option<()> {
        for (room, head) in self.live.followed() {
            let (room, log) = (room.to_string(), Some(self.log.clone()));
            self.say(&ClientFrame::Join { room, after: Some(head), log, limit: Some(1), quiet: true })
                .await?;
        }
        Some(())
    }

    /// Tells how far somebody has read, now and then.
    async fn report(&mut self) -> Option<()> {
        let now = crate::clock::now();
        let read = self.live.reading.try_update_value(|reading| reading.report(now)).flatten();
        match read {
            Some(seq) => {
                let room = self.live.room.get_value().to_string();
                self.say(&ClientFrame::Read { room, seq }).await
            }
            None => Some(()),
        }
    }

    /// Sends what waits, once the room is joined.
    async fn work(&mut self) -> Option<()> {
        if !self.joined {
            return Some(());
        }
        if let Some((id, name)) = self.live.naming.get_value().filter(|(id, _)| self.naming != Some(*id)) {
            self.naming = Some(id);
            self.say(&ClientFrame::Rename { id, name: name.to_string() }).await?;
        }
        if let Some(command) = self.live.with_outbox(super::Outbox::send_next) {
            let frame = self.live.room.with_value(|room| command.frame(room));
            self.say(&frame).await?;
        }
        if self.live.take_typed() {
            let room = self.live.room.get_value().to_string();
            self.say(&ClientFrame::Typing { room }).await?;
        }
        self.report().await
    }

    async fn acknowledged(&mut self, id: CommandId, seq: Option<Seq>) -> Option<()> {
        if self.named(id) {
            // Told, not silently accepted.
            self.live.name_asks.set(self.live.you.with_untracked(|you| you.alike));
        } else {
            self.live.settle(id);
            if seq.is_some_and(|seq| seq <= self.live.with_feed(super::Feed::last)) {
                // It happened before: its event does not come again.
                self.live.change(|feed| feed.forget(id));
            }
        }
        self.work().await
    }

    async fn refused(&mut self, id: Option<String>, code: ErrorCode, retry_ms: Option<u64>) -> Option<()> {
        // No command's id: before the room is joined it is the join that failed, to be tried anew.
        let Some(id) = id.and_then(|id| id.parse().ok()) else { return self.joined.then_some(()) };
        if self.named(id) {
            self.live.name_problem.set(self.live.why_not_named(NameTrouble::Refused(code)));
            self.live.name_asks.set(true);
            return Some(());
        }
        if !self.live.with_outbox(|outbox| outbox.is_under_way(id)) {
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
                self.work().await
            }
        }
    }

    /// Whether `id` is the change of name that was under way; it is settled then.
    fn named(&self, id: CommandId) -> bool {
        let naming = self.live.naming;
        let settled = naming.with_value(|naming| naming.as_ref().is_some_and(|(naming, _)| *naming == id));
        if settled {
            naming.set_value(None);
        }
        settled
    }

    fn try_again_in(&self, ms: u32) {
        let (live, wake) = (self.live, self.wake.clone());
        spawn_local(async move {
            TimeoutFuture::new(ms).await;
            live.with_outbox(super::Outbox::again);
            let _ = wake.unbounded_send(());
        });
    }

    /// A head that was promised a heartbeat ago and is not here was lost on the way.
    async fn compare(&mut self, head: Seq) -> Option<()> {
        let last = self.live.with_feed(super::Feed::last);
        let lost = self.promised > last;
        self.promised = head;
        if lost { self.join().await } else { Some(()) }
    }

    async fn say(&mut self, frame: &ClientFrame) -> Option<()> {
        let json = serde_json::to_string(frame).ok()?;
        self.sink.send(Message::Text(json)).await.ok()
    }
}

/// The endpoint beside this page: over TLS where the page is.
fn url() -> String {
    let location = window().location();
    let scheme = if location.protocol().is_ok_and(|protocol| protocol == "https:") { "wss" } else { "ws" };
    format!("{scheme}://{}/ws", location.host().unwrap_or_default())
}
