//! The keys that sign the identity cookies: the newest one, and those before it, whose cookies browsers still have.
//!
//! As bytes, a ring begins with the newest key, so that it is also a file with one key, as earlier versions read it. A mark,
//! the time from which on that key signs, and the former keys with theirs may follow.

use axum_extra::extract::cookie::Key;
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Bytes of a key.
pub const KEY_BYTES: usize = 64;

/// Former keys of a ring.
pub const MAX_FORMER_KEYS: usize = 8;

/// The time for which a key verifies after the next one has begun to sign: as long as browsers keep a cookie, and a day
/// more.
pub const VERIFIES_AFTER: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Stands between the newest key and the others. Other bytes there are no keys: a file may have any number of random bytes.
const MARK: &[u8; 8] = b"HBKEYS1\n";

const TIME_BYTES: usize = 8;

/// A key, and the time from which on it signs, in seconds of Unix time.
#[derive(Clone)]
struct TimedKey {
    key: Key,
    signs_from: u64,
}

/// The keys of an installation.
#[derive(Clone)]
pub struct KeyRing {
    /// The newest first; never empty.
    keys: Vec<TimedKey>,
}

/// The bytes are no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeys {
    /// There are fewer bytes than a key has.
    #[error("it is truncated ({0} of 64 bytes)")]
    Truncated(usize),
    /// The former keys are incomplete.
    #[error("its former keys are truncated")]
    TruncatedFormer,
}

/// The reason why a key is not rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotRotate {
    /// The newest key does not sign yet.
    #[error("the newest key does not sign yet, but in {0} s; --force makes another one now")]
    Pending(u64),
    /// There are [`MAX_FORMER_KEYS`] keys whose cookies browsers may still have.
    #[error(
        "there are {MAX_FORMER_KEYS} former keys already, the oldest for {0} days more; --force drops it, and signs out whoever has not come back since it was replaced"
    )]
    TooMany(u64),
}

impl KeyRing {
    /// Parses the bytes of a ring, or of one key.
    ///
    /// # Errors
    /// [`InvalidKeys`].
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidKeys> {
        let (newest, rest) = bytes.split_at_checked(KEY_BYTES).ok_or(InvalidKeys::Truncated(bytes.len()))?;
        let newest = Key::try_from(newest).map_err(|_| InvalidKeys::Truncated(bytes.len()))?;
        let Some(rest) = rest.strip_prefix(MARK) else { return Ok(newest.into()) };
        let (signs_from, former) =
            rest.split_first_chunk::<TIME_BYTES>().ok_or(InvalidKeys::TruncatedFormer)?;
        let mut keys = vec![TimedKey { key: newest, signs_from: u64::from_be_bytes(*signs_from) }];
        for entry in former.chunks(KEY_BYTES + TIME_BYTES) {
            let (key, time) = entry.split_at_checked(KEY_BYTES).ok_or(InvalidKeys::TruncatedFormer)?;
            let time: [u8; TIME_BYTES] = time.try_into().map_err(|_| InvalidKeys::TruncatedFormer)?;
            let key = Key::try_from(key).map_err(|_| InvalidKeys::TruncatedFormer)?;
            keys.push(TimedKey { key, signs_from: u64::from_be_bytes(time) });
        }
        keys.truncate(MAX_FORMER_KEYS + 1);
        Ok(Self { keys })
    }

    /// Returns the ring as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let [newest, former @ ..] = &self.keys[..] else { return Vec::new() };
        let mut bytes = newest.key.master().to_vec();
        if former.is_empty() {
            return bytes;
        }
        bytes.extend(MARK);
        bytes.extend(newest.signs_from.to_be_bytes());
        for TimedKey { key, signs_from } in former {
            bytes.extend(key.master());
            bytes.extend(signs_from.to_be_bytes());
        }
        bytes
    }

    /// Returns the key that signs at `now`: the newest one whose time has come. If a wrong clock says that none has, the
    /// oldest one signs.
    pub fn signing(&self, now: u64) -> &Key {
        let signing = self.keys.iter().find(|key| key.signs_from <= now);
        &signing.unwrap_or(&self.keys[self.keys.len() - 1]).key
    }

    /// Returns the keys that verify at `now`, the newest first.
    pub fn verifying(&self, now: u64) -> impl Iterator<Item = &Key> {
        (0..self.keys.len()).filter(move |at| self.remaining(*at, now) > 0).map(|at| &self.keys[at].key)
    }

    /// Returns the number of former keys.
    pub fn former(&self) -> usize {
        self.keys.len() - 1
    }

    /// Adds `new_key`, which signs after `delay` and verifies at once: all servers must know it before the first one signs
    /// with it. Drops the keys that verify no more. Returns the ring, and whether `is_forced` has dropped a key that does.
    ///
    /// # Errors
    /// [`CannotRotate`] unless `is_forced`.
    pub fn rotate(
        &self,
        new_key: Key,
        now: u64,
        delay: Duration,
        is_forced: bool,
    ) -> Result<(Self, bool), CannotRotate> {
        let wait = self.keys[0].signs_from.saturating_sub(now);
        if wait > 0 && !is_forced {
            return Err(CannotRotate::Pending(wait));
        }
        let new = TimedKey { key: new_key, signs_from: now.saturating_add(delay.as_secs()) };
        let mut keys = vec![new];
        keys.extend(
            (0..self.keys.len()).filter(|at| self.remaining(*at, now) > 0).map(|at| self.keys[at].clone()),
        );
        let is_full = keys.len() > MAX_FORMER_KEYS + 1;
        if is_full && !is_forced {
            let days = self.remaining(self.keys.len() - 1, now) / (24 * 60 * 60);
            return Err(CannotRotate::TooMany(days));
        }
        keys.truncate(MAX_FORMER_KEYS + 1);
        Ok((Self { keys }, is_full))
    }

    /// Returns for how many seconds the key at an index verifies after `now`. The newest one has no end.
    fn remaining(&self, at: usize, now: u64) -> u64 {
        let Some(next) = at.checked_sub(1).map(|next| &self.keys[next]) else { return u64::MAX };
        next.signs_from.saturating_add(VERIFIES_AFTER.as_secs()).saturating_sub(now)
    }
}

