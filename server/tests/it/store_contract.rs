//! What every log must do. Each sentence is tested on the log in a file and on the ephemeral one.

use crate::support::{room, text};
use app::wire::{
    CommandId, DisplayName, Event, EventBody, Operation, RoomName, Seq, User, UserId,
    limits::{MAX_CATCH_UP_EVENTS, MAX_MESSAGE_BYTES, MAX_PAGE_BYTES},
};
use futures_util::{
    FutureExt,
    future::join_all,
    stream::{BoxStream, StreamExt},
};
use server::store::{
    Appended, JoinedRoom, JoinedRooms, LinkError, MAX_DEVICE_LINKS, MAX_READ_MARKERS, MarkerUpdate,
    MessagePage, NewEvent, Notification, RoomInfo, RoomOrder, RoomQuery, SqliteStore, Store, StoreError,
    StreamPosition, TooManyLinks, read_around,
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use uuid::Uuid;

const ANN: UserId = UserId(0xa);
const BOB: UserId = UserId(0xb);

/// Runs each scene on each log.
macro_rules! every_log {
    ($($scene:ident)*) => {
        mod ephemeral {
            $(#[tokio::test]
            async fn $scene() {
                super::$scene(std::sync::Arc::new(super::SqliteStore::ephemeral().unwrap())).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $scene() {
                let folder = tempfile::tempdir().unwrap();
                let log = super::SqliteStore::open(&folder.path().join("hubbub.db")).unwrap();
                super::$scene(std::sync::Arc::new(log)).await;
            })*
        }
    };
}

every_log! {
    each_room_counts_1_2_3_without_holes
    a_repeat_adds_nothing_and_returns_the_first_position
    the_same_command_from_two_tabs_at_once_is_stored_once
    an_id_of_another_user_is_refused
    a_refused_command_leaves_no_gap
    notified_subscribers_can_read_the_committed_events
    notifications_carry_every_event_in_order
    concurrent_appends_get_different_positions
    append_reserves_the_seq_when_called
    append_stores_the_event_if_its_future_is_dropped
    events_are_read_from_any_place_in_order
    messages_are_read_in_pages_back_from_any_place
    pages_end_at_256_kib_of_json_and_hold_at_least_one_entry
    an_answer_must_have_a_message_of_its_room_to_answer
    an_edit_is_an_event_and_the_message_says_something_else
    a_delete_is_an_event_and_what_was_said_is_gone
    only_its_author_can_change_a_message_and_only_while_it_is_there
    pages_count_messages_whatever_else_happened
    a_person_is_called_as_given_until_they_choose_and_in_what_they_said_before
    names_that_are_alike_are_known_and_only_as_long_as_they_are
    a_user_who_stays_ambiguous_is_not_reported
    users_of_one_name_have_different_tags_and_the_first_has_none
    a_guest_whose_given_name_a_user_has_gets_a_guests_tag
    a_first_post_stores_the_generated_name
    a_made_room_is_there_with_what_is_known_about_it
    a_room_that_is_there_is_not_made_again_and_a_title_is_taken_once
    a_private_room_reserves_no_title
    no_other_room_is_called_like_the_lobby_in_any_language
    a_room_keeps_its_title_although_another_is_called_so_by_its_address
    a_room_by_its_address_shows_it_where_another_room_has_the_title
    public_rooms_are_listed_by_name_from_any_one_on
    the_liveliest_rooms_come_first
    rooms_are_listed_by_title_from_any_one_on
    only_its_owner_calls_a_room_something_else
    a_room_that_came_into_being_by_its_first_message_has_no_owner
    a_room_is_private_by_its_name_whoever_makes_it
    an_owner_deletes_any_message_of_their_room_and_edits_none
    reading_goes_forward_and_never_beyond_the_end
    a_read_marker_needs_a_room_and_stands_at_0_only_in_an_empty_one
    the_newest_visits_come_first_and_the_oldest_is_evicted_past_the_bound
    a_user_who_posts_in_a_room_has_been_there_and_has_read_no_less_than_before
    a_user_who_leaves_a_room_has_not_been_there_until_they_come_back
    messages_of_others_are_unread_and_deleted_ones_are_not
    a_snapshot_has_the_room_the_read_marker_and_the_newest_page
    a_snapshot_has_no_page_if_a_few_events_continue_what_the_user_has
    joined_rooms_have_what_a_list_shows_and_the_rooms_that_it_must_have
    a_log_has_an_identity
    reads_that_are_dropped_leave_their_connections_to_others
    changes_of_names_titles_and_read_markers_are_notified
    a_device_link_works_once_and_looking_does_not_use_it
    a_device_link_expires_and_a_new_one_replaces_only_the_users_unused_one
    device_links_beyond_the_bound_are_rejected_until_others_expire
    past_events_of_a_deleted_message_say_nothing_however_often_it_was_edited
    an_event_with_the_expected_id_continues_a_past_and_another_id_does_not
}

fn message(room_name: &str, author: UserId, text: &str) -> NewEvent {
    NewEvent::message(Uuid::now_v7(), room(room_name), author, text)
}

fn answer(author: UserId, target: Seq) -> NewEvent {
    let operation = Operation::Post { text: "yes".into(), reply_to: Some(target) };
    NewEvent { operation, ..message("tea", author, "") }
}

fn edit(author: UserId, target: Seq, text: &str) -> NewEvent {
    NewEvent { operation: Operation::Edit { target, text: text.into() }, ..message("tea", author, "") }
}

fn delete(author: UserId, target: Seq) -> NewEvent {
    NewEvent { operation: Operation::Delete { target }, ..message("tea", author, "") }
}

async fn post(log: &dyn Store, room: &str, text: &str) -> Appended {
    log.append(message(room, ANN, text)).await.unwrap()
}

async fn said(log: &dyn Store, room_name: &str) -> Vec<(Seq, String)> {
    let events = log.events_after(&room(room_name), 0, u32::MAX).await.unwrap();
    events.iter().map(|event| (event.seq, text(event).to_owned())).collect()
}

fn numbered(texts: &[&str]) -> Vec<(Seq, String)> {
    (1..).zip(texts.iter().map(|text| (*text).to_owned())).collect()
}

/// Every public room with its newest `seq`.
async fn listed(log: &dyn Store) -> Vec<(RoomName, Seq)> {
    let rooms = log.list_rooms(RoomQuery::new(RoomOrder::Name, usize::MAX)).await.unwrap();
    rooms.into_iter().map(|room| (room.room, room.head)).collect()
}

/// The description of a room.
async fn info(log: &dyn Store, name: &RoomName) -> RoomInfo {
    log.room(name).await.unwrap().info
}

/// The title of a room.
async fn title(log: &dyn Store, name: &str) -> String {
    log.room(&room(name)).await.unwrap().title()
}

/// Public rooms in an order, without those in which BOB has a read marker.
async fn not_joined(
    log: &dyn Store,
    order: RoomOrder,
    after: Option<&RoomName>,
    limit: usize,
) -> Vec<RoomName> {
    let query = RoomQuery { after: after.cloned(), not_joined_by: Some(BOB), ..RoomQuery::new(order, limit) };
    log.list_rooms(query).await.unwrap().into_iter().map(|room| room.room).collect()
}

/// Returns the room and the events of the next commit that appended some.
async fn next_appended(
    notifications: &mut BoxStream<'static, Notification>,
) -> (RoomName, Arc<[Arc<Event>]>) {
    loop {
        if let Notification::Appended { room, head, events } = notifications.next().await.unwrap() {
            let events = events.expect("this process has committed them");
            assert_eq!(events.last().map(|last| last.seq), Some(head));
            return (room, events);
        }
    }
}

async fn each_room_counts_1_2_3_without_holes(log: Arc<dyn Store>) {
    for (room, text, seq) in
        [("tea", "a", 1), ("jam", "b", 1), ("tea", "c", 2), ("jam", "d", 2), ("tea", "e", 3)]
    {
        let appended = post(&*log, room, text).await;
        assert_eq!((appended.room.as_str(), appended.seq, appended.is_duplicate), (room, seq, false));
    }
    assert_eq!(said(&*log, "tea").await, numbered(&["a", "c", "e"]));
    assert_eq!(log.heads(&[room("tea"), room("empty"), room("jam")]).await.unwrap(), [3, 0, 2]);
    assert_eq!(listed(&*log).await, [(room("jam"), 2), (room("tea"), 3)]);
}

async fn a_repeat_adds_nothing_and_returns_the_first_position(log: Arc<dyn Store>) {
    let first = message("tea", ANN, "hello");
    let stored = log.append(first.clone()).await.unwrap();
    post(&*log, "tea", "more").await;
    let again = log.append(first.clone()).await.unwrap();
    assert_eq!(again, Appended { is_duplicate: true, ..stored.clone() });
    let elsewhere = log.append(NewEvent { room: room("jam"), ..first }).await.unwrap();
    assert_eq!(elsewhere, Appended { is_duplicate: true, ..stored }, "an id is one command, in one room");
    assert_eq!(said(&*log, "tea").await, numbered(&["hello", "more"]));
    assert_eq!(log.head(&room("jam")).await.unwrap(), 0);
}

async fn the_same_command_from_two_tabs_at_once_is_stored_once(log: Arc<dyn Store>) {
    let command = message("tea", ANN, "hello");
    let all = join_all((0..8).map(|_| log.append(command.clone()))).await;
    let places: Vec<Appended> = all.into_iter().map(Result::unwrap).collect();
    assert!(places.iter().all(|place| place.seq == 1), "{places:?}");
    assert_eq!(places.iter().filter(|place| !place.is_duplicate).count(), 1, "{places:?}");
    assert_eq!(said(&*log, "tea").await, numbered(&["hello"]));
}

async fn an_id_of_another_user_is_refused(log: Arc<dyn Store>) {
    let anns = message("tea", ANN, "mine");
    log.append(anns.clone()).await.unwrap();
    let refused = log.append(NewEvent { author: BOB, ..anns }).await;
    assert!(matches!(refused, Err(StoreError::IdConflict)), "{refused:?}");
    assert_eq!(said(&*log, "tea").await, numbered(&["mine"]));
}

async fn a_refused_command_leaves_no_gap(log: Arc<dyn Store>) {
    let first = message("tea", ANN, "one");
    let commands =
        [first.clone(), NewEvent { author: BOB, ..first }, answer(BOB, 9), message("tea", BOB, "two")];
    let outcomes = join_all(commands.map(|command| log.append(command))).await;
    assert!(outcomes[1].is_err() && outcomes[2].is_err(), "{outcomes:?}");
    assert_eq!(outcomes[3].as_ref().unwrap().seq, 2);
    assert_eq!(said(&*log, "tea").await, numbered(&["one", "two"]));
}

async fn notified_subscribers_can_read_the_committed_events(log: Arc<dyn Store>) {
    let mut wakes = log.subscribe();
    let posting = tokio::spawn({
        let log = log.clone();
        async move { join_all((0..100).map(|n| log.append(message("tea", ANN, &n.to_string())))).await }
    });
    let mut woken = 0;
    while woken < 100 {
        let (room, events) = next_appended(&mut wakes).await;
        let last = events.last().unwrap();
        assert!(log.head(&room).await.unwrap() >= last.seq, "heads are raised before the notification");
        let found = log.events_after(&room, last.seq - 1, 1).await.unwrap();
        assert_eq!(&found[0], last, "what wakes is committed");
        woken = last.seq;
    }
    posting.await.unwrap();
}

async fn notifications_carry_every_event_in_order(log: Arc<dyn Store>) {
    let mut wakes = log.subscribe();
    let commands = (0..300).map(|n| log.append(message(["tea", "jam"][n % 2], ANN, &n.to_string())));
    join_all(commands).await;
    let mut heard = Vec::new();
    while let Some((room, events)) = next_appended(&mut wakes).now_or_never() {
        assert!(!events.is_empty(), "a notification is never empty");
        heard.extend(events.iter().map(|event| (room.clone(), event.clone())));
    }
    for name in ["tea", "jam"] {
        let of_room = heard.iter().filter(|(of, _)| *of == room(name)).map(|(_, event)| event.clone());
        assert_eq!(of_room.collect::<Vec<_>>(), log.events_after(&room(name), 0, 1_000).await.unwrap());
    }
}

async fn concurrent_appends_get_different_positions(log: Arc<dyn Store>) {
    let author = |n: u64| {
        let log = log.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            for k in 0..50 {
                mine.push(log.append(message("tea", UserId(n), &format!("{n}.{k}"))).await.unwrap().seq);
            }
            mine
        })
    };
    let mut all = Vec::new();
    for mine in join_all((0..4).map(author)).await {
        let mine = mine.unwrap();
        assert!(mine.is_sorted(), "one author's messages keep their order: {mine:?}");
        all.extend(mine);
    }
    all.sort_unstable();
    assert_eq!(all, (1..=200).collect::<Vec<_>>());
    assert_eq!(said(&*log, "tea").await.len(), 200);
}

