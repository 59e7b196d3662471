//! Somebody whose client keeps what the page keeps (feed, outbox, the steps of coming back, pulse) and
//! drives it as the page does, over a real socket.

use app::{
    client::{ApplyResult, Backoff, Command, Heartbeat, HeartbeatAction, Operation, Outbox, Timeline},
    wire::{ClientFrame, CommandId, ErrorCode, Message, PROTOCOL, RoomName, Seq, ServerFrame, User},
};
use futures_util::{SinkExt, StreamExt};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpStream,
    sync::{Notify, watch},
    task::JoinHandle,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        self, client::IntoClientRequest, handshake::client::Response, http::HeaderValue, http::header,
    },
};
use uuid::Uuid;

/// How long a client waits for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Pause before a post that the server could not store is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// How long a second takes, for tests that cannot wait.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// A second of the pulse.
    pub pulse: Duration,
    /// A second of the steps of coming back.
    pub steps: Duration,
}

/// What a client keeps, and what it has been through.
pub struct Kept {
    pub feed: Timeline,
    pub outbox: Outbox,
    you: Option<User>,
    cookie: Option<HeaderValue>,
    /// Joined, at present.
    pub live: bool,
    /// The feed has every event after this one.
    pub began: Seq,
    /// Everything that was asked for, in this order.
    pub asked: Vec<Command>,
    /// What the server took, and the place it gave.
    pub acknowledged: Vec<(CommandId, Seq)>,
    /// How often a gap was seen, and how often the server had the client start afresh.
    pub gaps: usize,
    pub resets: usize,
    lost_at: Option<Instant>,
    /// When a connection was lost, and how long it took to be live again.
    pub blackouts: Vec<(Instant, Duration)>,
}

/// Somebody in a room. Dropped, they are gone.
pub struct Person {
    memory: Arc<Memory>,
    living: JoinHandle<()>,
}

struct Memory {
    server: SocketAddr,
    room: RoomName,
    pace: Pace,
    kept: watch::Sender<Kept>,
    work: Notify,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One open connection.
struct Connection<'a> {
    memory: &'a Memory,
    socket: Socket,
    pulse: Heartbeat,
    log: String,
    /// The room's head at the last pong: if it is still not here at the next, something was lost.
    promised: Seq,
    joined: bool,
}

impl Person {
    /// Comes to `room` and stays, however often the connection is lost.
    pub fn enter(server: SocketAddr, room: &str, pace: Pace) -> Self {
        let kept = Kept {
            feed: Timeline::new(String::new(), 0, Vec::new()),
            outbox: Outbox::default(),
            you: None,
            cookie: None,
            live: false,
            began: 0,
            asked: Vec::new(),
            acknowledged: Vec::new(),
            gaps: 0,
            resets: 0,
            lost_at: None,
            blackouts: Vec::new(),
        };
        let (kept, work) = (watch::Sender::new(kept), Notify::new());
        let memory =
            Arc::new(Memory { server, room: room.parse().expect("a good room name"), pace, kept, work });
        Self { living: tokio::spawn(live(memory.clone())), memory }
    }

    /// Asks for something; it is sent as soon as may be, and again until it is acknowledged.
    pub fn ask(&self, operation: Operation) {
        let command = Command { id: Uuid::now_v7(), operation };
        self.memory.change(|kept| {
            if let Some(you) = kept.you.clone() {
                kept.feed.add_local(&command, you);
            }
            kept.asked.push(command.clone());
            kept.outbox.push(command);
        });
        self.memory.work.notify_one();
    }

    /// What the client keeps at present.
    pub fn kept(&self) -> watch::Ref<'_, Kept> {
        self.memory.kept.borrow()
    }

    /// Waits until what the client keeps is so.
    pub async fn until(&self, so: impl FnMut(&Kept) -> bool) {
        let mut kept = self.memory.kept.subscribe();
        // The sender lives as long as this person.
        let _ = kept.wait_for(so).await;
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        self.living.abort();
    }
}

impl Kept {
    /// Everything asked for is acknowledged, and everything up to `head` is here.
    pub fn settled(&self, head: Seq) -> bool {
        self.live && self.outbox.is_empty() && self.feed.last() >= head
    }
}

impl Memory {
    fn change<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> T {
        let mut done = None;
        self.kept.send_modify(|kept| done = Some(change(kept)));
        done.expect("a change is run")
    }

    async fn connect(&self) -> Option<Socket> {
        let url = format!("ws://{}/ws", self.server);
        let mut request = url.into_client_request().ok()?;
        request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
        if let Some(cookie) = self.kept.borrow().cookie.clone() {
            request.headers_mut().insert(header::COOKIE, cookie);
        }
        let (socket, answer) = timeout(CONNECT, connect_async(request)).await.ok()?.ok()?;
        if let Some(cookie) = cookie_of(&answer) {
            self.change(|kept| kept.cookie = Some(cookie));
        }
        Some(socket)
    }
}

fn cookie_of(answer: &Response) -> Option<HeaderValue> {
    let cookie = answer.headers().get(header::SET_COOKIE)?.to_str().ok()?;
    HeaderValue::from_str(cookie.split(';').next()?).ok()
}

async fn live(memory: Arc<Memory>) {
    let mut reconnect = Backoff::default();
    loop {
        if let Some(socket) = memory.connect().await {
            talk(&memory, socket, &mut reconnect).await;
        }
        memory.change(|kept| {
            kept.outbox.reset_in_flight();
            if std::mem::take(&mut kept.live) {
                kept.lost_at = Some(Instant::now());
            }
        });
        sleep(reconnect.next_delay(fastrand::f64()).mul_f64(memory.pace.steps.as_secs_f64())).await;
    }
}

