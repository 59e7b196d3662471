//! The retention of messages.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest retention with an end: ten years.
pub const MAX_RETENTION_HOURS: u32 = 87_600;

const MILLIS_PER_HOUR: u64 = 60 * 60 * 1_000;

/// The time for which messages are kept: whole hours from one to [`MAX_RETENTION_HOURS`], or without limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Retention(u32);

/// The number of hours is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidRetention;

impl fmt::Display for InvalidRetention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Messages are kept for at most {MAX_RETENTION_HOURS} hours, or without limit.")
    }
}

impl std::error::Error for InvalidRetention {}

impl Retention {
    /// Messages are kept without limit.
    pub const UNLIMITED: Self = Self(0);

    /// Returns the number of hours; 0 without limit.
    pub fn hours(self) -> u32 {
        self.0
    }

    /// Returns `true` if messages are kept without limit.
    pub fn is_unlimited(self) -> bool {
        self == Self::UNLIMITED
    }

    /// Returns the milliseconds for which a message is kept; `None` without limit.
    pub fn millis(self) -> Option<u64> {
        (!self.is_unlimited()).then(|| u64::from(self.0) * MILLIS_PER_HOUR)
    }

    /// Returns the shorter one of two.
    #[must_use]
    pub fn shorter(self, other: Self) -> Self {
        match (self.0, other.0) {
            (0, _) => other,
            (_, 0) => self,
            (one, another) => Self(one.min(another)),
        }
    }
}

impl TryFrom<u32> for Retention {
    type Error = InvalidRetention;

    fn try_from(hours: u32) -> Result<Self, InvalidRetention> {
        if hours <= MAX_RETENTION_HOURS { Ok(Self(hours)) } else { Err(InvalidRetention) }
    }
}

impl From<Retention> for u32 {
    fn from(retention: Retention) -> Self {
        retention.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_one_has_a_limit_if_one_of_two_has() {
        let (day, week) = (Retention(24), Retention(168));
        assert_eq!(day.shorter(week), day);
        assert_eq!(week.shorter(day), day);
        assert_eq!(Retention::UNLIMITED.shorter(week), week);
        assert_eq!(week.shorter(Retention::UNLIMITED), week);
        assert_eq!(Retention::UNLIMITED.shorter(Retention::UNLIMITED), Retention::UNLIMITED);
    }

    #[test]
    fn a_retention_has_hours_up_to_ten_years_or_no_limit() {
        assert_eq!(Retention::try_from(1).unwrap().millis(), Some(3_600_000));
        assert_eq!(Retention::try_from(0), Ok(Retention::UNLIMITED));
        assert_eq!(Retention::UNLIMITED.millis(), None);
        assert!(Retention::try_from(MAX_RETENTION_HOURS).is_ok());
        assert_eq!(Retention::try_from(MAX_RETENTION_HOURS + 1), Err(InvalidRetention));
    }
}
