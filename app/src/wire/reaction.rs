//! The reactions of users to a message: an emoji, and the users who gave it.

use super::{Seq, User, UserId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Different emoji on one message, at most. A further one is rejected with `not_allowed`.
pub const MAX_REACTIONS: usize = 20;

/// Users of a reaction who are listed, at most; its count includes all of them.
pub const MAX_LISTED_REACTORS: usize = 10;

/// Users of a reaction whom a browser lists, at most, as they come.
const MAX_LISTED_LIVE: usize = 100;

/// The UTF-8 bytes of an emoji, at most. The longest sequence of Unicode 17 has 28.
pub const MAX_EMOJI_BYTES: usize = 32;

/// The reactions to a message, as events make them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reactions {
    /// The emoji in the order in which they came.
    #[serde(default, rename = "reactions", skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<Reaction>,
    /// The `seq` of the last reaction event in `list`, if there was one. Earlier ones must not be applied again, since not
    /// all users are listed.
    #[serde(default, rename = "reactions_seq", skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
}

/// An emoji on a message, and who gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The emoji.
    pub emoji: Arc<str>,
    /// The number of users who gave it.
    pub count: u32,
    /// Some of them, at most [`MAX_LISTED_REACTORS`] when the server sends them. The user who asks is always listed.
    pub by: Vec<UserId>,
    /// Their names as they are shown, in the order of `by`.
    #[serde(default)]
    pub names: Vec<Arc<str>>,
}

impl Reaction {
    /// Returns whether `user` gave it.
    pub fn is_by(&self, user: UserId) -> bool {
        self.by.contains(&user)
    }

    /// Returns whether users gave it who are not listed.
    pub fn is_cut(&self) -> bool {
        self.count as usize > self.by.len()
    }

    /// Lists `user`, who is counted already.
    pub fn list(&mut self, user: &User) {
        if !self.is_by(user.id) && self.by.len() < MAX_LISTED_LIVE {
            self.by.push(user.id);
            self.names.push(user.disambiguated().into());
        }
    }

    fn unlist(&mut self, user: UserId) {
        if let Some(at) = self.by.iter().position(|by| *by == user) {
            self.by.remove(at);
            self.names.remove(at);
        }
    }
}

impl Reactions {
    /// Returns the reaction with `emoji`.
    pub fn get(&self, emoji: &str) -> Option<&Reaction> {
        self.list.iter().find(|reaction| &*reaction.emoji == emoji)
    }

    /// Returns whether `user` gave `emoji`, as far as it is known.
    pub fn has(&self, emoji: &str, user: UserId) -> bool {
        self.get(emoji).is_some_and(|reaction| reaction.is_by(user))
    }

    /// Applies the reaction event at `seq`, unless it is applied already.
    pub fn apply(&mut self, seq: Seq, emoji: &Arc<str>, user: &User, on: bool) {
        if Some(seq) > self.seq {
            self.seq = Some(seq);
            self.change(emoji, user, on);
        }
    }

    /// Adds or removes the reaction of a user, who has not or has given it.
    pub fn change(&mut self, emoji: &Arc<str>, user: &User, on: bool) {
        let at = self.list.iter().position(|reaction| reaction.emoji == *emoji);
        match (at, on) {
            (Some(at), true) => {
                self.list[at].count += 1;
                self.list[at].list(user);
            }
            (None, true) => {
                let mut reaction =
                    Reaction { emoji: emoji.clone(), count: 1, by: Vec::new(), names: Vec::new() };
                reaction.list(user);
                self.list.push(reaction);
            }
            (Some(at), false) if self.list[at].count > 1 => {
                self.list[at].count -= 1;
                self.list[at].unlist(user.id);
            }
            (Some(at), false) => drop(self.list.remove(at)),
            (None, false) => {}
        }
    }

    /// Changes the name of a user. Returns whether it stood anywhere.
    pub fn update_user(&mut self, user: &User) -> bool {
        let mut has_changed = false;
        for Reaction { by, names, .. } in &mut self.list {
            for (_, name) in by.iter().zip(names).filter(|(by, _)| **by == user.id) {
                *name = user.disambiguated().into();
                has_changed = true;
            }
        }
        has_changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::DisplayName;

    fn user(id: u64) -> User {
        User::new(UserId(id), DisplayName::generated(UserId(id)))
    }

    fn counts(reactions: &Reactions) -> Vec<(&str, u32, usize)> {
        reactions.list.iter().map(|it| (&*it.emoji, it.count, it.by.len())).collect()
    }

    #[test]
    fn events_apply_once_and_an_emoji_goes_with_its_last_user() {
        let (thumb, party): (Arc<str>, Arc<str>) = ("👍".into(), "🎉".into());
        let mut reactions = Reactions::default();
        for _ in 0..2 {
            reactions.apply(3, &thumb, &user(1), true);
            reactions.apply(4, &party, &user(1), true);
            reactions.apply(6, &thumb, &user(2), true);
        }
        assert_eq!(counts(&reactions), [("👍", 2, 2), ("🎉", 1, 1)]);
        assert!(reactions.has("👍", UserId(2)) && !reactions.has("🎉", UserId(2)));
        reactions.apply(7, &thumb, &user(1), false);
        reactions.apply(8, &party, &user(1), false);
        reactions.apply(9, &party, &user(1), false);
        assert_eq!(counts(&reactions), [("👍", 1, 1)]);
    }

    #[test]
    fn users_who_are_not_listed_are_counted() {
        let thumb: Arc<str> = "👍".into();
        let listed =
            Reaction { emoji: thumb.clone(), count: 30, by: vec![UserId(1)], names: vec!["Ann".into()] };
        let mut reactions = Reactions { list: vec![listed], seq: Some(50) };
        assert!(reactions.list[0].is_cut());
        reactions.apply(51, &thumb, &user(20), false);
        reactions.apply(52, &thumb, &user(21), true);
        reactions.apply(53, &thumb, &user(1), false);
        assert_eq!(counts(&reactions), [("👍", 29, 1)]);
    }

    #[test]
    fn a_new_name_of_a_user_is_shown_in_all_reactions() {
        let mut reactions = Reactions::default();
        reactions.apply(1, &"👍".into(), &user(1), true);
        let renamed =
            User { tag: Some("#2".into()), ambiguous: true, ..User::new(UserId(1), "Ann".parse().unwrap()) };
        assert!(reactions.update_user(&renamed) && !reactions.update_user(&user(2)));
        assert_eq!(*reactions.list[0].names[0], *"Ann #2");
    }
}
