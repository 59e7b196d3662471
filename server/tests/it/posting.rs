//! Posting and the other commands of v1: each gets one reply, and an invalid one has no effect.

use crate::support::{TestServer, V1, room, text};
use app::wire::{ClientFrame, CommandId, ErrorCode, RoomName, Seq, ServerFrame, limits};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

/// Expects an error. Returns the command's id, the code and the retry time.
async fn expect_error(client: &mut V1) -> (Option<String>, ErrorCode, Option<u64>) {
    match client.expect_reply().await {
        ServerFrame::Error { id, code, message, retry_ms } => {
            assert!(message.ends_with(['.', '!', '?']), "the message must be a sentence: {message}");
            (id, code, retry_ms)
        }
        other => panic!("expected an error, got {other:?}"),
    }
}

/// Expects an acknowledgement and returns its fields.
async fn expect_ack(client: &mut V1) -> (CommandId, Option<RoomName>, Option<Seq>, bool) {
    match client.expect_reply().await {
        ServerFrame::Ack { id, room, seq, dup } => (id, room, seq, dup),
        other => panic!("expected an acknowledgement, got {other:?}"),
    }
}

async fn post_as(client: &mut V1, id: CommandId, text: &str, reply_to: Option<Seq>) {
    client
        .send(&ClientFrame::Post {
            id,
            room: "tea".into(),
            text: text.into(),
            reply_to,
            mentions: Vec::new(),
            files: Vec::new(),
        })
        .await;
}

async fn stored(server: &TestServer) -> Seq {
    server.store().head(&room("tea")).await.unwrap()
}

#[tokio::test]
async fn a_post_is_acknowledged_with_its_seq_after_it_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    let id = ann.post("tea", "hello").await;
    assert_eq!(expect_ack(&mut ann).await, (id, Some(room("tea")), Some(1), false));
    assert_eq!(stored(&server).await, 1);
}

#[tokio::test]
async fn a_repeated_post_is_acknowledged_again_and_broadcast_once() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) =
        (V1::connect_and_join(&server, "tea").await, V1::connect_and_join(&server, "tea").await);
    let id = Uuid::now_v7();
    post_as(&mut ann, id, "hello", None).await;
    post_as(&mut ann, id, "hello", None).await;
    assert_eq!(expect_ack(&mut ann).await, (id, Some(room("tea")), Some(1), false));
    assert_eq!(expect_ack(&mut ann).await, (id, Some(room("tea")), Some(1), true));
    ann.post("tea", "next").await;
    let received = bob.events(2).await;
    assert_eq!(received.iter().map(|event| text(event)).collect::<Vec<_>>(), ["hello", "next"]);
}

#[tokio::test]
async fn id_may_have_any_uuid_version_unless_another_user_has_used_it() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) =
        (V1::connect_and_join(&server, "tea").await, V1::connect_and_join(&server, "tea").await);
    let id = Uuid::new_v4();
    post_as(&mut ann, id, "mine", None).await;
    assert_eq!(expect_ack(&mut ann).await.0, id);
    post_as(&mut bob, id, "mine too", None).await;
    assert_eq!(expect_error(&mut bob).await, (Some(id.to_string()), ErrorCode::BadRequest, None));
    assert_eq!(stored(&server).await, 1);
}

#[tokio::test]
async fn all_clients_receive_the_same_order_under_concurrent_posts() {
    let server = TestServer::start().await;
    let mut listeners =
        [V1::connect_and_join(&server, "tea").await, V1::connect_and_join(&server, "tea").await];
    let author = async |name: &str| {
        let mut client = V1::connect_and_join(&server, "tea").await;
        for n in 0..100 {
            client.post("tea", &format!("{name} {n}")).await;
        }
        client
    };
    let authors = tokio::join!(author("ann"), author("bob"), author("carol"));
    let mut received = Vec::new();
    for listener in &mut listeners {
        received.push(listener.events(300).await);
    }
    assert_eq!(received[0], received[1]);
    assert_eq!(received[0].iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=300).collect::<Vec<_>>());
    for name in ["ann", "bob", "carol"] {
        let own = received[0].iter().map(|event| text(event)).filter(|text| text.starts_with(name));
        let expected = (0..100).map(|n| format!("{name} {n}"));
        assert!(own.eq(expected), "the posts of {name} keep their order");
    }
    drop(authors);
}

#[tokio::test]
async fn a_text_is_trimmed_and_keeps_its_lines() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    ann.post("tea", "\u{3000} one\n  two\t\u{a0}\n").await;
    assert_eq!(text(&ann.events(1).await[0]), "\u{3000} one\n  two");
    ann.post("tea", "\n  one\r\n\u{200b}\n").await;
    assert_eq!(text(&ann.events(1).await[0]), "one");
    ann.post("tea", "one\rtwo \0\u{1b}[2J").await;
    assert_eq!(text(&ann.events(1).await[0]), "one\ntwo \u{fffd}\u{fffd}[2J");
}