async fn append_reserves_the_seq_when_called(log: Arc<dyn Store>) {
    let first = log.append(message("tea", ANN, "first"));
    let second = log.append(message("tea", ANN, "second"));
    assert_eq!(second.await.unwrap().seq, 2);
    assert_eq!(first.await.unwrap().seq, 1);
}

async fn append_stores_the_event_if_its_future_is_dropped(log: Arc<dyn Store>) {
    drop(log.append(message("tea", ANN, "gone")));
    post(&*log, "tea", "after").await;
    assert_eq!(said(&*log, "tea").await, numbered(&["gone", "after"]));
}

async fn events_are_read_from_any_place_in_order(log: Arc<dyn Store>) {
    join_all((1..=9).map(|n| log.append(message("tea", ANN, &n.to_string())))).await;
    let after = async |after, limit| -> Vec<Seq> {
        let events = log.events_after(&room("tea"), after, limit).await.unwrap();
        events.iter().map(|event| event.seq).collect()
    };
    assert_eq!(after(0, 4).await, [1, 2, 3, 4]);
    assert_eq!(after(4, 100).await, [5, 6, 7, 8, 9]);
    for beyond in [9, 10, Seq::MAX] {
        assert!(after(beyond, 100).await.is_empty(), "nothing is after {beyond}");
    }
    assert!(said(&*log, "empty").await.is_empty());
}

async fn messages_are_read_in_pages_back_from_any_place(log: Arc<dyn Store>) {
    join_all((1..=9).map(|n| log.append(message("tea", ANN, &n.to_string())))).await;
    let before = async |before, limit| -> (Vec<Seq>, bool) {
        let page = log.messages_before(&room("tea"), before, limit).await.unwrap();
        (page.messages.iter().map(|message| message.seq).collect(), page.more)
    };
    assert_eq!(before(10, 4).await, (vec![6, 7, 8, 9], true));
    assert_eq!(before(Seq::MAX, 9).await, ((1..=9).collect(), false));
    assert_eq!(before(6, 4).await, (vec![2, 3, 4, 5], true));
    assert_eq!(before(3, 4).await, (vec![1, 2], false));
    for none in [0, 1] {
        assert_eq!(before(none, 4).await, (vec![], false), "nothing stands before {none}");
    }
}

