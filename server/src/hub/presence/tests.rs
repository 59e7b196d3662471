//! Tests of presence: plain data, with the time passed in.

use super::*;
use app::wire::DisplayName;
use std::collections::hash_map::Entry;

fn user(id: u64) -> User {
    User::new(UserId(id), DisplayName::generated(UserId(id)))
}

#[tokio::test(start_paused = true)]
async fn several_connections_are_one_user_who_leaves_with_the_last() {
    let (mut room, start) = (Presence::default(), Instant::now());
    assert!(room.connected(user(1), start) && !room.connected(user(1), start));
    assert_eq!(room.take_diff(start).joins, [user(1)]);
    let end = start + MIN_STAY;
    assert!(!room.disconnected(UserId(1), end) && room.disconnected(UserId(1), end));
    assert!(room.take_diff(end).is_empty() && room.has_pending());
    assert!(room.contains(UserId(1)));
    assert_eq!(
        room.take_diff(end + DISCONNECT_GRACE),
        PresenceDiff { leaves: vec![UserId(1)], count_changed: true, ..PresenceDiff::default() }
    );
    assert!(!room.contains(UserId(1)) && !room.has_pending());
}

#[tokio::test(start_paused = true)]
async fn reconnecting_within_the_grace_period_is_never_a_leave() {
    let (mut room, start) = (Presence::default(), Instant::now());
    room.connected(user(1), start);
    room.take_diff(start);
    room.disconnected(UserId(1), start + MIN_STAY);
    assert!(!room.connected(user(1), start + MIN_STAY));
    assert!(room.take_diff(start + 2 * DISCONNECT_GRACE).is_empty());
}

#[tokio::test(start_paused = true)]
async fn members_stay_sorted_by_name() {
    let (mut room, start) = (Presence::default(), Instant::now());
    let user_named = |id, name: &str| User::new(UserId(id), name.parse().unwrap());
    let names = |room: &Presence| {
        room.members(UserId(0)).list.iter().map(|user| user.name.to_string()).collect::<Vec<_>>().join(" ")
    };
    for (id, name) in [(3, "carol"), (1, "Bob"), (2, "ann"), (5, "bob"), (4, "Bob")] {
        room.connected(user_named(id, name), start);
    }
    assert_eq!(names(&room), "ann Bob Bob bob carol");
    assert!(!room.update_user(&user_named(2, "Dora")));
    assert!(!room.update_user(&User { ambiguous: true, ..user_named(1, "BOB") }));
    room.connected(user_named(3, "Alice"), start);
    assert_eq!(names(&room), "Alice BOB Bob bob Dora");
    assert!(room.members(UserId(0)).list[1].ambiguous);
    assert!(!room.update_user(&user_named(9, "Absent")));
    room.disconnected(UserId(4), start);
    room.take_diff(start + DISCONNECT_GRACE);
    assert_eq!(names(&room), "Alice BOB bob Dora");
}

#[tokio::test(start_paused = true)]
async fn a_join_and_leave_between_two_diffs_is_not_broadcast() {
    let (mut room, start) = (Presence::default(), Instant::now());
    room.connected(user(1), start);
    room.disconnected(UserId(1), start);
    assert!(room.take_diff(start).is_empty() && !room.contains(UserId(1)));
    // The subscriber that joined meanwhile lists this user.
    room.connected(user(2), start);
    room.subscribe(UserId(2));
    room.disconnected(UserId(2), start);
    assert_eq!(
        room.take_diff(start),
        PresenceDiff { leaves: vec![UserId(2)], count_changed: true, ..PresenceDiff::default() }
    );
}

#[tokio::test(start_paused = true)]
async fn users_who_stayed_less_than_five_seconds_get_no_grace_period() {
    let (mut room, start) = (Presence::default(), Instant::now());
    room.connected(user(1), start);
    room.connected(user(2), start);
    room.take_diff(start);
    let soon = start + MIN_STAY - Duration::from_millis(1);
    room.disconnected(UserId(1), soon);
    assert_eq!(room.take_diff(soon).leaves, [UserId(1)]);
    room.disconnected(UserId(2), start + MIN_STAY);
    assert_eq!(room.take_diff(start + MIN_STAY).leaves, []);
}

/// A client's view: the users that it lists and the count that it shows.
struct Client {
    list: HashSet<UserId>,
    count: u32,
}

