//! Who is in a room: people, however many connections each of them has, and with some patience for those
//! who come right back. Plain data; time is passed in.

use app::wire::{User, UserId, limits::MAX_LISTED_MEMBERS};
use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap, HashSet},
    mem,
    time::Duration,
};
use tokio::time::Instant;

/// How long a user must have been here to be given [`GRACE`]. Others are gone as soon as their last connection is, so
/// that users who only come and go are on nobody's page.
const SETTLED: Duration = Duration::from_secs(5);

/// How long somebody whose last connection is gone is still taken to be here.
pub const GRACE: Duration = Duration::from_secs(10);

/// Changes of a room are told together, this often at most.
pub const TOLD_EVERY: Duration = Duration::from_millis(500);

/// Users in `gone` of one frame, at most. The others are in the next one.
const MAX_GONE: usize = 1_000;

/// Who is in a room.
///
/// Every subscriber lists the first [`MAX_LISTED_MEMBERS`] users, in the order of the list, and the number of all of them.
/// What is broadcast is how these have changed, so no frame grows with the number of users present.
#[derive(Debug, Default)]
pub struct Presence {
    people: HashMap<UserId, Here>,
    /// The same users in the order of the list.
    list: BTreeSet<Listed>,
    /// The user who has come since the last broadcast, if it is only one.
    came: Option<UserId>,
    /// How many users have come since the last broadcast.
    arrivals: usize,
    /// The order of the list has changed since the last broadcast.
    moved: bool,
    /// The users whom every subscriber lists.
    listed_by_all: HashSet<UserId>,
    /// The users whom some subscriber lists, and must remove when they are no longer among the first.
    listed_by_some: HashSet<UserId>,
    /// The fewest and the most users that a subscriber counts.
    counted: (usize, usize),
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
struct Here {
    person: User,
    connections: usize,
    since: Instant,
    /// When the last connection went.
    left: Option<Instant>,
}

/// Somebody by their place in the list.
#[derive(Debug)]
struct Listed(User);

impl Ord for Listed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp_for_list(&other.0)
    }
}

impl PartialOrd for Listed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Listed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Listed {}

/// What subscribers must be sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The users to list.
    pub here: Vec<User>,
    /// The users to list no more: they have left, or stand behind the first [`MAX_LISTED_MEMBERS`].
    pub gone: Vec<UserId>,
    /// A subscriber counts another number of users than are present.
    pub is_recount: bool,
    /// The user whom alone this is about, and who has it from joining.
    pub only: Option<UserId>,
}

impl Presence {
    /// Another connection of `person`. Whether there is something to tell.
    pub fn came(&mut self, person: User, now: Instant) -> bool {
        let id = person.id;
        if let Some(here) = self.people.get_mut(&id) {
            here.connections += 1;
            here.left = None;
            return self.rename(&person);
        }
        self.list.insert(Listed(person.clone()));
        self.people.insert(id, Here { person, connections: 1, since: now, left: None });
        self.came = (self.arrivals == 0).then_some(id);
        self.arrivals += 1;
        true
    }

    /// A connection of `person` is gone. Whether there will be something to tell.
    pub fn left(&mut self, person: UserId, now: Instant) -> bool {
        let Some(here) = self.people.get_mut(&person) else { return false };
        here.connections = here.connections.saturating_sub(1);
        if here.connections == 0 {
            here.left = Some(now);
        }
        here.connections == 0
    }

    /// Calls a user something else. Returns whether the list may have others among its first users now, which is to
    /// be broadcast.
    #[must_use]
    pub fn rename(&mut self, person: &User) -> bool {
        let Some(here) = self.people.get_mut(&person.id) else { return false };
        let before = mem::replace(&mut here.person, person.clone());
        self.list.remove(&Listed(before));
        self.list.insert(Listed(person.clone()));
        self.moved |= self.list.len() > MAX_LISTED_MEMBERS;
        self.moved
    }

    /// Returns the first users of the list, with `you` in the last place if you are present behind them, for a
    /// page that is sent no changes.
    pub fn members(&self, you: UserId) -> Members {
        let mut list: Vec<User> = self.first().cloned().collect();
        if let Some(here) = self.people.get(&you)
            && list.iter().all(|member| member.id != you)
        {
            list.truncate(MAX_LISTED_MEMBERS - 1);
            list.push(here.person.clone());
        }
        Members { list, count: self.count() }
    }

    /// Returns the same for a subscriber, who is sent all changes from now on.
    pub fn subscribe(&mut self, you: UserId) -> Members {
        let members = self.members(you);
        let ids: HashSet<UserId> = members.list.iter().map(|member| member.id).collect();
        self.listed_by_all.retain(|id| ids.contains(id));
        // You stay on your own list, and may be on no other.
        self.listed_by_some.extend(ids.into_iter().filter(|id| *id != you));
        if self.first().any(|first| first.id == you) {
            self.listed_by_some.insert(you);
        }
        let (fewest, most) = self.counted;
        self.counted = (fewest.min(self.people.len()), most.max(self.people.len()));
        members
    }

