//! What every log must do. Each sentence is tested on the log in memory and on the one on disk.

use crate::support::{room, text};
use app::wire::{CommandId, PersonId, PersonName, Seq};
use futures_util::future::join_all;
use server::log::{Appended, Log, LogError, MemoryLog, NewMessage, SqliteLog};
use std::sync::Arc;
use uuid::Uuid;

const ANN: PersonId = PersonId(0xa);
const BOB: PersonId = PersonId(0xb);

/// Runs each scene on each log.
macro_rules! every_log {
    ($($scene:ident)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $scene() {
                super::$scene(std::sync::Arc::new(super::MemoryLog::new())).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $scene() {
                let folder = tempfile::tempdir().unwrap();
                let log = super::SqliteLog::open(&folder.path().join("hubbub.db")).unwrap();
                super::$scene(std::sync::Arc::new(log)).await;
            })*
        }
    };
}

every_log! {
    each_room_counts_1_2_3_without_holes
    a_repeat_adds_nothing_and_is_told_the_place_of_the_first
    the_same_command_from_two_tabs_at_once_is_stored_once
    an_id_that_somebody_else_used_is_refused
    what_is_refused_leaves_no_hole
    who_is_woken_finds_what_woke_them
    wakes_bring_every_event_in_order
    everybody_who_appends_at_once_gets_a_place_of_their_own
    a_place_is_taken_when_append_is_called_not_when_it_is_awaited
    an_append_that_nobody_waits_for_is_stored_all_the_same
    events_are_read_from_any_place_in_order
    messages_are_read_in_pages_back_from_any_place
    an_answer_must_have_a_message_of_its_room_to_answer
    a_person_is_called_as_given_until_they_choose_and_in_what_they_said_before
    a_log_has_an_identity
}

fn message(room_name: &str, author: PersonId, text: &str) -> NewMessage {
    NewMessage { id: Uuid::now_v7(), room: room(room_name), author, text: text.into(), reply_to: None }
}

async fn post(log: &dyn Log, room: &str, text: &str) -> Appended {
    log.append(message(room, ANN, text)).await.unwrap()
}

async fn said(log: &dyn Log, room_name: &str) -> Vec<(Seq, String)> {
    let events = log.read_after(&room(room_name), 0, u32::MAX).await.unwrap();
    events.iter().map(|event| (event.seq, text(event).to_owned())).collect()
}

fn numbered(texts: &[&str]) -> Vec<(Seq, String)> {
    (1..).zip(texts.iter().map(|text| (*text).to_owned())).collect()
}

async fn each_room_counts_1_2_3_without_holes(log: Arc<dyn Log>) {
    for (room, text, seq) in
        [("tea", "a", 1), ("jam", "b", 1), ("tea", "c", 2), ("jam", "d", 2), ("tea", "e", 3)]
    {
        let appended = post(&*log, room, text).await;
        assert_eq!((appended.room.as_str(), appended.seq, appended.dup), (room, seq, false));
    }
    assert_eq!(said(&*log, "tea").await, numbered(&["a", "c", "e"]));
    assert_eq!(log.heads(&[room("tea"), room("empty"), room("jam")]), [3, 0, 2]);
    assert_eq!(log.rooms(), [(room("jam"), 2), (room("tea"), 3)]);
}

async fn a_repeat_adds_nothing_and_is_told_the_place_of_the_first(log: Arc<dyn Log>) {
    let first = message("tea", ANN, "hello");
    let stored = log.append(first.clone()).await.unwrap();
    post(&*log, "tea", "more").await;
    let again = log.append(first.clone()).await.unwrap();
    assert_eq!(again, Appended { dup: true, ..stored.clone() });
    let elsewhere = log.append(NewMessage { room: room("jam"), ..first }).await.unwrap();
    assert_eq!(elsewhere, Appended { dup: true, ..stored }, "an id is one command, in one room");
    assert_eq!(said(&*log, "tea").await, numbered(&["hello", "more"]));
    assert_eq!(log.heads(&[room("jam")]), [0]);
}

async fn the_same_command_from_two_tabs_at_once_is_stored_once(log: Arc<dyn Log>) {
    let command = message("tea", ANN, "hello");
    let all = join_all((0..8).map(|_| log.append(command.clone()))).await;
    let places: Vec<Appended> = all.into_iter().map(Result::unwrap).collect();
    assert!(places.iter().all(|place| place.seq == 1), "{places:?}");
    assert_eq!(places.iter().filter(|place| !place.dup).count(), 1, "{places:?}");
    assert_eq!(said(&*log, "tea").await, numbered(&["hello"]));
}

async fn an_id_that_somebody_else_used_is_refused(log: Arc<dyn Log>) {
    let anns = message("tea", ANN, "mine");
    log.append(anns.clone()).await.unwrap();
    let refused = log.append(NewMessage { author: BOB, ..anns }).await;
    assert!(matches!(refused, Err(LogError::IdTaken)), "{refused:?}");
    assert_eq!(said(&*log, "tea").await, numbered(&["mine"]));
}

async fn what_is_refused_leaves_no_hole(log: Arc<dyn Log>) {
    let first = message("tea", ANN, "one");
    let commands = [
        first.clone(),
        NewMessage { author: BOB, ..first },
        NewMessage { reply_to: Some(9), ..message("tea", BOB, "to nothing") },
        message("tea", BOB, "two"),
    ];
    let outcomes = join_all(commands.map(|command| log.append(command))).await;
    assert!(outcomes[1].is_err() && outcomes[2].is_err(), "{outcomes:?}");
    assert_eq!(outcomes[3].as_ref().unwrap().seq, 2);
    assert_eq!(said(&*log, "tea").await, numbered(&["one", "two"]));
}

