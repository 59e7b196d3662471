//! The rate limits of users: posts and renames.

use app::wire::UserId;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};
use std::{num::NonZeroU32, time::Duration};

/// Seconds' worth of posts that a user may send at once after a pause, such as an outbox that is back online.
const BURST_SECONDS: u32 = 5;

/// Renames that a user may send at once after a pause.
const RENAME_BURST: u32 = 20;

/// Time after which a user without renames left may send one more. A rename is sent to all connections that show the
/// user, so it costs more than a post.
const RENAME_INTERVAL: Duration = Duration::from_secs(10);

/// A rate limit for each user, over all of their connections.
pub struct UserLimiter(Option<DefaultKeyedRateLimiter<UserId>>);

impl UserLimiter {
    /// Creates a limit of `per_second` requests a second; 0 for no limit.
    pub fn per_second(per_second: u32) -> Self {
        Self(NonZeroU32::new(per_second).map(|rate| {
            let burst = rate.saturating_mul(NonZeroU32::new(BURST_SECONDS).unwrap_or(rate));
            RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))
        }))
    }

    /// Creates a limit of one rename in [`RENAME_INTERVAL`] after [`RENAME_BURST`] at once; no limit if posts have none.
    pub fn for_renames(posts_per_second: u32) -> Self {
        let quota = Quota::with_period(RENAME_INTERVAL).zip(NonZeroU32::new(RENAME_BURST));
        let quota = quota.filter(|_| posts_per_second > 0);
        Self(quota.map(|(quota, burst)| RateLimiter::keyed(quota.allow_burst(burst))))
    }

    /// Counts one request.
    ///
    /// # Errors
    /// The time until the next request is allowed.
    pub fn check(&self, user: UserId) -> Result<(), Duration> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check_key(&user).map_err(|not_until| not_until.wait_time_from(limiter.clock().now()))
    }

    /// Evicts users without recent requests.
    pub fn evict_idle(&self) {
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
    fn user_beyond_the_limit_gets_a_wait_time_and_others_do_not() {
        let posts = UserLimiter::per_second(1);
        let (ann, bob) = (UserId(1), UserId(2));
        let taken = (0..50).take_while(|_| posts.check(ann).is_ok()).count();
        assert!((5..=6).contains(&taken), "a burst of {taken}");
        let wait = posts.check(ann).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
        assert!(posts.check(bob).is_ok());
    }

    #[test]
    fn zero_means_no_limit() {
        let posts = UserLimiter::per_second(0);
        assert!((0..10_000).all(|_| posts.check(UserId(1)).is_ok()));
    }

    #[test]
    fn user_may_rename_20_times_at_once_then_once_in_ten_seconds() {
        let renames = UserLimiter::for_renames(20);
        let (ann, bob) = (UserId(1), UserId(2));
        assert!((0..20).all(|_| renames.check(ann).is_ok()));
        let wait = renames.check(ann).unwrap_err();
        assert!(wait > Duration::from_secs(9) && wait <= RENAME_INTERVAL, "{wait:?}");
        assert!(renames.check(bob).is_ok());
        let unlimited = UserLimiter::for_renames(0);
        assert!((0..1_000).all(|_| unlimited.check(ann).is_ok()));
    }
}