#[tokio::test]
async fn a_blank_text_is_rejected_without_effect() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    for blank in ["", " \n\t ", "\u{3000}\u{85}", "\u{200b}\n\u{2800}", "\0\u{7}"] {
        let id = ann.post("tea", blank).await;
        assert_eq!(expect_error(&mut ann).await, (Some(id.to_string()), ErrorCode::Blank, None));
    }
    assert_eq!(stored(&server).await, 0);
}

#[tokio::test]
async fn the_longest_text_is_posted_and_one_byte_more_is_rejected() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    let longest = "é".repeat(limits::MAX_MESSAGE_BYTES / 2);
    ann.post("tea", &format!("  {longest}  ")).await;
    assert_eq!(expect_ack(&mut ann).await.2, Some(1));
    let id = ann.post("tea", &format!("{longest}x")).await;
    assert_eq!(expect_error(&mut ann).await, (Some(id.to_string()), ErrorCode::TooLong, None));
    ann.post("tea", &format!("a{}", "\0".repeat(limits::MAX_MESSAGE_BYTES - 1))).await;
    assert_eq!(expect_ack(&mut ann).await.2, Some(2), "however JSON writes it");
}

#[tokio::test]
async fn a_post_requires_a_joined_room() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    let id = ann.post("jam", "hello").await;
    assert_eq!(expect_error(&mut ann).await, (Some(id.to_string()), ErrorCode::NotJoined, None));
    let id = ann.post("No Room", "hello").await;
    assert_eq!(expect_error(&mut ann).await, (Some(id.to_string()), ErrorCode::NoSuchRoom, None));
}

#[tokio::test]
async fn a_reply_to_a_missing_message_is_rejected_without_effect() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    let (mut ann, mut bob) =
        (V1::connect_and_join(&server, "tea").await, V1::connect_and_join(&server, "tea").await);
    for nothing in [0, 99, Seq::MAX] {
        let id = Uuid::now_v7();
        post_as(&mut ann, id, "yes", Some(nothing)).await;
        bob.post("tea", "meanwhile").await;
        assert_eq!(expect_error(&mut ann).await, (Some(id.to_string()), ErrorCode::NoSuchMessage, None));
        expect_ack(&mut bob).await;
    }
    post_as(&mut ann, Uuid::now_v7(), "yes", Some(1)).await;
    assert_eq!(expect_ack(&mut ann).await.2, Some(4));
}