impl From<Key> for KeyRing {
    fn from(key: Key) -> Self {
        Self { keys: vec![TimedKey { key, signs_from: 0 }] }
    }
}

/// The ring of a running server, which is replaced when the keys are rotated. Cloning it is cheap.
#[derive(Clone)]
pub struct SharedKeys(Arc<RwLock<Arc<KeyRing>>>);

impl SharedKeys {
    /// Returns the present ring.
    pub fn current(&self) -> Arc<KeyRing> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns `true` if nothing else has the ring any more.
    pub fn is_last(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Replaces the ring.
    pub fn replace(&self, ring: KeyRing) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }
}

impl From<KeyRing> for SharedKeys {
    fn from(ring: KeyRing) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(ring))))
    }
}

impl From<Key> for SharedKeys {
    fn from(key: Key) -> Self {
        KeyRing::from(key).into()
    }
}

/// Returns the time in seconds of Unix time.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: u64 = VERIFIES_AFTER.as_secs();
    const DELAY: Duration = Duration::from_secs(60);

    fn rotated(ring: &KeyRing, now: u64) -> (KeyRing, Key) {
        let key = Key::generate();
        (ring.rotate(key.clone(), now, DELAY, false).unwrap().0, key)
    }

    fn verifies(ring: &KeyRing, key: &Key, now: u64) -> bool {
        ring.verifying(now).any(|known| known == key)
    }

    #[test]
    fn new_key_verifies_at_once_and_signs_when_all_servers_know_it() {
        let first = Key::generate();
        let (ring, second) = rotated(&first.clone().into(), 1_000);
        assert!(verifies(&ring, &second, 1_000) && verifies(&ring, &first, 1_000));
        assert!(*ring.signing(1_059) == first && *ring.signing(1_060) == second);
        assert!(verifies(&ring, &first, 1_060 + YEAR - 1) && !verifies(&ring, &first, 1_060 + YEAR));
        assert!(verifies(&ring, &second, u64::MAX));
    }

    #[test]
    fn a_clock_that_jumps_neither_drops_a_key_nor_leaves_none() {
        let first = Key::generate();
        let (ring, second) = rotated(&first.clone().into(), YEAR * 50);
        assert!(!verifies(&ring, &first, YEAR * 60), "far ahead");
        assert!(verifies(&ring, &first, YEAR * 50), "and back");
        assert!(*ring.signing(0) == first && verifies(&ring, &second, 0), "before all keys");
    }

    #[test]
    fn bytes_begin_with_the_newest_key_and_keep_all_of_them() {
        let (ring, second) = rotated(&Key::generate().into(), 1_000);
        let (ring, third) = rotated(&ring, 2_000);
        let bytes = ring.to_bytes();
        assert_eq!(&bytes[..KEY_BYTES], third.master());
        let parsed = KeyRing::parse(&bytes).unwrap();
        assert_eq!((parsed.to_bytes(), parsed.former()), (bytes.clone(), 2));
        assert!(*parsed.signing(2_000) == second);
        for cut in [0, 63, KEY_BYTES + MARK.len(), KEY_BYTES + 20, bytes.len() - 1, bytes.len() - 70] {
            assert!(KeyRing::parse(&bytes[..cut]).is_err(), "{cut}");
        }
        let other = KeyRing::parse(&[third.master(), &[7; 500]].concat()).unwrap();
        assert_eq!(other.former(), 0, "other bytes after a key mean nothing");
    }

    #[test]
    fn rotations_are_bounded_unless_they_are_forced() {
        let mut ring = KeyRing::from(Key::generate());
        for n in 1..=MAX_FORMER_KEYS as u64 {
            ring = rotated(&ring, n * 100).0;
            let again = ring.rotate(Key::generate(), n * 100 + 1, DELAY, false);
            assert_eq!(again.err(), Some(CannotRotate::Pending(59)));
        }
        let at = 10_000;
        let refused = ring.rotate(Key::generate(), at, DELAY, false);
        assert!(matches!(refused, Err(CannotRotate::TooMany(365))), "{:?}", refused.err());
        let (forced, has_dropped) = ring.rotate(Key::generate(), at, DELAY, true).unwrap();
        assert_eq!((forced.former(), has_dropped), (MAX_FORMER_KEYS, true));
        let (later, has_dropped) = ring.rotate(Key::generate(), at + YEAR, DELAY, false).unwrap();
        assert_eq!((later.former(), has_dropped), (1, false), "the others verify no more");
    }
}
