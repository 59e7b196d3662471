//! Display names of users, and the tags that distinguish users of one name.

use super::{ANN, BOB, every_store, latest_page, message, next_appended, post};
use crate::support::room;
use app::wire::{DisplayName, User, UserId};
use server::store::Store;
use std::sync::Arc;

every_store! {
    a_chosen_name_replaces_the_generated_one_in_past_events_too
    users_are_ambiguous_while_their_names_are_confusable
    a_user_who_stays_ambiguous_is_not_reported
    users_of_the_same_name_have_distinct_tags_except_the_first
    a_guest_whose_generated_name_is_taken_has_a_guest_tag
    a_first_post_stores_the_generated_name
    users_are_found_by_the_beginning_of_their_names_in_pages
}

async fn a_chosen_name_replaces_the_generated_one_in_past_events_too(store: Arc<dyn Store>) {
    post(&*store, "tea", "hello").await;
    let generated = |id| User::new(id, DisplayName::generated(id));
    assert_eq!(store.users(&[ANN, BOB]).await.unwrap(), [generated(ANN), generated(BOB)]);
    let chosen: DisplayName = "小明".parse().unwrap();
    store.set_display_name(ANN, "Ann".parse().unwrap()).await.unwrap();
    store.set_display_name(ANN, chosen.clone()).await.unwrap();
    assert_eq!(store.users(&[BOB, ANN]).await.unwrap(), [generated(BOB), User::new(ANN, chosen.clone())]);
    let events = store.events_after(&room("tea"), 0, 9).await.unwrap();
    assert_eq!(events[0].author.name, chosen);
    let page = store.messages_before(&room("tea"), 2, 9).await.unwrap();
    assert_eq!(page.messages[0].author.name, chosen);
    let mut notifications = store.subscribe();
    post(&*store, "tea", "it is me").await;
    assert_eq!(next_appended(&mut notifications).await.1[0].author.name, chosen);
}

async fn users_are_ambiguous_while_their_names_are_confusable(store: Arc<dyn Store>) {
    let changed = store.set_display_name(ANN, "Ann".parse().unwrap()).await.unwrap();
    assert_eq!(changed, [User::new(ANN, "Ann".parse().unwrap())]);
    // The first letter is Cyrillic.
    let mut changed = store.set_display_name(BOB, "\u{410}nn".parse().unwrap()).await.unwrap();
    changed.sort_by_key(|user| user.id);
    assert_eq!(
        changed.iter().map(|user| (user.id, user.ambiguous)).collect::<Vec<_>>(),
        [(ANN, true), (BOB, true)]
    );
    let ambiguous = |users: Vec<User>| users.into_iter().map(|user| user.ambiguous).collect::<Vec<_>>();
    assert_eq!(ambiguous(store.users(&[ANN, BOB]).await.unwrap()), [true, true]);
    post(&*store, "tea", "it is me").await;
    assert!(store.messages_before(&room("tea"), 9, 9).await.unwrap().messages[0].author.ambiguous);
    let mut changed = store.set_display_name(BOB, "Bob".parse().unwrap()).await.unwrap();
    changed.sort_by_key(|user| user.id);
    assert_eq!(
        changed.iter().map(|user| (user.id, user.ambiguous)).collect::<Vec<_>>(),
        [(ANN, false), (BOB, false)]
    );
    assert!(!store.events_after(&room("tea"), 0, 9).await.unwrap()[0].author.ambiguous);
}

async fn a_user_who_stays_ambiguous_is_not_reported(store: Arc<dyn Store>) {
    let (carol, dora) = (UserId(0xc), UserId(0xd));
    let rename = async |user, name: &str| -> Vec<(UserId, bool)> {
        let mut changed = store.set_display_name(user, name.parse().unwrap()).await.unwrap();
        changed.sort_by_key(|user| user.id);
        changed.iter().map(|user| (user.id, user.ambiguous)).collect()
    };
    assert_eq!(rename(ANN, "Ann").await, [(ANN, false)]);
    assert_eq!(rename(BOB, "ann").await, [(ANN, true), (BOB, true)]);
    assert_eq!(rename(carol, "ANN").await, [(carol, true)]);
    assert_eq!(rename(carol, "Ann").await, [(carol, true)]);
    assert_eq!(rename(dora, "Bob").await, [(dora, false)]);
    assert_eq!(rename(carol, "Bob").await, [(carol, true), (dora, true)]);
    assert_eq!(rename(BOB, "BOB").await, [(ANN, false), (BOB, true)]);
    assert_eq!(rename(ANN, "Anna").await, [(ANN, false)]);
    assert_eq!(rename(carol, "Ann").await, [(carol, false)], "no other user has the name");
}

