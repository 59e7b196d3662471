//! Links that sign a user in on another device. Each works once, for ten minutes.
//!
//! They are kept in memory only: after a restart the user creates a new one.

use app::wire::UserId;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use uuid::Uuid;

/// How long a link works.
const LINK_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// Links of all users together, used ones included. More are rejected, so that no user's link expires early because
/// others create many.
const MAX_LINKS: usize = 10_000;

/// All [`MAX_LINKS`] links are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyLinks;

/// The reason why a link does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkError {
    /// It was used already.
    Used,
    /// It is too old, or this process did not create it.
    Expired,
}

/// The links of the last ten minutes.
#[derive(Debug, Default)]
pub struct DeviceLinks {
    /// Sections under this lock are short and never wait.
    links: Mutex<Links>,
}

#[derive(Debug, Default)]
struct Links {
    by_secret: HashMap<String, DeviceLink>,
    /// The secret of each user's last link.
    last: HashMap<UserId, String>,
}

#[derive(Debug)]
struct DeviceLink {
    user: UserId,
    created: Instant,
    used: bool,
}

impl DeviceLinks {
    /// Creates a link for `user`: 122 random bits, safe in a URL. It replaces the user's unused link.
    ///
    /// # Errors
    /// [`TooManyLinks`].
    pub fn create(&self, user: UserId) -> Result<String, TooManyLinks> {
        let secret = BASE64_URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes());
        let mut links = self.links();
        links.remove_unused(user);
        if links.by_secret.len() >= MAX_LINKS {
            links.evict_expired();
        }
        if links.by_secret.len() >= MAX_LINKS {
            return Err(TooManyLinks);
        }
        links.by_secret.insert(secret.clone(), DeviceLink { user, created: Instant::now(), used: false });
        links.last.insert(user, secret.clone());
        Ok(secret)
    }

    /// Returns the user of a link without using it.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn peek(&self, secret: &str) -> Result<UserId, LinkError> {
        match self.links().by_secret.get(secret).filter(|link| link.is_valid()) {
            None => Err(LinkError::Expired),
            Some(link) if link.used => Err(LinkError::Used),
            Some(link) => Ok(link.user),
        }
    }

    /// Uses a link. Returns its user.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn redeem(&self, secret: &str) -> Result<UserId, LinkError> {
        match self.links().by_secret.get_mut(secret).filter(|link| link.is_valid()) {
            None => Err(LinkError::Expired),
            Some(link) if link.used => Err(LinkError::Used),
            Some(link) => {
                link.used = true;
                Ok(link.user)
            }
        }
    }

    fn links(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Links {
    /// Removes the user's link if it is unused.
    fn remove_unused(&mut self, user: UserId) {
        if let Some(secret) = self.last.remove(&user)
            && self.by_secret.get(&secret).is_some_and(|link| !link.used)
        {
            self.by_secret.remove(&secret);
        }
    }

    fn evict_expired(&mut self) {
        self.by_secret.retain(|_, link| link.is_valid());
        self.last.retain(|_, secret| self.by_secret.contains_key(secret));
    }
}

impl DeviceLink {
    fn is_valid(&self) -> bool {
        self.created.elapsed() < LINK_LIFETIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const ANN: UserId = UserId(1);
    const BOB: UserId = UserId(2);

    #[tokio::test(start_paused = true)]
    async fn a_link_works_once_and_peeking_does_not_use_it() {
        let links = DeviceLinks::default();
        let link = links.create(ANN).unwrap();
        assert_eq!((links.peek(&link), links.peek(&link)), (Ok(ANN), Ok(ANN)));
        assert_eq!((links.redeem(&link), links.redeem(&link)), (Ok(ANN), Err(LinkError::Used)));
        assert_eq!(links.peek(&link), Err(LinkError::Used));
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_works_for_ten_minutes() {
        let links = DeviceLinks::default();
        let link = links.create(ANN).unwrap();
        advance(LINK_LIFETIME - Duration::from_secs(1)).await;
        assert_eq!(links.peek(&link), Ok(ANN));
        advance(Duration::from_secs(1)).await;
        assert_eq!(links.redeem(&link), Err(LinkError::Expired));
        assert_eq!(links.redeem("never created"), Err(LinkError::Expired));
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_link_replaces_only_the_users_unused_one() {
        let links = DeviceLinks::default();
        let (bobs, first) = (links.create(BOB).unwrap(), links.create(ANN).unwrap());
        let second = links.create(ANN).unwrap();
        assert_eq!(links.peek(&first), Err(LinkError::Expired));
        assert_eq!((links.peek(&second), links.peek(&bobs)), (Ok(ANN), Ok(BOB)));
    }

    #[tokio::test(start_paused = true)]
    async fn links_beyond_the_bound_are_rejected_until_others_expire() {
        let links = DeviceLinks::default();
        let first = links.create(ANN).unwrap();
        for user in 0..MAX_LINKS as u64 - 1 {
            links.create(UserId(1_000 + user)).unwrap();
        }
        assert_eq!(links.create(BOB), Err(TooManyLinks));
        assert_eq!(links.peek(&first), Ok(ANN));
        assert!(links.create(ANN).is_ok(), "the user's own link is replaced");
        advance(LINK_LIFETIME).await;
        assert!(links.create(BOB).is_ok());
    }
}
