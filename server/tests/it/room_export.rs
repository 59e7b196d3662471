//! The download of a room, and `hubbub export`.

use crate::{
    command::{ends, folder, hubbub},
    support::{TestServer, browser, room, sent, within_timeout},
};
use app::wire::{Event, EventBody, Operation, UserId};
use reqwest::{Response, StatusCode};
use server::{
    archive::{FORMAT, RoomHeader},
    store::{Action, Moderation, NewEvent, RoomInfo, SqliteStore, Store, Until},
};
use std::{io::Read, path::Path};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
};
use uuid::Uuid;
use zip::ZipArchive;

const ANN: UserId = UserId(0xa);

/// Returns a text entry of an archive.
fn entry(archive: &[u8], name: &str) -> String {
    let mut archive = ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn events(archive: &[u8]) -> Vec<Event> {
    entry(archive, "events.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn fill(store: &dyn Store, texts: &[&str]) {
    let info = RoomInfo {
        title: Some("Tea <b>".parse().unwrap()),
        topic: "Kettles".parse().unwrap(),
        owner: Some(ANN),
        ..RoomInfo::default()
    };
    store.create_room(room("tea"), info).await.unwrap();
    for text in texts {
        append(store, Operation::Post { text: (*text).into(), reply_to: None }).await;
    }
}

async fn append(store: &dyn Store, operation: Operation) {
    store.append(NewEvent::new(Uuid::now_v7(), room("tea"), ANN, operation)).await.unwrap();
}

async fn export(server: &TestServer, client: &reqwest::Client) -> Response {
    sent(client.get(server.http("/r/tea/export"))).await
}

/// Begins to download the room, removes the user, and reads on. Returns whether the answer is cut off, and how many bytes came
/// after the removal. The client's receive buffer is small: the usual one may grow to more than the answer.
pub async fn rest_after_removal(server: &TestServer) -> (bool, usize) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1_024).unwrap();
    let mut client = within_timeout(socket.connect(server.address)).await.unwrap();
    let request =
        format!("GET /r/tea/export HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", server.address);
    client.write_all(request.as_bytes()).await.unwrap();
    let mut head = vec![0; 4_096];
    let count = within_timeout(client.read(&mut head)).await.unwrap();
    let head = String::from_utf8_lossy(&head[..count]).to_lowercase();
    let (_, user) = head.split_once("hubbub-person: ").unwrap();
    let removed = Moderation {
        actor: ANN,
        room: Some(room("tea")),
        action: Action::Remove { user: user[..16].parse().unwrap(), until: Until(None), network: None },
        reason: String::new(),
    };
    server.state.store.moderate(removed).await.unwrap();
    let mut rest = Vec::new();
    let ended = client.read_to_end(&mut rest).await;
    (ended.is_err() || !rest.ends_with(b"\r\n0\r\n\r\n"), rest.len())
}

