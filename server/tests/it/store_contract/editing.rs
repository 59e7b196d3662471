//! Edits and deletes of messages.

use super::{
    ANN, BOB, delete, edit, every_store, latest_page, message, next_appended, post, reply, room_info,
};
use crate::support::{room, text};
use app::wire::{EventBody, Mentions, Seq};
use server::store::{Store, StoreError};
use std::sync::Arc;

every_store! {
    an_edit_is_an_event_and_replaces_the_text
    a_delete_is_an_event_and_erases_the_text
    past_events_of_an_edited_and_deleted_message_have_no_text
    only_the_author_can_change_a_message_until_it_is_deleted
    a_room_owner_can_delete_but_not_edit_messages_of_others
}

async fn an_edit_is_an_event_and_replaces_the_text(store: Arc<dyn Store>) {
    post(&*store, "tea", "helo").await;
    post(&*store, "tea", "other").await;
    let mut notifications = store.subscribe();
    let edited = edit(ANN, 1, "hello");
    let appended = store.append(edited.clone()).await.unwrap();
    assert_eq!((appended.seq, appended.is_duplicate), (3, false));
    assert!(store.append(edited).await.unwrap().is_duplicate);
    let event = next_appended(&mut notifications).await.1[0].clone();
    assert_eq!(
        event.body,
        EventBody::Edit { target: 1, text: "hello".into(), mentions: Mentions::default() }
    );
    assert_eq!(store.events_after(&room("tea"), 2, 9).await.unwrap(), [event]);
    let message = latest_page(&*store).await.messages.remove(0);
    assert_eq!((&*message.text, message.edited_at, message.deleted), ("hello", Some(appended.at), false));
    store.append(edit(ANN, 1, "hello!")).await.unwrap();
    assert_eq!(&*latest_page(&*store).await.messages[0].text, "hello!");
    let events = store.events_after(&room("tea"), 0, 9).await.unwrap();
    assert_eq!(text(&events[0]), "hello!", "the replaced text is gone from past events");
    for edit in &events[2..] {
        assert_eq!(
            edit.body,
            EventBody::Edit { target: 1, text: "hello!".into(), mentions: Mentions::default() }
        );
    }
}

async fn a_delete_is_an_event_and_erases_the_text(store: Arc<dyn Store>) {
    post(&*store, "tea", "secret").await;
    store.append(edit(ANN, 1, "secret too")).await.unwrap();
    assert_eq!(store.append(delete(ANN, 1)).await.unwrap().seq, 3);
    let events = store.events_after(&room("tea"), 0, 9).await.unwrap();
    assert_eq!(events[2].body, EventBody::Delete { target: 1 });
    assert!(!format!("{events:?}").contains("secret"), "{events:?}");
    let page = latest_page(&*store).await;
    let message = &page.messages[0];
    assert_eq!((&*message.text, message.edited_at, message.deleted), ("", None, true));
    assert_eq!(page.messages.len(), 1);
}

async fn past_events_of_an_edited_and_deleted_message_have_no_text(store: Arc<dyn Store>) {
    post(&*store, "tea", "secret 0").await;
    for n in 1..4 {
        store.append(edit(ANN, 1, &format!("secret {n}"))).await.unwrap();
    }
    store.append(delete(ANN, 1)).await.unwrap();
    let events = store.events_after(&room("tea"), 0, 9).await.unwrap();
    assert!(!format!("{events:?}").contains("secret"), "{events:?}");
    assert_eq!(events[3].body, EventBody::Edit { target: 1, text: "".into(), mentions: Mentions::default() });
}

async fn only_the_author_can_change_a_message_until_it_is_deleted(store: Arc<dyn Store>) {
    post(&*store, "tea", "mine").await;
    for theirs in [edit(BOB, 1, "yours"), delete(BOB, 1)] {
        let rejected = store.append(theirs).await;
        assert!(matches!(rejected, Err(StoreError::Forbidden)), "{rejected:?}");
    }
    store.append(edit(ANN, 1, "still mine")).await.unwrap();
    for no_message in [0, 2, 99, Seq::MAX] {
        for operation in [edit(ANN, no_message, "x"), delete(ANN, no_message)] {
            let rejected = store.append(operation).await;
            assert!(matches!(rejected, Err(StoreError::MessageNotFound)), "{no_message}: {rejected:?}");
        }
    }
    store.append(delete(ANN, 1)).await.unwrap();
    for late in [edit(ANN, 1, "x"), delete(ANN, 1), reply(BOB, 1)] {
        let rejected = store.append(late).await;
        assert!(matches!(rejected, Err(StoreError::MessageNotFound)), "{rejected:?}");
    }
    assert_eq!(store.head(&room("tea")).await.unwrap(), 3, "a rejected command leaves no gap");
}

async fn a_room_owner_can_delete_but_not_edit_messages_of_others(store: Arc<dyn Store>) {
    store.create_room(room("tea"), room_info("Tea", BOB)).await.unwrap();
    store.append(message("tea", BOB, "welcome")).await.unwrap();
    let rude = store.append(message("tea", ANN, "something rude")).await.unwrap();
    let edited = store.append(edit(BOB, rude.seq, "something nice")).await;
    assert!(matches!(edited, Err(StoreError::Forbidden)), "{edited:?}");
    store.append(delete(BOB, rude.seq)).await.unwrap();
    assert!(store.messages_before(&room("tea"), 9, 9).await.unwrap().messages[1].deleted);
}