async fn an_answer_must_have_a_message_of_its_room_to_answer(log: Arc<dyn Store>) {
    post(&*log, "jam", "elsewhere").await;
    let answer = |target| log.append(answer(BOB, target));
    for nothing in [0, 1, Seq::MAX] {
        let refused = answer(nothing).await;
        assert!(matches!(refused, Err(StoreError::MessageNotFound)), "{nothing}: {refused:?}");
    }
    post(&*log, "tea", "shall we?").await;
    let placed = answer(1).await.unwrap();
    let page = log.messages_before(&room("tea"), placed.seq + 1, 1).await.unwrap();
    assert_eq!(page.messages[0].reply_to, Some(1));
}

async fn a_person_is_called_as_given_until_they_choose_and_in_what_they_said_before(log: Arc<dyn Store>) {
    post(&*log, "tea", "hello").await;
    let given = |id| User::new(id, DisplayName::generated(id));
    assert_eq!(log.users(&[ANN, BOB]).await.unwrap(), [given(ANN), given(BOB)]);
    let chosen: DisplayName = "小明".parse().unwrap();
    log.set_display_name(ANN, "Ann".parse().unwrap()).await.unwrap();
    log.set_display_name(ANN, chosen.clone()).await.unwrap();
    assert_eq!(log.users(&[BOB, ANN]).await.unwrap(), [given(BOB), User::new(ANN, chosen.clone())]);
    let events = log.events_after(&room("tea"), 0, 9).await.unwrap();
    assert_eq!(events[0].author.name, chosen);
    let page = log.messages_before(&room("tea"), 2, 9).await.unwrap();
    assert_eq!(page.messages[0].author.name, chosen);
    let mut wakes = log.subscribe();
    post(&*log, "tea", "it is me").await;
    assert_eq!(next_appended(&mut wakes).await.1[0].author.name, chosen);
}

async fn page(log: &dyn Store) -> MessagePage {
    log.messages_before(&room("tea"), Seq::MAX, 100).await.unwrap()
}

async fn an_edit_is_an_event_and_the_message_says_something_else(log: Arc<dyn Store>) {
    post(&*log, "tea", "helo").await;
    post(&*log, "tea", "other").await;
    let mut wakes = log.subscribe();
    let edited = edit(ANN, 1, "hello");
    let place = log.append(edited.clone()).await.unwrap();
    assert_eq!((place.seq, place.is_duplicate), (3, false));
    assert!(log.append(edited).await.unwrap().is_duplicate);
    let told = next_appended(&mut wakes).await.1[0].clone();
    assert_eq!(told.body, EventBody::Edit { target: 1, text: "hello".into() });
    assert_eq!(log.events_after(&room("tea"), 2, 9).await.unwrap(), [told]);
    let message = page(&*log).await.messages.remove(0);
    assert_eq!((&*message.text, message.edited_at, message.deleted), ("hello", Some(place.at), false));
    log.append(edit(ANN, 1, "hello!")).await.unwrap();
    assert_eq!(&*page(&*log).await.messages[0].text, "hello!");
    let events = log.events_after(&room("tea"), 0, 9).await.unwrap();
    assert_eq!(text(&events[0]), "hello!", "what was replaced is gone from past events");
    for edit in &events[2..] {
        assert_eq!(edit.body, EventBody::Edit { target: 1, text: "hello!".into() });
    }
}

async fn past_events_of_a_deleted_message_say_nothing_however_often_it_was_edited(log: Arc<dyn Store>) {
    post(&*log, "tea", "secret 0").await;
    for n in 1..4 {
        log.append(edit(ANN, 1, &format!("secret {n}"))).await.unwrap();
    }
    log.append(delete(ANN, 1)).await.unwrap();
    let events = log.events_after(&room("tea"), 0, 9).await.unwrap();
    assert!(!format!("{events:?}").contains("secret"), "{events:?}");
    assert_eq!(events[3].body, EventBody::Edit { target: 1, text: "".into() });
}

async fn an_event_with_the_expected_id_continues_a_past_and_another_id_does_not(log: Arc<dyn Store>) {
    let first = message("tea", ANN, "one");
    log.append(first.clone()).await.unwrap();
    log.append(message("tea", ANN, "two")).await.unwrap();
    let past =
        |after, after_id, log: Option<&str>| StreamPosition { after, after_id, log: log.map(Into::into) };
    let id = log.log_id();
    for (expected, past) in [
        (true, past(0, None, None)),
        (true, past(1, None, None)),
        (true, past(1, None, Some(id))),
        (true, past(1, Some(first.id), Some(id))),
        (true, past(1, Some(first.id), None)),
        (false, past(2, Some(first.id), Some(id))),
        (false, past(1, Some(Uuid::now_v7()), None)),
        (false, past(3, Some(first.id), None)),
        (false, past(Seq::MAX, Some(first.id), None)),
        (false, past(1, Some(first.id), Some("another"))),
        (false, past(0, None, Some("another"))),
    ] {
        let continues = log.continues(&room("tea"), past.clone()).await.unwrap();
        assert_eq!(continues, expected, "{past:?}");
    }
    assert!(!log.continues(&room("jam"), past(1, Some(first.id), None)).await.unwrap(), "another room");
}

async fn a_delete_is_an_event_and_what_was_said_is_gone(log: Arc<dyn Store>) {
    post(&*log, "tea", "secret").await;
    log.append(edit(ANN, 1, "secret too")).await.unwrap();
    assert_eq!(log.append(delete(ANN, 1)).await.unwrap().seq, 3);
    let events = log.events_after(&room("tea"), 0, 9).await.unwrap();
    assert_eq!(events[2].body, EventBody::Delete { target: 1 });
    assert!(!format!("{events:?}").contains("secret"), "{events:?}");
    let page = page(&*log).await;
    let message = &page.messages[0];
    assert_eq!((&*message.text, message.edited_at, message.deleted), ("", None, true));
    assert_eq!(page.messages.len(), 1);
}

async fn only_its_author_can_change_a_message_and_only_while_it_is_there(log: Arc<dyn Store>) {
    post(&*log, "tea", "mine").await;
    for theirs in [edit(BOB, 1, "yours"), delete(BOB, 1)] {
        let refused = log.append(theirs).await;
        assert!(matches!(refused, Err(StoreError::Forbidden)), "{refused:?}");
    }
    log.append(edit(ANN, 1, "still mine")).await.unwrap();
    for no_message in [0, 2, 99, Seq::MAX] {
        for operation in [edit(ANN, no_message, "x"), delete(ANN, no_message)] {
            let refused = log.append(operation).await;
            assert!(matches!(refused, Err(StoreError::MessageNotFound)), "{no_message}: {refused:?}");
        }
    }
    log.append(delete(ANN, 1)).await.unwrap();
    for late in [edit(ANN, 1, "x"), delete(ANN, 1), answer(BOB, 1)] {
        let refused = log.append(late).await;
        assert!(matches!(refused, Err(StoreError::MessageNotFound)), "{refused:?}");
    }
    assert_eq!(log.head(&room("tea")).await.unwrap(), 3, "what is refused leaves no hole");
}

async fn pages_count_messages_whatever_else_happened(log: Arc<dyn Store>) {
    for n in 1..=5 {
        post(&*log, "tea", &n.to_string()).await;
    }
    for n in 0..20 {
        log.append(edit(ANN, 5, &format!("five {n}"))).await.unwrap();
    }
    let newest = log.messages_before(&room("tea"), Seq::MAX, 3).await.unwrap();
    let seqs: Vec<Seq> = newest.messages.iter().map(|message| message.seq).collect();
    assert_eq!((seqs, newest.more), (vec![3, 4, 5], true));
}

