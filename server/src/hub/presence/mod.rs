//! The users present in a room, each once, however many connections they have. A user who reconnects within a grace
//! period has never left. Plain data: the time is passed in.

use app::wire::{User, UserId, limits::MAX_LISTED_MEMBERS};
use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap, HashSet},
    mem,
    time::Duration,
};
use tokio::time::Instant;

/// How long a user must have been present to be given [`DISCONNECT_GRACE`]. Others leave with their last connection, so
/// that users who only pass through stay on no page.
const MIN_STAY: Duration = Duration::from_secs(5);

/// How long a user without a connection still counts as present.
pub const DISCONNECT_GRACE: Duration = Duration::from_secs(10);

/// Time between two presence broadcasts of a room, at least.
pub const PRESENCE_FLUSH_INTERVAL: Duration = Duration::from_millis(500);

/// Users in [`PresenceDiff::leaves`], at most. The next diff has the others.
const MAX_LEAVES: usize = 1_000;

/// The users present in a room.
///
/// Every subscriber lists the first [`MAX_LISTED_MEMBERS`] users by name, and counts all of them. A diff has the changes of
/// these lists, so no frame grows with the number of users present.
#[derive(Debug, Default)]
pub struct Presence {
    users: HashMap<UserId, PresentUser>,
    /// The same users in the order of the list.
    by_name: BTreeSet<ByName>,
    /// The only user who has joined since the last diff; `None` if there were none or several.
    sole_join: Option<UserId>,
    /// How many users have joined since the last diff.
    pending_joins: usize,
    /// The order of the list has changed since the last diff.
    order_changed: bool,
    /// The users whom every subscriber lists.
    listed_by_all: HashSet<UserId>,
    /// The users whom some subscriber lists, and must remove when they are no longer among the first.
    listed_by_some: HashSet<UserId>,
    /// The lowest and the highest count that a subscriber shows.
    counts_shown: (usize, usize),
}

/// The users present, as a subscriber lists them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    /// The first [`MAX_LISTED_MEMBERS`] of them at most, in the order of the list.
    pub list: Vec<User>,
    /// All of them.
    pub count: u32,
}

#[derive(Debug)]
struct PresentUser {
    user: User,
    connections: usize,
    since: Instant,
    /// When the last connection closed.
    disconnected: Option<Instant>,
}

/// A user, ordered as in the list.
#[derive(Debug)]
struct ByName(User);

impl Ord for ByName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp_for_list(&other.0)
    }
}

impl PartialOrd for ByName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ByName {}

/// The changes of subscribers' lists. The wire calls `joins` `here`, and `leaves` `gone`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PresenceDiff {
    /// The users to list.
    pub joins: Vec<User>,
    /// The users to remove: they have left, or are no longer among the first [`MAX_LISTED_MEMBERS`].
    pub leaves: Vec<UserId>,
    /// Some subscriber shows another count than the number of users present.
    pub count_changed: bool,
    /// The user who is the only change, and who knows it from joining.
    pub sole_user: Option<UserId>,
}

impl Presence {
    /// Adds a connection of `user`. Returns `true` if a diff is pending.
    pub fn connected(&mut self, user: User, now: Instant) -> bool {
        let id = user.id;
        if let Some(present) = self.users.get_mut(&id) {
            present.connections += 1;
            present.disconnected = None;
            return self.update_user(&user);
        }
        self.by_name.insert(ByName(user.clone()));
        self.users.insert(id, PresentUser { user, connections: 1, since: now, disconnected: None });
        self.sole_join = (self.pending_joins == 0).then_some(id);
        self.pending_joins += 1;
        true
    }

    /// Removes a connection of `user`. Returns `true` if a diff will follow, at once or after the grace period.
    pub fn disconnected(&mut self, user: UserId, now: Instant) -> bool {
        let Some(present) = self.users.get_mut(&user) else { return false };
        present.connections = present.connections.saturating_sub(1);
        if present.connections == 0 {
            present.disconnected = Some(now);
        }
        present.connections == 0
    }

    /// Updates the name and mark of a user who may be present. Returns `true` if a diff is pending, because the list
    /// may begin with other users now.
    #[must_use]
    pub fn update_user(&mut self, user: &User) -> bool {
        let Some(present) = self.users.get_mut(&user.id) else { return false };
        let before = mem::replace(&mut present.user, user.clone());
        self.by_name.remove(&ByName(before));
        self.by_name.insert(ByName(user.clone()));
        self.order_changed |= self.by_name.len() > MAX_LISTED_MEMBERS;
        self.order_changed
    }

