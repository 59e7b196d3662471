//! The list of the users present.

use crate::wire::{User, UserId};
use std::cmp::Ordering;

/// Returns `users` in the order of a list: by name, then by id, so that nothing moves without a reason.
pub fn sorted(users: Vec<User>) -> Vec<User> {
    let mut sorted = Vec::with_capacity(users.len());
    users.into_iter().for_each(|user| insert(&mut sorted, user));
    sorted
}

/// Inserts a user once. The server sends users in this very order, so that nearly all of them go to the end.
fn insert(users: &mut Vec<User>, user: User) {
    let at = users.partition_point(|other| other.cmp_for_list(&user) == Ordering::Less);
    if users.get(at).is_none_or(|other| other.id != user.id) {
        users.insert(at, user);
    }
}

/// Returns the sorted `users`, with a guest's tag for each guest beside another user of the same name.
///
/// The server compares guests, who have posted nothing and chosen no name, with users and not with each other.
pub fn mark_duplicates(users: &[User]) -> Vec<User> {
    let has_same_name = |at: Option<usize>, user: &User| {
        let other = at.and_then(|at| users.get(at));
        other.is_some_and(|other| other.name.as_str().eq_ignore_ascii_case(user.name.as_str()))
    };
    let tagged = users.iter().enumerate().map(|(at, user)| {
        let mut user = user.clone();
        if !user.ambiguous && (has_same_name(at.checked_sub(1), &user) || has_same_name(Some(at + 1), &user))
        {
            user.ambiguous = true;
            user.tag = Some(user.id.guest_tag().into());
        }
        user
    });
    tagged.collect()
}

/// Returns the sorted `users` with the users `here` and without those in `gone`. `you` stays: behind the first 200 the
/// user is on no list but their own.
pub fn apply_presence(mut users: Vec<User>, here: Vec<User>, gone: &[UserId], you: UserId) -> Vec<User> {
    let is_gone = |id: UserId| id != you && gone.contains(&id);
    users.retain(|user| !is_gone(user.id) && here.iter().all(|new| new.id != user.id));
    here.into_iter().for_each(|user| insert(&mut users, user));
    users
}

/// Returns how many users are present: as many as the server counts, and at least those that are listed.
pub(crate) fn present_count(listed: usize, counted: u32) -> usize {
    listed.max(counted as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::DisplayName;

    fn user(id: u64, name: &str) -> User {
        User::new(UserId(id), name.parse::<DisplayName>().unwrap())
    }

    #[test]
    fn users_are_listed_by_name_and_once() {
        let users =
            apply_presence(vec![user(1, "Zoe")], vec![user(2, "ann"), user(3, "Bob")], &[], UserId(1));
        let users = apply_presence(users, vec![user(2, "Yan")], &[UserId(3)], UserId(1));
        assert_eq!(users, [user(2, "Yan"), user(1, "Zoe")]);
    }

    #[test]
    fn a_user_behind_the_first_200_stays_on_their_own_list() {
        let you = user(1, "Zoe");
        let users = apply_presence(vec![you.clone()], vec![user(2, "ann")], &[you.id], you.id);
        assert_eq!(users, [user(2, "ann"), you.clone()]);
        assert_eq!(apply_presence(users, vec![], &[you.id, UserId(2)], UserId(2)), [user(2, "ann")]);
    }

    #[test]
    fn the_count_includes_users_that_are_not_listed() {
        assert_eq!(present_count(200, 260), 260);
        assert_eq!(present_count(2, 0), 2, "a server that does not count them");
    }

    #[test]
    fn guests_of_the_same_name_have_tags_if_they_are_neighbors() {
        let first = User { ambiguous: true, ..user(4, "Zoe") };
        let users = sorted(vec![user(1 << 32, "Calm Owl"), first, user(3 << 32, "calm owl")]);
        let users = mark_duplicates(&users);
        let tags: Vec<_> = users.iter().map(|user| (user.ambiguous, user.tag.as_deref())).collect();
        assert_eq!(tags, [(true, Some("#x0001")), (true, Some("#x0003")), (true, None)]);
    }
}
