//! Mentions: they follow the user, an edit replaces them, and unread ones are counted.

use super::{ANN, BOB, delete, edit, every_store, latest_page, message, next_appended, reply};
use crate::support::room;
use app::wire::{DisplayName, Event, Mention, Mentions, Operation, Seq, User, UserId};
use server::store::{MAX_NAMESAKES, NewEvent, Store};
use std::sync::Arc;

const EVE: UserId = UserId(0xe);

every_store! {
    mentions_are_stored_by_id_and_read_under_the_present_name
    an_edit_replaces_mentions_and_a_deletion_removes_them
    reactions_leave_mentions_as_they_are
    unread_mentions_are_counted
    a_name_means_the_only_user_of_the_room_who_has_it
    a_name_of_too_many_users_means_nobody
    users_with_a_name_or_a_marker_are_known
}

fn mentioning(event: NewEvent, users: &[(&str, UserId)]) -> NewEvent {
    let mention = |(name, id): &(&str, UserId)| Mention {
        name: (*name).into(),
        user: User::new(*id, DisplayName::generated(*id)),
    };
    NewEvent { mentions: users.iter().map(mention).collect(), ..event }
}

/// Returns what stands in the text, and whom it means under which name.
fn shown(mentions: &Mentions) -> Vec<(String, UserId, String)> {
    mentions.iter().map(|it| (it.name.to_string(), it.user.id, it.user.name.to_string())).collect()
}

fn of(name: &str, id: UserId, present: &str) -> (String, UserId, String) {
    (name.into(), id, present.into())
}

async fn rename(store: &dyn Store, user: UserId, name: &str) {
    store.set_display_name(user, name.parse().unwrap()).await.unwrap();
}

async fn events(store: &dyn Store) -> Vec<Vec<(String, UserId, String)>> {
    let events = store.events_after(&room("tea"), 0, 100).await.unwrap();
    events.iter().map(|event: &Arc<Event>| event.body.mentions().map_or_else(Vec::new, shown)).collect()
}

async fn count(store: &dyn Store, user: UserId, after: Seq) -> u32 {
    store.mention_counts(user, &[(room("tea"), after)]).await.unwrap()[0]
}

async fn mentions_are_stored_by_id_and_read_under_the_present_name(store: Arc<dyn Store>) {
    rename(&*store, BOB, "Bob").await;
    let mut notifications = store.subscribe();
    let post = mentioning(message("tea", ANN, "hi @Bob and @Eve"), &[("Bob", BOB), ("Eve", EVE), ("", BOB)]);
    store.append(post).await.unwrap();
    let (_, appended) = next_appended(&mut notifications).await;
    let ids: Vec<UserId> = appended[0].body.mentions().unwrap().iter().map(|it| it.user.id).collect();
    assert_eq!(ids, [BOB, EVE, BOB]);
    rename(&*store, BOB, "Robert").await;
    rename(&*store, ANN, "Bob").await;
    let guest = DisplayName::generated(EVE).to_string();
    let expected = [of("Bob", BOB, "Robert"), of("Eve", EVE, &guest), of("", BOB, "Robert")];
    assert_eq!(shown(&latest_page(&*store).await.messages[0].mentions), expected);
    assert_eq!(events(&*store).await, [expected]);
    let snapshot = store.snapshot(&room("tea"), ANN, None, 10).await.unwrap();
    assert!(snapshot.page.unwrap().messages[0].mentions.is_to(BOB));
}

async fn reactions_leave_mentions_as_they_are(store: Arc<dyn Store>) {
    rename(&*store, BOB, "Bob").await;
    store.append(mentioning(message("tea", ANN, "hi"), &[])).await.unwrap();
    let edit = mentioning(edit(ANN, 1, "@Bob"), &[("Bob", BOB)]);
    let react = |on| {
        let operation = Operation::React { target: 1, emoji: "👍".into(), on };
        NewEvent { operation, ..message("tea", EVE, "") }
    };
    // Also in one commit.
    let (edited, given) = tokio::join!(store.append(edit), store.append(react(true)));
    assert_eq!((edited.unwrap().seq, given.unwrap().seq), (2, 3));
    store.append(react(false)).await.unwrap();
    assert_eq!(count(&*store, BOB, 0).await, 1);
    let bob = of("Bob", BOB, "Bob");
    assert_eq!(shown(&latest_page(&*store).await.messages[0].mentions), std::slice::from_ref(&bob));
    assert_eq!(events(&*store).await, [vec![bob.clone()], vec![bob], vec![], vec![]]);
}

