//! Finds whom the text of a message addresses, before it is stored.
//!
//! A name after `@` means the user whom the author has chosen, or else the only user of the room with such a name: of those
//! who are present or have been there. A reply
//! addresses the author of the message that it replies to, and an edit those whom the message has addressed, as long as their
//! names stand in the text.

mod choose;

use crate::{
    state::AppState,
    store::{MAX_NAMES_PER_READ, MessagePage, NewEvent, Store, StoreResult},
};
use app::{
    markup::{MentionPlace, mention_places},
    wire::{Mention, MentionHint, Message, Operation, RoomName, Seq, UserId, limits::MAX_MENTIONS},
};
use choose::{ChosenUsers, FoundUsers, choose_all, names_to_find, spellings};
use std::collections::BTreeSet;

/// Sets whom the text of `event` addresses. `hints` are the users whom its author has chosen; the first [`MAX_MENTIONS`] count,
/// those whose name stands in the text and who are known. Reads from the store only if the text has an `@` or replies.
///
/// # Errors
/// [`crate::store::StoreError::Backend`].
pub async fn resolve(state: &AppState, event: NewEvent, hints: Vec<MentionHint>) -> StoreResult<NewEvent> {
    let (text, target, is_edit) = match &event.operation {
        Operation::Post { text, reply_to } => (text, *reply_to, false),
        Operation::Edit { text, target } => (text, Some(*target), true),
        Operation::Delete { .. } | Operation::React { .. } => return Ok(event),
    };
    let places = mention_places(text);
    if places.is_empty() && target.is_none() {
        return Ok(event);
    }
    // Boxed, because most messages never need the room for it.
    Box::pin(set_mentions(state, event, hints, (places, target, is_edit))).await
}

async fn set_mentions(
    state: &AppState,
    mut event: NewEvent,
    hints: Vec<MentionHint>,
    (places, target, is_edit): (Vec<MentionPlace>, Option<Seq>, bool),
) -> StoreResult<NewEvent> {
    let store = &*state.store;
    event.names = store.names_generation();
    let hints = hints.into_iter().take(MAX_MENTIONS).map(|hint| (hint.name, hint.id));
    let mut chosen: ChosenUsers = known(store, &event.room, hints.collect()).await?;
    let mut mentions = Vec::new();
    if let Some(message) = find_message(store, &event.room, target).await? {
        if is_edit {
            chosen.extend(message.mentions.hints().into_iter().map(|hint| (hint.name, hint.id)));
            mentions.extend(message.mentions.iter().filter(|mention| mention.name.is_empty()).cloned());
        } else if message.author.id != event.author {
            mentions.push(Mention { name: "".into(), user: message.author });
        }
    }
    let found = find_names(state, &event, &places, &chosen).await?;
    mentions.extend(choose_all(&places, &chosen, &found));
    event.mentions = mentions.into_iter().collect();
    Ok(event)
}

/// Returns those of the chosen users that exist.
async fn known(store: &dyn Store, room: &RoomName, chosen: ChosenUsers) -> StoreResult<ChosenUsers> {
    if chosen.is_empty() {
        return Ok(chosen);
    }
    let ids: Vec<UserId> = chosen.iter().map(|(_, id)| *id).collect();
    let known = store.known_users(room, &ids).await?;
    Ok(chosen.into_iter().filter(|(_, id)| known.contains(id)).collect())
}

async fn find_message(store: &dyn Store, room: &RoomName, seq: Option<Seq>) -> StoreResult<Option<Message>> {
    let Some(seq) = seq else { return Ok(None) };
    let MessagePage { messages, .. } = store.messages_before(room, seq.saturating_add(1), 1).await?;
    Ok(messages.into_iter().find(|message| message.seq == seq && !message.deleted))
}

/// Looks up the candidates of the places for which the author has chosen no user, and reads all users that may be meant.
async fn find_names(
    state: &AppState,
    event: &NewEvent,
    places: &[MentionPlace],
    chosen: &ChosenUsers,
) -> StoreResult<FoundUsers> {
    let names = names_to_find(places, chosen, MAX_NAMES_PER_READ);
    let (mut found, mut by_spelling) = (FoundUsers::default(), BTreeSet::new());
    if !names.is_empty() {
        let members = state.hub.members(&event.room, event.author).await.list;
        let present: Vec<UserId> = members.into_iter().map(|member| member.id).collect();
        let ids = state.store.users_named(&event.room, &present, &names).await?;
        let (known, unknown): (Vec<_>, Vec<_>) = names.into_iter().zip(ids).partition(|(_, id)| id.is_some());
        found.by_name = known.into_iter().filter_map(|(name, id)| Some((name, id?))).collect();
        // Names are compared by what they look like, and in many alphabets capitals look like other letters.
        let mut spellings: Vec<(String, String)> = unknown
            .into_iter()
            .flat_map(|(name, _)| spellings(&name).into_iter().map(move |spelling| (name.clone(), spelling)))
            .collect();
        spellings.truncate(MAX_NAMES_PER_READ);
        if !spellings.is_empty() {
            let names: Vec<String> = spellings.iter().map(|(_, spelling)| spelling.clone()).collect();
            let ids = state.store.users_named(&event.room, &present, &names).await?;
            by_spelling =
                spellings.into_iter().zip(ids).filter_map(|((name, _), id)| Some((name, id?))).collect();
        }
    }
    let ids: BTreeSet<UserId> = found
        .by_name
        .values()
        .copied()
        .chain(by_spelling.iter().map(|(_, id)| *id))
        .chain(chosen.iter().map(|(_, id)| *id))
        .collect();
    if !ids.is_empty() {
        let ids: Vec<UserId> = ids.into_iter().collect();
        found.users = state.store.users(&ids).await?.into_iter().map(|user| (user.id, user)).collect();
    }
    found.add_spellings(by_spelling);
    Ok(found)
}
