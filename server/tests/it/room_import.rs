//! `hubbub import`: rooms come back, and bad archives are refused.

use crate::{
    command::{folder, hubbub, run},
    support::{TestDatabase, room},
};
use app::wire::{Event, Operation, UserId};
use server::store::{NewEvent, RoomInfo, RoomStore, SqliteStore, Store};
use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    time::Duration,
};
use uuid::Uuid;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const ANN: UserId = UserId(0xa);
const BOB: UserId = UserId(0xb);

async fn append(store: &dyn Store, author: UserId, operation: Operation) {
    store.append(NewEvent::new(Uuid::now_v7(), room("tea"), author, operation)).await.unwrap();
}

async fn fill(store: &dyn Store, messages: usize) {
    let info = RoomInfo { title: Some("Tea!".parse().unwrap()), owner: Some(ANN), ..RoomInfo::default() };
    store.create_room(room("tea"), info).await.unwrap();
    store.set_display_name(ANN, "Ann".parse().unwrap()).await.unwrap();
    // Queued in this order, so that few commits store them.
    let post = |n| {
        let operation = Operation::Post { text: format!("</p> ../ # {n}").into(), reply_to: None };
        store.append(NewEvent::new(Uuid::now_v7(), room("tea"), ANN, operation))
    };
    for appended in (0..messages).map(post).collect::<Vec<_>>() {
        appended.await.unwrap();
    }
    append(store, BOB, Operation::Post { text: "yes".into(), reply_to: Some(1) }).await;
    append(store, ANN, Operation::Edit { target: 1, text: "edited".into() }).await;
    append(store, ANN, Operation::Delete { target: 2 }).await;
    append(store, BOB, Operation::React { target: 1, emoji: "🎉".into(), on: true }).await;
}

/// Fills the data folder `from` and exports its room to `tea.zip`.
async fn export(folder: &Path, messages: usize) {
    let data = folder.join("from");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("cookie.key"), [9; 64]).unwrap();
    let store = SqliteStore::open(&data.join("hubbub.db")).unwrap();
    fill(&store, messages).await;
    store.close().await;
    run(folder, &["export", "tea", "--data", "from"]).await.unwrap();
}

async fn events(store: &dyn Store, name: &str) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let after = events.last().map_or(0, |last| last.seq);
        let more = store.events_after(&room(name), after, 1_000).await.unwrap();
        if more.is_empty() {
            return events;
        }
        events.extend(more.iter().map(|event| (**event).clone()));
    }
}

/// Returns the events of a room in a data folder.
async fn events_in(data: &Path, name: &str) -> Vec<Event> {
    let store = SqliteStore::open(&data.join("hubbub.db")).unwrap();
    let events = events(&store, name).await;
    store.close().await;
    events
}

fn lines(archive: &Path) -> String {
    let mut archive = zip::ZipArchive::new(File::open(archive).unwrap()).unwrap();
    std::io::read_to_string(archive.by_name("events.jsonl").unwrap()).unwrap()
}

#[tokio::test]
async fn a_room_moves_to_another_folder_once() {
    let folder = folder();
    export(folder.path(), 700).await;
    let args = ["import", "tea.zip", "--data", "to"];
    assert_eq!(run(folder.path(), &args).await.unwrap(), "The room tea has 704 events more.\n");
    let again = run(folder.path(), &args).await.unwrap();
    assert_eq!(again, "The room tea has 0 events more. 704 events were there already.\n");
    let expected = events_in(&folder.path().join("from"), "tea").await;
    assert_eq!(events_in(&folder.path().join("to"), "tea").await, expected);
    run(folder.path(), &["export", "tea", "--data", "to", "--out", "again.zip"]).await.unwrap();
    assert_eq!(lines(&folder.path().join("again.zip")), lines(&folder.path().join("tea.zip")));
    let other = run(folder.path(), &["import", "tea.zip", "--data", "to", "--room", "coffee"]).await;
    assert!(other.unwrap_err().ends_with("event 1 has the id of another event; nothing was imported"));
    let renamed = run(folder.path(), &["import", "tea.zip", "--data", "new", "--room", "coffee"]).await;
    assert_eq!(renamed.unwrap(), "The room coffee has 704 events more.\n");
    assert_eq!(events_in(&folder.path().join("new"), "coffee").await, expected);
}