#[tokio::test(start_paused = true)]
async fn subscribers_list_the_first_200_and_count_all_after_each_diff() {
    let mut random = fastrand::Rng::with_seed(13);
    let (mut room, mut now) = (Presence::default(), Instant::now());
    let mut subscribers: HashMap<UserId, Client> = HashMap::new();
    let user_named = |id, name: u32| User::new(UserId(id), format!("N{name:04}").parse().unwrap());
    let mut largest = 0;
    for round in 0..60 {
        for _ in 0..random.usize(1..40) {
            let (id, name) = (random.u64(1..400), random.u32(..10_000));
            if let Entry::Vacant(absent) = subscribers.entry(UserId(id)) {
                room.connected(user_named(id, name), now);
                let members = room.subscribe(UserId(id));
                let list: HashSet<UserId> = members.list.iter().map(|member| member.id).collect();
                assert!(list.len() <= MAX_LISTED_MEMBERS && list.contains(&UserId(id)));
                absent.insert(Client { list, count: members.count });
            } else if round > 30 && random.bool() {
                subscribers.remove(&UserId(id));
                room.disconnected(UserId(id), now);
            } else {
                let _ = room.update_user(&user_named(id, name));
            }
        }
        now += Duration::from_secs(random.u64(0..20));
        let diff = room.take_diff(now);
        assert!(diff.joins.len() <= MAX_LISTED_MEMBERS && diff.leaves.len() <= MAX_LEAVES);
        let first: HashSet<UserId> = room.first().map(|first| first.id).collect();
        for (id, subscriber) in &mut subscribers {
            if !diff.is_empty() && diff.sole_user != Some(*id) {
                subscriber.list.retain(|listed| listed == id || !diff.leaves.contains(listed));
                subscriber.list.extend(diff.joins.iter().map(|joined| joined.id));
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
async fn a_user_behind_the_first_200_only_changes_the_count() {
    let (mut room, start) = (Presence::default(), Instant::now());
    let user_named = |id| User::new(UserId(id), format!("N{id:04}").parse().unwrap());
    (1..=260).for_each(|id| drop((room.connected(user_named(id), start), room.subscribe(UserId(id)))));
    assert_eq!((room.take_diff(start).joins.len(), room.count()), (MAX_LISTED_MEMBERS, 260));
    room.disconnected(UserId(250), start);
    let diff = room.take_diff(start);
    assert_eq!(diff, PresenceDiff { count_changed: true, ..PresenceDiff::default() });
    assert_eq!(room.count(), 259);
    room.disconnected(UserId(1), start);
    let diff = room.take_diff(start);
    assert_eq!((diff.joins, diff.leaves), (vec![user_named(201)], vec![UserId(1)]));
    assert!(room.update_user(&user_named(2)) && room.has_pending(), "the order may have changed");
}

#[tokio::test(start_paused = true)]
async fn a_large_drop_from_the_list_is_spread_over_several_diffs() {
    let (mut room, start) = (Presence::default(), Instant::now());
    for id in (1..=2_500).rev() {
        room.connected(User::new(UserId(id), format!("N{id:04}").parse().unwrap()), start);
        room.subscribe(UserId(id));
    }
    let leaves = std::iter::from_fn(|| room.has_pending().then(|| room.take_diff(start).leaves.len()));
    assert_eq!(leaves.collect::<Vec<_>>(), [1_000, 1_000, 300]);
}

fn elsewhere(ids: &[u64]) -> PresentElsewhere {
    PresentElsewhere { users: ids.iter().map(|id| user(*id)).collect(), uncounted: 0 }
}

#[tokio::test(start_paused = true)]
async fn a_user_of_two_processes_leaves_with_the_last_of_them() {
    let (mut room, start) = (Presence::default(), Instant::now());
    room.connected(user(1), start);
    room.take_diff(start);
    assert!(room.set_elsewhere(elsewhere(&[1, 2])));
    let diff = room.take_diff(start);
    assert_eq!((diff.joins, diff.sole_user, room.count()), (vec![user(2)], None, 2));
    assert_eq!(room.local_users(), HashSet::from([UserId(1)]));
    assert!(!room.set_elsewhere(elsewhere(&[1, 2])), "nothing has changed");

    room.disconnected(UserId(1), start + MIN_STAY);
    let gone = start + MIN_STAY + DISCONNECT_GRACE;
    assert!(room.take_diff(gone).is_empty(), "user 1 is present elsewhere");
    assert!(room.local_users().is_empty() && !room.has_pending());
    assert!(room.set_elsewhere(elsewhere(&[2])));
    assert_eq!(room.take_diff(gone).leaves, [UserId(1)]);
}

#[tokio::test(start_paused = true)]
async fn users_elsewhere_beyond_the_bound_are_counted() {
    let (mut room, start) = (Presence::default(), Instant::now());
    room.connected(user(1), start);
    room.take_diff(start);
    assert!(room.set_elsewhere(PresentElsewhere { uncounted: 7, ..elsewhere(&[2]) }));
    assert_eq!(room.count(), 9);
    assert!(room.take_diff(start).count_changed);
    assert!(room.set_elsewhere(elsewhere(&[2])));
    assert_eq!(room.take_diff(start), PresenceDiff { count_changed: true, ..PresenceDiff::default() });
}
