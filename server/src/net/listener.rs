//! The listening sockets: a TCP address, every interface of both families, or a Unix socket.

use super::stream::NetStream;
use socket2::{Domain, SockRef, Socket, Type};
use std::{
    fmt, fs,
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net::UnixStream as StdUnixStream,
    },
    path::{Path, PathBuf},
    str::FromStr,
};
use tokio::net::{TcpListener, TcpSocket, UnixListener};

/// Connections that the kernel keeps until they are accepted.
const BACKLOG: u32 = 1_024;

/// Permissions of a Unix socket: its owner and group may connect, so that a proxy in the group can.
const SOCKET_MODE: u32 = 0o660;

/// An address to listen at, as `--addr` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddr {
    /// `HOST:PORT`.
    Tcp(SocketAddr),
    /// `:PORT`: every interface, IPv4 and IPv6.
    EveryInterface(u16),
    /// `unix:PATH`.
    Unix(PathBuf),
}

/// A listening socket.
#[derive(Debug)]
pub enum Listener {
    /// TCP; one socket for both families if it listens on every interface.
    Tcp(TcpListener),
    /// A Unix socket, with its file.
    Unix(UnixListener, SocketFile),
}

/// The file of a Unix socket; removed when dropped, unless another process has replaced it.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    id: (u64, u64),
}

impl Listener {
    /// Listens at `address`. A stale file of a Unix socket is replaced.
    ///
    /// # Errors
    /// The address cannot be used, or another file has the socket's name.
    pub async fn bind(address: &ListenAddr) -> io::Result<Self> {
        match address {
            ListenAddr::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            ListenAddr::EveryInterface(port) => every_interface(*port).map(Self::Tcp),
            ListenAddr::Unix(path) => bind_unix(path),
        }
    }

    /// Accepts the next connection.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    ///
    /// # Errors
    /// Those of accept(2): the peer has gone, or the process has no descriptor left.
    pub async fn accept(&self) -> io::Result<NetStream> {
        match self {
            Self::Tcp(listener) => listener.accept().await.map(|(stream, _)| NetStream::Tcp(stream)),
            Self::Unix(listener, _) => listener.accept().await.map(|(stream, _)| NetStream::Unix(stream)),
        }
    }

    /// Returns the address, with the port that the system has chosen for port 0.
    ///
    /// # Errors
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<ListenAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(|address| match address.ip() {
                IpAddr::V6(Ipv6Addr::UNSPECIFIED) if is_dual_stack(listener) => {
                    ListenAddr::EveryInterface(address.port())
                }
                _ => ListenAddr::Tcp(address),
            }),
            Self::Unix(_, file) => Ok(ListenAddr::Unix(file.path.clone())),
        }
    }
}

fn is_dual_stack(listener: &TcpListener) -> bool {
    SockRef::from(listener).only_v6().is_ok_and(|only_v6| !only_v6)
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

/// Opens one socket for IPv4 and IPv6, or for IPv4 alone if the system has no IPv6.
fn every_interface(port: u16) -> io::Result<TcpListener> {
    let v6 = Socket::new(Domain::IPV6, Type::STREAM, None).and_then(|socket| {
        socket.set_only_v6(false)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    });
    match v6 {
        Ok(socket) => {
            let socket = TcpSocket::from_std_stream(socket.into());
            socket.set_reuseaddr(true)?;
            match socket.bind((Ipv6Addr::UNSPECIFIED, port).into()) {
                Err(error) if error.kind() == ErrorKind::AddrNotAvailable => every_interface_v4(port),
                bound => bound.and_then(|()| socket.listen(BACKLOG)),
            }
        }
        Err(_) => every_interface_v4(port),
    }
}

fn every_interface_v4(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::UNSPECIFIED, port).into())?;
    socket.listen(BACKLOG)
}

fn bind_unix(path: &Path) -> io::Result<Listener> {
    remove_stale(path)?;
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(SOCKET_MODE))?;
    let metadata = fs::symlink_metadata(path)?;
    let file = SocketFile { path: path.into(), id: (metadata.dev(), metadata.ino()) };
    Ok(Listener::Unix(listener, file))
}

/// Removes the socket file of a server that was killed.
fn remove_stale(path: &Path) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        metadata => metadata?,
    };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "the file is not a socket"));
    }
    match StdUnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(ErrorKind::AddrInUse, "another process listens there")),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.id);
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, "removing the socket file failed");
        }
    }
}

impl FromStr for ListenAddr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            let is_good = !path.is_empty();
            return is_good.then(|| Self::Unix(path.into())).ok_or_else(|| "'unix:' needs a path".into());
        }
        if let Some(port) = text.strip_prefix(':').and_then(|port| port.parse().ok()) {
            return Ok(Self::EveryInterface(port));
        }
        let bad = || format!("'{text}' is not HOST:PORT, :PORT or unix:PATH");
        text.to_socket_addrs().map_err(|_| bad())?.next().map(Self::Tcp).ok_or_else(bad)
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::EveryInterface(port) => write!(f, ":{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