/// Serves one connection until it is lost.
async fn talk(memory: &Memory, socket: Socket, reconnect: &mut Backoff) {
    let mut ticks = interval(memory.pace.pulse);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (pulse, log) = (Heartbeat::default(), String::new());
    let mut connection = Connection { memory, socket, pulse, log, promised: 0, joined: false };
    loop {
        let goes_on = tokio::select! {
            message = connection.socket.next() => connection.receive(message).await,
            () = memory.work.notified() => connection.work().await,
            _ = ticks.tick() => connection.tick().await,
        };
        if goes_on.is_none() {
            return;
        }
        if connection.joined {
            reconnect.reset();
        }
    }
}

/// Each gives `None` where the connection is over.
impl Connection<'_> {
    async fn receive(
        &mut self,
        message: Option<Result<tungstenite::Message, tungstenite::Error>>,
    ) -> Option<()> {
        match message?.ok()? {
            tungstenite::Message::Text(json) => {
                self.pulse.on_receive();
                self.hear(serde_json::from_str(&json).unwrap_or(ServerFrame::Unknown)).await
            }
            // A browser does not see pings.
            tungstenite::Message::Ping(_) | tungstenite::Message::Pong(_) => Some(()),
            _ => None,
        }
    }

    async fn tick(&mut self) -> Option<()> {
        match self.pulse.tick(1_000) {
            HeartbeatAction::None => Some(()),
            HeartbeatAction::Ping(n) => self.say(&ClientFrame::Ping { n }).await,
            HeartbeatAction::Timeout => None,
        }
    }

    async fn hear(&mut self, frame: ServerFrame) -> Option<()> {
        match frame {
            ServerFrame::Welcome { log, heartbeat_ms, you, .. } => {
                self.pulse.set_interval(heartbeat_ms);
                self.welcome(log, you);
                self.join().await
            }
            ServerFrame::Joined { head, reset, messages, .. } => {
                if reset {
                    self.start_afresh(head, messages.unwrap_or_default());
                }
                self.joined = true;
                self.memory.change(Kept::be_live);
                self.work().await
            }
            ServerFrame::Events { events, .. } => {
                match self.memory.change(|kept| kept.feed.apply_events(&events)) {
                    ApplyResult::Applied => Some(()),
                    ApplyResult::Gap => {
                        self.memory.change(|kept| kept.gaps += 1);
                        self.join().await
                    }
                }
            }
            ServerFrame::Ack { id, seq, .. } => {
                self.memory.change(|kept| kept.acknowledged(id, seq.unwrap_or(0)));
                self.work().await
            }
            ServerFrame::Error { id, code, retry_ms, .. } => self.refused(id, code, retry_ms).await,
            ServerFrame::Pong { heads, .. } => self.compare(heads.into_values().next().unwrap_or(0)).await,
            _ => Some(()),
        }
    }

    /// The first `welcome` says which log the empty feed belongs to.
    fn welcome(&mut self, log: String, you: User) {
        self.memory.change(|kept| {
            if kept.feed.log().is_empty() {
                kept.feed = Timeline::new(log.clone(), 0, Vec::new());
            }
            kept.you = Some(you);
        });
        self.log = log;
    }

    async fn join(&mut self) -> Option<()> {
        let (after, after_id, log) = {
            let feed = &self.memory.kept.borrow().feed;
            (Some(feed.last()), feed.last_id(), Some(feed.log().to_owned()))
        };
        let room = self.memory.room.to_string();
        self.say(&ClientFrame::Join { room, after, after_id, log, limit: None, presence: true }).await
    }

    /// Sends what waits, once the room is joined.
    async fn work(&mut self) -> Option<()> {
        if !self.joined {
            return Some(());
        }
        let Some(command) = self.memory.change(|kept| kept.outbox.next_to_send()) else { return Some(()) };
        self.say(&command.frame(&self.memory.room)).await
    }

    async fn refused(&mut self, id: Option<String>, code: ErrorCode, retry_ms: Option<u64>) -> Option<()> {
        let Some(id) = id.and_then(|id| id.parse().ok()) else { return self.joined.then_some(()) };
        if matches!(code, ErrorCode::RateLimited | ErrorCode::Internal) {
            sleep(retry_ms.map_or(AGAIN, Duration::from_millis)).await;
            self.memory.change(|kept| kept.outbox.reset_in_flight());
        } else {
            self.memory.change(|kept| {
                kept.feed.fail(id, code);
                kept.outbox.complete(id);
            });
        }
        self.work().await
    }

    /// A head that was promised a heartbeat ago and is not here was lost on the way.
    async fn compare(&mut self, head: Seq) -> Option<()> {
        let lost = self.promised > self.memory.kept.borrow().feed.last();
        self.promised = head;
        if lost { self.join().await } else { Some(()) }
    }

    fn start_afresh(&self, head: Seq, messages: Vec<Message>) {
        self.memory.change(|kept| {
            kept.resets += 1;
            kept.began = messages.first().map_or(head, |first| first.seq - 1);
            kept.feed.reset(self.log.clone(), head, messages);
        });
    }

    async fn say(&mut self, frame: &ClientFrame) -> Option<()> {
        let json = serde_json::to_string(frame).ok()?;
        self.socket.send(tungstenite::Message::text(json)).await.ok()
    }
}

impl Kept {
    fn acknowledged(&mut self, id: CommandId, seq: Seq) {
        self.outbox.complete(id);
        self.acknowledged.push((id, seq));
        if seq <= self.feed.last() {
            // It happened before: its event does not come again.
            self.feed.remove_pending(id);
        }
    }

    fn be_live(&mut self) {
        self.live = true;
        if let Some(lost_at) = self.lost_at.take() {
            self.blackouts.push((lost_at, lost_at.elapsed()));
        }
    }
}
