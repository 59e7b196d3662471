//! The users present in a room, each once, however many connections they have. A user who reconnects within a grace
//! period has never left. Users may be present on other processes too. Plain data: the time is passed in.

use crate::store::PresentElsewhere;
use app::wire::{User, UserId, limits::MAX_LISTED_MEMBERS};
use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap, HashSet},
    mem,
    time::Duration,
};
use tokio::time::Instant;

/// The time for which a user must have been present to be given [`DISCONNECT_GRACE`]. Others leave with their last
/// connection, so that users who only pass through stay on no page.
const MIN_STAY: Duration = Duration::from_secs(5);

/// The time for which a user without a connection still counts as present.
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
    /// The number of users who have joined since the last diff.
    pending_joins: usize,
    /// The order of the list has changed since the last diff.
    order_changed: bool,
    /// The users whom every subscriber lists.
    listed_by_all: HashSet<UserId>,
    /// The users whom some subscriber lists, and must remove when they are no longer among the first.
    listed_by_some: HashSet<UserId>,
    /// The users on other processes who are not in `users`.
    uncounted_elsewhere: u32,
    /// The lowest and the highest count that a subscriber shows.
    counts_shown: (u32, u32),
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
    /// The user's presence on this process.
    local: Option<LocalPresence>,
    /// The user is present on another process.
    is_elsewhere: bool,
}

#[derive(Debug)]
struct LocalPresence {
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
        if let Some(present) = self.users.get_mut(&user.id) {
            let local = present.local.get_or_insert_with(|| LocalPresence::new(now));
            local.connections += 1;
            local.disconnected = None;
            return self.update_user(&user);
        }
        let id = user.id;
        self.insert(user, Some(LocalPresence { connections: 1, ..LocalPresence::new(now) }));
        self.sole_join = (self.pending_joins == 1).then_some(id);
        true
    }

    fn insert(&mut self, user: User, local: Option<LocalPresence>) {
        self.by_name.insert(ByName(user.clone()));
        let is_elsewhere = local.is_none();
        self.users.insert(user.id, PresentUser { user, local, is_elsewhere });
        self.sole_join = None;
        self.pending_joins += 1;
    }

    /// Removes a connection of `user`. Returns `true` if a diff will follow, at once or after the grace period.
    pub fn disconnected(&mut self, user: UserId, now: Instant) -> bool {
        let Some(local) = self.users.get_mut(&user).and_then(|present| present.local.as_mut()) else {
            return false;
        };
        local.connections = local.connections.saturating_sub(1);
        if local.connections == 0 {
            local.disconnected = Some(now);
        }
        local.connections == 0
    }

    /// Replaces the users who are present on other processes. Returns `true` if a diff is pending.
    pub fn set_elsewhere(&mut self, elsewhere: PresentElsewhere) -> bool {
        let PresentElsewhere { users, uncounted } = elsewhere;
        let (count, order_changed) = (self.count(), self.order_changed);
        let ids: HashSet<UserId> = users.iter().map(|user| user.id).collect();
        for present in self.users.values_mut() {
            present.is_elsewhere = ids.contains(&present.user.id);
        }
        let has_left = self.remove_absent();
        let before = self.pending_joins;
        for user in users {
            if self.users.contains_key(&user.id) {
                // The order may have changed; whether it has is compared below.
                let _ = self.update_user(&user);
            } else {
                self.insert(user, None);
            }
        }
        self.uncounted_elsewhere = uncounted;
        let has_joined = self.pending_joins > before;
        has_left || has_joined || self.order_changed != order_changed || self.count() != count
    }

    /// Returns the users who are present on this process.
    pub fn local_users(&self) -> HashSet<UserId> {
        self.users.iter().filter(|(_, present)| present.local.is_some()).map(|(id, _)| *id).collect()
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
        self.counts_shown = (fewest.min(self.count()), most.max(self.count()));
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
        let count = self.count();
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
        for present in self.users.values_mut() {
            present.local.take_if(|local| local.is_expired(now));
        }
        self.remove_absent()
    }

    /// Removes the users who are present on no process. Returns `true` if there was one.
    fn remove_absent(&mut self) -> bool {
        let before = self.users.len();
        let by_name = &mut self.by_name;
        self.users.retain(|_, present| {
            let keep = present.local.is_some() || present.is_elsewhere;
            if !keep {
                by_name.remove(&ByName(present.user.clone()));
            }
            keep
        });
        self.users.len() < before
    }

    /// Returns the number of all users present.
    pub fn count(&self) -> u32 {
        u32::try_from(self.users.len()).unwrap_or(u32::MAX).saturating_add(self.uncounted_elsewhere)
    }

    /// Returns `true` if a later diff may have changes although no user connects or disconnects.
    pub fn has_pending(&self) -> bool {
        self.pending_joins > 0
            || self.order_changed
            || self.listed_by_some.len() > self.listed_by_all.len()
            || self.users.values().filter_map(|present| present.local.as_ref()).any(LocalPresence::is_closed)
    }
}

impl LocalPresence {
    fn new(now: Instant) -> Self {
        Self { connections: 0, since: now, disconnected: None }
    }

    fn is_closed(&self) -> bool {
        self.disconnected.is_some()
    }

    fn is_expired(&self, now: Instant) -> bool {
        self.disconnected.is_some_and(|disconnected| {
            let stay = disconnected.duration_since(self.since);
            let grace = if stay >= MIN_STAY { DISCONNECT_GRACE } else { Duration::ZERO };
            disconnected + grace <= now
        })
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
