//! Mentions: which users a text means by `@` and a name.

use super::{
    User, UserId,
    json::{FromJson, Json, ObjectWriter, ToJson, record},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A user whom a message addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// The name after `@` in the text; empty for the author of the message that this one replies to.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub name: Arc<str>,
    /// The user under their present name.
    pub user: User,
}

/// The users whom a message addresses, [`MAX_MENTIONS`](super::limits::MAX_MENTIONS) and the author of the message that it
/// replies to at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mentions(Arc<[Mention]>);

/// A hint of a client about a name in the text that it sends: the user whom the author has chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MentionHint {
    /// The name after `@` in the text.
    pub name: String,
    /// The id of the user.
    pub id: UserId,
}

impl Mentions {
    /// Returns `true` if the message addresses no user.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the mentions.
    pub fn iter(&self) -> std::slice::Iter<'_, Mention> {
        self.0.iter()
    }

    /// Returns `true` if the message addresses `user`.
    pub fn is_to(&self, user: UserId) -> bool {
        self.iter().any(|mention| mention.user.id == user)
    }

    /// Returns the ids of the users, each once.
    pub fn user_ids(&self) -> Vec<UserId> {
        let mut ids: Vec<UserId> = self.iter().map(|mention| mention.user.id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Shows `user` under their new name. Returns `true` if they are mentioned.
    pub fn update_user(&mut self, user: &User) -> bool {
        let is_mentioned = self.is_to(user.id);
        if is_mentioned {
            self.0 = self
                .iter()
                .map(|mention| {
                    let user = if mention.user.id == user.id { user } else { &mention.user };
                    Mention { name: mention.name.clone(), user: user.clone() }
                })
                .collect();
        }
        is_mentioned
    }

    /// Returns the names and whom they mean, for a message that is sent again.
    pub fn hints(&self) -> Vec<MentionHint> {
        let named = self.iter().filter(|mention| !mention.name.is_empty());
        named.map(|Mention { name, user }| MentionHint { name: name.to_string(), id: user.id }).collect()
    }

    /// Returns the mentions of a message that the server does not have yet, under the names that its author has chosen.
    pub fn from_hints(hints: &[MentionHint]) -> Self {
        let mention = |MentionHint { name, id }: &MentionHint| {
            Some(Mention { user: User::new(*id, name.parse().ok()?), name: name.as_str().into() })
        };
        hints.iter().filter_map(mention).collect()
    }
}

impl FromIterator<Mention> for Mentions {
    fn from_iter<T: IntoIterator<Item = Mention>>(mentions: T) -> Self {
        Self(mentions.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Mentions {
    type Item = &'a Mention;
    type IntoIter = std::slice::Iter<'a, Mention>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Digits of a user's id.
const ID_DIGITS: usize = 16;

impl MentionHint {
    /// Reads the lines that a script of the page leaves at the message box: an id and a name each. Other lines are ignored.
    pub fn from_lines(lines: &str) -> Vec<Self> {
        let hint = |line: &str| {
            let (id, name) = line.split_at_checked(ID_DIGITS)?;
            Some(Self { name: name.into(), id: id.parse().ok()? })
        };
        lines.lines().filter_map(hint).collect()
    }
}

record!(Mention { name: default, user });
record!(MentionHint { name, id });

impl FromJson for Mentions {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        Vec::<Mention>::from_json(json).map(Self::from_iter)
    }
}

impl ToJson for [MentionHint] {
    fn write_json(&self, json: &mut String) {
        json.push('[');
        for (at, MentionHint { name, id }) in self.iter().enumerate() {
            if at > 0 {
                json.push(',');
            }
            let hint = ObjectWriter::new("name", &**name).field("id", &*id.to_string());
            json.push_str(&hint.end());
        }
        json.push(']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: u64, name: &str) -> User {
        User::new(UserId(id), name.parse().unwrap())
    }

    #[test]
    fn rename_reaches_every_mention_of_the_user() {
        let mention = |id: u64, name: &str| Mention { name: name.into(), user: user(id, "Ann") };
        let mut mentions = Mentions::from_iter([mention(1, "Ann"), mention(2, "Ann B"), mention(1, "")]);
        assert!(!mentions.update_user(&user(3, "Carol")));
        assert!(mentions.update_user(&user(1, "Anna")));
        let names: Vec<_> = mentions.iter().map(|mention| mention.user.name.as_str()).collect();
        assert_eq!(names, ["Anna", "Ann", "Anna"]);
        assert_eq!(mentions.user_ids(), [UserId(1), UserId(2)]);
        assert!(mentions.is_to(UserId(2)) && !mentions.is_to(UserId(3)));
    }

    #[test]
    fn hints_of_the_page_are_an_id_and_a_name_each() {
        let lines = "000000000000000aAnn Lee\nbad\n000000000000000b小明\n字字字字字字字字字字字";
        let hints = MentionHint::from_lines(lines);
        let hint = |id, name: &str| MentionHint { name: name.into(), id: UserId(id) };
        assert_eq!(hints, [hint(0xa, "Ann Lee"), hint(0xb, "小明")]);
        assert!(Mentions::from_hints(&hints).is_to(UserId(0xb)));
    }
}
