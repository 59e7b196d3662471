//! The two ends of an accepted connection.

use std::net::SocketAddr;

/// The two ends of the connection that carries a request. The accept loop adds it to the extensions of every
/// request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoints {
    /// A TCP connection.
    Tcp {
        /// The address of the client, or of the proxy in front of this server.
        peer: SocketAddr,
        /// The address of this server that the peer has connected to.
        local: SocketAddr,
    },
    /// A Unix socket: its file's permissions decide which proxy may connect.
    Unix,
}
