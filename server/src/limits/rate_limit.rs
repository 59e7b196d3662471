//! How fast a user may post and change their name.

use app::wire::UserId;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};
use std::{num::NonZeroU32, time::Duration};

/// How many seconds' worth of posts may come at once after a rest: an outbox that comes back online.
const BURST_SECONDS: u32 = 5;

/// Renames that a user may send at once after a rest.
const RENAME_BURST: u32 = 20;

/// Time after which a user who has used up their renames may send one more. A rename reaches everyone who sees
/// something by this user, so that it costs more than a post.
const RENAME_INTERVAL: Duration = Duration::from_secs(10);

/// A limit for each user, whichever way their requests come.
pub struct UserLimiter(Option<DefaultKeyedRateLimiter<UserId>>);

impl UserLimiter {
    /// At most `per_second` requests a second; 0 for no limit.
    pub fn per_second(per_second: u32) -> Self {
        Self(NonZeroU32::new(per_second).map(|rate| {
            let burst = rate.saturating_mul(NonZeroU32::new(BURST_SECONDS).unwrap_or(rate));
            RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))
        }))
    }

    /// One rename in [`RENAME_INTERVAL`] after [`RENAME_BURST`] at once; none where posts have no limit either.
    pub fn for_renames(posts_per_second: u32) -> Self {
        let quota = Quota::with_period(RENAME_INTERVAL).zip(NonZeroU32::new(RENAME_BURST));
        let quota = quota.filter(|_| posts_per_second > 0);
        Self(quota.map(|(quota, burst)| RateLimiter::keyed(quota.allow_burst(burst))))
    }

    /// Takes one request.
    ///
    /// # Errors
    /// How long to wait before the next try.
    pub fn take(&self, user: UserId) -> Result<(), Duration> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check_key(&user).map_err(|not_until| not_until.wait_time_from(limiter.clock().now()))
    }

    /// Forgets users who have sent nothing for a while.
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
        let posts = UserLimiter::per_second(1);
        let (ann, bob) = (UserId(1), UserId(2));
        let taken = (0..50).take_while(|_| posts.take(ann).is_ok()).count();
        assert!((5..=6).contains(&taken), "a burst of {taken}");
        let wait = posts.take(ann).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
        assert!(posts.take(bob).is_ok());
    }

    #[test]
    fn zero_is_no_limit() {
        let posts = UserLimiter::per_second(0);
        assert!((0..10_000).all(|_| posts.take(UserId(1)).is_ok()));
    }
    #[test]
    fn a_user_may_rename_twenty_times_at_once_and_then_once_in_ten_seconds() {
        let renames = UserLimiter::for_renames(20);
        let (ann, bob) = (UserId(1), UserId(2));
        assert!((0..20).all(|_| renames.take(ann).is_ok()));
        let wait = renames.take(ann).unwrap_err();
        assert!(wait > Duration::from_secs(9) && wait <= RENAME_INTERVAL, "{wait:?}");
        assert!(renames.take(bob).is_ok());
        let unlimited = UserLimiter::for_renames(0);
        assert!((0..1_000).all(|_| unlimited.take(ann).is_ok()));
    }
}