#[tokio::test]
async fn a_room_moves_to_postgres_and_back() {
    let Some(database) = TestDatabase::create().await else { return };
    let folder = folder();
    export(folder.path(), 30).await;
    let url = database.url.as_str();
    // Servers run on the database meanwhile.
    let store = database.open().await;
    let args = ["import", "tea.zip", "--database", url];
    assert_eq!(run(folder.path(), &args).await.unwrap(), "The room tea has 34 events more.\n");
    assert!(run(folder.path(), &args).await.unwrap().contains("34 events were there already"));
    assert_eq!(events(&store, "tea").await, events_in(&folder.path().join("from"), "tea").await);
    assert_eq!(store.room(&room("tea")).await.unwrap().title(), "Tea!");
    append(&store, BOB, Operation::Post { text: "more".into(), reply_to: None }).await;
    run(folder.path(), &["export", "tea", "--database", url, "--out", "newer.zip"]).await.unwrap();
    let newer = run(folder.path(), &["import", "newer.zip", "--data", "from"]).await.unwrap();
    assert_eq!(newer, "The room tea has 1 event more. 34 events were there already.\n");
    assert_eq!(events(&store, "tea").await, events_in(&folder.path().join("from"), "tea").await);
    assert!(!folder.path().join("hubbub-data").exists(), "no data folder was created");
}

#[tokio::test]
async fn an_import_that_was_killed_continues() {
    let folder = folder();
    export(folder.path(), 6_000).await;
    let args = ["import", "tea.zip", "--data", "to"];
    let mut child = hubbub(folder.path(), &args).spawn().unwrap();
    // Killed at whatever point it has reached when the first of its commits is there.
    let wal = folder.path().join("to/hubbub.db-wal");
    while fs::metadata(&wal).map_or(0, |file| file.len()) < 200_000 && child.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    child.kill().await.unwrap();
    let rest = run(folder.path(), &args).await.unwrap();
    assert!(rest.contains("there already"), "a part was there: {rest}");
    let expected = events_in(&folder.path().join("from"), "tea").await;
    assert_eq!(events_in(&folder.path().join("to"), "tea").await, expected);
}

#[tokio::test]
async fn a_folder_that_a_server_uses_is_refused() {
    let folder = folder();
    export(folder.path(), 3).await;
    let held = server::data::folder::DataFolder::lock(&folder.path().join("from")).unwrap();
    for args in
        [&["import", "tea.zip", "--data", "from"][..], &["export", "tea", "--data", "from", "--out", "x.zip"]]
    {
        assert!(run(folder.path(), args).await.unwrap_err().contains("another hubbub is using this folder"));
    }
    drop(held);
    assert!(!folder.path().join("x.zip").exists() && !folder.path().join("x.zip.part").exists());
}

/// Writes an archive of these entries.
fn archive(path: &Path, entries: &[(&str, &[u8])]) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in entries {
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
}