async fn a_log_has_an_identity(log: Arc<dyn Store>) {
    assert!(log.log_id().parse::<CommandId>().is_ok(), "{} is no UUID", log.log_id());
    assert_ne!(log.log_id(), SqliteStore::ephemeral().unwrap().log_id());
}

async fn names_that_are_alike_are_known_and_only_as_long_as_they_are(log: Arc<dyn Store>) {
    let changed = log.set_display_name(ANN, "Ann".parse().unwrap()).await.unwrap();
    assert_eq!(changed, [User::new(ANN, "Ann".parse().unwrap())]);
    // The first letter is Cyrillic.
    let mut changed = log.set_display_name(BOB, "\u{410}nn".parse().unwrap()).await.unwrap();
    changed.sort_by_key(|person| person.id);
    assert_eq!(
        changed.iter().map(|person| (person.id, person.ambiguous)).collect::<Vec<_>>(),
        [(ANN, true), (BOB, true)]
    );
    let ambiguous = |people: Vec<User>| people.into_iter().map(|person| person.ambiguous).collect::<Vec<_>>();
    assert_eq!(ambiguous(log.users(&[ANN, BOB]).await.unwrap()), [true, true]);
    post(&*log, "tea", "it is me").await;
    assert!(log.messages_before(&room("tea"), 9, 9).await.unwrap().messages[0].author.ambiguous);
    let mut changed = log.set_display_name(BOB, "Bob".parse().unwrap()).await.unwrap();
    changed.sort_by_key(|person| person.id);
    assert_eq!(
        changed.iter().map(|person| (person.id, person.ambiguous)).collect::<Vec<_>>(),
        [(ANN, false), (BOB, false)]
    );
    assert!(!log.events_after(&room("tea"), 0, 9).await.unwrap()[0].author.ambiguous);
}

async fn a_user_who_stays_ambiguous_is_not_reported(log: Arc<dyn Store>) {
    let (carol, dora) = (UserId(0xc), UserId(0xd));
    let rename = async |person, name: &str| -> Vec<(UserId, bool)> {
        let mut changed = log.set_display_name(person, name.parse().unwrap()).await.unwrap();
        changed.sort_by_key(|person| person.id);
        changed.iter().map(|person| (person.id, person.ambiguous)).collect()
    };
    assert_eq!(rename(ANN, "Ann").await, [(ANN, false)]);
    assert_eq!(rename(BOB, "ann").await, [(ANN, true), (BOB, true)]);
    assert_eq!(rename(carol, "ANN").await, [(carol, true)]);
    assert_eq!(rename(carol, "Ann").await, [(carol, true)]);
    assert_eq!(rename(dora, "Bob").await, [(dora, false)]);
    assert_eq!(rename(carol, "Bob").await, [(carol, true), (dora, true)]);
    assert_eq!(rename(BOB, "BOB").await, [(ANN, false), (BOB, true)]);
    assert_eq!(rename(ANN, "Anna").await, [(ANN, false)]);
    assert_eq!(rename(carol, "Ann").await, [(carol, false)], "nobody is called so any more");
}

async fn users_of_one_name_have_different_tags_and_the_first_has_none(log: Arc<dyn Store>) {
    let carol = UserId(0xc);
    let tags = async || -> Vec<Option<String>> {
        let users = log.users(&[ANN, BOB, carol]).await.unwrap();
        users.iter().map(app::wire::User::tag).collect()
    };
    let rename =
        async |user, name: &str| drop(log.set_display_name(user, name.parse().unwrap()).await.unwrap());
    let tag = |number: u32| Some(format!("#{number}"));
    rename(ANN, "Ann").await;
    assert_eq!(tags().await[0], None);
    rename(BOB, "Ann ✓").await;
    rename(carol, "-ANN-").await;
    assert_eq!(tags().await, [None, tag(2), tag(3)]);
    rename(BOB, "ann").await;
    assert_eq!(tags().await, [None, tag(2), tag(3)], "another spelling of the name keeps the tag");
    post(&*log, "tea", "hello").await;
    log.append(message("tea", carol, "hello")).await.unwrap();
    let page = page(&*log).await;
    assert_eq!(page.messages.iter().map(|said| said.author.tag()).collect::<Vec<_>>(), [None, tag(3)]);
    let events = log.events_after(&room("tea"), 0, 9).await.unwrap();
    assert_eq!(events.iter().map(|event| event.author.tag()).collect::<Vec<_>>(), [None, tag(3)]);
    rename(ANN, "Anna").await;
    assert_eq!(tags().await, [None, tag(2), tag(3)], "nobody inherits the place of the first");
    rename(ANN, "Ann").await;
    assert_eq!(tags().await, [tag(4), tag(2), tag(3)], "nor does she come back to it");
    rename(BOB, "Bob").await;
    rename(carol, "Carol").await;
    assert_eq!(tags().await, [None, None, None], "alone again");
}

async fn a_guest_whose_given_name_a_user_has_gets_a_guests_tag(log: Arc<dyn Store>) {
    let guest = UserId(7 | 0xbeef << 32);
    log.set_display_name(ANN, DisplayName::generated(guest)).await.unwrap();
    assert_eq!(log.users(&[guest]).await.unwrap()[0].tag().as_deref(), Some("#xbeef"));
    log.append(message("tea", guest, "hello")).await.unwrap();
    assert_eq!(log.users(&[guest]).await.unwrap()[0].tag().as_deref(), Some("#2"), "a user now");
}

async fn a_first_post_stores_the_generated_name(log: Arc<dyn Store>) {
    // Names are given by the id's remainder, so that these two are namesakes.
    let (one, other) = (UserId(5), UserId(5 + 1024));
    assert_eq!(DisplayName::generated(one), DisplayName::generated(other));
    log.append(message("tea", one, "hello")).await.unwrap();
    assert!(log.users(&[other]).await.unwrap()[0].ambiguous, "somebody of this name is known");
    log.append(message("tea", other, "hello")).await.unwrap();
    let people = log.users(&[one, other]).await.unwrap();
    assert!(people.iter().all(|person| person.ambiguous), "{people:?}");
}

fn about(title: &str, owner: UserId) -> RoomInfo {
    RoomInfo { title: Some(title.parse().unwrap()), owner: Some(owner), ..RoomInfo::default() }
}

async fn a_made_room_is_there_with_what_is_known_about_it(log: Arc<dyn Store>) {
    let wanted = RoomInfo { topic: "leaves".parse().unwrap(), ..about("Tea House", ANN) };
    log.create_room(room("tea"), wanted.clone()).await.unwrap();
    assert_eq!(info(&*log, &room("tea")).await, wanted);
    assert_eq!(title(&*log, "tea").await, "Tea House");
    assert_eq!(
        (listed(&*log).await, title(&*log, "team-tea").await),
        (vec![(room("tea"), 0)], "Team tea".into())
    );
    post(&*log, "tea", "first").await;
    assert_eq!((listed(&*log).await, info(&*log, &room("tea")).await), (vec![(room("tea"), 1)], wanted));
}

async fn a_room_that_is_there_is_not_made_again_and_a_title_is_taken_once(log: Arc<dyn Store>) {
    log.create_room(room("tea"), about("Tea House", ANN)).await.unwrap();
    post(&*log, "coffee", "anybody?").await;
    for taken in ["tea", "coffee", "lobby"] {
        let again = log.create_room(room(taken), about("Something else", BOB)).await;
        assert!(matches!(again, Err(StoreError::RoomExists)), "{taken}: {again:?}");
    }
    for ambiguous in ["tea  house", "TEA HOUSE", "Te\u{430} House", "Coffee"] {
        let again = log.create_room(room("other"), about(ambiguous, BOB)).await;
        assert!(matches!(again, Err(StoreError::TitleTaken(_))), "{ambiguous}: {again:?}");
    }
    let both = join_all(["one", "two"].map(|name| log.create_room(room(name), about("At once", ANN)))).await;
    assert_eq!(both.iter().filter(|made| made.is_ok()).count(), 1, "{both:?}");
}

