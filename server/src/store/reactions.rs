//! Reactions as both kinds of database store them, and what a reader gets.

use super::{MessagePage, Store, StoreError, StoreResult, columns::user_id};
use app::wire::{
    MAX_LISTED_REACTORS, MAX_REACTIONS, Message, PageBudget, Reaction, Reactions, RoomName, Seq, User, UserId,
};
use std::{collections::HashMap, sync::Arc};

/// Users whose names one read returns.
const MAX_USERS_PER_READ: usize = 1_000;

/// The stored reactions of a message: for each emoji, in the order in which they came, the number of users and the ids of
/// the first ones.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Summary(Vec<(Arc<str>, u32, Vec<i64>)>);

impl Summary {
    /// Parses the stored form. One that is damaged counts as empty.
    pub(super) fn parse(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// Returns the stored form.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns what readers get, without names. `last` is the `seq` of the last event.
    pub(super) fn into_reactions(self, last: Seq) -> Reactions {
        let reaction = |(emoji, count, by): (Arc<str>, u32, Vec<i64>)| Reaction {
            emoji,
            count,
            by: by.into_iter().map(user_id).collect(),
            names: Vec::new(),
        };
        Reactions { list: self.0.into_iter().map(reaction).collect(), seq: Some(last) }
    }

    /// Adds the emoji of `user`, who has not given it.
    ///
    /// # Errors
    /// [`StoreError::TooManyReactions`] if it is new and the message has [`MAX_REACTIONS`] others.
    pub(super) fn add(&mut self, emoji: &Arc<str>, user: UserId) -> StoreResult<()> {
        let at = self.0.iter().position(|(known, ..)| known == emoji);
        if at.is_none() {
            if self.0.len() >= MAX_REACTIONS {
                return Err(StoreError::TooManyReactions);
            }
            self.0.push((emoji.clone(), 0, Vec::new()));
        }
        let at = at.unwrap_or(self.0.len() - 1);
        let (_, count, by) = &mut self.0[at];
        *count += 1;
        if by.len() < MAX_LISTED_REACTORS {
            by.push(user.0.cast_signed());
        }
        Ok(())
    }

    /// Removes the emoji of `user`, who has given it.
    pub(super) fn remove(&mut self, emoji: &str, user: UserId) {
        if let Some((_, count, by)) = self.0.iter_mut().find(|(known, ..)| **known == *emoji) {
            *count = count.saturating_sub(1);
            by.retain(|by| *by != user.0.cast_signed());
        }
        self.0.retain(|(_, count, _)| *count > 0);
    }
}

/// Returns the emoji as it is stored: fully qualified, as Unicode lists it (<https://unicode.org/Public/emoji/>). Returns
/// `None` if the text is not one of these emoji.
pub fn known_emoji(text: &str) -> Option<&'static str> {
    emojis::get(text).map(emojis::Emoji::as_str)
}

/// Completes the reactions of a page for a reader: `user` is listed wherever they have given the emoji, and the listed users
/// have names. Reads nothing if there are no reactions. If the names make the page too long, the messages around `anchor` or
/// the newest ones stay.
///
/// # Errors
/// [`StoreError::Backend`].
pub async fn complete_reactions(
    store: &(impl Store + ?Sized),
    room: &RoomName,
    user: UserId,
    page: &mut MessagePage,
    anchor: Option<Seq>,
) -> StoreResult<()> {
    if page.messages.iter().all(|message| message.reactions.list.is_empty()) {
        return Ok(());
    }
    list_user(store, room, user, &mut page.messages).await?;
    let mut ids: Vec<UserId> =
        reactions(&mut page.messages).flat_map(|(_, reaction)| reaction.by.iter().copied()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut names: HashMap<UserId, Arc<str>> = HashMap::new();
    for ids in ids.chunks(MAX_USERS_PER_READ) {
        let named = |user: User| (user.id, user.disambiguated().into());
        names.extend(store.users(ids).await?.into_iter().map(named));
    }
    for (_, reaction) in reactions(&mut page.messages) {
        reaction.by.retain(|id| names.contains_key(id));
        reaction.names = reaction.by.iter().map(|id| names[id].clone()).collect();
    }
    page.keep(PageBudget::default(), anchor, Message::json_bytes);
    Ok(())
}

/// Lists `user` where more users have given an emoji than are listed.
async fn list_user(
    store: &(impl Store + ?Sized),
    room: &RoomName,
    user: UserId,
    messages: &mut [Message],
) -> StoreResult<()> {
    let is_unknown = |reaction: &Reaction| reaction.is_cut() && !reaction.is_by(user);
    let unknown: Vec<(Seq, Arc<str>)> = reactions(messages)
        .filter(|(_, reaction)| is_unknown(reaction))
        .map(|(seq, reaction)| (seq, reaction.emoji.clone()))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let given = store.has_reacted(room, user, &unknown).await?;
    let unknown = reactions(messages).filter(|(_, reaction)| is_unknown(reaction));
    for ((_, reaction), is_given) in unknown.zip(given) {
        if is_given {
            reaction.by.push(user);
        }
    }
    Ok(())
}

fn reactions(messages: &mut [Message]) -> impl Iterator<Item = (Seq, &mut Reaction)> {
    messages.iter_mut().flat_map(|message| {
        let seq = message.seq;
        message.reactions.list.iter_mut().map(move |reaction| (seq, reaction))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_counts_all_users_and_lists_the_first_ones() {
        let thumb: Arc<str> = "👍".into();
        let mut summary = Summary::default();
        for user in 0..30 {
            summary.add(&thumb, UserId(user)).unwrap();
        }
        summary.remove("👍", UserId(0));
        summary.remove("👍", UserId(29));
        let stored = Summary::parse(&summary.to_json()).into_reactions(32);
        assert_eq!(
            (stored.list[0].count, stored.list[0].by.len(), stored.seq),
            (28, MAX_LISTED_REACTORS - 1, Some(32))
        );
        assert_eq!(Summary::parse("damaged").into_reactions(1).list, []);
    }

    #[test]
    fn message_has_at_most_20_emoji_and_loses_those_without_a_user() {
        let mut summary = Summary::default();
        for n in 0..MAX_REACTIONS {
            summary.add(&n.to_string().into(), UserId(1)).unwrap();
        }
        assert!(matches!(summary.add(&"new".into(), UserId(1)), Err(StoreError::TooManyReactions)));
        summary.add(&"0".into(), UserId(2)).unwrap();
        summary.remove("1", UserId(1));
        summary.add(&"new".into(), UserId(1)).unwrap();
    }
}