    fn first(&self) -> impl Iterator<Item = &User> {
        self.list.iter().take(MAX_LISTED_MEMBERS).map(|listed| &listed.0)
    }

    /// Whether `person` is here.
    pub fn has(&self, person: UserId) -> bool {
        self.people.contains_key(&person)
    }

    /// Removes the users who are gone by `now`, and returns what has changed since the last call.
    pub fn changes(&mut self, now: Instant) -> Changes {
        let has_left = self.remove_gone(now);
        let first: HashSet<UserId> = self.first().map(|first| first.id).collect();
        let here: Vec<User> =
            self.first().filter(|first| !self.listed_by_all.contains(&first.id)).cloned().collect();
        let mut gone: Vec<UserId> = self.listed_by_some.difference(&first).copied().collect();
        gone.sort_unstable();
        gone.truncate(MAX_GONE);
        self.listed_by_some.extend(&first);
        for id in &gone {
            self.listed_by_some.remove(id);
        }
        self.listed_by_all = first;
        let now_present = self.people.len();
        let before = mem::replace(&mut self.counted, (now_present, now_present));
        let is_recount = before != self.counted;
        let (came, arrivals) = (self.came.take(), mem::take(&mut self.arrivals));
        self.moved = false;
        let only = came.filter(|came| {
            arrivals == 1 && !has_left && gone.is_empty() && here.iter().all(|here| here.id == *came)
        });
        Changes { here, gone, is_recount, only }
    }

    /// Returns whether there was a user to remove.
    fn remove_gone(&mut self, now: Instant) -> bool {
        let is_gone = |here: &Here| {
            here.left.is_some_and(|left| {
                let grace = if left.duration_since(here.since) >= SETTLED { GRACE } else { Duration::ZERO };
                left + grace <= now
            })
        };
        let present = self.people.len();
        let list = &mut self.list;
        self.people.retain(|_, here| {
            let keep = !is_gone(here);
            if !keep {
                list.remove(&Listed(here.person.clone()));
            }
            keep
        });
        self.people.len() < present
    }

    /// Returns the number of all users present.
    pub fn count(&self) -> u32 {
        u32::try_from(self.people.len()).unwrap_or(u32::MAX)
    }

    /// Returns whether there may be changes later although no user comes or leaves.
    pub fn may_change(&self) -> bool {
        self.arrivals > 0
            || self.moved
            || self.listed_by_some.len() > self.listed_by_all.len()
            || self.people.values().any(|here| here.left.is_some())
    }
}

impl Changes {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.here.is_empty() && self.gone.is_empty() && !self.is_recount
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::wire::DisplayName;
    use std::collections::hash_map::Entry;

    fn person(id: u64) -> User {
        User::new(UserId(id), DisplayName::generated(UserId(id)))
    }

