//! Reactions to messages.

use super::{ANN, BOB, delete, every_store, latest_page, message, post};
use crate::support::room;
use app::wire::{EventBody, MAX_LISTED_REACTORS, MAX_REACTIONS, Operation, Reactions, Seq, UserId};
use server::store::{NewEvent, Store, StoreError, complete_reactions};
use std::sync::Arc;
use uuid::Uuid;

every_store! {
    a_reaction_is_an_event_and_is_counted_until_it_is_taken_back
    a_reaction_that_changes_nothing_is_not_stored
    a_message_has_at_most_twenty_different_reactions
    unlisted_reactors_are_counted_and_a_reader_sees_themselves
    a_deleted_message_has_no_reactions_and_gets_none
    an_edit_after_reactions_erases_the_text_before_it
}

fn react(author: UserId, target: Seq, emoji: &str, on: bool) -> NewEvent {
    let operation = Operation::React { target, emoji: emoji.into(), on };
    NewEvent { operation, ..message("tea", author, "") }
}

async fn reactions(store: &dyn Store, reader: UserId) -> Reactions {
    let mut page = latest_page(store).await;
    complete_reactions(store, &room("tea"), reader, &mut page, None).await.unwrap();
    page.messages.remove(0).reactions
}

/// Returns each emoji with its count and the names of the listed users.
fn shown(reactions: &Reactions) -> Vec<(&str, u32, Vec<&str>)> {
    let listed = reactions.list.iter();
    listed.map(|it| (&*it.emoji, it.count, it.names.iter().map(|name| &**name).collect())).collect()
}

async fn a_reaction_is_an_event_and_is_counted_until_it_is_taken_back(store: Arc<dyn Store>) {
    post(&*store, "tea", "hello").await;
    for (id, name) in [(ANN, "Ann"), (BOB, "Bob")] {
        store.set_display_name(id, name.parse().unwrap()).await.unwrap();
    }
    let given = react(BOB, 1, "👍", true);
    let appended = store.append(given.clone()).await.unwrap();
    assert_eq!((appended.seq, appended.is_duplicate), (2, false));
    assert!(store.append(given).await.unwrap().is_duplicate, "the same command");
    store.append(react(ANN, 1, "🎉", true)).await.unwrap();
    store.append(react(ANN, 1, "👍", true)).await.unwrap();
    let events = store.events_after(&room("tea"), 1, 9).await.unwrap();
    assert_eq!(events[0].body, EventBody::React { target: 1, emoji: "👍".into(), on: true });
    let found = reactions(&*store, ANN).await;
    assert_eq!(shown(&found), [("👍", 2, vec!["Bob", "Ann"]), ("🎉", 1, vec!["Ann"])]);
    assert_eq!((found.seq, found.has("👍", BOB), found.has("🎉", BOB)), (Some(4), true, false));
    store.append(react(ANN, 1, "🎉", false)).await.unwrap();
    store.append(react(BOB, 1, "👍", false)).await.unwrap();
    let found = reactions(&*store, ANN).await;
    assert_eq!((shown(&found), found.seq), (vec![("👍", 1, vec!["Ann"])], Some(6)));
    let events = store.events_after(&room("tea"), 5, 9).await.unwrap();
    assert_eq!(events[0].body, EventBody::React { target: 1, emoji: "👍".into(), on: false });
}

async fn a_reaction_that_changes_nothing_is_not_stored(store: Arc<dyn Store>) {
    post(&*store, "tea", "hello").await;
    let nothing = store.append(react(ANN, 1, "👍", false)).await.unwrap();
    assert_eq!((nothing.seq, nothing.is_duplicate), (1, true));
    store.append(react(ANN, 1, "👍", true)).await.unwrap();
    // Both commands of one commit see each other.
    let (first, second) =
        tokio::join!(store.append(react(ANN, 1, "👍", true)), store.append(react(BOB, 1, "👍", true)));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.seq, first.is_duplicate, &first.room), (2, true, &room("tea")));
    assert_eq!((second.seq, second.is_duplicate), (3, false));
    assert_eq!(store.head(&room("tea")).await.unwrap(), 3);
    assert_eq!(reactions(&*store, ANN).await.list[0].count, 2);
}

