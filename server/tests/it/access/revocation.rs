//! Revoked access ends delivery at once: a removed user receives nothing that was posted after the removal was acknowledged.

use super::{Visitor, act, client, create_room, make_admin, names, pause, remove};
use crate::support::{TestDatabase, TestServer, V1, room, text, within_timeout};
use app::wire::{ErrorCode, RoomName, ServerFrame};
use futures_util::StreamExt;
use server::store::{Action, NewEvent, RestrictionKind, RoomMode, Subject, Until};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

async fn post(server: &TestServer, author: &Visitor, name: &RoomName, text: &str) {
    let message = NewEvent::message(Uuid::now_v7(), name.clone(), author.id, text);
    server.store().append(message).await.expect("the author may post");
}

/// Returns the texts that a client has received until its connection answers, or ends.
async fn received(client: &mut V1) -> (Vec<String>, Option<ErrorCode>) {
    let (mut texts, mut ended) = (Vec::new(), None);
    client.send(&app::wire::ClientFrame::Ping { n: 5 }).await;
    loop {
        match within_timeout(client.socket.next()).await {
            Some(Ok(Message::Text(json))) => match serde_json::from_str(&json).unwrap() {
                ServerFrame::Events { events, .. } => {
                    texts.extend(events.iter().map(|event| text(event).to_owned()));
                }
                ServerFrame::Removed { code, .. } => ended = Some(code),
                ServerFrame::Error { code, id: None, .. } => ended = Some(code),
                ServerFrame::Pong { n: 5, .. } => return (texts, ended),
                _ => {}
            },
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            _ => return (texts, ended),
        }
    }
}

/// Removes a user from a room on one server while others post on another one: what the user receives ends before the
/// acknowledgement.
async fn nothing_after_the_removal(writers: [&TestServer; 2], reader: &TestServer) {
    let owner = Visitor::new(writers[0]).await;
    for (n, name) in names().into_iter().enumerate() {
        let (ann, bob) = (Visitor::new(reader).await, Visitor::new(writers[1]).await);
        create_room(writers[0].store(), &name, owner.id).await;
        for user in [&ann, &bob] {
            let role = Some(server::store::Role::Member);
            act(writers[0].store(), owner.id, Some(&name), Action::Appoint { user: user.id, role })
                .await
                .unwrap();
        }
        let mut client = V1::connect_as(reader, &ann.cookie).await;
        client.join(name.as_str(), None).await;
        let rounds = 40;
        for round in 0..rounds {
            post(writers[1], &bob, &name, &format!("before {round}")).await;
            if round == rounds / 2 + n {
                act(writers[0].store(), owner.id, Some(&name), remove(ann.id)).await.unwrap();
                for after in 0..rounds {
                    post(writers[after % 2], &owner, &name, &format!("after {after}")).await;
                }
                break;
            }
        }
        pause().await;
        let (texts, ended) = received(&mut client).await;
        assert!(texts.iter().all(|text| text.starts_with("before")), "{name}: {texts:?}");
        assert_eq!(ended, Some(ErrorCode::Removed), "{name}");
        let read = client.frames_until_pong().await;
        assert!(read.is_empty(), "{read:?}");
    }
}

#[tokio::test]
async fn removed_user_receives_nothing_posted_after_the_removal() {
    let server = TestServer::alone().await;
    nothing_after_the_removal([&server, &server], &server).await;
}

#[tokio::test]
async fn a_removed_user_receives_nothing_on_three_servers_on_postgres() {
    let Some(database) = TestDatabase::create().await else { return };
    let one = TestServer::on_database(&database).await;
    let two = TestServer::on_database(&database).await;
    let three = TestServer::on_database(&database).await;
    nothing_after_the_removal([&one, &two], &three).await;
    nothing_after_the_removal_of_a_stream(&one, &three).await;
}

/// The same for a stream of events.
async fn nothing_after_the_removal_of_a_stream(writer: &TestServer, reader: &TestServer) {
    let (owner, ann) = (Visitor::new(writer).await, Visitor::new(reader).await);
    let name = room("stream");
    create_room(writer.store(), &name, owner.id).await;
    let request = client().get(reader.http("/api/rooms/stream/events")).header("accept", "text/event-stream");
    let stream = ann.send(request).await;
    post(writer, &owner, &name, "before").await;
    let mut bytes = stream.bytes_stream();
    let mut text = String::new();
    while !text.contains("before") {
        text.push_str(&String::from_utf8_lossy(&within_timeout(bytes.next()).await.unwrap().unwrap()));
    }
    act(writer.store(), owner.id, Some(&name), remove(ann.id)).await.unwrap();
    post(writer, &owner, &name, "after").await;
    while let Some(Ok(chunk)) = within_timeout(bytes.next()).await {
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(!text.contains("after"), "{text}");
}

#[tokio::test]
async fn a_stream_of_a_removed_user_ends() {
    let server = TestServer::alone().await;
    nothing_after_the_removal_of_a_stream(&server, &server).await;
}

#[tokio::test]
async fn a_banned_user_is_told_why_and_their_connections_end() {
    let server = TestServer::start().await;
    let (admin, ann) = (Visitor::new(&server).await, Visitor::new(&server).await);
    make_admin(server.store(), admin.id).await;
    let mut client = V1::connect_as(&server, &ann.cookie).await;
    client.join("tea", None).await;
    client.join("jam", None).await;
    act(server.store(), admin.id, None, remove(ann.id)).await.unwrap();
    loop {
        match client.next_frame().await {
            ServerFrame::Error { code: ErrorCode::Banned, id: None, message, .. } => {
                assert_eq!(message, "A moderator has ended your access to this server.");
                break;
            }
            ServerFrame::Presence { .. } => {}
            other => panic!("instead of the reason came {other:?}"),
        }
    }
    let close = client.closed().await.expect("a close frame");
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1008, "you may not enter this server"));
    let again = V1::connect_as(&server, &ann.cookie).await;
    assert!(
        matches!(again.welcome, ServerFrame::Error { code: ErrorCode::Banned, .. }),
        "{:?}",
        again.welcome
    );
    let lift = Action::Lift { subject: Subject::User(ann.id), kind: RestrictionKind::Ban };
    act(server.store(), admin.id, None, lift).await.unwrap();
    V1::connect_as(&server, &ann.cookie).await.join("tea", None).await;
}

