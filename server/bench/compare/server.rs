//! The compared servers: how each is started, and its version.

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

/// The folder of temporary data and of the peer in Go.
pub const WORK_FOLDER: &str = "target/bench";
/// The folder of the peer for Node.
const WS: &str = "server/bench/peers/ws";
/// The longest start.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// A server to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Server {
    /// Hubbub with its store on disk.
    Hubbub,
    /// Hubbub with `--ephemeral`.
    Ephemeral,
    /// axum's chat example.
    AxumBroadcast,
    /// The npm package `ws`.
    Ws,
    /// A hub like gorilla/websocket's example.
    Go,
    /// One write for each delivery and nothing else.
    RawWrites,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Hubbub => "hubbub",
            Self::Ephemeral => "ephemeral",
            Self::AxumBroadcast => "axum-broadcast",
            Self::Ws => "ws",
            Self::Go => "go",
            Self::RawWrites => "raw-writes",
        })
    }
}

/// A running server and its data; dropping it ends and removes both.
pub struct Running {
    /// Its address.
    pub address: SocketAddr,
    child: Child,
    _data: TempDir,
}

impl Server {
    /// Returns `true` if it is Hubbub, which must lose nothing.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Hubbub | Self::Ephemeral)
    }

    /// Returns why it cannot be started on this machine, if so.
    pub fn missing_reason(self) -> Option<&'static str> {
        match self {
            Self::Go if !Path::new(WORK_FOLDER).join("go").exists() => {
                Some("not built: go was not found, or its package github.com/gorilla/websocket")
            }
            Self::Ws if !Path::new(WS).join("node_modules").exists() => {
                Some("not installed: node and npm were not found")
            }
            _ => None,
        }
    }

    /// Starts it on a CPU with empty data, and waits until it listens.
    pub fn start(self, cpu: usize) -> io::Result<Running> {
        let address = free_address()?;
        let data = tempfile::Builder::new().prefix("data-").tempdir_in(WORK_FOLDER)?;
        let mut command = Command::new("taskset");
        command.args(["-c", &cpu.to_string()]);
        self.set_command(&mut command, address, data.path())?;
        command.env("RUST_LOG", "warn").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        let mut running = Running { address, child: command.spawn()?, _data: data };
        running.wait_until_listening()?;
        Ok(running)
    }

    /// Sets the program and its arguments.
    fn set_command(self, command: &mut Command, address: SocketAddr, data: &Path) -> io::Result<()> {
        // All clients come from one address.
        let ours = ["--post-rate", "0", "--per-network", "0", "--addr"];
        match self {
            Self::Hubbub => {
                command.arg(hubbub()?).args(ours).arg(address.to_string()).arg("--data").arg(data)
            }
            Self::Ephemeral => command.arg(hubbub()?).args(ours).arg(address.to_string()).arg("--ephemeral"),
            Self::AxumBroadcast | Self::RawWrites => command
                .arg(sibling(if self == Self::AxumBroadcast { "axum_broadcast" } else { "raw_writes" })?)
                .arg(address.to_string()),
            Self::Ws => command.args(["node", &format!("{WS}/server.js"), &address.port().to_string()]),
            Self::Go => command.arg(format!("{WORK_FOLDER}/go")).args(["-addr", &address.to_string()]),
        };
        Ok(())
    }

    /// Returns its version, and those of its main dependencies.
    pub fn version(self) -> String {
        match self {
            Self::Hubbub => {
                hubbub().map_or_else(|_| UNKNOWN.into(), |hubbub| first_output_line(hubbub, &["--version"]))
            }
            Self::Ephemeral => "the same with --ephemeral".into(),
            Self::AxumBroadcast => format!("axum {}, tokio {}", locked("axum"), locked("tokio")),
            Self::RawWrites => format!("mio {}", locked("mio")),
            Self::Ws => format!("ws {}, Node {}", npm_version(), first_output_line("node", &["--version"])),
            Self::Go => {
                format!("{}, gorilla/websocket {}", first_output_line("go", &["version"]), gorilla_version())
            }
        }
    }
}

impl Running {
    /// Returns its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn wait_until_listening(&mut self) -> io::Result<()> {
        let began = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(Error::other(format!("the server did not start: {status}")));
            }
            if began.elapsed() > START_TIMEOUT {
                return Err(Error::other("the server does not listen"));
            }
            park_timeout(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its data is removed too, so a graceful shutdown is not needed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Stands for a version that cannot be found.
const UNKNOWN: &str = "unknown";

/// Returns the path of the release binary.
fn hubbub() -> io::Result<PathBuf> {
    sibling("hubbub")
}

/// Returns the path of a binary that was built with this one.
pub fn sibling(name: &str) -> io::Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name(name))
}

/// Returns the first line of a program's output.
pub fn first_output_line(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().filter(|line| !line.is_empty()).unwrap_or(UNKNOWN).to_owned()
}

/// Returns the version of a crate in the lock file.
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

/// Returns the version that the build has recorded.
fn gorilla_version() -> String {
    fs::read_to_string(format!("{WORK_FOLDER}/gorilla"))
        .map_or_else(|_| UNKNOWN.into(), |text| text.trim().to_owned())
}

/// Returns a free port below the ephemeral ports, so that no outgoing connection takes it.
fn free_address() -> io::Result<SocketAddr> {
    for _ in 0..1_000 {
        let address = SocketAddr::from(([127, 0, 0, 1], fastrand::u16(10_000..32_000)));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}
