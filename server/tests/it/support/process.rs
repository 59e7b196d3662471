//! The real binary as a child process, on the same port after every restart.

use std::{fs, io, net::SocketAddr, path::PathBuf, process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
    time::timeout,
};

/// The longest time that a start or a stop may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A server with a data folder of its own, which is removed with it.
pub struct Process {
    pub address: SocketAddr,
    binary: PathBuf,
    pub folder: TempDir,
    /// More environment variables.
    environment: Vec<(&'static str, String)>,
    child: Child,
    /// The peak memory of all starts, in KiB.
    peak: u64,
}

impl Process {
    /// Starts `binary` and waits until it listens.
    pub async fn start(binary: PathBuf) -> io::Result<Self> {
        Self::start_in(tempfile::tempdir()?, binary).await
    }

    /// The same, with `folder` for its data.
    pub async fn start_in(folder: TempDir, binary: PathBuf) -> io::Result<Self> {
        Self::start_with(folder, binary, Vec::new()).await
    }

    /// The same, with more environment variables.
    pub async fn start_with(
        folder: TempDir,
        binary: PathBuf,
        environment: Vec<(&'static str, String)>,
    ) -> io::Result<Self> {
        let address = free_address().await?;
        let child = spawn(&binary, &folder, address, &environment).await?;
        Ok(Self { address, binary, folder, environment, child, peak: 0 })
    }

    /// Starts the server again on the same port and folder.
    pub async fn restart(&mut self) -> io::Result<()> {
        self.child = spawn(&self.binary, &self.folder, self.address, &self.environment).await?;
        Ok(())
    }

    /// Stops the server by `signal`, `-TERM` or `-KILL`.
    pub async fn stop(&mut self, signal: &str) -> io::Result<()> {
        self.peak = self.peak();
        let pid = self.child.id().unwrap_or_default().to_string();
        Command::new("kill").args([signal, &pid]).status().await?;
        timeout(TIMEOUT, self.child.wait()).await??;
        Ok(())
    }

    /// Returns the peak memory, in KiB.
    pub fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap_or_default()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        self.peak.max(now.unwrap_or(0))
    }
}

async fn spawn(
    binary: &PathBuf,
    folder: &TempDir,
    address: SocketAddr,
    environment: &[(&'static str, String)],
) -> io::Result<Child> {
    let mut command = Command::new(binary);
    command.args(["--addr", &address.to_string(), "--post-rate", "0", "--data"]).arg(folder.path());
    command.env_clear().env("RUST_LOG", "warn").kill_on_drop(true);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn()?;
    let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut stdout = BufReader::new(stdout).lines();
    let line = timeout(TIMEOUT, stdout.next_line()).await??;
    if line.is_none() {
        return Err(io::Error::other("the server did not start"));
    }
    // stdout is drained, so that the server never writes to a closed pipe.
    tokio::spawn(async move { stdout.into_inner().read_to_end(&mut Vec::new()).await });
    Ok(child)
}

/// Returns an address with a free port below the ephemeral range. While the server is down, an outgoing connection of a
/// client could otherwise take the port.
pub async fn free_address() -> io::Result<SocketAddr> {
    for _ in 0..1_000 {
        let address = SocketAddr::from(([127, 0, 0, 1], fastrand::u16(10_000..32_000)));
        if TcpListener::bind(address).await.is_ok() {
            return Ok(address);
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}
