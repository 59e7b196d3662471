//! The password of the server: argon2id (RFC 9106), on threads that may block, a few at a time.

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString, rand_core::OsRng},
};
use std::sync::Arc;
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Characters of a password, at least.
pub const MIN_PASSWORD_CHARS: usize = 8;

/// Bytes of a password, at most.
pub const MAX_PASSWORD_BYTES: usize = 800;

/// Hashes that are computed at once. Each takes 19 MiB for some 30 ms.
static TURNS: Semaphore = Semaphore::const_new(2);

/// Returns the hash of a password, in the format of argon2; `None` if it is too short or too long.
pub async fn hash(password: String) -> Option<Arc<str>> {
    if password.chars().count() < MIN_PASSWORD_CHARS || password.len() > MAX_PASSWORD_BYTES {
        return None;
    }
    let _turn = TURNS.acquire().await.ok()?;
    let compute = move || {
        let salt = SaltString::generate(&mut OsRng);
        let hash = Argon2::default().hash_password(password.as_bytes(), &salt).ok()?;
        Some(hash.to_string().into())
    };
    spawn_blocking(compute).await.ok()?
}

/// Returns `true` if a hash is that of the password.
pub async fn verify(password: String, hash: Arc<str>) -> bool {
    if password.len() > MAX_PASSWORD_BYTES {
        return false;
    }
    let Ok(_turn) = TURNS.acquire().await else { return false };
    let compute = move || {
        let parsed = PasswordHash::new(&hash);
        parsed.is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
    };
    spawn_blocking(compute).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_verifies_its_password_and_no_other() {
        let hash = hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(verify("correct horse".into(), hash.clone()).await);
        assert!(!verify("correct hors".into(), hash.clone()).await);
        assert!(!verify("x".repeat(MAX_PASSWORD_BYTES + 1), hash).await);
        assert!(!verify("correct horse".into(), "nonsense".into()).await);
        assert!(super::hash("short".into()).await.is_none());
    }
}
