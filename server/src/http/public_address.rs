//! The address under which the client sees this server.

use crate::origin::Origin;

/// The address under which the client of a request sees this server; a request extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicAddress {
    /// Scheme, host and port.
    pub origin: Origin,
    /// The path before every path of this server, as `/chat`; empty for the root.
    pub prefix: String,
}

impl PublicAddress {
    /// Returns `path`, which begins with a slash, as the client must request it.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Returns the `Path` of cookies.
    pub fn cookie_path(&self) -> &str {
        if self.prefix.is_empty() { "/" } else { &self.prefix }
    }

    /// Returns the absolute address of `path`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.prefix)
    }
}