async fn a_private_room_reserves_no_title(log: Arc<dyn Store>) {
    log.create_room(room("tea"), about("Tea", ANN)).await.unwrap();
    log.create_room(room("p-1"), RoomInfo { private: true, ..about("Tea", BOB) }).await.unwrap();
    log.create_room(room("p-2"), RoomInfo { private: true, ..about("Secret", BOB) }).await.unwrap();
    log.create_room(room("open"), about("Secret", ANN)).await.unwrap();
}

async fn no_other_room_is_called_like_the_lobby_in_any_language(log: Arc<dyn Store>) {
    log.create_room(room("tea"), about("Tea", ANN)).await.unwrap();
    for title in ["Lobby", "l\u{43e}bby", "大厅"] {
        let made = log.create_room(room("other"), about(title, BOB)).await;
        assert!(matches!(&made, Err(StoreError::TitleTaken(taken)) if taken.is_lobby()), "{title}: {made:?}");
        let called = log.update_room(room("tea"), ANN, title.parse().unwrap(), "".parse().unwrap()).await;
        assert!(
            matches!(&called, Err(StoreError::TitleTaken(taken)) if taken.is_lobby()),
            "{title}: {called:?}"
        );
    }
    post(&*log, "lobby", "hello").await;
    let made = log.create_room(room("other"), about("大厅", BOB)).await;
    assert!(matches!(made, Err(StoreError::TitleTaken(_))), "{made:?}");
}

async fn a_room_keeps_its_title_although_another_is_called_so_by_its_address(log: Arc<dyn Store>) {
    log.create_room(room("leaves"), about("Tea", ANN)).await.unwrap();
    log.append(message("tea", BOB, "opened by its address")).await.unwrap();
    let retitle = |name: &str, title: &str, topic: &str| {
        log.update_room(room(name), ANN, title.parse().unwrap(), topic.parse().unwrap())
    };
    retitle("leaves", "TEA", "green").await.unwrap();
    assert_eq!(info(&*log, &room("leaves")).await.topic.as_str(), "green");
    log.create_room(room("jam"), about("Jam", ANN)).await.unwrap();
    let taken = retitle("jam", "Tea", "").await;
    assert!(matches!(taken, Err(StoreError::TitleTaken(_))), "{taken:?}");
    retitle("leaves", "Leaves", "").await.unwrap();
    retitle("jam", "Tea", "").await.expect("the title is free, since the other one shows its address");
    assert_eq!(title(&*log, "tea").await, "Tea (/r/tea)");
}

async fn a_room_by_its_address_shows_it_where_another_room_has_the_title(log: Arc<dyn Store>) {
    log.create_room(room("numbers"), about("Payroll", ANN)).await.unwrap();
    let title = |name: &'static str| {
        let log = log.clone();
        async move { title(&*log, name).await }
    };
    let posts = ["payroll", "a-b", "a--b", "l0bby", "quiet"];
    for name in posts {
        log.append(message(name, BOB, "opened by its address")).await.unwrap();
    }
    assert_eq!(title("payroll").await, "Payroll (/r/payroll)");
    assert_eq!((title("a-b").await, title("a--b").await), ("A b".into(), "A  b (/r/a--b)".into()));
    assert_eq!((title("l0bby").await, title("quiet").await), ("L0bby (/r/l0bby)".into(), "Quiet".into()));
    let copied = log.create_room(room("copy"), about("Payroll (/r/payroll)", ANN)).await;
    assert!(matches!(&copied, Err(StoreError::TitleTaken(taken)) if *taken == room("payroll")), "{copied:?}");
    let retitle = log.update_room(room("numbers"), ANN, "Numbers".parse().unwrap(), "".parse().unwrap());
    retitle.await.unwrap();
    assert_eq!(title("payroll").await, "Payroll (/r/payroll)", "it keeps the title that users know");
    let both = join_all([
        log.append(message("same-time", BOB, "first")).map(drop).boxed(),
        log.create_room(room("other"), about("Same time", ANN)).map(drop).boxed(),
    ]);
    both.await;
    assert_ne!(title("same-time").await, title("other").await);
}

async fn public_rooms_are_listed_by_name_from_any_one_on(log: Arc<dyn Store>) {
    for name in ["tea", "jam", "lobby"] {
        post(&*log, name, "hello").await;
    }
    post(&*log, &format!("p-{}", "0".repeat(32)), "psst").await;
    log.create_room(room("ink"), about("Ink", ANN)).await.unwrap();
    log.create_room(room("p-1"), RoomInfo { private: true, ..about("Secret", ANN) }).await.unwrap();
    let names = async |after: Option<&str>, most| -> Vec<String> {
        let query = RoomQuery { after: after.map(room), ..RoomQuery::new(RoomOrder::Name, most) };
        let rooms = log.list_rooms(query).await.unwrap();
        rooms.iter().map(|found| format!("{} {} {}", found.room, found.head, found.title())).collect()
    };
    assert_eq!(names(None, 9).await, ["ink 0 Ink", "jam 1 Jam", "lobby 1 Lobby", "tea 1 Tea"]);
    assert_eq!(names(None, 2).await, ["ink 0 Ink", "jam 1 Jam"]);
    assert_eq!(names(Some("jam"), 1).await, ["lobby 1 Lobby"]);
    assert_eq!(names(Some("never-made"), 9).await, ["tea 1 Tea"]);
    assert_eq!(names(Some("tea"), 9).await, [""; 0]);
}

/// So that what happens next happens later by the clock of the log.
async fn a_moment() {
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
}

async fn the_liveliest_rooms_come_first(log: Arc<dyn Store>) {
    for name in ["tea", "jam", "lobby", "ink"] {
        post(&*log, name, "first").await;
        a_moment().await;
    }
    log.create_room(room("p-1"), RoomInfo { private: true, ..about("Secret", ANN) }).await.unwrap();
    post(&*log, "p-1", "psst").await;
    let lively = async |after: Option<&str>, most| {
        not_joined(&*log, RoomOrder::Activity, after.map(room).as_ref(), most).await
    };
    assert_eq!(lively(None, 9).await, [room("ink"), room("jam"), room("tea")]);
    assert_eq!(lively(Some("ink"), 1).await, [room("jam")]);
    assert_eq!(lively(Some("tea"), 9).await, []);
    a_moment().await;
    post(&*log, "tea", "again").await;
    assert_eq!(lively(None, 2).await, [room("tea"), room("ink")]);
    log.set_read_marker(BOB, room("tea"), 1).await.unwrap();
    assert_eq!(lively(None, 1).await, [room("ink")]);
    log.remove_read_marker(BOB, room("tea")).await.unwrap();
    a_moment().await;
    log.create_room(room("new"), about("New", ANN)).await.unwrap();
    log.update_room(room("new"), ANN, "Quite new".parse().unwrap(), "".parse().unwrap()).await.unwrap();
    assert_eq!(lively(None, 2).await, [room("new"), room("tea")]);
}