#[tokio::test]
async fn an_export_has_the_room_its_events_and_a_transcript() {
    let server = TestServer::start().await;
    fill(&*server.state.store, &["hello", "# <script>", "gone"]).await;
    append(&*server.state.store, Operation::Edit { target: 1, text: "hello, **all**".into() }).await;
    append(&*server.state.store, Operation::Delete { target: 3 }).await;
    append(&*server.state.store, Operation::React { target: 1, emoji: "🎉".into(), on: true }).await;
    let answer = export(&server, &browser()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/zip");
    assert_eq!(header("content-disposition"), "attachment; filename=\"tea.zip\"");
    assert_eq!(header("cache-control"), "no-store");
    assert!(!answer.headers().contains_key("content-encoding"), "it is compressed already");
    let archive = answer.bytes().await.unwrap();
    let header: RoomHeader = serde_json::from_str(&entry(&archive, "room.json")).unwrap();
    assert_eq!((header.format, header.room.as_str(), header.head), (FORMAT, "tea", 6));
    assert_eq!(header.title.unwrap().as_str(), "Tea <b>");
    assert_eq!((header.owner.unwrap().id, header.members_only, header.unlisted), (ANN, false, false));
    let stored = server.state.store.events_after(&room("tea"), 0, 100).await.unwrap();
    assert_eq!(events(&archive), stored.iter().map(|event| (**event).clone()).collect::<Vec<_>>());
    assert!(!entry(&archive, "events.jsonl").contains("gone"));
    let transcript = entry(&archive, "messages.md");
    assert!(transcript.starts_with("# Tea \\<b\\>\n\nKettles\n\n"), "{transcript}");
    for part in ["> hello, **all**\n", "> \\# \\<script\\>\n", "#3\n\n>\n"] {
        assert!(transcript.contains(part), "{part}: {transcript}");
    }
}

#[tokio::test]
async fn a_long_room_comes_in_pieces_and_complete() {
    let server = TestServer::alone().await;
    let texts: Vec<String> = (0..1_500).map(|n| format!("{n} {}", "x".repeat(1_000))).collect();
    fill(&*server.state.store, &texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let archive = export(&server, &browser()).await.bytes().await.unwrap();
    let found: Vec<String> = events(&archive)
        .into_iter()
        .filter_map(|event| match event.body {
            EventBody::Message { text, .. } => Some(text.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(found, texts);
    assert_eq!(entry(&archive, "messages.md").matches("\n> ").count(), texts.len());
}

#[tokio::test]
async fn only_those_who_may_enter_the_room_get_it() {
    let server = TestServer::start().await;
    let missing = export(&server, &browser()).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND, "a download creates no room");
    let members = room(&format!("m-{}", "0".repeat(32)));
    let info = RoomInfo { owner: Some(ANN), private: true, ..RoomInfo::default() };
    server.state.store.create_room(members.clone(), info).await.unwrap();
    let answer = sent(browser().get(server.http(&format!("/r/{members}/export")))).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn exports_at_the_same_time_are_bounded() {
    let server = TestServer::alone().await;
    fill(&*server.state.store, &["hello"]).await;
    let _held = server.state.exports.clone().try_acquire_many_owned(2).unwrap();
    assert_eq!(export(&server, &browser()).await.status(), StatusCode::SERVICE_UNAVAILABLE);
}

async fn folder_with_tea(data: &Path) {
    let store = SqliteStore::open(&data.join("hubbub.db")).unwrap();
    fill(&store, &["hello", "there"]).await;
    store.close().await;
    std::fs::write(data.join("cookie.key"), [9; 64]).unwrap();
}

#[tokio::test]
async fn the_command_writes_the_same_archive() {
    let folder = folder();
    folder_with_tea(folder.path()).await;
    let run = |args: &'static [&'static str]| ends(hubbub(folder.path(), args));
    let exported = run(&["export", "tea", "--data", "."]).await;
    assert!(exported.status.success(), "{exported:?}");
    assert_eq!(String::from_utf8(exported.stdout).unwrap(), "tea.zip has 2 events of the room tea.\n");
    let archive = std::fs::read(folder.path().join("tea.zip")).unwrap();
    assert_eq!(events(&archive).len(), 2);
    for (args, reason) in [
        (&["export", "tea", "--data", "."][..], "it exists"),
        (&["export", "coffee", "--data", "."], "there is no room coffee"),
        (&["export", "tea", "--data", "elsewhere", "--out", "x"], "no messages to export"),
        (&["export", "tea", "--data", ".", "--out", "no/x"], "cannot use no/x"),
        (&["export", "../tea", "--data", "."], "A room name has"),
    ] {
        let failed = ends(hubbub(folder.path(), args)).await;
        let line = String::from_utf8(failed.stderr).unwrap();
        assert_eq!((failed.status.code(), line.lines().count()), (Some(1), 1), "{line}");
        assert!(line.contains(reason), "{line}");
    }
    assert!(run(&["export", "tea", "--data", ".", "--force"]).await.status.success());
    assert!(!folder.path().join("elsewhere").exists() && !folder.path().join("tea.zip.part").exists());
}

#[tokio::test]
async fn a_user_who_is_removed_meanwhile_gets_nothing_more() {
    let server = TestServer::alone().await;
    let text = || (0..4_000).map(|_| fastrand::char('a'..'\u{3ff}')).collect::<String>();
    let texts: Vec<String> = (0..2_000).map(|_| text()).collect();
    fill(&*server.state.store, &texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (is_cut, rest) = rest_after_removal(&server).await;
    assert!(is_cut, "it is incomplete, and the client knows");
    assert!(rest < 6_000_000, "{rest} bytes of about 12 million came after the removal");
    assert_eq!(server.state.exports.available_permits(), 2);
}