async fn an_edit_replaces_mentions_and_a_deletion_removes_them(store: Arc<dyn Store>) {
    rename(&*store, BOB, "Bob").await;
    rename(&*store, EVE, "Eve").await;
    let (bob, eve) = (of("Bob", BOB, "Bob"), of("Eve", EVE, "Eve"));
    store.append(mentioning(message("tea", ANN, "@Bob"), &[("Bob", BOB)])).await.unwrap();
    assert_eq!((count(&*store, BOB, 0).await, count(&*store, EVE, 0).await), (1, 0));
    store.append(mentioning(edit(ANN, 1, "@Eve"), &[("Eve", EVE)])).await.unwrap();
    assert_eq!((count(&*store, BOB, 0).await, count(&*store, EVE, 0).await), (0, 1));
    assert_eq!(count(&*store, EVE, 1).await, 0, "the message counts, not its edit");
    assert_eq!(shown(&latest_page(&*store).await.messages[0].mentions), std::slice::from_ref(&eve));
    assert_eq!(events(&*store).await, [vec![eve.clone()], vec![eve]]);
    store.append(mentioning(edit(ANN, 1, "@Bob"), &[("Bob", BOB)])).await.unwrap();
    assert_eq!(events(&*store).await, [vec![bob.clone()], vec![], vec![bob]], "the edit before has none");
    store.append(edit(ANN, 1, "nobody")).await.unwrap();
    assert_eq!(events(&*store).await, [vec![], vec![], vec![], vec![]]);
    assert_eq!(count(&*store, BOB, 0).await, 0);
    store.append(mentioning(edit(ANN, 1, "@Bob"), &[("Bob", BOB)])).await.unwrap();
    store.append(delete(ANN, 1)).await.unwrap();
    assert!(events(&*store).await.into_iter().all(|mentions| mentions.is_empty()));
    assert_eq!(count(&*store, BOB, 0).await, 0);
    let batch = [
        mentioning(message("tea", ANN, "@Bob"), &[("Bob", BOB)]),
        mentioning(edit(ANN, 7, "@Eve"), &[("Eve", EVE)]),
        mentioning(message("tea", ANN, "@Eve"), &[("Eve", EVE)]),
        delete(ANN, 9),
    ];
    futures_util::future::join_all(batch.map(|event| store.append(event))).await;
    assert_eq!((count(&*store, BOB, 0).await, count(&*store, EVE, 0).await), (0, 1), "in one batch");
}

async fn unread_mentions_are_counted(store: Arc<dyn Store>) {
    let (ann, bob) = (("Ann", ANN), ("Bob", BOB));
    store.append(mentioning(message("tea", ANN, "@Bob @Bob @Ann"), &[bob, bob, ann])).await.unwrap();
    store.append(message("tea", ANN, "hello")).await.unwrap();
    let answer = mentioning(reply(BOB, 1), &[("", ANN)]);
    store.append(answer.clone()).await.unwrap();
    assert!(store.append(answer).await.unwrap().is_duplicate);
    assert_eq!((count(&*store, BOB, 0).await, count(&*store, BOB, 1).await), (1, 0));
    assert_eq!(count(&*store, ANN, 0).await, 1, "a reply to Ann; what she says to herself does not count");
    store.set_read_marker(ANN, room("tea"), 2).await.unwrap();
    let joined = store.joined_rooms(ANN, 0, 10, &[room("jam")]).await.unwrap();
    let counts: Vec<_> = joined.rooms.iter().map(|joined| (joined.unread, joined.mentions)).collect();
    assert_eq!(counts, [(1, 1), (0, 0)]);
    for _ in 0..102 {
        store.append(mentioning(message("tea", ANN, "@Bob"), &[bob])).await.unwrap();
    }
    assert_eq!(count(&*store, BOB, 0).await, 100);
    assert_eq!(store.mention_counts(BOB, &[(room("none"), 0)]).await.unwrap(), [0]);
}

async fn a_name_means_the_only_user_of_the_room_who_has_it(store: Arc<dyn Store>) {
    for (user, name) in [(ANN, "Ann"), (BOB, "Bob"), (EVE, "Eve")] {
        rename(&*store, user, name).await;
        store.append(message("tea", user, "hi")).await.unwrap();
    }
    rename(&*store, UserId(1), "Eve").await;
    store.append(message("jam", UserId(1), "hi")).await.unwrap();
    let names = ["ann", "Bob", "Eve", "Carol", "b\u{43e}b"].map(String::from);
    let found = store.users_named(&room("tea"), &[], &names).await.unwrap();
    assert_eq!(found, [Some(ANN), Some(BOB), Some(EVE), None, Some(BOB)]);
    assert_eq!(
        store.users_named(&room("jam"), &[], &names[..3]).await.unwrap(),
        [None, None, Some(UserId(1))]
    );
    store.append(message("tea", UserId(1), "hi")).await.unwrap();
    assert_eq!(store.users_named(&room("tea"), &[], &names[2..3]).await.unwrap(), [None], "there are two");
    assert_eq!(store.users_named(&room("tea"), &[], &[]).await.unwrap(), []);
    let present = store.users_named(&room("new"), &[EVE, UserId(9)], &names).await.unwrap();
    assert_eq!(present, [None, None, Some(EVE), None, None], "who is present needs no marker");
}

async fn a_name_of_too_many_users_means_nobody(store: Arc<dyn Store>) {
    store.append(message("tea", UserId(1), "hi")).await.unwrap();
    for user in 1..=u64::from(MAX_NAMESAKES) {
        rename(&*store, UserId(user), "Ann").await;
    }
    let find = async || store.users_named(&room("tea"), &[], &["Ann".into()]).await.unwrap();
    assert_eq!(find().await, [Some(UserId(1))]);
    rename(&*store, UserId(1_000), "Ann").await;
    assert_eq!(find().await, [None]);
}

async fn users_with_a_name_or_a_marker_are_known(store: Arc<dyn Store>) {
    rename(&*store, ANN, "Ann").await;
    store.append(message("tea", BOB, "hi")).await.unwrap();
    store.set_read_marker(EVE, room("tea"), 1).await.unwrap();
    let mut known = store.known_users(&room("tea"), &[ANN, BOB, EVE, UserId(9)]).await.unwrap();
    known.sort_unstable();
    assert_eq!(known, [ANN, BOB, EVE]);
    assert_eq!(store.known_users(&room("jam"), &[EVE]).await.unwrap(), []);
}
