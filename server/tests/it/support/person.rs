//! A test client: it drives the session that the page drives, over a real WebSocket.

use app::{
    client::{Command, Effect, Input, Operation, ReadMarker, Session, Timeline, Transport},
    wire::{ClientFrame, CommandId, PROTOCOL, RoomName, Seq, ServerFrame, User},
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
    time::{MissedTickBehavior, interval, sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        self, client::IntoClientRequest, handshake::client::Response, http::HeaderValue, http::header,
    },
};
use uuid::Uuid;

/// How long the client waits for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a second takes, for tests that cannot wait.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// A second of the heartbeat.
    pub pulse: Duration,
    /// A second of the backoff.
    pub steps: Duration,
}

/// The state of a client, and what has happened to it.
pub struct Kept {
    pub session: Session,
    you: Option<User>,
    cookie: Option<HeaderValue>,
    /// It has joined the room, at present.
    pub live: bool,
    /// The timeline has every event after this one.
    pub began: Seq,
    /// All of its commands, in the order in which they were given.
    pub asked: Vec<Command>,
    /// The commands that the server has acknowledged, and their `seq`.
    pub acknowledged: Vec<(CommandId, Seq)>,
    /// How often it has joined again after a gap, and how often the server has replaced its timeline.
    pub gaps: usize,
    pub resets: usize,
    lost_at: Option<Instant>,
    /// When a connection was lost, and how long it took to join again.
    pub blackouts: Vec<(Instant, Duration)>,
}

/// A client in a room. It disconnects when it is dropped.
pub struct Person {
    memory: Arc<Memory>,
    living: JoinHandle<()>,
}

struct Memory {
    server: SocketAddr,
    pace: Pace,
    kept: watch::Sender<Kept>,
    work: Notify,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Person {
    /// Joins `room`, and connects again whenever the connection is lost.
    pub fn enter(server: SocketAddr, room: &str, pace: Pace) -> Self {
        let room: RoomName = room.parse().expect("a valid room name");
        let timeline = Timeline::new(String::new(), 0, Vec::new());
        let kept = Kept {
            session: Session::new(room, timeline, ReadMarker::new(0)),
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
        let memory = Arc::new(Memory { server, pace, kept, work });
        Self { living: tokio::spawn(live(memory.clone())), memory }
    }

    /// Gives a command, which is sent until the server acknowledges it.
    pub fn ask(&self, operation: Operation) {
        let command = Command { id: Uuid::now_v7(), operation };
        self.memory.change(|kept| {
            if let Some(you) = kept.you.clone() {
                kept.session.timeline.add_local(&command, you);
            }
            kept.asked.push(command.clone());
            kept.session.outbox.push(command);
        });
        self.memory.work.notify_one();
    }

    /// Returns the present state.
    pub fn kept(&self) -> watch::Ref<'_, Kept> {
        self.memory.kept.borrow()
    }

    /// Waits until the state satisfies `so`.
    pub async fn until(&self, so: impl FnMut(&Kept) -> bool) {
        let mut kept = self.memory.kept.subscribe();
        // The sender lives as long as this client.
        let _ = kept.wait_for(so).await;
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        self.living.abort();
    }
}

impl Kept {
    /// Returns `true` if every command is acknowledged, and the timeline has everything up to `head`.
    pub fn settled(&self, head: Seq) -> bool {
        self.live && self.session.outbox.is_empty() && self.session.timeline.last() >= head
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
        let (socket, answer) = timeout(CONNECT_TIMEOUT, connect_async(request)).await.ok()?.ok()?;
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
    let start = Instant::now();
    loop {
        if let Some(socket) = memory.connect().await {
            memory.change(|kept| kept.session.open(Transport::WebSocket));
            let mut connection = Connection { memory: &memory, socket, start, retry_at: None };
            let Err(Disconnected) = connection.run().await else { continue };
        }
        let delay = memory.change(|kept| {
            if std::mem::take(&mut kept.live) {
                kept.lost_at = Some(Instant::now());
            }
            kept.session.close(start.elapsed().as_millis() as u64, fastrand::f64()).1
        });
        sleep(delay.mul_f64(memory.pace.steps.as_secs_f64())).await;
    }
}

/// One open connection.
struct Connection<'a> {
    memory: &'a Memory,
    socket: Socket,
    start: Instant,
    /// When a command that the server could not store is sent again.
    retry_at: Option<tokio::time::Instant>,
}

/// The connection is over.
struct Disconnected;

impl Connection<'_> {
    /// Passes inputs to the session until the connection is over.
    async fn run(&mut self) -> Result<(), Disconnected> {
        let mut ticks = interval(self.memory.pace.pulse);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let retry = async {
                match self.retry_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let input = tokio::select! {
                message = self.socket.next() => match message {
                    Some(Ok(tungstenite::Message::Text(json))) => {
                        Input::Frame(serde_json::from_str(&json).unwrap_or(ServerFrame::Unknown))
                    }
                    // A browser does not see pings.
                    Some(Ok(tungstenite::Message::Ping(_) | tungstenite::Message::Pong(_))) => continue,
                    _ => return Err(Disconnected),
                },
                () = self.memory.work.notified() => Input::Wakeup,
                _ = ticks.tick() => Input::Tick(1_000),
                () = retry => {
                    self.retry_at = None;
                    self.memory.change(|kept| kept.session.outbox.reset_in_flight());
                    Input::Wakeup
                }
            };
            self.handle(input).await?;
        }
    }

