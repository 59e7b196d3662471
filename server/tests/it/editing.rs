//! Edits and deletes of messages: live, in history and over HTTP.

use crate::support::{TestServer, V1, within_timeout};
use app::wire::{
    ClientFrame, CommandId, ErrorCode, EventBody, Files, Mentions, Messages, Operation, Seq, ServerFrame,
};
use serde_json::Value;
use uuid::Uuid;

async fn edit(client: &mut V1, target: Seq, text: &str) -> CommandId {
    let id = Uuid::now_v7();
    client
        .send(&ClientFrame::Edit { id, room: "tea".into(), target, text: text.into(), mentions: Vec::new() })
        .await;
    id
}

async fn delete(client: &mut V1, target: Seq) -> CommandId {
    let id = Uuid::now_v7();
    client.send(&ClientFrame::Delete { id, room: "tea".into(), target }).await;
    id
}

async fn page(server: &TestServer) -> Messages {
    within_timeout(reqwest::get(server.http("/api/rooms/tea/messages"))).await.unwrap().json().await.unwrap()
}

async fn room_with_a_message() -> (TestServer, V1, V1) {
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
    let (server, mut ann, mut bob) = room_with_a_message().await;
    let id = edit(&mut ann, 1, "  hello\n").await;
    let ack = ann.expect_reply().await;
    assert!(matches!(ack, ServerFrame::Ack { id: of, seq: Some(2), dup: false, .. } if of == id), "{ack:?}");
    let received = bob.events(1).await;
    assert_eq!(
        received[0].body,
        EventBody::Edit { target: 1, text: "hello".into(), mentions: Mentions::default() }
    );
    let mut carol = V1::connect(&server).await;
    let ServerFrame::Joined { messages: Some(messages), .. } = carol.join("tea", None).await else {
        panic!()
    };
    assert_eq!(
        (messages.len(), &*messages[0].text, messages[0].edited_at),
        (1, "hello", Some(received[0].at))
    );
}

#[tokio::test]
async fn deleted_message_is_removed_for_all_clients_and_from_history() {
    let (server, mut ann, mut bob) = room_with_a_message().await;
    delete(&mut ann, 1).await;
    assert_eq!(bob.events(1).await[0].body, EventBody::Delete { target: 1 });
    let mut carol = V1::connect(&server).await;
    carol.join("tea", Some(0)).await;
    let events = carol.events(2).await;
    assert_eq!(
        events[0].body,
        EventBody::Message {
            text: "".into(),
            reply_to: None,
            mentions: Mentions::default(),
            files: Files::default(),
        }
    );
    let page: Value = within_timeout(reqwest::get(server.http("/api/rooms/tea/messages")))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!((&page["messages"][0]["deleted"], page["messages"][0].get("text")), (&true.into(), None));
}

#[tokio::test]
async fn repeated_edit_or_delete_applies_once_and_is_acknowledged() {
    let (server, mut ann, _bob) = room_with_a_message().await;
    let (room, target) = ("tea".to_owned(), 1);
    let edit = ClientFrame::Edit {
        id: Uuid::now_v7(),
        room: room.clone(),
        target,
        text: "hello".into(),
        mentions: Vec::new(),
    };
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
    let (server, mut ann, mut bob) = room_with_a_message().await;
    let id = edit(&mut bob, 1, "hers").await;
    let mut errors = vec![(bob.expect_reply().await, id, ErrorCode::NotAllowed)];
    let id = delete(&mut bob, 1).await;
    errors.push((bob.expect_reply().await, id, ErrorCode::NotAllowed));
    let long = "x".repeat(8_193);
    for (target, text, code) in [
        (7, "x", ErrorCode::NoSuchMessage),
        (Seq::MAX, "x", ErrorCode::NoSuchMessage),
        (1, " \n", ErrorCode::Blank),
        (1, &long, ErrorCode::TooLong),
    ] {
        let id = edit(&mut ann, target, text).await;
        errors.push((ann.expect_reply().await, id, code));
    }
    for (error, of, expected) in errors {
        assert!(
            matches!(&error, ServerFrame::Error { id: Some(id), code, .. } if *id == of.to_string() && *code == expected),
            "{error:?}"
        );
    }
    assert_eq!((page(&server).await.head, &*page(&server).await.messages[0].text), (1, "helo"));
}

#[tokio::test]
async fn a_returning_client_gets_the_changes_of_missed_messages() {
    for missed in [1, 40, 41, 500, 5_000] {
        let (server, ann, bob) = room_with_a_message().await;
        drop(bob);
        let author = ann.you().id;
        for n in 0..missed {
            let operation = match n % 10 {
                3 => Operation::Edit { target: 1, text: n.to_string().into() },
                7 => Operation::Delete { target: n + 1 },
                _ => Operation::Post { text: n.to_string().into(), reply_to: None },
            };
            let event =
                server::store::NewEvent::new(Uuid::now_v7(), crate::support::room("tea"), author, operation);
            server.store().append(event).await.unwrap();
        }
        let mut bob = V1::connect(&server).await;
        let joined = bob.join("tea", Some(1)).await;
        assert!(
            matches!(joined, ServerFrame::Joined { reset: false, head, .. } if head == missed + 1),
            "{joined:?}"
        );
        let received = bob.events(missed as usize).await;
        assert!((2..=missed + 1).eq(received.iter().map(|event| event.seq)), "every one, in order, once");
        crate::joining::fill(&server, "tea", 1).await;
        assert_eq!(bob.events(1).await[0].seq, missed + 2);
    }
}

#[tokio::test]
async fn lines_carry_neither_edits_nor_deletes() {
    let (server, mut ann, _bob) = room_with_a_message().await;
    let mut script = crate::support::Lines::join(&server, "tea").await;
    edit(&mut ann, 1, "hello").await;
    delete(&mut ann, 1).await;
    ann.post("tea", "next").await;
    assert_eq!(script.expect_line().await, "next");
}
