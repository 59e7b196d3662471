//! Support for the integration tests: a real server on a port of its own, and clients.

mod browser;
mod consistency;
mod device;
mod lines;
mod postgres;
mod process;
mod proxy;
mod test_client;
mod v1;

pub use browser::{browser, sent, visitor};
pub use consistency::{ConsistencyReport, events};
pub use device::Device;
pub use lines::Lines;
pub use postgres::{PrivatePostgres, TestDatabase, open_postgres};
pub use process::Process;
pub use proxy::{Direction, Fault, Proxy};
pub use test_client::{ClientState, Pace, TestClient};
pub use v1::{V1, join_frame, text};

use app::wire::RoomName;
use axum_extra::extract::cookie::Key;
use futures_util::StreamExt;
use object_store::ObjectStore;
use server::{
    config::{Config, SecretUrl},
    files::objects::FilePlace,
    serve::{ShutdownOutcome, serve},
    startup::{Startup, open},
    state::AppState,
    store::Store,
};
use std::{env, fs::File, net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Message, client::IntoClientRequest, error::Error, handshake::client::Response, http::HeaderValue,
        protocol::CloseFrame,
    },
};

/// The longest time that any expected event may take. Generous, because a test that passes never waits for it.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(10);

pub type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The variable that puts the tests on PostgreSQL, if its value is `postgres`.
const STORE: &str = "HUBBUB_TEST_STORE";

/// A real server on a port of its own. [`stop`](Self::stop) drains it; dropping it does not.
pub struct TestServer {
    /// The address that clients connect to.
    pub address: SocketAddr,
    pub state: AppState,
    serving: JoinHandle<ShutdownOutcome>,
    lock: Option<File>,
    /// A second server on the same database, and the proxy that spreads clients over both.
    twin: Option<(Box<TestServer>, Proxy)>,
    /// The files of servers that share a database.
    _files: Option<Arc<TempDir>>,
}

impl TestServer {
    /// Starts a server that keeps everything in memory; on PostgreSQL two of them, so that the test's next connection is
    /// always on the other one.
    pub async fn start() -> Self {
        let Some(database) = shared_database().await else { return Self::alone().await };
        let files = Arc::new(TempDir::new().expect("a temporary folder"));
        let (mut one, two) = (Self::sharing(&database, &files).await, Self::sharing(&database, &files).await);
        let proxy = Proxy::between(vec![one.address, two.address]).await;
        one.address = proxy.address;
        one.twin = Some((Box::new(two), proxy));
        one
    }

    /// Starts a single server that keeps everything in memory, for tests about what a process knows of itself: its
    /// connections, limits, buffers and clock.
    pub async fn alone() -> Self {
        let config = Config { post_rate: 0, ..Config::plain() };
        Self::serving(open(config).await.expect("plain settings are good")).await
    }

    /// Starts a server on a database that others may use too.
    pub async fn on_database(database: &TestDatabase) -> Self {
        Self::with(|config| {
            config.ephemeral = false;
            config.database = Some(SecretUrl(database.url.clone()));
        })
        .await
    }

    /// Starts a server on a database, with its files in a folder, both of which others may use too.
    async fn sharing(database: &TestDatabase, files: &Arc<TempDir>) -> Self {
        let change = |config: &mut Config| {
            config.ephemeral = false;
            config.database = Some(SecretUrl(database.url.clone()));
            config.files = Some(FilePlace::Folder(files.path().into()));
        };
        Self { _files: Some(files.clone()), ..Self::with(change).await }
    }

    /// Starts a server with its data in `folder`.
    pub async fn on_disk(folder: &Path) -> Self {
        Self::with(|config| {
            config.ephemeral = false;
            config.data = folder.into();
        })
        .await
    }

