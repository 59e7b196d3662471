//! A test client: it drives the session that the page drives, over a real WebSocket.

use app::{
    client::{Command, Effect, Input, OutboxOperation, ReadMarker, Session, Timeline, Transport},
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

/// The time that the client waits for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The length of a second, for tests that cannot wait.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// A second of the heartbeat.
    pub heartbeat_second: Duration,
    /// A second of the backoff.
    pub backoff_second: Duration,
}

/// The state of a client, and what has happened to it.
pub struct ClientState {
    pub session: Session,
    you: Option<User>,
    cookie: Option<HeaderValue>,
    /// The client is in the room now.
    pub is_live: bool,
    /// The timeline has every event after this one.
    pub starts_after: Seq,
    /// All of its commands, in the order in which they were submitted.
    pub commands: Vec<Command>,
    /// The commands that the server has acknowledged, each with its `seq`.
    pub acknowledged: Vec<(CommandId, Seq)>,
    /// The number of times that the client has joined again after a gap, and that the server has replaced its timeline.
    pub gaps: usize,
    pub resets: usize,
    lost_at: Option<Instant>,
    /// When a connection was lost, and how long the client took to join again.
    pub outages: Vec<(Instant, Duration)>,
}

/// A client in a room. It disconnects when it is dropped.
pub struct TestClient {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// The state that the client shares with its task.
struct Shared {
    server: SocketAddr,
    pace: Pace,
    state: watch::Sender<ClientState>,
    wakeup: Notify,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl TestClient {
    /// Joins `room`, and connects again whenever the connection is lost.
    pub fn join(server: SocketAddr, room: &str, pace: Pace) -> Self {
        let room: RoomName = room.parse().expect("a valid room name");
        let timeline = Timeline::new(String::new(), 0, Vec::new());
        let state = ClientState {
            session: Session::new(room, timeline, ReadMarker::new(0)),
            you: None,
            cookie: None,
            is_live: false,
            starts_after: 0,
            commands: Vec::new(),
            acknowledged: Vec::new(),
            gaps: 0,
            resets: 0,
            lost_at: None,
            outages: Vec::new(),
        };
        let (state, wakeup) = (watch::Sender::new(state), Notify::new());
        let shared = Arc::new(Shared { server, pace, state, wakeup });
        Self { task: tokio::spawn(run(shared.clone())), shared }
    }

    /// Submits a command, which is sent until the server acknowledges it.
    pub fn submit(&self, operation: OutboxOperation) {
        let command = Command { id: Uuid::now_v7(), operation };
        self.shared.change(|state| {
            if let Some(you) = state.you.clone() {
                state.session.timeline.add_local(&command, you);
            }
            state.commands.push(command.clone());
            state.session.outbox.push(command);
        });
        self.shared.wakeup.notify_one();
    }

    /// Returns the current state.
    pub fn state(&self) -> watch::Ref<'_, ClientState> {
        self.shared.state.borrow()
    }

    /// Waits until the state satisfies `is_met`.
    pub async fn wait_until(&self, is_met: impl FnMut(&ClientState) -> bool) {
        let mut state = self.shared.state.subscribe();
        // The sender lives as long as this client.
        let _ = state.wait_for(is_met).await;
    }
}

impl Drop for TestClient {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ClientState {
    /// Returns `true` if every command is acknowledged, and the timeline has everything up to `head`.
    pub fn has_settled(&self, head: Seq) -> bool {
        self.is_live && self.session.outbox.is_empty() && self.session.timeline.last() >= head
    }
}

impl Shared {
    fn change<T>(&self, change: impl FnOnce(&mut ClientState) -> T) -> T {
        let mut done = None;
        self.state.send_modify(|state| done = Some(change(state)));
        done.expect("a change is run")
    }

    async fn connect(&self) -> Option<Socket> {
        let url = format!("ws://{}/ws", self.server);
        let mut request = url.into_client_request().ok()?;
        request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
        if let Some(cookie) = self.state.borrow().cookie.clone() {
            request.headers_mut().insert(header::COOKIE, cookie);
        }
        let (socket, answer) = timeout(CONNECT_TIMEOUT, connect_async(request)).await.ok()?.ok()?;
        if let Some(cookie) = cookie_of(&answer) {
            self.change(|state| state.cookie = Some(cookie));
        }
        Some(socket)
    }
}

fn cookie_of(answer: &Response) -> Option<HeaderValue> {
    let cookie = answer.headers().get(header::SET_COOKIE)?.to_str().ok()?;
    HeaderValue::from_str(cookie.split(';').next()?).ok()
}

async fn run(shared: Arc<Shared>) {
    let start = Instant::now();
    loop {
        if let Some(socket) = shared.connect().await {
            shared.change(|state| state.session.open(Transport::WebSocket));
            let mut connection = Connection { shared: &shared, socket, start, retry_at: None };
            let Err(Disconnected) = connection.run().await else { continue };
        }
        let delay = shared.change(|state| {
            if std::mem::take(&mut state.is_live) {
                state.lost_at = Some(Instant::now());
            }
            state.session.close(start.elapsed().as_millis() as u64, fastrand::f64()).1
        });
        sleep(delay.mul_f64(shared.pace.backoff_second.as_secs_f64())).await;
    }
}

/// One open connection.
struct Connection<'a> {
    shared: &'a Shared,
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
        let mut ticks = interval(self.shared.pace.heartbeat_second);
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
                () = self.shared.wakeup.notified() => Input::Wakeup,
                _ = ticks.tick() => Input::Tick(1_000),
                () = retry => {
                    self.retry_at = None;
                    self.shared.change(|state| state.session.outbox.reset_in_flight());
                    Input::Wakeup
                }
            };
            self.handle(input).await?;
        }
    }

    async fn handle(&mut self, input: Input) -> Result<(), Disconnected> {
        if let Input::Frame(ServerFrame::Welcome { log, .. }) = &input {
            self.shared.change(|state| state.begin_in(log));
        }
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let (now, mut effects) = (self.start.elapsed().as_millis() as u64, Vec::new());
            self.shared.change(|state| state.session.handle(input, now, &mut effects));
            for effect in effects {
                match effect {
                    Effect::Send(frame) => self.send(&frame).await?,
                    Effect::Disconnect | Effect::SignedOut => return Err(Disconnected),
                    Effect::RetryIn(ms) => {
                        self.retry_at = Some(tokio::time::Instant::now() + Duration::from_millis(ms));
                    }
                    Effect::Show(ServerFrame::Joined { .. }) => {
                        self.shared.change(ClientState::on_joined);
                        inputs.push(Input::Wakeup);
                    }
                    effect => self.shared.change(|state| state.note(effect)),
                }
            }
        }
        Ok(())
    }

    async fn send(&mut self, frame: &ClientFrame) -> Result<(), Disconnected> {
        if matches!(frame, ClientFrame::Join { .. }) {
            self.shared.change(|state| state.gaps += usize::from(state.is_live));
        }
        let json = serde_json::to_string(frame).map_err(|_| Disconnected)?;
        self.socket.send(tungstenite::Message::text(json)).await.map_err(|_| Disconnected)
    }
}

impl ClientState {
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
                self.starts_after = timeline.first().map_or(timeline.last(), |first| first - 1);
            }
            Effect::Complete(id, Some(seq)) => self.acknowledged.push((id, seq)),
            _ => {}
        }
    }

    fn on_joined(&mut self) {
        self.is_live = true;
        if let Some(lost_at) = self.lost_at.take() {
            self.outages.push((lost_at, lost_at.elapsed()));
        }
    }
}
