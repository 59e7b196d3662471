//! Links that make another device the same person: each works once, for ten minutes.
//!
//! They live in memory alone: a link that a restart has made stale is asked for anew.

use app::wire::PersonId;
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

/// Unused links that one person may have; the oldest goes.
const MOST: usize = 5;

/// Links of all people together; the oldest goes.
const MOST_IN_ALL: usize = 10_000;

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
    /// By their secret. Sections under this lock are short and never wait.
    links: Mutex<HashMap<String, DeviceLink>>,
}

#[derive(Debug)]
struct DeviceLink {
    person: PersonId,
    made: Instant,
    used: bool,
}

impl Devices {
    /// A link for `person`: 122 random bits, fit for a URL.
    pub fn make(&self, person: PersonId) -> String {
        let secret = BASE64_URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes());
        let mut links = self.links();
        make_room(&mut links, MOST, |link| link.is_open_to(person));
        make_room(&mut links, MOST_IN_ALL, |_| true);
        links.insert(secret.clone(), DeviceLink { person, made: Instant::now(), used: false });
        secret
    }

    /// Whose link it is. Nothing is used up.
    ///
    /// # Errors
    /// [`Stale`].
    pub fn peek(&self, secret: &str) -> Result<PersonId, Stale> {
        match self.links().get(secret) {
            None => Err(Stale::Expired),
            Some(link) if link.used => Err(Stale::Used),
            Some(link) => Ok(link.person),
        }
    }

    /// Whose link it is, once.
    ///
    /// # Errors
    /// [`Stale`].
    pub fn redeem(&self, secret: &str) -> Result<PersonId, Stale> {
        match self.links().get_mut(secret) {
            None => Err(Stale::Expired),
            Some(link) if link.used => Err(Stale::Used),
            Some(link) => {
                link.used = true;
                Ok(link.person)
            }
        }
    }

    /// Those that are not too old; the others are forgotten.
    fn links(&self) -> MutexGuard<'_, HashMap<String, DeviceLink>> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|_, link| link.made.elapsed() < GOOD_FOR);
        links
    }
}

/// There are fewer than `most` links of that kind: the oldest of them goes.
fn make_room(links: &mut HashMap<String, DeviceLink>, most: usize, of: impl Fn(&DeviceLink) -> bool) {
    let kind = || links.iter().filter(|(_, link)| of(link));
    if kind().count() >= most {
        let oldest = kind().min_by_key(|(_, link)| link.made).map(|(secret, _)| secret.clone());
        oldest.and_then(|oldest| links.remove(&oldest));
    }
}

impl DeviceLink {
    fn is_open_to(&self, person: PersonId) -> bool {
        self.person == person && !self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const ANN: PersonId = PersonId(1);
    const BOB: PersonId = PersonId(2);

    #[tokio::test(start_paused = true)]
    async fn a_link_works_once_and_looking_uses_nothing_up() {
        let devices = Devices::default();
        let link = devices.make(ANN);
        assert_eq!((devices.peek(&link), devices.peek(&link)), (Ok(ANN), Ok(ANN)));
        assert_eq!((devices.redeem(&link), devices.redeem(&link)), (Ok(ANN), Err(Stale::Used)));
        assert_eq!(devices.peek(&link), Err(Stale::Used));
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_works_for_ten_minutes() {
        let devices = Devices::default();
        let link = devices.make(ANN);
        advance(GOOD_FOR - Duration::from_secs(1)).await;
        assert_eq!(devices.peek(&link), Ok(ANN));
        advance(Duration::from_secs(1)).await;
        assert_eq!(devices.redeem(&link), Err(Stale::Expired));
        assert_eq!(devices.redeem("never made"), Err(Stale::Expired));
    }

    #[tokio::test(start_paused = true)]
    async fn who_makes_many_links_loses_their_oldest_and_nobody_elses() {
        let devices = Devices::default();
        let bobs = devices.make(BOB);
        let first = devices.make(ANN);
        for _ in 0..MOST {
            advance(Duration::from_secs(1)).await;
            devices.make(ANN);
        }
        assert_eq!((devices.peek(&first), devices.peek(&bobs)), (Err(Stale::Expired), Ok(BOB)));
    }
}