    /// Returns the first users of the list, with `you` in the last place if you are present behind them. For a page
    /// that receives no changes.
    pub fn members(&self, you: UserId) -> Members {
        let mut list: Vec<User> = self.first().cloned().collect();
        if let Some(present) = self.users.get(&you)
            && list.iter().all(|member| member.id != you)
        {
            list.truncate(MAX_LISTED_MEMBERS - 1);
            list.push(present.user.clone());
        }
        Members { list, count: self.count() }
    }

    /// Returns the same for a subscriber, which receives all changes from now on.
    pub fn subscribe(&mut self, you: UserId) -> Members {
        let members = self.members(you);
        let ids: HashSet<UserId> = members.list.iter().map(|member| member.id).collect();
        self.listed_by_all.retain(|id| ids.contains(id));
        // A user stays on their own list, and may be on no other.
        self.listed_by_some.extend(ids.into_iter().filter(|id| *id != you));
        if self.first().any(|first| first.id == you) {
            self.listed_by_some.insert(you);
        }
        let (fewest, most) = self.counts_shown;
        self.counts_shown = (fewest.min(self.users.len()), most.max(self.users.len()));
        members
    }

    fn first(&self) -> impl Iterator<Item = &User> {
        self.by_name.iter().take(MAX_LISTED_MEMBERS).map(|listed| &listed.0)
    }

    /// Returns `true` if the user is present.
    pub fn contains(&self, user: UserId) -> bool {
        self.users.contains_key(&user)
    }

    /// Removes the users who have left by `now`, and returns what has changed since the last call.
    pub fn take_diff(&mut self, now: Instant) -> PresenceDiff {
        let has_left = self.remove_expired(now);
        let first: HashSet<UserId> = self.first().map(|first| first.id).collect();
        let joins: Vec<User> =
            self.first().filter(|first| !self.listed_by_all.contains(&first.id)).cloned().collect();
        let mut leaves: Vec<UserId> = self.listed_by_some.difference(&first).copied().collect();
        leaves.sort_unstable();
        leaves.truncate(MAX_LEAVES);
        self.listed_by_some.extend(&first);
        for id in &leaves {
            self.listed_by_some.remove(id);
        }
        self.listed_by_all = first;
        let count = self.users.len();
        let before = mem::replace(&mut self.counts_shown, (count, count));
        let count_changed = before != self.counts_shown;
        let (sole_join, pending_joins) = (self.sole_join.take(), mem::take(&mut self.pending_joins));
        self.order_changed = false;
        let sole_user = sole_join.filter(|user| {
            pending_joins == 1
                && !has_left
                && leaves.is_empty()
                && joins.iter().all(|joined| joined.id == *user)
        });
        PresenceDiff { joins, leaves, count_changed, sole_user }
    }

    /// Removes the users whose grace period is over. Returns `true` if there was one.
    fn remove_expired(&mut self, now: Instant) -> bool {
        let is_expired = |present: &PresentUser| {
            present.disconnected.is_some_and(|disconnected| {
                let stay = disconnected.duration_since(present.since);
                let grace = if stay >= MIN_STAY { DISCONNECT_GRACE } else { Duration::ZERO };
                disconnected + grace <= now
            })
        };
        let before = self.users.len();
        let by_name = &mut self.by_name;
        self.users.retain(|_, present| {
            let keep = !is_expired(present);
            if !keep {
                by_name.remove(&ByName(present.user.clone()));
            }
            keep
        });
        self.users.len() < before
    }

    /// Returns the number of all users present.
    pub fn count(&self) -> u32 {
        u32::try_from(self.users.len()).unwrap_or(u32::MAX)
    }

    /// Returns `true` if a later diff may have changes although no user connects or disconnects.
    pub fn has_pending(&self) -> bool {
        self.pending_joins > 0
            || self.order_changed
            || self.listed_by_some.len() > self.listed_by_all.len()
            || self.users.values().any(|present| present.disconnected.is_some())
    }
}

impl PresenceDiff {
    /// Returns `true` if no subscriber's list or count changes.
    pub fn is_empty(&self) -> bool {
        self.joins.is_empty() && self.leaves.is_empty() && !self.count_changed
    }
}

#[cfg(test)]
mod tests;
