//! Below HTTP: the sockets that are listened at and accepted, and their limits in time and bytes.
//!
//! - [`stream`]: an accepted byte stream, whatever its address family.
//! - [`clock`]: the time limits of an HTTP connection, as plain data.
//! - [`transport`]: the stream as hyper uses it, watched by that clock.
//! - [`http`]: serving one HTTP connection within those limits.

mod clock;
pub mod http;
mod stream;
mod transport;

pub use stream::NetStream;
pub use transport::{Activity, Transport};