#[tokio::test]
async fn removed_user_keeps_other_rooms_and_is_no_longer_present() {
    let server = TestServer::start().await;
    let (owner, ann) = (Visitor::new(&server).await, Visitor::new(&server).await);
    create_room(server.store(), &room("tea"), owner.id).await;
    let mut client = V1::connect_as(&server, &ann.cookie).await;
    client.join("tea", None).await;
    client.join("jam", None).await;
    act(server.store(), owner.id, Some(&room("tea")), remove(ann.id)).await.unwrap();
    loop {
        match client.next_frame().await {
            ServerFrame::Removed { room: name, code, .. } => {
                assert_eq!((name, code), (room("tea"), ErrorCode::Removed));
                break;
            }
            ServerFrame::Presence { .. } => {}
            other => panic!("instead of the notice came {other:?}"),
        }
    }
    post(&server, &owner, &room("jam"), "still here").await;
    let events = client.events(1).await;
    assert_eq!(text(&events[0]), "still here");
    client.post("tea", "no").await;
    let refused = client.expect_reply().await;
    assert!(
        matches!(refused, ServerFrame::Error { code: ErrorCode::NotJoined | ErrorCode::Removed, .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn users_in_a_room_read_at_once_that_they_may_not_post() {
    let server = TestServer::start().await;
    let (owner, ann) = (Visitor::new(&server).await, Visitor::new(&server).await);
    let tea = room("tea");
    create_room(server.store(), &tea, owner.id).await;
    let mut clients =
        [V1::connect_as(&server, &ann.cookie).await, V1::connect_as(&server, &owner.cookie).await];
    for client in &mut clients {
        let ServerFrame::Joined { posting, .. } = client.join("tea", None).await else {
            panic!("not joined")
        };
        assert!(posting.are_open());
    }
    let [mut of_ann, mut of_owner] = clients;
    let rules = async |client: &mut V1| loop {
        if let ServerFrame::PostingChanged { room, posting } = client.next_frame().await {
            assert_eq!(room.as_str(), "tea");
            return (posting.closed, posting.slow_seconds);
        }
    };
    let do_it = async |action| act(server.store(), owner.id, Some(&tea), action).await.unwrap();
    do_it(Action::Mute { user: ann.id, until: Until(None) }).await;
    assert_eq!(rules(&mut of_ann).await, (Some(ErrorCode::Muted), None));
    do_it(Action::Lift { subject: Subject::User(ann.id), kind: RestrictionKind::Mute }).await;
    assert_eq!(rules(&mut of_ann).await, (None, None));
    for (mode, slow, expected, for_owner) in [
        (RoomMode::Open, 60, (None, Some(60)), (None, None)),
        (RoomMode::Announcements, 0, (Some(ErrorCode::PostsClosed), None), (None, None)),
        (RoomMode::ReadOnly, 0, (Some(ErrorCode::ReadOnly), None), (Some(ErrorCode::ReadOnly), None)),
    ] {
        do_it(Action::SetMode { mode, slow }).await;
        assert_eq!(rules(&mut of_ann).await, expected, "{mode:?}");
        assert_eq!(rules(&mut of_owner).await, for_owner, "{mode:?}");
    }
    let ServerFrame::Joined { posting, .. } = of_ann.join("tea", None).await else { panic!("not joined") };
    assert_eq!(posting.closed, Some(ErrorCode::ReadOnly));
}

#[tokio::test]
async fn closing_the_server_ends_the_connections_of_guests_alone() {
    let server = TestServer::start().await;
    let (admin, guest, known) =
        (Visitor::new(&server).await, Visitor::new(&server).await, Visitor::new(&server).await);
    make_admin(server.store(), admin.id).await;
    post(&server, &known, &room("tea"), "hello").await;
    let (mut of_guest, mut of_known) =
        (V1::connect_as(&server, &guest.cookie).await, V1::connect_as(&server, &known.cookie).await);
    of_guest.join("tea", None).await;
    of_known.join("tea", None).await;
    let close = Action::Change(server::store::Setting::Access, Some("invite".into()));
    act(server.store(), admin.id, None, close).await.unwrap();
    post(&server, &known, &room("tea"), "among us").await;
    let reason = of_guest.expect_frame().await;
    assert!(
        matches!(reason, ServerFrame::Error { code: ErrorCode::NotAdmitted, id: None, .. }),
        "{reason:?}"
    );
    assert_eq!(text(&of_known.events(1).await[0]), "among us");
}