#[tokio::test]
async fn bad_archives_are_refused_in_one_line_and_leave_nothing() {
    let folder = folder();
    export(folder.path(), 3).await;
    let good = lines(&folder.path().join("tea.zip"));
    let header =
        |head: u64| format!(r#"{{"format":1,"room":"tea","log":"x","head":{head},"exported_at":1}}"#);
    let head = header(7);
    let path = folder.path().join("bad.zip");
    let bomb = vec![b' '; 50_000_000];
    let swapped = {
        let mut lines: Vec<&str> = good.lines().collect();
        lines.swap(0, 1);
        lines.join("\n")
    };
    let escape = good.replacen("\"text\":\"", "\"text\":\"\\u001b[2J", 1).replace("🎉", "x\\u0000");
    for (entries, reason) in [
        (&[("room.json", head.as_bytes())][..], "it has no events.jsonl"),
        (&[("events.jsonl", good.as_bytes())], "it has no room.json"),
        (&[("room.json", b"{}" as &[u8])], "its room.json is invalid"),
        (&[("room.json", br#"{"format":2}"#)], "newer than this version knows"),
        (
            &[("room.json", br#"{"format":1,"room":"../x","log":"","head":0,"exported_at":1}"#)],
            "its room.json is invalid",
        ),
        (&[("room.json", &bomb)], "its room.json is invalid"),
        (
            &[("room.json", head.as_bytes()), ("events.jsonl", &bomb)],
            "event 1 in it is invalid: the line is too long",
        ),
        (
            &[("room.json", head.as_bytes()), ("events.jsonl", b"\n\n")],
            "event 1 in it is invalid: the line is no event",
        ),
        (
            &[("room.json", head.as_bytes()), ("events.jsonl", swapped.as_bytes())],
            "event 1 in it is invalid: the line has another event",
        ),
        (&[("room.json", header(8).as_bytes()), ("events.jsonl", good.as_bytes())], "it has 7 of 8 events"),
        (&[("room.json", header(6).as_bytes()), ("events.jsonl", good.as_bytes())], "it has 7 of 6 events"),
        (
            &[
                ("../../evil", b"x" as &[u8]),
                ("room.json", head.as_bytes()),
                ("events.jsonl", good.as_bytes()),
            ],
            "unsafe name",
        ),
        (&[("/etc/evil", b"x" as &[u8]), ("room.json", head.as_bytes())], "unsafe name"),
        (
            &[("room.json", head.as_bytes()), ("events.jsonl", escape.as_bytes())],
            "event 7 is a reaction that the message cannot have; nothing was imported",
        ),
    ] {
        archive(&path, entries);
        let line = run(folder.path(), &["import", "bad.zip", "--data", "to"]).await.unwrap_err();
        assert!(
            line.starts_with("hubbub: cannot use bad.zip: ") && line.contains(reason),
            "{reason}: {line}"
        );
        assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
    }
    assert!(events_in(&folder.path().join("to"), "tea").await.is_empty());
    assert!(!folder.path().join("evil").exists() && !folder.path().parent().unwrap().join("evil").exists());
}

#[tokio::test]
async fn files_that_are_no_archives_are_refused() {
    let folder = folder();
    export(folder.path(), 3).await;
    let whole = fs::read(folder.path().join("tea.zip")).unwrap();
    let mut broken = whole.clone();
    let data = whole.windows(12).position(|found| found == b"events.jsonl").unwrap() + 60;
    broken[data] ^= 0xff;
    for (content, reason) in [
        (&b""[..], "no ZIP archive"),
        (b"hello", "no ZIP archive"),
        (&whole[..whole.len() / 2], "no ZIP archive"),
        (&broken, "invalid"),
    ] {
        fs::write(folder.path().join("bad.zip"), content).unwrap();
        let line = run(folder.path(), &["import", "bad.zip", "--data", "to"]).await.unwrap_err();
        assert!(line.starts_with("hubbub: cannot use bad.zip: "), "{line}");
        assert!(line.contains(reason) || line.contains("no ZIP archive, or damaged"), "{line}");
    }
    for (file, reason) in
        [("missing.zip", "No such file"), ("from", "it is no file"), ("/dev/zero", "it is no file")]
    {
        let line = run(folder.path(), &["import", file, "--data", "to"]).await.unwrap_err();
        assert!(line.contains(reason), "{line}");
    }
    assert!(!folder.path().join("to").exists(), "nothing was created");
}

/// Twice the same entry, and more entries than any room has, written by hand: the crate writes neither.
#[tokio::test]
async fn lists_of_entries_are_checked_and_bounded() {
    let folder = folder();
    let path = folder.path().join("bad.zip");
    archive(&path, &[("room.json", b"{}"), ("room.jsoN", b"{}")]);
    let mut bytes = fs::read(&path).unwrap();
    while let Some(at) = bytes.windows(9).position(|found| found == b"room.jsoN") {
        bytes[at + 8] = b'n';
    }
    fs::write(&path, bytes).unwrap();
    let line = run(folder.path(), &["import", "bad.zip", "--data", "to"]).await.unwrap_err();
    assert!(line.contains("it has an entry twice"), "{line}");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    for n in 0..300 {
        let name = format!("{n}{}", "x".repeat(40_000));
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
    }
    zip.finish().unwrap();
    let line = run(folder.path(), &["import", "bad.zip", "--data", "to"]).await.unwrap_err();
    assert!(line.contains("it has too many entries"), "{line}");
}