async fn rooms_are_listed_by_title_from_any_one_on(log: Arc<dyn Store>) {
    let names: Vec<RoomName> = (0..250).map(|n| room(&format!("room-{n:03}"))).collect();
    for (n, name) in names.iter().enumerate() {
        // The other way round, and in turn large and small.
        let title = if n % 2 == 0 { format!("A{:03}", 999 - n) } else { format!("a{:03}", 999 - n) };
        log.create_room(name.clone(), about(&title, ANN)).await.unwrap();
    }
    log.create_room(room("p-1"), RoomInfo { private: true, ..about("A500", ANN) }).await.unwrap();
    post(&*log, "lobby", "hello").await;
    log.set_read_marker(BOB, names[7].clone(), 0).await.unwrap();
    let by_title =
        async |after: Option<&RoomName>, limit| not_joined(&*log, RoomOrder::Title, after, limit).await;
    let (mut listed, mut after): (Vec<RoomName>, Option<RoomName>) = (Vec::new(), None);
    loop {
        let page = by_title(after.as_ref(), 100).await;
        listed.extend(page.iter().cloned());
        after = page.last().cloned();
        if page.len() < 100 {
            break;
        }
    }
    let expected = names.iter().rev().filter(|room| **room != names[7]);
    assert!(listed.iter().eq(expected), "each once, in order: {listed:?}");
    log.update_room(names[0].clone(), ANN, "A000".parse().unwrap(), "".parse().unwrap()).await.unwrap();
    assert_eq!(by_title(None, 2).await, [names[0].clone(), names[249].clone()]);
    assert_eq!(by_title(Some(&names[1]), 2).await, [], "it was the last one");
    assert_eq!(by_title(Some(&room("never-made")), 2).await, [], "N comes after A");
}

async fn only_its_owner_calls_a_room_something_else(log: Arc<dyn Store>) {
    let retitle = |name: &'static str, person, title: &str| {
        log.update_room(room(name), person, title.parse().unwrap(), "about it".parse().unwrap())
    };
    log.create_room(room("tea"), about("Tea", ANN)).await.unwrap();
    log.create_room(room("coffee"), about("Coffee", ANN)).await.unwrap();
    assert!(matches!(retitle("nothing", ANN, "New").await, Err(StoreError::RoomNotFound)));
    assert!(matches!(retitle("tea", BOB, "Mine").await, Err(StoreError::Forbidden)));
    assert!(matches!(retitle("tea", ANN, "coffee").await, Err(StoreError::TitleTaken(_))));
    retitle("tea", ANN, "TEA").await.unwrap();
    retitle("coffee", ANN, "Cocoa").await.unwrap();
    assert!(matches!(retitle("tea", ANN, "cocoa").await, Err(StoreError::TitleTaken(_))));
    log.append(message("juice", BOB, "first")).await.unwrap();
    assert!(matches!(retitle("coffee", ANN, "Juice").await, Err(StoreError::TitleTaken(_))));
    log.create_room(room("other"), about("Coffee", BOB)).await.expect("that title is free again");
    let tea = log.room(&room("tea")).await.unwrap();
    assert_eq!(
        (tea.title().as_str(), tea.info.topic.as_str(), tea.info.owner),
        ("TEA", "about it", Some(ANN))
    );
}

async fn a_room_that_came_into_being_by_its_first_message_has_no_owner(log: Arc<dyn Store>) {
    log.append(message("tea", BOB, "first")).await.unwrap();
    log.append(message("tea", ANN, "second")).await.unwrap();
    log.append(message("lobby", BOB, "hello")).await.unwrap();
    for name in ["tea", "lobby"] {
        assert_eq!(info(&*log, &room(name)).await.owner, None, "{name}");
        let retitled = log.update_room(room(name), BOB, "Mine".parse().unwrap(), "".parse().unwrap()).await;
        assert!(matches!(retitled, Err(StoreError::Forbidden)), "{name}: {retitled:?}");
    }
    let taken = log.append(delete(BOB, 2)).await;
    assert!(matches!(taken, Err(StoreError::Forbidden)), "{taken:?}");
}

async fn a_room_is_private_by_its_name_whoever_makes_it(log: Arc<dyn Store>) {
    let [spoken, made] = ["0", "f"].map(|digit| room(&format!("p-{}", digit.repeat(32))));
    post(&*log, spoken.as_str(), "psst").await;
    log.create_room(made.clone(), about("Made as a public one", ANN)).await.unwrap();
    for name in [&spoken, &made] {
        assert!(info(&*log, name).await.private, "{name}");
    }
    assert_eq!(info(&*log, &spoken).await.owner, None);
    for order in [RoomOrder::Name, RoomOrder::Title, RoomOrder::Activity] {
        assert_eq!(not_joined(&*log, order, None, 9).await, []);
    }
    log.create_room(room("tea"), about("Made as a public one", BOB)).await.expect("it takes nobody's title");
}

async fn an_owner_deletes_any_message_of_their_room_and_edits_none(log: Arc<dyn Store>) {
    log.create_room(room("tea"), about("Tea", BOB)).await.unwrap();
    log.append(message("tea", BOB, "welcome")).await.unwrap();
    let rude = log.append(message("tea", ANN, "something rude")).await.unwrap();
    let edited = log.append(edit(BOB, rude.seq, "something nice")).await;
    assert!(matches!(edited, Err(StoreError::Forbidden)), "{edited:?}");
    log.append(delete(BOB, rude.seq)).await.unwrap();
    assert!(log.messages_before(&room("tea"), 9, 9).await.unwrap().messages[1].deleted);
}

async fn reading_goes_forward_and_never_beyond_the_end(log: Arc<dyn Store>) {
    post(&*log, "tea", "one").await;
    post(&*log, "tea", "two").await;
    assert_eq!(visits(&*log, BOB).await, []);
    assert_eq!(read_marker(&*log, BOB, "tea").await, None);
    for (seq, read, marker) in [
        (1, 1, MarkerUpdate::Moved(1)),
        (9, 2, MarkerUpdate::Moved(2)),
        (1, 2, MarkerUpdate::Unchanged),
        (2, 2, MarkerUpdate::Unchanged),
    ] {
        assert_eq!(log.set_read_marker(BOB, room("tea"), seq).await.unwrap(), marker);
        assert_eq!(visits(&*log, BOB).await, [(room("tea"), read)]);
        assert_eq!(read_marker(&*log, BOB, "tea").await, Some(read));
    }
    assert_eq!(visits(&*log, ANN).await, [(room("tea"), 1)]);
    assert_eq!(read_marker(&*log, BOB, "jam").await, None);
}

async fn read_marker(log: &dyn Store, user: UserId, name: &str) -> Option<Seq> {
    log.snapshot(&room(name), user, None, 0).await.unwrap().read
}

async fn visits(log: &dyn Store, user: UserId) -> Vec<(RoomName, Seq)> {
    log.read_markers(user, 0, MAX_READ_MARKERS + 9).await.unwrap()
}

async fn a_read_marker_needs_a_room_and_stands_at_0_only_in_an_empty_one(log: Arc<dyn Store>) {
    for seq in [0, 1] {
        let refused = log.set_read_marker(BOB, room("nowhere"), seq).await;
        assert!(matches!(refused, Err(StoreError::RoomNotFound)), "{refused:?}");
    }
    log.create_room(room("tea"), about("Tea", ANN)).await.unwrap();
    post(&*log, "jam", "one").await;
    for (name, seq) in [("jam", 0), ("lobby", 0), ("lobby", 1)] {
        assert_eq!(
            log.set_read_marker(BOB, room(name), seq).await.unwrap(),
            MarkerUpdate::Unchanged,
            "{name} {seq}"
        );
    }
    assert_eq!(visits(&*log, BOB).await, []);
    assert_eq!(
        log.set_read_marker(BOB, room("tea"), 7).await.unwrap(),
        MarkerUpdate::Moved(0),
        "it is made, and empty"
    );
    assert_eq!(log.set_read_marker(BOB, room("tea"), 0).await.unwrap(), MarkerUpdate::Unchanged);
    assert_eq!(visits(&*log, BOB).await, [(room("tea"), 0)]);
    assert_eq!(visits(&*log, ANN).await.len(), 2, "the owner of a new room has been there");
}

