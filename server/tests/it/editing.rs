//! Changing what one has said: edits and deletes, live, afterwards and over HTTP.

use crate::support::{TestServer, V1, within_timeout};
use app::wire::{ClientFrame, CommandId, ErrorCode, EventBody, Messages, Operation, Seq, ServerFrame};
use serde_json::Value;
use uuid::Uuid;

async fn edit(person: &mut V1, target: Seq, text: &str) -> CommandId {
    let id = Uuid::now_v7();
    person.send(&ClientFrame::Edit { id, room: "tea".into(), target, text: text.into() }).await;
    id
}

async fn delete(person: &mut V1, target: Seq) -> CommandId {
    let id = Uuid::now_v7();
    person.send(&ClientFrame::Delete { id, room: "tea".into(), target }).await;
    id
}

async fn page(server: &TestServer) -> Messages {
    within_timeout(reqwest::get(server.http("/api/rooms/tea/messages"))).await.unwrap().json().await.unwrap()
}

async fn ann_has_said_something() -> (TestServer, V1, V1) {
    let server = TestServer::start().await;
    let (mut ann, mut bob) =
        (V1::connect_and_join(&server, "tea").await, V1::connect_and_join(&server, "tea").await);
    ann.post("tea", "helo").await;
    ann.expect_reply().await;
    bob.events(1).await;
    (server, ann, bob)
}

#[tokio::test]
async fn an_edit_is_broadcast_and_part_of_later_pages() {
    let (server, mut ann, mut bob) = ann_has_said_something().await;
    let id = edit(&mut ann, 1, "  hello\n").await;
    let ack = ann.expect_reply().await;
    assert!(matches!(ack, ServerFrame::Ack { id: of, seq: Some(2), dup: false, .. } if of == id), "{ack:?}");
    let heard = bob.events(1).await;
    assert_eq!(heard[0].body, EventBody::Edit { target: 1, text: "hello".into() });
    let mut carol = V1::connect(&server).await;
    let ServerFrame::Joined { messages: Some(messages), .. } = carol.join("tea", None).await else {
        panic!()
    };
    assert_eq!((messages.len(), &*messages[0].text, messages[0].edited_at), (1, "hello", Some(heard[0].at)));
}

#[tokio::test]
async fn a_deleted_message_is_removed_for_all_clients_and_from_history() {
    let (server, mut ann, mut bob) = ann_has_said_something().await;
    delete(&mut ann, 1).await;
    assert_eq!(bob.events(1).await[0].body, EventBody::Delete { target: 1 });
    let mut carol = V1::connect(&server).await;
    carol.join("tea", Some(0)).await;
    let past = carol.events(2).await;
    assert_eq!(past[0].body, EventBody::Message { text: "".into(), reply_to: None });
    let page: Value = within_timeout(reqwest::get(server.http("/api/rooms/tea/messages")))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!((&page["messages"][0]["deleted"], page["messages"][0].get("text")), (&true.into(), None));
}

#[tokio::test]
async fn a_repeated_edit_or_delete_is_acknowledged_again_and_applied_once() {
    let (server, mut ann, _bob) = ann_has_said_something().await;
    let (room, target) = ("tea".to_owned(), 1);
    let edit = ClientFrame::Edit { id: Uuid::now_v7(), room: room.clone(), target, text: "hello".into() };
    let delete = ClientFrame::Delete { id: Uuid::now_v7(), room, target };
    for (frame, seq, again) in
        [(&edit, 2, false), (&edit, 2, true), (&delete, 3, false), (&delete, 3, true), (&edit, 2, true)]
    {
        ann.send(frame).await;
        let ack = ann.expect_reply().await;
        assert!(
            matches!(ack, ServerFrame::Ack { seq: Some(at), dup, .. } if at == seq && dup == again),
            "{ack:?}"
        );
    }
    assert!(page(&server).await.messages[0].deleted);
}

#[tokio::test]
async fn an_invalid_change_is_rejected_without_effect() {
    let (server, mut ann, mut bob) = ann_has_said_something().await;
    let id = edit(&mut bob, 1, "hers").await;
    let mut refusals = vec![(bob.expect_reply().await, id, ErrorCode::NotAllowed)];
    let id = delete(&mut bob, 1).await;
    refusals.push((bob.expect_reply().await, id, ErrorCode::NotAllowed));
    let long = "x".repeat(8_193);
    for (target, text, code) in [
        (7, "x", ErrorCode::NoSuchMessage),
        (Seq::MAX, "x", ErrorCode::NoSuchMessage),
        (1, " \n", ErrorCode::Blank),
        (1, &long, ErrorCode::TooLong),
    ] {
        let id = edit(&mut ann, target, text).await;
        refusals.push((ann.expect_reply().await, id, code));
    }
    for (refusal, of, expected) in refusals {
        assert!(
            matches!(&refusal, ServerFrame::Error { id: Some(id), code, .. } if *id == of.to_string() && *code == expected),
            "{refusal:?}"
        );
    }
    assert_eq!((page(&server).await.head, &*page(&server).await.messages[0].text), (1, "helo"));
}

#[tokio::test]
async fn a_returning_client_gets_the_changes_of_missed_messages() {
    for missed in [1, 40, 41, 500, 5_000] {
        let (server, ann, bob) = ann_has_said_something().await;
        drop(bob);
        let author = ann.you().id;
        for n in 0..missed {
            let operation = match n % 10 {
                3 => Operation::Edit { target: 1, text: n.to_string().into() },
                7 => Operation::Delete { target: n + 1 },
                _ => Operation::Post { text: n.to_string().into(), reply_to: None },
            };
            let event = server::store::NewEvent {
                id: Uuid::now_v7(),
                room: crate::support::room("tea"),
                author,
                operation,
            };
            server.store().append(event).await.unwrap();
        }
        let mut bob = V1::connect(&server).await;
        let joined = bob.join("tea", Some(1)).await;
        assert!(
            matches!(joined, ServerFrame::Joined { reset: false, head, .. } if head == missed + 1),
            "{joined:?}"
        );
        let heard = bob.events(missed as usize).await;
        assert!((2..=missed + 1).eq(heard.iter().map(|event| event.seq)), "every one, in order, once");
        crate::joining::fill(&server, "tea", 1).await;
        assert_eq!(bob.events(1).await[0].seq, missed + 2);
    }
}

#[tokio::test]
async fn lines_carry_neither_edits_nor_deletes() {
    let (server, mut ann, _bob) = ann_has_said_something().await;
    let mut script = crate::support::Lines::join(&server, "tea").await;
    edit(&mut ann, 1, "hello").await;
    delete(&mut ann, 1).await;
    ann.post("tea", "next").await;
    assert_eq!(script.expect_line().await, "next");
}