    async fn handle(&mut self, input: Input) -> Result<(), Disconnected> {
        if let Input::Frame(ServerFrame::Welcome { log, .. }) = &input {
            self.memory.change(|kept| kept.begin_in(log));
        }
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let (now, mut effects) = (self.start.elapsed().as_millis() as u64, Vec::new());
            self.memory.change(|kept| kept.session.handle(input, now, &mut effects));
            for effect in effects {
                match effect {
                    Effect::Send(frame) => self.send(&frame).await?,
                    Effect::Disconnect => return Err(Disconnected),
                    Effect::RetryIn(ms) => {
                        self.retry_at = Some(tokio::time::Instant::now() + Duration::from_millis(ms));
                    }
                    Effect::Show(ServerFrame::Joined { .. }) => {
                        self.memory.change(Kept::be_live);
                        inputs.push(Input::Wakeup);
                    }
                    effect => self.memory.change(|kept| kept.note(effect)),
                }
            }
        }
        Ok(())
    }

    async fn send(&mut self, frame: &ClientFrame) -> Result<(), Disconnected> {
        if matches!(frame, ClientFrame::Join { .. }) {
            self.memory.change(|kept| kept.gaps += usize::from(kept.live));
        }
        let json = serde_json::to_string(frame).map_err(|_| Disconnected)?;
        self.socket.send(tungstenite::Message::text(json)).await.map_err(|_| Disconnected)
    }
}

impl Kept {
    /// The first `welcome` says to which log the empty timeline belongs.
    fn begin_in(&mut self, log: &str) {
        if self.session.timeline.log().is_empty() {
            self.session.timeline.set_log(log);
        }
    }

    fn note(&mut self, effect: Effect) {
        match effect {
            Effect::Show(ServerFrame::Welcome { you, .. }) => self.you = Some(you),
            Effect::TimelineReset { .. } => {
                self.resets += 1;
                let timeline = &self.session.timeline;
                self.began = timeline.first().map_or(timeline.last(), |first| first - 1);
            }
            Effect::Complete(id, Some(seq)) => self.acknowledged.push((id, seq)),
            _ => {}
        }
    }

    fn be_live(&mut self) {
        self.live = true;
        if let Some(lost_at) = self.lost_at.take() {
            self.blackouts.push((lost_at, lost_at.elapsed()));
        }
    }
}