    /// Starts a single server with changed settings. It keeps everything in memory, or in PostgreSQL, unless these say
    /// otherwise.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config { post_rate: 0, ..Config::plain() };
        change(&mut config);
        let mut files = None;
        if config.ephemeral
            && let Some(database) = shared_database().await
        {
            config.ephemeral = false;
            config.database = Some(SecretUrl(database.url));
            let folder = TempDir::new().expect("a temporary folder");
            config.files.get_or_insert_with(|| FilePlace::Folder(folder.path().into()));
            files = Some(Arc::new(folder));
        }
        let server = Self::serving(open(config).await.expect("the test's settings are good")).await;
        Self { _files: files, ..server }
    }

    /// Starts a server on a given store.
    pub async fn with_store(store: Arc<dyn Store>) -> Self {
        Self::with_store_and_key(store, Key::generate()).await
    }

    /// Starts a server on a given store, with a given key of cookies.
    pub async fn with_store_and_key(store: Arc<dyn Store>, key: Key) -> Self {
        // Servers that share a store have the same names of cookies.
        let config = Config { post_rate: 0, ephemeral: false, ..Config::plain() };
        Self::serving(Startup {
            state: AppState::new(config, store, key, server::files::objects::in_memory()),
            lock: None,
        })
        .await
    }

    /// Starts a server on a given store, which keeps its files in `objects`.
    pub async fn with_objects(store: Arc<dyn Store>, objects: Arc<dyn ObjectStore>) -> Self {
        let config = Config { post_rate: 0, ephemeral: false, ..Config::plain() };
        Self::serving(Startup { state: AppState::new(config, store, Key::generate(), objects), lock: None })
            .await
    }

    async fn serving(Startup { state, lock }: Startup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let serving = tokio::spawn(serve(listener, state.clone()));
        Self { address, state, serving, lock, twin: None, _files: None }
    }

    /// Drains and stops, as after SIGTERM.
    pub async fn stop(self) -> ShutdownOutcome {
        if let Some((two, _)) = self.twin {
            Box::pin(two.stop()).await;
        }
        self.state.draining.cancel();
        let ended = within_timeout(self.serving).await.expect("the server does not panic");
        // Closing is not enough: a child that another test is starting has a copy of the descriptor for a moment.
        self.lock.inspect(|lock| lock.unlock().expect("it was locked"));
        ended
    }

    /// Waits until it stops by itself.
    pub async fn stopped(self) -> ShutdownOutcome {
        within_timeout(self.serving).await.expect("the server does not panic")
    }

    pub fn store(&self) -> &dyn Store {
        &*self.state.store
    }

    pub fn http(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn ws(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    /// Opens a WebSocket with additional headers.
    pub async fn open(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(Stream, Response), Error> {
        let mut request = self.ws(path).into_client_request().expect("a good URL");
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_str(value).expect("a good header"));
        }
        within_timeout(Box::pin(connect_async(request))).await
    }

    /// Returns the cookie of a new user as `name=value`.
    pub async fn new_user_cookie(&self) -> String {
        let answer = within_timeout(reqwest::get(self.http("/"))).await.expect("the lobby answers");
        let cookie = answer.headers()["set-cookie"].to_str().expect("a cookie is ASCII");
        cookie.split(';').next().unwrap_or_default().to_owned()
    }
}

/// Returns a database if the tests run on PostgreSQL.
async fn shared_database() -> Option<TestDatabase> {
    env::var(STORE).ok().filter(|store| store == "postgres")?;
    Some(TestDatabase::create().await.expect("HUBBUB_TEST_STORE needs PostgreSQL"))
}

async fn closed(socket: &mut Stream) -> Option<CloseFrame> {
    loop {
        match within_timeout(socket.next()).await {
            Some(Ok(Message::Close(frame))) => return frame,
            Some(Ok(_)) => {}
            other => panic!("instead of a close frame came {other:?}"),
        }
    }
}

/// Sends a request byte for byte and returns the whole answer. The request must close its connection.
pub async fn raw(server: &TestServer, request: &str) -> String {
    within_timeout(async {
        let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
        stream.write_all(request.as_bytes()).await.expect("the server reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("the server answers and closes");
        String::from_utf8_lossy(&answer).into_owned()
    })
    .await
}

/// Awaits `event`, or fails the test after [`TEST_TIMEOUT`].
pub async fn within_timeout<T>(event: impl Future<Output = T>) -> T {
    timeout(TEST_TIMEOUT, event).await.expect("the event happens within the timeout")
}

pub fn room(name: &str) -> RoomName {
    name.parse().expect("a good room name")
}
