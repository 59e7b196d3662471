//! Secrets of links, and their hashes: a reader of the database or of a backup cannot use a link.

use crate::store::LinkHash;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Returns a new secret, 122 random bits safe in a URL, and its hash.
pub fn new_secret() -> (String, LinkHash) {
    let secret = BASE64_URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes());
    let hash = hash(&secret);
    (secret, hash)
}

/// Returns the hash of a secret.
pub fn hash(secret: &str) -> LinkHash {
    Sha256::digest(secret).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_with_its_hash_and_is_another_each_time() {
        let (secret, of) = new_secret();
        assert_eq!(hash(&secret), of);
        assert_ne!(new_secret(), new_secret());
    }
}
