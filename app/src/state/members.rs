//! Who is here, and who is writing.

#[cfg(any(feature = "hydrate", test))]
use crate::wire::UserId;
use crate::{
    state::Live,
    wire::{Millis, User},
};
use leptos::prelude::*;
use std::cmp::Ordering;

/// Milliseconds for which a sign of typing is good.
pub const TYPING_MS: Millis = 6_000;

/// Milliseconds between two signs of typing of this browser, at least.
#[cfg(feature = "hydrate")]
const TYPED_MS: Millis = 3_000;

/// Somebody who is writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typist {
    /// Who.
    pub person: User,
    /// When they are taken to have stopped, if nothing more is heard.
    pub until: Millis,
}

/// When this browser last gave a sign of typing, and whether one is to be sent.
#[cfg(feature = "hydrate")]
#[derive(Debug, Clone, Copy, Default)]
pub struct Typed {
    at: Millis,
    waits: bool,
    /// There is something that is not said yet.
    writing: bool,
}

/// People as a list shows them: by name, then by id, so that nobody moves without a reason.
pub fn in_order(people: Vec<User>) -> Vec<User> {
    let mut ordered = Vec::with_capacity(people.len());
    people.into_iter().for_each(|person| insert(&mut ordered, person));
    ordered
}

/// The server sends people in this very order, so that nearly all of them go to the end.
fn insert(people: &mut Vec<User>, person: User) {
    let at = people.partition_point(|other| other.cmp_for_list(&person) == Ordering::Less);
    if people.get(at).is_none_or(|other| other.id != person.id) {
        people.insert(at, person);
    }
}

/// Returns `people`, who are in order, with a guest's tag for each guest who stands beside another user of the same
/// name: the server compares guests, who have said nothing and chosen no name, with users and not with each other.
pub fn told_apart(people: &[User]) -> Vec<User> {
    let same = |at: Option<usize>, person: &User| {
        let other = at.and_then(|at| people.get(at));
        other.is_some_and(|other| other.name.as_str().eq_ignore_ascii_case(person.name.as_str()))
    };
    let tagged = people.iter().enumerate().map(|(at, person)| {
        let mut person = person.clone();
        if !person.ambiguous && (same(at.checked_sub(1), &person) || same(Some(at + 1), &person)) {
            person.ambiguous = true;
            person.tag = Some(person.id.guest_tag().into());
        }
        person
    });
    tagged.collect()
}

/// Returns `people` after some have been listed and others removed from the list. `you` stay: behind the first 200
/// you are on no list but your own.
#[cfg(any(feature = "hydrate", test))]
pub fn after(mut people: Vec<User>, here: Vec<User>, gone: &[UserId], you: UserId) -> Vec<User> {
    let is_gone = |id: UserId| id != you && gone.contains(&id);
    people.retain(|person| !is_gone(person.id) && here.iter().all(|new| new.id != person.id));
    here.into_iter().for_each(|person| insert(&mut people, person));
    people
}

/// Returns how many users are present: as many as the server counts, and at least those who are listed.
fn present(listed: usize, counted: u32) -> usize {
    listed.max(counted as usize)
}

impl Live {
    /// Returns how many users are present.
    pub fn present(&self) -> usize {
        present(self.people.with(Vec::len), self.people_count.get())
    }
}

/// What comes from the socket, and goes there.
#[cfg(feature = "hydrate")]
impl Live {
    /// Somebody is called something else.
    pub(crate) fn people_renamed(&self, person: &User) {
        if self.people.with_untracked(|people| people.iter().any(|known| known.id == person.id)) {
            self.people.update(|people| {
                let others = std::mem::take(people);
                *people = after(others, vec![person.clone()], &[], person.id);
            });
        }
    }

    /// Applies a change of the list of the users present, of whom there are `count` now.
    pub(crate) fn presence(&self, here: Vec<User>, gone: &[UserId], count: u32) {
        if !here.is_empty() || !gone.is_empty() {
            let you = self.you.with_untracked(|you| you.id);
            self.people.update(|people| *people = after(std::mem::take(people), here, gone, you));
        }
        self.people_count.set(count);
        self.typing.update(|typing| typing.retain(|typist| !gone.contains(&typist.person.id)));
    }