async fn who_is_woken_finds_what_woke_them(log: Arc<dyn Log>) {
    let mut wakes = log.wakes();
    let posting = tokio::spawn({
        let log = log.clone();
        async move { join_all((0..100).map(|n| log.append(message("tea", ANN, &n.to_string())))).await }
    });
    let mut woken = 0;
    while woken < 100 {
        let wake = wakes.recv().await.unwrap();
        let last = wake.events.last().unwrap();
        assert!(
            log.heads(std::slice::from_ref(&wake.room))[0] >= last.seq,
            "heads are raised before the wake"
        );
        let found = log.read_after(&wake.room, last.seq - 1, 1).await.unwrap();
        assert_eq!(&found[0], last, "what wakes is committed");
        woken = last.seq;
    }
    posting.await.unwrap();
}

async fn wakes_bring_every_event_in_order(log: Arc<dyn Log>) {
    let mut wakes = log.wakes();
    let commands = (0..300).map(|n| log.append(message(["tea", "jam"][n % 2], ANN, &n.to_string())));
    join_all(commands).await;
    let mut heard = Vec::new();
    while let Ok(wake) = wakes.try_recv() {
        assert!(!wake.events.is_empty(), "a wake is never empty");
        heard.extend(wake.events.iter().map(|event| (wake.room.clone(), event.clone())));
    }
    for name in ["tea", "jam"] {
        let of_room = heard.iter().filter(|(of, _)| *of == room(name)).map(|(_, event)| event.clone());
        assert_eq!(of_room.collect::<Vec<_>>(), log.read_after(&room(name), 0, 1_000).await.unwrap());
    }
}

async fn everybody_who_appends_at_once_gets_a_place_of_their_own(log: Arc<dyn Log>) {
    let author = |n: u64| {
        let log = log.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            for k in 0..50 {
                mine.push(log.append(message("tea", PersonId(n), &format!("{n}.{k}"))).await.unwrap().seq);
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

async fn a_place_is_taken_when_append_is_called_not_when_it_is_awaited(log: Arc<dyn Log>) {
    let first = log.append(message("tea", ANN, "first"));
    let second = log.append(message("tea", ANN, "second"));
    assert_eq!(second.await.unwrap().seq, 2);
    assert_eq!(first.await.unwrap().seq, 1);
}

async fn an_append_that_nobody_waits_for_is_stored_all_the_same(log: Arc<dyn Log>) {
    drop(log.append(message("tea", ANN, "gone")));
    post(&*log, "tea", "after").await;
    assert_eq!(said(&*log, "tea").await, numbered(&["gone", "after"]));
}

async fn events_are_read_from_any_place_in_order(log: Arc<dyn Log>) {
    join_all((1..=9).map(|n| log.append(message("tea", ANN, &n.to_string())))).await;
    let after = async |after, limit| -> Vec<Seq> {
        let events = log.read_after(&room("tea"), after, limit).await.unwrap();
        events.iter().map(|event| event.seq).collect()
    };
    assert_eq!(after(0, 4).await, [1, 2, 3, 4]);
    assert_eq!(after(4, 100).await, [5, 6, 7, 8, 9]);
    for beyond in [9, 10, Seq::MAX] {
        assert!(after(beyond, 100).await.is_empty(), "nothing is after {beyond}");
    }
    assert!(said(&*log, "empty").await.is_empty());
}

async fn messages_are_read_in_pages_back_from_any_place(log: Arc<dyn Log>) {
    join_all((1..=9).map(|n| log.append(message("tea", ANN, &n.to_string())))).await;
    let before = async |before, limit| -> (Vec<Seq>, bool) {
        let page = log.read_before(&room("tea"), before, limit).await.unwrap();
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

async fn an_answer_must_have_a_message_of_its_room_to_answer(log: Arc<dyn Log>) {
    post(&*log, "jam", "elsewhere").await;
    let answer = |target| log.append(NewMessage { reply_to: Some(target), ..message("tea", BOB, "yes") });
    for nothing in [0, 1, Seq::MAX] {
        let refused = answer(nothing).await;
        assert!(matches!(refused, Err(LogError::NoSuchMessage)), "{nothing}: {refused:?}");
    }
    post(&*log, "tea", "shall we?").await;
    let placed = answer(1).await.unwrap();
    let page = log.read_before(&room("tea"), placed.seq + 1, 1).await.unwrap();
    assert_eq!(page.messages[0].reply_to, Some(1));
}

async fn a_person_is_called_as_given_until_they_choose_and_in_what_they_said_before(log: Arc<dyn Log>) {
    post(&*log, "tea", "hello").await;
    assert_eq!(log.names(&[ANN, BOB]).await.unwrap(), [PersonName::given(ANN), PersonName::given(BOB)]);
    let chosen: PersonName = "小明".parse().unwrap();
    log.rename(ANN, "Ann".parse().unwrap()).await.unwrap();
    log.rename(ANN, chosen.clone()).await.unwrap();
    assert_eq!(log.names(&[BOB, ANN]).await.unwrap(), [PersonName::given(BOB), chosen.clone()]);
    let events = log.read_after(&room("tea"), 0, 9).await.unwrap();
    assert_eq!(events[0].author.name, chosen);
    let page = log.read_before(&room("tea"), 2, 9).await.unwrap();
    assert_eq!(page.messages[0].author.name, chosen);
    let mut wakes = log.wakes();
    post(&*log, "tea", "it is me").await;
    assert_eq!(wakes.recv().await.unwrap().events[0].author.name, chosen);
}

async fn a_log_has_an_identity(log: Arc<dyn Log>) {
    assert!(log.id().parse::<CommandId>().is_ok(), "{} is no UUID", log.id());
    assert_ne!(log.id(), MemoryLog::new().id());
}