async fn a_message_has_at_most_twenty_different_reactions(store: Arc<dyn Store>) {
    post(&*store, "tea", "hello").await;
    let emoji: Vec<String> = (0..=MAX_REACTIONS).map(|n| format!("{n}")).collect();
    for emoji in &emoji[..MAX_REACTIONS] {
        store.append(react(ANN, 1, emoji, true)).await.unwrap();
    }
    let refused = store.append(react(BOB, 1, &emoji[MAX_REACTIONS], true)).await;
    assert!(matches!(refused, Err(StoreError::TooManyReactions)), "{refused:?}");
    store.append(react(BOB, 1, &emoji[3], true)).await.unwrap();
    store.append(react(ANN, 1, &emoji[0], false)).await.unwrap();
    store.append(react(BOB, 1, &emoji[MAX_REACTIONS], true)).await.unwrap();
    let found = reactions(&*store, ANN).await;
    assert_eq!((found.list.len(), &*found.list[19].emoji), (20, "20"));
}

async fn unlisted_reactors_are_counted_and_a_reader_sees_themselves(store: Arc<dyn Store>) {
    post(&*store, "tea", "hello").await;
    for user in 100..130 {
        store.append(react(UserId(user), 1, "👍", true)).await.unwrap();
    }
    store.append(react(UserId(129), 1, "🎉", true)).await.unwrap();
    store.append(react(UserId(129), 1, "👀", true)).await.unwrap();
    store.append(react(UserId(129), 1, "👀", false)).await.unwrap();
    let others = reactions(&*store, ANN).await;
    assert_eq!((others.list[0].count, others.list[0].by.len()), (30, MAX_LISTED_REACTORS));
    assert_eq!(others.list[0].by[0], UserId(100));
    let own = reactions(&*store, UserId(129)).await;
    assert_eq!((own.list[0].count, own.list[0].by.len()), (30, MAX_LISTED_REACTORS + 1));
    assert!(own.has("👍", UserId(129)) && own.list.iter().all(|it| it.by.len() == it.names.len()));
    // Some of the listed and of the other users take it back.
    for user in [100, 101, 129] {
        store.append(react(UserId(user), 1, "👍", false)).await.unwrap();
    }
    let others = reactions(&*store, UserId(129)).await;
    assert_eq!((others.list[0].count, others.has("👍", UserId(129))), (27, false));
    let asked: [(Seq, Arc<str>); 3] = [(1, "👍".into()), (1, "🎉".into()), (9, "🎉".into())];
    let answer = store.has_reacted(&room("tea"), UserId(129), &asked).await.unwrap();
    assert_eq!(answer, [false, true, false]);
}

async fn a_deleted_message_has_no_reactions_and_gets_none(store: Arc<dyn Store>) {
    post(&*store, "tea", "hello").await;
    store.append(react(BOB, 1, "👍", true)).await.unwrap();
    store.append(delete(ANN, 1)).await.unwrap();
    assert_eq!(reactions(&*store, ANN).await, Reactions::default());
    // Another message, an event that is no message, another room, and the deleted one.
    for target in [1, 2, 3, 9] {
        let refused = store.append(react(BOB, target, "🎉", true)).await;
        assert!(matches!(refused, Err(StoreError::MessageNotFound)), "{target}: {refused:?}");
    }
    post(&*store, "work", "other room").await;
    let elsewhere = NewEvent { room: room("work"), id: Uuid::now_v7(), ..react(BOB, 2, "🎉", true) };
    assert!(matches!(store.append(elsewhere).await, Err(StoreError::MessageNotFound)));
}

async fn an_edit_after_reactions_erases_the_text_before_it(store: Arc<dyn Store>) {
    post(&*store, "tea", "one").await;
    for (n, text) in ["two", "three"].into_iter().enumerate() {
        store.append(super::edit(ANN, 1, text)).await.unwrap();
        for user in 0..5 {
            store.append(react(UserId(100 + user), 1, ["👍", "🎉"][n], true)).await.unwrap();
        }
    }
    let events = store.events_after(&room("tea"), 0, 99).await.unwrap();
    for event in &events {
        if let EventBody::Message { text, .. } | EventBody::Edit { text, .. } = &event.body {
            assert_eq!(&**text, "three", "{event:?}");
        }
    }
    assert_eq!(reactions(&*store, ANN).await.list.len(), 2);
}
