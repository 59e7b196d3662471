//! Links that make another device the same person: each works once, for ten minutes.
//!
//! They live in memory alone: a link that a restart has made stale is asked for anew.

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
const GOOD_FOR: Duration = Duration::from_secs(10 * 60);

/// Links of all people together, used ones included. More are refused, so that nobody's link goes stale
/// because others make many.
const MAX_LINKS: usize = 10_000;

/// There are [`MAX_LINKS`] links already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyLinks;

/// Why a link does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// It has worked once.
    Used,
    /// It is too old, or was never made here.
    Expired,
}

/// The links that were made in the last ten minutes.
#[derive(Debug, Default)]
pub struct Devices {
    /// Sections under this lock are short and never wait.
    links: Mutex<Links>,
}

#[derive(Debug, Default)]
struct Links {
    by_secret: HashMap<String, DeviceLink>,
    /// The secret of each person's last link.
    last: HashMap<UserId, String>,
}

#[derive(Debug)]
struct DeviceLink {
    person: UserId,
    made: Instant,
    used: bool,
}

impl Devices {
    /// Makes a link for `person`: 122 random bits, fit for a URL. An unused one that they had is replaced.
    ///
    /// # Errors
    /// [`TooManyLinks`].
    pub fn make(&self, person: UserId) -> Result<String, TooManyLinks> {
        let secret = BASE64_URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes());
        let mut links = self.links();
        links.remove_open(person);
        if links.by_secret.len() >= MAX_LINKS {
            links.forget_expired();
        }
        if links.by_secret.len() >= MAX_LINKS {
            return Err(TooManyLinks);
        }
        links.by_secret.insert(secret.clone(), DeviceLink { person, made: Instant::now(), used: false });
        links.last.insert(person, secret.clone());
        Ok(secret)
    }

    /// Whose link it is. Nothing is used up.
    ///
    /// # Errors
    /// [`Stale`].
    pub fn peek(&self, secret: &str) -> Result<UserId, Stale> {
        match self.links().by_secret.get(secret).filter(|link| link.is_good()) {
            None => Err(Stale::Expired),
            Some(link) if link.used => Err(Stale::Used),
            Some(link) => Ok(link.person),
        }
    }

    /// Whose link it is, once.
    ///
    /// # Errors
    /// [`Stale`].
    pub fn redeem(&self, secret: &str) -> Result<UserId, Stale> {
        match self.links().by_secret.get_mut(secret).filter(|link| link.is_good()) {
            None => Err(Stale::Expired),
            Some(link) if link.used => Err(Stale::Used),
            Some(link) => {
                link.used = true;
                Ok(link.person)
            }
        }
    }

    fn links(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Links {
    /// Removes the link of `person` that was not used yet.
    fn remove_open(&mut self, person: UserId) {
        if let Some(secret) = self.last.remove(&person)
            && self.by_secret.get(&secret).is_some_and(|link| !link.used)
        {
            self.by_secret.remove(&secret);
        }
    }

    fn forget_expired(&mut self) {
        self.by_secret.retain(|_, link| link.is_good());
        self.last.retain(|_, secret| self.by_secret.contains_key(secret));
    }
}

impl DeviceLink {
    fn is_good(&self) -> bool {
        self.made.elapsed() < GOOD_FOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const ANN: UserId = UserId(1);
    const BOB: UserId = UserId(2);

    #[tokio::test(start_paused = true)]
    async fn a_link_works_once_and_looking_uses_nothing_up() {
        let devices = Devices::default();
        let link = devices.make(ANN).unwrap();
        assert_eq!((devices.peek(&link), devices.peek(&link)), (Ok(ANN), Ok(ANN)));
        assert_eq!((devices.redeem(&link), devices.redeem(&link)), (Ok(ANN), Err(Stale::Used)));
        assert_eq!(devices.peek(&link), Err(Stale::Used));
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_works_for_ten_minutes() {
        let devices = Devices::default();
        let link = devices.make(ANN).unwrap();
        advance(GOOD_FOR - Duration::from_secs(1)).await;
        assert_eq!(devices.peek(&link), Ok(ANN));
        advance(Duration::from_secs(1)).await;
        assert_eq!(devices.redeem(&link), Err(Stale::Expired));
        assert_eq!(devices.redeem("never made"), Err(Stale::Expired));
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_link_replaces_the_person_s_open_one_and_nobody_else_s() {
        let devices = Devices::default();
        let (bobs, first) = (devices.make(BOB).unwrap(), devices.make(ANN).unwrap());
        let second = devices.make(ANN).unwrap();
        assert_eq!(devices.peek(&first), Err(Stale::Expired));
        assert_eq!((devices.peek(&second), devices.peek(&bobs)), (Ok(ANN), Ok(BOB)));
    }

    #[tokio::test(start_paused = true)]
    async fn links_beyond_the_bound_are_refused_until_others_expire_and_no_link_is_evicted() {
        let devices = Devices::default();
        let first = devices.make(ANN).unwrap();
        for person in 0..MAX_LINKS as u64 - 1 {
            devices.make(UserId(1_000 + person)).unwrap();
        }
        assert_eq!(devices.make(BOB), Err(TooManyLinks));
        assert_eq!(devices.peek(&first), Ok(ANN));
        assert!(devices.make(ANN).is_ok(), "their own place is free");
        advance(GOOD_FOR).await;
        assert!(devices.make(BOB).is_ok());
    }
}
