//! The ids of new users.

use app::{i18n::Lang, wire::UserId};
use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};
use uuid::Uuid;

/// The lowest of the 16 bits of a user id that its short form shows.
const SHORT_ID_SHIFT: u32 = 32;

/// Creates a random user id, a few bits of which hold the language of the generated name.
///
/// The 16 bits at [`SHORT_ID_SHIFT`] come from a counter: a client that requests many ids gets the short id of an existing user
/// only after 65,536 of them.
pub fn new_user_id(lang: Lang) -> UserId {
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(Uuid::new_v4().as_u64_pair().0));
    let random = random() & !(0xffff << SHORT_ID_SHIFT);
    // An odd step visits every value once.
    let distinct = NEXT.fetch_add(40_503, Ordering::Relaxed) & 0xffff;
    UserId::with_language(lang, random | distinct << SHORT_ID_SHIFT)
}

/// Returns 64 random bits. Two random UUIDs are combined, because the fixed bits of each are random in the other.
pub(super) fn random() -> u64 {
    let (high, _) = Uuid::new_v4().as_u64_pair();
    let (_, low) = Uuid::new_v4().as_u64_pair();
    high ^ low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_users_have_distinct_short_ids_until_all_are_used() {
        let short = |_| new_user_id(Lang::En).0 >> SHORT_ID_SHIFT & 0xffff;
        let all: std::collections::HashSet<u64> = (0..0x8000).map(short).collect();
        assert_eq!(all.len(), 0x8000);
    }
}