async fn users_of_the_same_name_have_distinct_tags_except_the_first(store: Arc<dyn Store>) {
    let carol = UserId(0xc);
    let tags = async || -> Vec<Option<String>> {
        let users = store.users(&[ANN, BOB, carol]).await.unwrap();
        users.iter().map(User::tag).collect()
    };
    let rename =
        async |user, name: &str| drop(store.set_display_name(user, name.parse().unwrap()).await.unwrap());
    let tag = |number: u32| Some(format!("#{number}"));
    rename(ANN, "Ann").await;
    assert_eq!(tags().await[0], None);
    rename(BOB, "Ann ✓").await;
    rename(carol, "-ANN-").await;
    assert_eq!(tags().await, [None, tag(2), tag(3)]);
    rename(BOB, "ann").await;
    assert_eq!(tags().await, [None, tag(2), tag(3)], "another spelling of the name keeps the tag");
    post(&*store, "tea", "hello").await;
    store.append(message("tea", carol, "hello")).await.unwrap();
    let page = latest_page(&*store).await;
    assert_eq!(page.messages.iter().map(|message| message.author.tag()).collect::<Vec<_>>(), [None, tag(3)]);
    let events = store.events_after(&room("tea"), 0, 9).await.unwrap();
    assert_eq!(events.iter().map(|event| event.author.tag()).collect::<Vec<_>>(), [None, tag(3)]);
    rename(ANN, "Anna").await;
    assert_eq!(tags().await, [None, tag(2), tag(3)], "no user inherits the place of the first");
    rename(ANN, "Ann").await;
    assert_eq!(tags().await, [tag(4), tag(2), tag(3)], "nor does she come back to it");
    rename(BOB, "Bob").await;
    rename(carol, "Carol").await;
    assert_eq!(tags().await, [None, None, None], "alone again");
}

async fn a_guest_whose_generated_name_is_taken_has_a_guest_tag(store: Arc<dyn Store>) {
    let guest = UserId(7 | 0xbeef << 32);
    store.set_display_name(ANN, DisplayName::generated(guest)).await.unwrap();
    assert_eq!(store.users(&[guest]).await.unwrap()[0].tag().as_deref(), Some("#xbeef"));
    store.append(message("tea", guest, "hello")).await.unwrap();
    assert_eq!(store.users(&[guest]).await.unwrap()[0].tag().as_deref(), Some("#2"), "a user now");
}

async fn a_first_post_stores_the_generated_name(store: Arc<dyn Store>) {
    // The name follows from the remainder of the id, so that these two users have the same one.
    let (one, other) = (UserId(5), UserId(5 + 1024));
    assert_eq!(DisplayName::generated(one), DisplayName::generated(other));
    store.append(message("tea", one, "hello")).await.unwrap();
    assert!(store.users(&[other]).await.unwrap()[0].ambiguous, "a user of this name exists");
    store.append(message("tea", other, "hello")).await.unwrap();
    let users = store.users(&[one, other]).await.unwrap();
    assert!(users.iter().all(|user| user.ambiguous), "{users:?}");
}

async fn users_are_found_by_the_beginning_of_their_names_in_pages(store: Arc<dyn Store>) {
    let ids = [ANN, BOB, UserId(0xc), UserId(0xd), UserId(0xe)];
    for (id, name) in ids.into_iter().zip(["Ann", "Bob", "anna", "Ann", "小明"]) {
        store.set_display_name(id, name.parse().unwrap()).await.unwrap();
    }
    let find = async |prefix: &str, after, limit| -> Vec<UserId> {
        let found = store.find_users(prefix, after, limit).await.unwrap();
        found.into_iter().map(|user| user.id).collect()
    };
    let [ann, bob, anna, other_ann, ming] = ids;
    assert_eq!(find("ANN", None, 9).await, [ann, other_ann, anna]);
    assert_eq!(find("ann", None, 2).await, [ann, other_ann]);
    assert_eq!(find("ann", Some(other_ann), 2).await, [anna]);
    assert_eq!(find("ann", Some(bob), 2).await, [], "it is after all of them");
    assert_eq!(find("小", None, 9).await, [ming]);
    assert_eq!(find("x", None, 9).await, []);
    assert_eq!(find("", None, 4).await, [ann, other_ann, anna, bob]);
    assert_eq!(find("", Some(bob), 4).await, [ming]);
    assert_eq!(find("b", Some(UserId(0xff)), 4).await, [bob], "a user without a name is no place");
    let found = store.find_users("ann", None, 2).await.unwrap();
    assert_eq!(found[1].tag.as_deref(), Some("#2"));
    assert!(store.used_bytes().await.unwrap() > 0);
}
