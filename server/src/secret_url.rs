//! URLs with passwords, as options have them.

use std::fmt;

/// A URL that may have a password. It is parsed when it is used, so that no message about an invalid option shows it.
#[derive(Clone)]
pub struct SecretUrl(pub String);

impl From<String> for SecretUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretUrl(…)")
    }
}
