//! Read markers of a user on several devices.

use crate::{
    heartbeat::flush_sockets,
    joining::fill,
    support::{TestServer, V1, room},
};
use app::wire::{ClientFrame, ErrorCode, ServerFrame};

fn read(seq: u64) -> ClientFrame {
    ClientFrame::Read { room: "tea".into(), seq }
}

fn unread(seq: u64) -> ClientFrame {
    ClientFrame::Unread { room: "tea".into(), seq }
}

async fn position(client: &mut V1) -> u64 {
    match client.join("tea", Some(0)).await {
        ServerFrame::Joined { read, .. } => read,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_read_marker_reaches_the_users_other_devices() {
    let server = TestServer::start().await;
    fill(&server, "tea", 5).await;
    let cookie = server.new_user_cookie().await;
    let (mut phone, mut laptop) =
        (V1::connect_as(&server, &cookie).await, V1::connect_as(&server, &cookie).await);
    let mut bob = V1::connect_and_join(&server, "tea").await;
    assert_eq!((position(&mut phone).await, position(&mut laptop).await), (0, 0));
    laptop.events(5).await;
    phone.send(&read(4)).await;
    let frame = ServerFrame::Read {
        room: room("tea"),
        seq: 4,
        head: Some(5),
        unread: Some(1),
        mentions: None,
        marked: false,
    };
    assert_eq!(laptop.expect_frame().await, frame, "with the unread count");
    phone.send(&read(2)).await;
    phone.frames_until_pong().await;
    flush_sockets().await;
    assert_eq!(position(&mut V1::connect_as(&server, &cookie).await).await, 4, "it never goes back");
    assert_eq!(bob.frames_until_pong().await, [], "other users receive no read marker");
}

#[tokio::test]
async fn messages_marked_as_unread_are_unread_on_every_device() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    fill(&server, "tea", 5).await;
    let cookie = server.new_user_cookie().await;
    let (mut phone, mut laptop) =
        (V1::connect_as(&server, &cookie).await, V1::connect_as(&server, &cookie).await);
    let mut bob = V1::connect_and_join(&server, "tea").await;
    position(&mut phone).await;
    position(&mut laptop).await;
    phone.events(5).await;
    laptop.events(5).await;
    let expect_frame = async |client: &mut V1, seq, unread, marked| {
        let frame = ServerFrame::Read {
            room: room("tea"),
            seq,
            head: Some(5),
            unread: Some(unread),
            mentions: None,
            marked,
        };
        assert_eq!(client.expect_frame().await, frame);
    };
    phone.send(&read(5)).await;
    expect_frame(&mut laptop, 5, 0, false).await;
    phone.send(&unread(3)).await;
    expect_frame(&mut laptop, 2, 3, true).await;
    expect_frame(&mut phone, 2, 3, true).await;
    laptop.send(&read(4)).await;
    expect_frame(&mut phone, 4, 1, false).await;
    laptop.send(&unread(2)).await;
    expect_frame(&mut phone, 1, 4, true).await;
    phone.send(&unread(2)).await;
    expect_frame(&mut phone, 1, 4, true).await;
    assert_eq!(bob.frames_until_pong().await, [], "other users receive no read marker");
    drop((phone, laptop, bob));
    server.stop().await;
    let server = TestServer::on_disk(folder.path()).await;
    assert_eq!(position(&mut V1::connect_as(&server, &cookie).await).await, 1, "it survives a restart");
}

#[tokio::test]
async fn a_read_marker_requires_a_joined_room() {
    let server = TestServer::start().await;
    let mut ann = V1::connect(&server).await;
    for frame in [read(1), unread(1)] {
        ann.send(&frame).await;
        match &ann.frames_until_pong().await[..] {
            [ServerFrame::Error { code: ErrorCode::NotJoined, .. }] => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_read_marker_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    fill(&server, "tea", 5).await;
    let cookie = server.new_user_cookie().await;
    let mut ann = V1::connect_as(&server, &cookie).await;
    position(&mut ann).await;
    ann.send(&read(3)).await;
    ann.frames_until_pong().await;
    flush_sockets().await;
    drop(ann);
    server.stop().await;
    let server = TestServer::on_disk(folder.path()).await;
    assert_eq!(position(&mut V1::connect_as(&server, &cookie).await).await, 3);
}

#[tokio::test]
async fn a_read_marker_in_a_room_that_does_not_exist_is_rejected() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    for frame in [read(0), read(1), unread(1)] {
        ann.send(&frame).await;
        match ann.expect_frame().await {
            ServerFrame::Error { id: None, code: ErrorCode::NoSuchRoom, .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ann.frames_until_pong().await, []);
}

#[tokio::test]
async fn read_markers_count_towards_the_limit_and_only_moves_are_sent() {
    let server = TestServer::with(|config| config.post_rate = 1).await;
    fill(&server, "tea", 3).await;
    let cookie = server.new_user_cookie().await;
    let (mut phone, mut laptop) =
        (V1::connect_as(&server, &cookie).await, V1::connect_as(&server, &cookie).await);
    position(&mut phone).await;
    position(&mut laptop).await;
    laptop.events(3).await;
    for _ in 0..3 {
        phone.send(&read(2)).await;
    }
    assert_eq!(
        laptop.expect_frame().await,
        ServerFrame::Read {
            room: room("tea"),
            seq: 2,
            head: Some(3),
            unread: Some(1),
            mentions: None,
            marked: false
        }
    );
    phone.frames_until_pong().await;
    assert_eq!(laptop.frames_until_pong().await, [], "only the first one has moved anything");
    let mut retry = None;
    for _ in 0..10 {
        phone.send(&unread(3)).await;
    }
    for frame in phone.frames_until_pong().await {
        if let ServerFrame::Error { id: None, code: ErrorCode::RateLimited, retry_ms, .. } = frame {
            retry = retry_ms;
        }
    }
    assert!(matches!(retry, Some(1..=1_000)), "{retry:?}");
}
