//! How fast somebody may post.

use app::wire::PersonId;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};
use std::{num::NonZeroU32, time::Duration};

/// How many seconds' worth of posts may come at once after a rest: an outbox that comes back online.
const BURST_SECONDS: u32 = 5;

/// A limit on each person's posts, whichever way they come.
pub struct PostLimiter(Option<DefaultKeyedRateLimiter<PersonId>>);

impl PostLimiter {
    /// At most `per_second` posts a second; 0 for no limit.
    pub fn new(per_second: u32) -> Self {
        Self(NonZeroU32::new(per_second).map(|rate| {
            let burst = rate.saturating_mul(NonZeroU32::new(BURST_SECONDS).unwrap_or(rate));
            RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))
        }))
    }

    /// Takes one post.
    ///
    /// # Errors
    /// How long to wait before the next try.
    pub fn take(&self, person: PersonId) -> Result<(), Duration> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check_key(&person).map_err(|not_until| not_until.wait_time_from(limiter.clock().now()))
    }

    /// Forgets people who have not posted for a while.
    pub fn forget_the_quiet(&self) {
        if let Some(limiter) = &self.0 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_posts_too_fast_is_told_how_long_to_wait_and_nobody_else_is() {
        let posts = PostLimiter::new(1);
        let (ann, bob) = (PersonId(1), PersonId(2));
        let taken = (0..50).take_while(|_| posts.take(ann).is_ok()).count();
        assert!((5..=6).contains(&taken), "a burst of {taken}");
        let wait = posts.take(ann).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
        assert!(posts.take(bob).is_ok());
    }

    #[test]
    fn zero_is_no_limit() {
        let posts = PostLimiter::new(0);
        assert!((0..10_000).all(|_| posts.take(PersonId(1)).is_ok()));
    }
}