    #[tokio::test(start_paused = true)]
    async fn several_connections_are_one_person_who_leaves_with_the_last() {
        let (mut room, start) = (Presence::default(), Instant::now());
        assert!(room.came(person(1), start) && !room.came(person(1), start));
        assert_eq!(room.changes(start).here, [person(1)]);
        let end = start + SETTLED;
        assert!(!room.left(UserId(1), end) && room.left(UserId(1), end));
        assert!(room.changes(end).is_empty() && room.may_change());
        assert!(room.has(UserId(1)));
        assert_eq!(
            room.changes(end + GRACE),
            Changes { gone: vec![UserId(1)], is_recount: true, ..Changes::default() }
        );
        assert!(!room.has(UserId(1)) && !room.may_change());
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_right_back_has_never_left() {
        let (mut room, start) = (Presence::default(), Instant::now());
        room.came(person(1), start);
        room.changes(start);
        room.left(UserId(1), start + SETTLED);
        assert!(!room.came(person(1), start + SETTLED));
        assert!(room.changes(start + 2 * GRACE).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn people_stand_by_name_whoever_comes_goes_or_is_called_something_else() {
        let (mut room, start) = (Presence::default(), Instant::now());
        let called = |id, name: &str| User::new(UserId(id), name.parse().unwrap());
        let names = |room: &Presence| {
            room.members(UserId(0))
                .list
                .iter()
                .map(|person| person.name.to_string())
                .collect::<Vec<_>>()
                .join(" ")
        };
        for (id, name) in [(3, "carol"), (1, "Bob"), (2, "ann"), (5, "bob"), (4, "Bob")] {
            room.came(called(id, name), start);
        }
        assert_eq!(names(&room), "ann Bob Bob bob carol");
        assert!(!room.rename(&called(2, "Dora")));
        assert!(!room.rename(&User { alike: true, ..called(1, "BOB") }));
        room.came(called(3, "Alice"), start);
        assert_eq!(names(&room), "Alice BOB Bob bob Dora");
        assert!(room.members(UserId(0)).list[1].alike);
        assert!(!room.rename(&called(9, "nobody here")));
        room.left(UserId(4), start);
        room.changes(start + GRACE);
        assert_eq!(names(&room), "Alice BOB bob Dora");
    }

    #[tokio::test(start_paused = true)]
    async fn who_came_and_went_unheard_is_not_told_of() {
        let (mut room, start) = (Presence::default(), Instant::now());
        room.came(person(1), start);
        room.left(UserId(1), start);
        assert!(room.changes(start).is_empty() && !room.has(UserId(1)));
        // Somebody who joined meanwhile has found them in the list.
        room.came(person(2), start);
        room.subscribe(UserId(2));
        room.left(UserId(2), start);
        assert_eq!(
            room.changes(start),
            Changes { gone: vec![UserId(2)], is_recount: true, ..Changes::default() }
        );
    }

    #[tokio::test(start_paused = true)]
    async fn users_who_were_here_for_less_than_five_seconds_get_no_grace() {
        let (mut room, start) = (Presence::default(), Instant::now());
        room.came(person(1), start);
        room.came(person(2), start);
        room.changes(start);
        let soon = start + SETTLED - Duration::from_millis(1);
        room.left(UserId(1), soon);
        assert_eq!(room.changes(soon).gone, [UserId(1)]);
        room.left(UserId(2), start + SETTLED);
        assert_eq!(room.changes(start + SETTLED).gone, []);
    }

    /// A subscriber as a client is: what it lists, and how many it counts.
    struct Subscriber {
        list: HashSet<UserId>,
        count: u32,
    }

    #[tokio::test(start_paused = true)]
    async fn subscribers_list_the_first_200_and_count_all_after_every_broadcast() {
        let mut random = fastrand::Rng::with_seed(13);
        let (mut room, mut now) = (Presence::default(), Instant::now());
        let mut subscribers: HashMap<UserId, Subscriber> = HashMap::new();
        let called = |id, name: u32| User::new(UserId(id), format!("N{name:04}").parse().unwrap());
        let mut largest = 0;
        for round in 0..60 {
            for _ in 0..random.usize(1..40) {
                let (id, name) = (random.u64(1..400), random.u32(..10_000));
                if let Entry::Vacant(absent) = subscribers.entry(UserId(id)) {
                    room.came(called(id, name), now);
                    let members = room.subscribe(UserId(id));
                    let list: HashSet<UserId> = members.list.iter().map(|member| member.id).collect();
                    assert!(list.len() <= MAX_LISTED_MEMBERS && list.contains(&UserId(id)));
                    absent.insert(Subscriber { list, count: members.count });
                } else if round > 30 && random.bool() {
                    subscribers.remove(&UserId(id));
                    room.left(UserId(id), now);
                } else {
                    let _ = room.rename(&called(id, name));
                }
            }
            now += Duration::from_secs(random.u64(0..20));
            let changes = room.changes(now);
            assert!(changes.here.len() <= MAX_LISTED_MEMBERS && changes.gone.len() <= MAX_GONE);
            let first: HashSet<UserId> = room.first().map(|first| first.id).collect();
            for (id, subscriber) in &mut subscribers {
                if !changes.is_empty() && changes.only != Some(*id) {
                    subscriber.list.retain(|listed| listed == id || !changes.gone.contains(listed));
                    subscriber.list.extend(changes.here.iter().map(|here| here.id));
                    subscriber.count = room.count();
                }
                let expected = first.iter().copied().chain([*id]).collect();
                assert_eq!(subscriber.list, expected, "in round {round}");
                assert_eq!(subscriber.count, room.count(), "in round {round}");
            }
            largest = largest.max(room.count());
        }
        assert!(largest as usize > MAX_LISTED_MEMBERS + 50, "{largest} users at most");
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_behind_the_first_200_changes_the_count_alone() {
        let (mut room, start) = (Presence::default(), Instant::now());
        let called = |id| User::new(UserId(id), format!("N{id:04}").parse().unwrap());
        (1..=260).for_each(|id| drop((room.came(called(id), start), room.subscribe(UserId(id)))));
        assert_eq!((room.changes(start).here.len(), room.count()), (MAX_LISTED_MEMBERS, 260));
        room.left(UserId(250), start);
        let changes = room.changes(start);
        assert_eq!(changes, Changes { is_recount: true, ..Changes::default() });
        assert_eq!(room.count(), 259);
        room.left(UserId(1), start);
        let changes = room.changes(start);
        assert_eq!((changes.here, changes.gone), (vec![called(201)], vec![UserId(1)]));
        assert!(room.rename(&called(2)) && room.may_change(), "the order may be another one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_that_leaves_the_list_at_once_is_removed_in_several_frames() {
        let (mut room, start) = (Presence::default(), Instant::now());
        for id in (1..=2_500).rev() {
            room.came(User::new(UserId(id), format!("N{id:04}").parse().unwrap()), start);
            room.subscribe(UserId(id));
        }
        let gone = std::iter::from_fn(|| room.may_change().then(|| room.changes(start).gone.len()));
        assert_eq!(gone.collect::<Vec<_>>(), [1_000, 1_000, 300]);
    }
}