async fn the_newest_visits_come_first_and_the_oldest_is_evicted_past_the_bound(log: Arc<dyn Store>) {
    let all: Vec<RoomName> = (0..=MAX_READ_MARKERS + 1).map(|n| room(&format!("room-{n:04}"))).collect();
    join_all(all.iter().map(|name| log.append(message(name.as_str(), ANN, "hello")))).await;
    let read = async |n: usize| {
        assert_eq!(log.set_read_marker(BOB, all[n].clone(), 1).await.unwrap(), MarkerUpdate::Moved(1));
    };
    read(0).await;
    a_moment().await;
    for n in 1..MAX_READ_MARKERS as usize {
        read(n).await;
    }
    a_moment().await;
    log.append(message("room-0000", ANN, "news")).await.unwrap();
    log.set_read_marker(BOB, all[0].clone(), 2).await.unwrap();
    let first = log.read_markers(BOB, 0, 2).await.unwrap();
    assert_eq!(first[0], (all[0].clone(), 2), "the room that was read last comes first");
    assert_eq!(log.read_markers(BOB, 1, 1).await.unwrap(), first[1..]);
    assert_eq!(visits(&*log, BOB).await.len(), MAX_READ_MARKERS as usize);
    let oldest = visits(&*log, BOB).await.pop().unwrap().0;
    read(MAX_READ_MARKERS as usize).await;
    let kept = visits(&*log, BOB).await;
    assert_eq!(kept.len(), MAX_READ_MARKERS as usize);
    assert!(kept.iter().all(|(room, _)| *room != oldest), "{oldest} was not used for longest");
    log.append(message(oldest.as_str(), BOB, "back again")).await.unwrap();
    assert!(visits(&*log, BOB).await.contains(&(oldest, 2)), "an evicted room can come back");
    assert_eq!(visits(&*log, ANN).await.len(), MAX_READ_MARKERS as usize, "posts have the same bound");
}

async fn a_user_who_posts_in_a_room_has_been_there_and_has_read_no_less_than_before(log: Arc<dyn Store>) {
    post(&*log, "tea", "one").await;
    post(&*log, "tea", "two").await;
    let first = message("tea", BOB, "three");
    log.append(first.clone()).await.unwrap();
    assert_eq!(visits(&*log, BOB).await, [(room("tea"), 3)], "up to his message");
    post(&*log, "tea", "four").await;
    log.append(message("tea", BOB, "five")).await.unwrap();
    log.append(NewEvent { room: room("jam"), ..first }).await.unwrap();
    assert_eq!(visits(&*log, BOB).await, [(room("tea"), 3)], "four may be unread, and a repeat is no visit");
    post(&*log, "jam", "one").await;
    a_moment().await;
    log.set_read_marker(BOB, room("jam"), 1).await.unwrap();
    log.append(message("jam", BOB, "two")).await.unwrap();
    assert_eq!(visits(&*log, BOB).await, [(room("jam"), 1), (room("tea"), 3)]);
}

async fn a_user_who_leaves_a_room_has_not_been_there_until_they_come_back(log: Arc<dyn Store>) {
    for name in ["tea", "jam"] {
        log.append(message(name, ANN, "one")).await.unwrap();
        log.append(message(name, BOB, "two")).await.unwrap();
    }
    log.remove_read_marker(BOB, room("tea")).await.unwrap();
    log.remove_read_marker(BOB, room("never-seen")).await.unwrap();
    assert_eq!(visits(&*log, BOB).await, [(room("jam"), 2)]);
    assert_eq!(read_marker(&*log, BOB, "tea").await, None);
    assert_eq!(visits(&*log, ANN).await.len(), 2, "other users stay");
    log.append(message("tea", BOB, "three")).await.unwrap();
    log.remove_read_marker(BOB, room("jam")).await.unwrap();
    log.set_read_marker(BOB, room("jam"), 1).await.unwrap();
    let back: HashSet<_> = visits(&*log, BOB).await.into_iter().collect();
    assert_eq!(back, HashSet::from([(room("tea"), 3), (room("jam"), 1)]));
}

async fn messages_of_others_are_unread_and_deleted_ones_are_not(log: Arc<dyn Store>) {
    for n in 0..3 {
        log.append(message("tea", ANN, &n.to_string())).await.unwrap();
    }
    log.append(message("tea", BOB, "my own")).await.unwrap();
    let operation = Operation::Delete { target: 2 };
    log.append(NewEvent { id: Uuid::now_v7(), room: room("tea"), author: ANN, operation }).await.unwrap();
    let unread =
        log.unread_counts(BOB, &[(room("tea"), 0), (room("tea"), 1), (room("empty"), 0)]).await.unwrap();
    assert_eq!(unread, [2, 1, 0]);
    for n in 0..150 {
        log.append(message("tea", ANN, &n.to_string())).await.unwrap();
    }
    assert_eq!(log.unread_counts(BOB, &[(room("tea"), 0)]).await.unwrap(), [100]);
}

async fn a_snapshot_has_the_room_the_read_marker_and_the_newest_page(log: Arc<dyn Store>) {
    log.create_room(room("tea"), about("Tea", ANN)).await.unwrap();
    for n in 1..=4 {
        post(&*log, "tea", &n.to_string()).await;
    }
    log.set_read_marker(BOB, room("tea"), 2).await.unwrap();
    let snapshot = log.snapshot(&room("tea"), BOB, None, 3).await.unwrap();
    assert_eq!(snapshot.record, log.room(&room("tea")).await.unwrap());
    assert_eq!((snapshot.record.head, snapshot.read), (4, Some(2)));
    assert_eq!(snapshot.page, Some(log.messages_before(&room("tea"), 5, 3).await.unwrap()));
    let empty = log.snapshot(&room("new"), BOB, None, 3).await.unwrap();
    assert_eq!((empty.record.head, empty.read, empty.page), (0, None, Some(MessagePage::default())));
}

async fn a_snapshot_has_no_page_if_a_few_events_continue_what_the_user_has(log: Arc<dyn Store>) {
    let id = log.log_id().to_owned();
    let events = join_all((0..=MAX_CATCH_UP_EVENTS).map(|_| log.append(message("tea", ANN, "x")))).await;
    assert!(events.iter().all(Result::is_ok));
    let past = |after, log: &str| StreamPosition { after, after_id: None, log: Some(log.into()) };
    for (past, has_page) in [
        (past(1, &id), false),
        (past(MAX_CATCH_UP_EVENTS + 1, &id), false),
        (past(0, &id), true),
        (past(MAX_CATCH_UP_EVENTS + 2, &id), true),
        (past(5, "another"), true),
    ] {
        let snapshot = log.snapshot(&room("tea"), BOB, Some(past.clone()), 1).await.unwrap();
        assert_eq!(snapshot.page.is_some(), has_page, "{past:?}");
    }
}