    /// Somebody is writing.
    pub(crate) fn types(&self, person: User) {
        let until = crate::clock::steady() + TYPING_MS;
        self.typing.update(|typing| {
            typing.retain(|typist| typist.person.id != person.id);
            typing.push(Typist { person, until });
        });
        let live = *self;
        set_timeout(move || live.stop_typing(), std::time::Duration::from_millis(TYPING_MS + 50));
    }

    /// Whose sign is no longer good has stopped; who has said something, too.
    fn stop_typing(&self) {
        let now = crate::clock::steady();
        self.typing.update(|typing| typing.retain(|typist| typist.until > now));
    }

    /// They have said what they were writing.
    pub(crate) fn has_said(&self, person: UserId) {
        if self.typing.with_untracked(|typing| typing.iter().any(|typist| typist.person.id == person)) {
            self.typing.update(|typing| typing.retain(|typist| typist.person.id != person));
        }
    }

    /// Whoever sits here is writing: the others are told, now and then.
    pub fn write(&self) {
        let (now, typed) = (crate::clock::steady(), self.typed.get_value());
        self.typed.update_value(|typed| typed.writing = true);
        if now >= typed.at + TYPED_MS {
            self.tell_typing();
        } else if !typed.writing {
            // Too soon after the last sign: it is given when that may be, if they are still writing.
            let (live, rest) = (*self, std::time::Duration::from_millis(typed.at + TYPED_MS - now));
            set_timeout(move || live.tell_typing(), rest);
        }
    }

    /// What was written is said, or given up.
    pub fn write_no_more(&self) {
        self.typed.update_value(|typed| typed.writing = false);
    }

    fn tell_typing(&self) {
        if self.typed.get_value().writing {
            self.typed.set_value(Typed { at: crate::clock::steady(), waits: true, writing: true });
            self.work.update(|work| *work += 1);
        }
    }

    /// Whether a sign of typing is to be sent. It is not kept: by tomorrow nobody is typing.
    pub(crate) fn take_typed(&self) -> bool {
        let take = |typed: &mut Typed| std::mem::take(&mut typed.waits) && typed.writing;
        self.typed.try_update_value(take).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::DisplayName;

    fn person(id: u64, name: &str) -> User {
        User::new(UserId(id), name.parse::<DisplayName>().unwrap())
    }

    #[test]
    fn people_stand_by_name_and_each_of_them_once() {
        let people = after(vec![person(1, "Zoe")], vec![person(2, "ann"), person(3, "Bob")], &[], UserId(1));
        let people = after(people, vec![person(2, "Yan")], &[UserId(3)], UserId(1));
        assert_eq!(people, [person(2, "Yan"), person(1, "Zoe")]);
    }

    #[test]
    fn a_user_behind_the_first_200_stays_on_their_own_list() {
        let you = person(1, "Zoe");
        let people = after(vec![you.clone()], vec![person(2, "ann")], &[you.id], you.id);
        assert_eq!(people, [person(2, "ann"), you.clone()]);
        assert_eq!(after(people, vec![], &[you.id, UserId(2)], UserId(2)), [person(2, "ann")]);
    }

    #[test]
    fn the_count_has_users_whom_the_list_does_not_name() {
        assert_eq!(present(200, 260), 260);
        assert_eq!(present(2, 0), 2, "a server that does not count them");
    }

    #[test]
    fn two_of_the_same_name_are_told_apart_where_they_stand_together() {
        let first = User { ambiguous: true, ..person(4, "Zoe") };
        let people = in_order(vec![person(1 << 32, "Calm Owl"), first, person(3 << 32, "calm owl")]);
        let people = told_apart(&people);
        let tags: Vec<_> = people.iter().map(|person| (person.ambiguous, person.tag.as_deref())).collect();
        assert_eq!(tags, [(true, Some("#x0001")), (true, Some("#x0003")), (true, None)]);
    }
}
