//! The sockets below HTTP: listeners and connections, with their limits in time and bytes.
//!
//! - [`listener`]: the listening sockets.
//! - [`transport_limit`]: how many connections may be open; [`files`]: how many the system allows.
//! - [`stream`]: an accepted byte stream, whatever its address family.
//! - [`endpoints`]: the addresses of both ends of a connection.
//! - [`clock`]: the time limits of an HTTP connection, as plain data.
//! - [`unsent`]: the bytes that clients have yet to take, of all connections.
//! - [`transport`]: the stream as hyper uses it, watched by that clock.
//! - [`http`]: serves one HTTP connection within those limits.

mod clock;
mod endpoints;
mod files;
pub mod http;
mod listener;
mod stream;
mod transport;
mod transport_limit;
mod unsent;

pub use endpoints::Endpoints;
pub use files::{HTTP_CONNECTIONS, lowered_max_connections, raise_open_file_limit};
pub use listener::{ListenAddr, Listener};
pub use stream::NetStream;
pub use transport::{Activity, Transport};
pub use transport_limit::{TransportLimit, TransportPermit};
pub use unsent::{Account, UnsentBudget};