/// Returns the retry time of a reply to `id`, or `None` if the command was carried out.
fn retry_time(answer: ServerFrame, id: Uuid) -> Option<u64> {
    match answer {
        ServerFrame::Ack { .. } => None,
        ServerFrame::Error { id: of, code: ErrorCode::RateLimited, retry_ms, .. } => {
            assert_eq!(of, Some(id.to_string()));
            retry_ms
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn posts_past_rate_limit_get_a_retry_time_and_delay_no_others() {
    let server = TestServer::with(|config| config.post_rate = 1).await;
    let (mut ann, mut bob) =
        (V1::connect_and_join(&server, "tea").await, V1::connect_and_join(&server, "tea").await);
    let mut retry = None;
    for _ in 0..10 {
        let id = ann.post("tea", "again").await;
        retry = retry_time(ann.expect_reply().await, id).or(retry);
    }
    assert!(matches!(retry, Some(1..=1_000)), "{retry:?}");
    assert!(stored(&server).await >= 5, "five seconds' worth may come at once");
    bob.post("tea", "hello").await;
    expect_ack(&mut bob).await;
}

#[tokio::test]
async fn renames_beyond_the_rate_limit_get_a_retry_time() {
    let server = TestServer::with(|config| config.post_rate = 100).await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    let mut retry = None;
    for n in 0..21 {
        assert_eq!(retry, None, "a user may send twenty renames at once");
        let id = Uuid::now_v7();
        ann.send(&ClientFrame::Rename { id, name: format!("Ann {n}") }).await;
        let mut answer = ann.expect_reply().await;
        while matches!(answer, ServerFrame::Renamed { .. }) {
            answer = ann.expect_reply().await;
        }
        retry = retry_time(answer, id);
    }
    assert!(matches!(retry, Some(1_001..=10_000)), "a rename costs more than a post: {retry:?}");
    let id = ann.post("tea", "renames do not use up posts").await;
    loop {
        match ann.expect_reply().await {
            ServerFrame::Renamed { .. } => {}
            ServerFrame::Ack { id: acknowledged, .. } if acknowledged == id => break,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_rename_reaches_all_clients_that_show_the_user() {
    let server = TestServer::start().await;
    let (mut ann, mut bob) = V1::connect_two_and_join(&server, "tea").await;
    let id = Uuid::now_v7();
    ann.send(&ClientFrame::Rename { id, name: " Ann ".into() }).await;
    let ServerFrame::Welcome { you, .. } = &ann.welcome else { unreachable!() };
    let renamed =
        ServerFrame::Renamed { id: you.id, name: "Ann".parse().unwrap(), ambiguous: false, tag: None };
    assert_eq!(bob.expect_frame().await, renamed);
    let mut received = [ann.expect_frame().await, ann.expect_frame().await];
    received.sort_by_key(|frame| matches!(frame, ServerFrame::Ack { .. }));
    assert_eq!(received, [renamed, ServerFrame::Ack { id, room: None, seq: None, dup: false }]);
    ann.post("tea", "it is me").await;
    assert_eq!(bob.events(1).await[0].author.name.as_str(), "Ann");
}

#[tokio::test]
async fn an_invalid_name_is_rejected() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    for bad in ["", "  ", "a\nb", "\u{202e}", &"x".repeat(33), "Ann #2", "Аdmin", "Hubbub.", "系统"] {
        let id = Uuid::now_v7();
        ann.send(&ClientFrame::Rename { id, name: bad.into() }).await;
        assert_eq!(
            expect_error(&mut ann).await,
            (Some(id.to_string()), ErrorCode::InvalidName, None),
            "{bad:?}"
        );
    }
}

#[tokio::test]
async fn a_ping_is_answered_with_the_heads_of_the_joined_rooms() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    ann.join("jam", None).await;
    ann.post("tea", "hello").await;
    expect_ack(&mut ann).await;
    ann.send(&ClientFrame::Ping { n: 7 }).await;
    let ServerFrame::Pong { n: 7, heads } = ann.expect_reply().await else { panic!("no pong") };
    assert_eq!(heads.into_iter().collect::<Vec<_>>(), [(room("jam"), 0), (room("tea"), 1)]);
    ann.post("jam", "more").await;
    ann.expect_reply().await;
    ann.send(&ClientFrame::Ping { n: 8 }).await;
    let ServerFrame::Pong { n: 8, heads } = ann.expect_reply().await else { panic!("no pong") };
    assert_eq!(heads.into_iter().collect::<Vec<_>>(), [(room("jam"), 1)], "only heads that have changed");
}

#[tokio::test]
async fn an_unknown_type_is_rejected_with_the_id_of_the_command() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    ann.send_text(r#"{"type":"dance","id":"x1"}"#).await;
    assert_eq!(expect_error(&mut ann).await, (Some("x1".into()), ErrorCode::UnknownType, None));
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    ann.send_text(r#"{"n":1,"type":"ping","mood":{"good":[true]}}"#).await;
    assert!(matches!(ann.expect_frame().await, ServerFrame::Pong { n: 1, .. }));
}

#[tokio::test]
async fn malformed_frames_are_rejected_and_the_20th_in_a_row_closes() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    let malformed = [
        "",
        "hello",
        "null",
        "[]",
        "{}",
        r#"{"type":7}"#,
        r#"{"type":"post"}"#,
        r#"{"type":"ping","n":-1}"#,
        r#"{"type":"post","id":"not a uuid","room":"tea","text":"x"}"#,
        "\u{0}",
    ];
    for (n, wrong) in malformed.iter().cycle().take(19).enumerate() {
        ann.send_text(wrong).await;
        let (_, code, _) = expect_error(&mut ann).await;
        assert_eq!(code, ErrorCode::BadRequest, "{n}: {wrong}");
    }
    ann.send(&ClientFrame::Ping { n: 1 }).await;
    assert!(matches!(ann.expect_reply().await, ServerFrame::Pong { .. }), "a good one ends the row");
    for _ in 0..19 {
        ann.send_text("?").await;
        expect_error(&mut ann).await;
    }
    ann.send_text("?").await;
    assert_eq!(u16::from(ann.closed().await.unwrap().code), 1008);
}

#[tokio::test]
async fn a_frame_beyond_the_size_limit_closes_with_1009() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    ann.send_text(&" ".repeat(limits::MAX_FRAME_BYTES)).await;
    assert_eq!(expect_error(&mut ann).await.1, ErrorCode::BadRequest, "the limit itself is no offence");
    ann.send_text(&" ".repeat(limits::MAX_FRAME_BYTES + 1)).await;
    assert_eq!(u16::from(ann.closed().await.unwrap().code), 1009);
}

#[tokio::test]
async fn binary_closes_with_1003() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    ann.send_message(Message::binary("{}")).await;
    assert_eq!(u16::from(ann.closed().await.unwrap().code), 1003);
}