async fn joined_rooms_have_what_a_list_shows_and_the_rooms_that_it_must_have(log: Arc<dyn Store>) {
    for name in ["tea", "jam", "new"] {
        for _ in 0..3 {
            post(&*log, name, "hello").await;
        }
    }
    for (name, seq) in [("tea", 1), ("jam", 3)] {
        log.set_read_marker(BOB, room(name), seq).await.unwrap();
        a_moment().await;
    }
    let list = async |skip, limit, also: &[&str]| {
        let also: Vec<RoomName> = also.iter().map(|name| room(name)).collect();
        let JoinedRooms { rooms, more } = log.joined_rooms(BOB, skip, limit, &also).await.unwrap();
        let rooms = rooms
            .into_iter()
            .map(|JoinedRoom { record, read, unread }| (record.room.to_string(), record.head, read, unread));
        (rooms.collect::<Vec<_>>(), more)
    };
    let entry = |name: &str, head, read, unread| (name.to_owned(), head, read, unread);
    let (tea, jam) = (entry("tea", 3, 1, 2), entry("jam", 3, 3, 0));
    assert_eq!(list(0, 9, &[]).await, (vec![jam.clone(), tea.clone()], false));
    assert_eq!(list(0, 1, &[]).await, (vec![jam.clone()], true));
    assert_eq!(list(1, 1, &[]).await, (vec![tea.clone()], false));
    let (new, empty) = (entry("new", 3, 3, 0), entry("empty", 0, 0, 0));
    let expected = vec![jam, tea, new, empty];
    assert_eq!(list(0, 1, &["jam", "tea", "new", "empty"]).await, (expected, true), "each once");
}

async fn pages_end_at_256_kib_of_json_and_hold_at_least_one_entry(log: Arc<dyn Store>) {
    let longest = "\"".repeat(MAX_MESSAGE_BYTES);
    let post = |text: &str| log.append(NewEvent::message(Uuid::now_v7(), room("tea"), ANN, text));
    for _ in 0..40 {
        post(&longest).await.unwrap();
    }
    for n in 1..=1_000 {
        post(&n.to_string()).await.unwrap();
    }
    let events = log.events_after(&room("tea"), 0, 1_000).await.unwrap();
    let bytes = serde_json::to_string(&events).unwrap().len();
    assert!(
        bytes <= MAX_PAGE_BYTES && bytes > MAX_PAGE_BYTES / 2,
        "{} events of {bytes} bytes",
        events.len()
    );
    let page = log.messages_before(&room("tea"), 41, 50).await.unwrap();
    let bytes = serde_json::to_string(&page.messages).unwrap().len();
    assert!(page.more && bytes <= MAX_PAGE_BYTES && bytes > MAX_PAGE_BYTES / 2, "{bytes} bytes");
    assert_eq!(page.messages.last().unwrap().seq, 40, "the newest stay");
    assert_eq!(log.events_after(&room("tea"), 40, 1_000).await.unwrap().len(), 1_000, "short ones all fit");
    let page = read_around(&*log, &room("tea"), 20, 50).await.unwrap();
    let seqs: Vec<_> = page.messages.iter().map(|message| message.seq).collect();
    assert!(page.more && seqs.contains(&20) && seqs.contains(&21), "{seqs:?}");
}

async fn changes_of_names_titles_and_read_markers_are_notified(log: Arc<dyn Store>) {
    log.create_room(room("tea"), about("Tea", ANN)).await.unwrap();
    post(&*log, "tea", "hello").await;
    let mut notifications = log.subscribe();
    let generation = log.names_generation();
    log.set_display_name(BOB, "Bob".parse().unwrap()).await.unwrap();
    assert_ne!(log.names_generation(), generation, "before the change is acknowledged");
    log.update_room(room("tea"), ANN, "Tea time".parse().unwrap(), "".parse().unwrap()).await.unwrap();
    log.set_read_marker(BOB, room("tea"), 9).await.unwrap();
    log.set_read_marker(BOB, room("tea"), 1).await.unwrap();
    let refused = log.update_room(room("tea"), BOB, "Mine".parse().unwrap(), "".parse().unwrap()).await;
    assert!(refused.is_err());
    let told: Vec<_> =
        std::iter::from_fn(|| notifications.next().now_or_never()?).map(|told| format!("{told:?}")).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("UsersChanged") && told[1].starts_with("RoomChanged"), "{told:?}");
    assert!(told[2].starts_with("ReadMarkerMoved") && told[2].contains("seq: 1"), "{told:?}");
}

const MINUTE: Duration = Duration::from_secs(60);

async fn a_device_link_works_once_and_looking_does_not_use_it(log: Arc<dyn Store>) {
    log.create_device_link([1; 32], ANN, MINUTE).await.unwrap().unwrap();
    for _ in 0..2 {
        assert_eq!(log.device_link([1; 32]).await.unwrap(), Ok(ANN));
    }
    let both = join_all((0..2).map(|_| log.redeem_device_link([1; 32]))).await;
    let both: Vec<_> = both.into_iter().map(Result::unwrap).collect();
    assert_eq!(both, [Ok(ANN), Err(LinkError::Used)]);
    assert_eq!(log.device_link([1; 32]).await.unwrap(), Err(LinkError::Used));
    assert_eq!(log.redeem_device_link([2; 32]).await.unwrap(), Err(LinkError::Expired), "never created");
}

async fn a_device_link_expires_and_a_new_one_replaces_only_the_users_unused_one(log: Arc<dyn Store>) {
    log.create_device_link([1; 32], ANN, Duration::ZERO).await.unwrap().unwrap();
    assert_eq!(log.device_link([1; 32]).await.unwrap(), Err(LinkError::Expired));
    assert_eq!(log.redeem_device_link([1; 32]).await.unwrap(), Err(LinkError::Expired));
    for (hash, user) in [([2; 32], BOB), ([3; 32], ANN)] {
        log.create_device_link(hash, user, MINUTE).await.unwrap().unwrap();
    }
    log.redeem_device_link([3; 32]).await.unwrap().unwrap();
    for hash in [[4; 32], [5; 32]] {
        log.create_device_link(hash, ANN, MINUTE).await.unwrap().unwrap();
    }
    for (hash, found) in [
        ([2; 32], Ok(BOB)),
        ([3; 32], Err(LinkError::Used)),
        ([4; 32], Err(LinkError::Expired)),
        ([5; 32], Ok(ANN)),
    ] {
        assert_eq!(log.device_link(hash).await.unwrap(), found);
    }
}

async fn device_links_beyond_the_bound_are_rejected_until_others_expire(log: Arc<dyn Store>) {
    let hash = |n: u32| std::array::from_fn(|at| n.to_be_bytes()[at % 4]);
    log.create_device_link(hash(0), ANN, MINUTE).await.unwrap().unwrap();
    let soon = Duration::from_secs(1);
    let rest = (1..MAX_DEVICE_LINKS).map(|n| {
        log.create_device_link(hash(n), UserId(1_000 + u64::from(n)), if n < 9 { soon } else { MINUTE })
    });
    join_all(rest).await.into_iter().for_each(|created| created.unwrap().unwrap());
    let bobs = async || log.create_device_link(hash(MAX_DEVICE_LINKS), BOB, MINUTE).await.unwrap();
    let is_full = bobs().await == Err(TooManyLinks);
    assert!(
        is_full || log.device_link(hash(1)).await.unwrap().is_err(),
        "full, or the first ones have expired"
    );
    assert_eq!(log.device_link(hash(0)).await.unwrap(), Ok(ANN), "no other link is lost");
    log.create_device_link(hash(MAX_DEVICE_LINKS + 1), ANN, MINUTE)
        .await
        .unwrap()
        .expect("her own is replaced");
    while bobs().await.is_err() {
        a_moment().await;
    }
}

async fn reads_that_are_dropped_leave_their_connections_to_others(log: Arc<dyn Store>) {
    post(&*log, "tea", "hello").await;
    for _ in 0..100 {
        let tea = room("tea");
        let mut begun = log.head(&tea);
        drop((&mut begun).now_or_never());
        drop(begun);
        assert_eq!(log.head(&tea).await.unwrap(), 1);
    }
}
