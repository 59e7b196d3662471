//! The servers that are compared: how each is started, and which version it is.

use clap::ValueEnum;
use std::{
    env, fmt, fs,
    io::{self, Error},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::park_timeout,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// What is made while measuring, and the peer in Go.
pub const FOLDER: &str = "target/bench";
/// The peer for Node.
const WS: &str = "server/bench/peers/ws";
/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Server {
    /// Hubbub as it is: the log on disk.
    Hubbub,
    /// Hubbub with its log in memory.
    Ephemeral,
    /// axum's example of a chat.
    Naive,
    /// The npm package `ws`.
    Ws,
    /// A hub in the manner of gorilla/websocket's example.
    Go,
    /// One write for each delivery and nothing else.
    Floor,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Hubbub => "hubbub",
            Self::Ephemeral => "ephemeral",
            Self::Naive => "naive",
            Self::Ws => "ws",
            Self::Go => "go",
            Self::Floor => "floor",
        })
    }
}

/// A server that runs, with what it keeps; both go with it.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    _data: TempDir,
}

impl Server {
    /// Whether it is ours, so that nothing may be lost.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Hubbub | Self::Ephemeral)
    }

    /// Why it cannot be started here, if so.
    pub fn absent(self) -> Option<&'static str> {
        match self {
            Self::Go if !Path::new(FOLDER).join("go").exists() => {
                Some("not built: go was not found, or its package github.com/gorilla/websocket")
            }
            Self::Ws if !Path::new(WS).join("node_modules").exists() => {
                Some("not installed: node and npm were not found")
            }
            _ => None,
        }
    }

    /// Starts it on that CPU, fresh, and waits until it listens.
    pub fn start(self, cpu: usize) -> io::Result<Running> {
        let address = free_address()?;
        let data = tempfile::Builder::new().prefix("data-").tempdir_in(FOLDER)?;
        let mut command = Command::new("taskset");
        command.args(["-c", &cpu.to_string()]);
        self.say(&mut command, address, data.path())?;
        command.env("RUST_LOG", "warn").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        let mut running = Running { address, child: command.spawn()?, _data: data };
        running.listens()?;
        Ok(running)
    }

    /// The program and its arguments.
    fn say(self, command: &mut Command, address: SocketAddr, data: &Path) -> io::Result<()> {
        let ours = ["--post-rate", "0", "--addr"];
        match self {
            Self::Hubbub => {
                command.arg(hubbub()?).args(ours).arg(address.to_string()).arg("--data").arg(data)
            }
            Self::Ephemeral => command.arg(hubbub()?).args(ours).arg(address.to_string()).arg("--ephemeral"),
            Self::Naive | Self::Floor => command
                .arg(sibling(if self == Self::Naive { "axum_broadcast" } else { "raw_writes" })?)
                .arg(address.to_string()),
            Self::Ws => command.args(["node", &format!("{WS}/server.js"), &address.port().to_string()]),
            Self::Go => command.arg(format!("{FOLDER}/go")).args(["-addr", &address.to_string()]),
        };
        Ok(())
    }

    /// Its version, and that of what it is made with.
    pub fn version(self) -> String {
        match self {
            Self::Hubbub => hubbub().map_or_else(|_| UNKNOWN.into(), |hubbub| answer(hubbub, &["--version"])),
            Self::Ephemeral => "the same with --ephemeral".into(),
            Self::Naive => format!("axum {}, tokio {}", locked("axum"), locked("tokio")),
            Self::Floor => format!("mio {}", locked("mio")),
            Self::Ws => format!("ws {}, Node {}", npm_version(), answer("node", &["--version"])),
            Self::Go => format!("{}, gorilla/websocket {}", answer("go", &["version"]), gorilla_version()),
        }
    }
}

impl Running {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn listens(&mut self) -> io::Result<()> {
        let began = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(Error::other(format!("the server did not start: {status}")));
            }
            if began.elapsed() > PATIENCE {
                return Err(Error::other("the server does not listen"));
            }
            park_timeout(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What it kept goes too, so there is nothing to end well for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What to say where a version cannot be found.
const UNKNOWN: &str = "unknown";

/// The release, beside the tools.
fn hubbub() -> io::Result<PathBuf> {
    sibling("hubbub")
}

/// A binary that was built with this one.
pub fn sibling(name: &str) -> io::Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name(name))
}

/// What a program answers, in its first line.
pub fn answer(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().filter(|line| !line.is_empty()).unwrap_or(UNKNOWN).to_owned()
}

/// The version of a crate in the lock file.
fn locked(name: &str) -> String {
    let lock = fs::read_to_string("Cargo.lock").unwrap_or_default();
    let after = lock.split_once(&format!("name = \"{name}\"\nversion = \"")).map(|(_, after)| after);
    after.and_then(|after| after.split('"').next()).unwrap_or(UNKNOWN).to_owned()
}

fn npm_version() -> String {
    let package = fs::read_to_string(format!("{WS}/node_modules/ws/package.json")).unwrap_or_default();
    let package: serde_json::Value = serde_json::from_str(&package).unwrap_or_default();
    package["version"].as_str().unwrap_or(UNKNOWN).to_owned()
}

/// What the build has noted.
fn gorilla_version() -> String {
    fs::read_to_string(format!("{FOLDER}/gorilla"))
        .map_or_else(|_| UNKNOWN.into(), |text| text.trim().to_owned())
}

/// A port below those that outgoing connections get, which would otherwise take it now and then.
fn free_address() -> io::Result<SocketAddr> {
    for _ in 0..1_000 {
        let address = SocketAddr::from(([127, 0, 0, 1], fastrand::u16(10_000..32_000)));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}
