//! A moderator who removes readers while everyone talks and everything fails, and lets them in again.
//!
//! A reader follows a room over a WebSocket. When a removal is acknowledged, the moderator reads the head of the room: what has
//! a later `seq` was posted afterwards. If the reader receives any of it before the moderator lets them in again, that is a
//! leak.

use crate::Settings;
use app::wire::{ClientFrame, Events, PROTOCOL, Seq, ServerFrame};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Client, StatusCode, header, redirect::Policy};
use serde::Serialize;
use std::{
    error::Error,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    process::Command,
    task::JoinHandle,
    time::{sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

/// The longest time that a request may take, and that the moderator waits until the reader is in the room.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The pause before a request is repeated, or a lost connection is opened again.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The time for which a reader stays removed, in seconds.
const REMOVED_SECONDS: std::ops::Range<f64> = 0.3..1.2;

/// The observations of the moderator.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct ModerationReport {
    /// Removals that were acknowledged while the reader was in the room.
    pub removals: usize,
    /// Removals after which the reader has received an event that was posted later.
    pub leaks: usize,
    /// Events that the readers have received.
    pub received: usize,
}

/// The moderator, and a reader.
pub struct Moderator {
    server: SocketAddr,
    client: Client,
    room: String,
    reader: Reader,
}

/// A user who only reads. Its connection ends when it is dropped.
struct Reader {
    id: String,
    state: Arc<ReaderState>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct ReaderState {
    is_joined: AtomicBool,
    newest: AtomicU64,
    received: AtomicUsize,
}

impl Moderator {
    /// Makes a new user the administrator, with the link that the program prints, and lets a reader join a room.
    pub async fn new(server: SocketAddr, binary: &Path, store: [&str; 2]) -> Result<Self, Box<dyn Error>> {
        let client =
            Client::builder().cookie_store(true).redirect(Policy::none()).timeout(TIMEOUT).build()?;
        client.get(format!("http://{server}/")).send().await?;
        let output = Command::new(binary).arg("admin-link").args(store).env_clear().output().await?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let token = printed.trim().rsplit("/admin/link/").next().unwrap_or_default();
        let answer =
            client.post(format!("http://{server}/admin/link/{token}")).form(&[("", "")]).send().await?;
        if answer.status() != StatusCode::SEE_OTHER {
            return Err(format!("the admin link was refused: {}", answer.status()).into());
        }
        let room = "soak-0".to_owned();
        let reader = Reader::start(server, &room).await?;
        Ok(Self { server, client, room, reader })
    }

    /// Removes the reader and lets them in again, `settings.removals` times, until the soak ends.
    pub async fn run(&self, settings: &Settings) -> ModerationReport {
        let (start, end) = (Instant::now(), settings.end());
        let mut report = ModerationReport::default();
        for n in 0..settings.removals {
            let share = (n as f64 + fastrand::f64()) / settings.removals as f64;
            sleep_until((start + Duration::from_secs_f64(settings.seconds as f64 * share)).into()).await;
            if Instant::now() > end {
                break;
            }
            // Otherwise the reader was away, because the server was.
            if let Some(is_leak) = self.remove_once().await {
                report.removals += 1;
                report.leaks += usize::from(is_leak);
            }
        }
        report.received = self.reader.state.received.load(Ordering::Relaxed);
        report
    }

    /// Removes the reader and lets them in again. Returns whether they have received what was posted meanwhile; `None` if they
    /// were not in the room.
    async fn remove_once(&self) -> Option<bool> {
        let state = &self.reader.state;
        let joined = async {
            while !state.is_joined.load(Ordering::Acquire) {
                sleep(RETRY_DELAY).await;
            }
        };
        timeout(TIMEOUT, joined).await.ok()?;
        self.act("remove").await;
        let head = self.head().await;
        let seconds = REMOVED_SECONDS.start + fastrand::f64() * (REMOVED_SECONDS.end - REMOVED_SECONDS.start);
        sleep(Duration::from_secs_f64(seconds)).await;
        let is_leak = state.newest.load(Ordering::Acquire) > head;
        self.act("readmit").await;
        Some(is_leak)
    }

    /// Sends a form about the reader until a server has acknowledged it.
    async fn act(&self, action: &str) {
        let url = format!("http://{}/r/{}/people/{}", self.server, self.room, self.reader.id);
        let fields = [("action", action), ("hours", "1"), ("reason", "soak")];
        loop {
            let answer = self.client.post(&url).form(&fields).send().await;
            if answer.is_ok_and(|answer| answer.status() == StatusCode::SEE_OTHER) {
                return;
            }
            sleep(RETRY_DELAY).await;
        }
    }

    async fn head(&self) -> Seq {
        let url = format!("http://{}/api/rooms/{}/events?limit=1", self.server, self.room);
        loop {
            if let Ok(answer) = self.client.get(&url).send().await
                && let Ok(page) = answer.json::<Events>().await
            {
                return page.head;
            }
            sleep(RETRY_DELAY).await;
        }
    }
}

impl Reader {
    async fn start(server: SocketAddr, room: &str) -> Result<Self, Box<dyn Error>> {
        let answer = reqwest::get(format!("http://{server}/")).await?;
        let value = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let id = value("hubbub-person").ok_or("the server says no id")?.to_owned();
        let cookie = value("set-cookie").ok_or("the server sets no cookie")?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let state = Arc::new(ReaderState::default());
        let task = tokio::spawn(read_forever(server, room.to_owned(), cookie, state.clone()));
        Ok(Self { id, state, task })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Follows a room, and connects again whenever the connection is lost.
async fn read_forever(server: SocketAddr, room: String, cookie: String, state: Arc<ReaderState>) {
    loop {
        let _ = read(server, &room, &cookie, &state).await;
        state.is_joined.store(false, Ordering::Release);
        sleep(RETRY_DELAY).await;
    }
}

/// Follows a room until the user is removed or the connection ends.
async fn read(
    server: SocketAddr,
    room: &str,
    cookie: &str,
    state: &ReaderState,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut request = format!("ws://{server}/ws").into_client_request()?;
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, PROTOCOL.parse()?);
    request.headers_mut().insert(header::COOKIE, cookie.parse()?);
    let (mut socket, _) = timeout(TIMEOUT, connect_async(request)).await??;
    let join = ClientFrame::Join {
        room: room.into(),
        after: None,
        after_id: None,
        log: None,
        limit: None,
        presence: false,
    };
    socket.send(Message::text(serde_json::to_string(&join)?)).await?;
    while let Some(message) = socket.next().await {
        let Message::Text(json) = message? else { continue };
        match serde_json::from_str(&json)? {
            ServerFrame::Joined { .. } => state.is_joined.store(true, Ordering::Release),
            ServerFrame::Events { events, .. } => {
                state.received.fetch_add(events.len(), Ordering::Relaxed);
                state.newest.fetch_max(events.last().map_or(0, |event| event.seq), Ordering::AcqRel);
            }
            ServerFrame::Removed { .. } | ServerFrame::Error { .. } => return Ok(()),
            _ => {}
        }
    }
    Ok(())
}
