//! The database has everything that a folder has.

use super::{alter, start_error_in, succeeds};
use crate::support::{TestDatabase, TestServer, room, within_timeout};
use app::wire::{DisplayName, FileInfo, Mention, Operation, RoomName, Seq, User, UserId};
use server::store::{
    Action, Appended, CodeHash, Content, DeviceId, DeviceLabel, EntryRequest, Invitation, LinkError,
    LinkHash, Moderation, NewEvent, NewFile, Role, RoomInfo, RoomMode, RoomOrder, RoomQuery, Scope,
    ServerRetention, Setting, SignIn, SignOut, SqliteStore, Standing, Store, StoreError, StreamPosition,
    Sweep, Until, check,
};
use server::upkeep::erase_step;
use std::{fs, path::Path, time::Duration};
use tempfile::TempDir;
use tokio::process::Command;
use uuid::Uuid;

const ANN: UserId = UserId(0xa);
const BOB: UserId = UserId(0xb);
const EVE: UserId = UserId(u64::MAX - 1);
const GUEST: UserId = UserId(0x1234_5678);
const ERASED: UserId = UserId(0x77);

const FILE: Uuid = Uuid::from_u128(u128::MAX - 5);

const OPEN_LINK: LinkHash = [1; 32];
const USED_LINK: LinkHash = [0xff; 32];
const OPEN_CODE: CodeHash = [0x80; 32];

/// A private room.
const PRIVATE: &str = "p-0123456789abcdef0123456789abcdef";

const ROOMS: [&str; 9] = ["expired", "lobby", "tea", "jam", "quiet", "a", "zz-top", "missing", PRIVATE];

/// The longest name: 32 characters of four bytes.
fn longest_name() -> String {
    "𠮷".repeat(32)
}

async fn append(store: &dyn Store, name: &str, author: UserId, operation: Operation) -> Seq {
    let event = NewEvent::new(Uuid::now_v7(), room(name), author, operation);
    store.append(event).await.unwrap().seq
}

async fn post(store: &dyn Store, name: &str, author: UserId, text: &str) -> Seq {
    append(store, name, author, Operation::Post { text: text.into(), reply_to: None }).await
}

async fn edit(store: &dyn Store, name: &str, author: UserId, target: Seq, text: &str) {
    append(store, name, author, Operation::Edit { target, text: text.into() }).await;
}

/// Stores every kind of row.
async fn fill(store: &dyn Store) {
    for (name, title, private, owner) in [
        ("tea", Some("Tea & cake"), false, Some(ANN)),
        ("quiet", None, false, Some(EVE)),
        (PRIVATE, Some("Secret"), true, Some(BOB)),
    ] {
        let title = title.map(|title| title.parse().unwrap());
        let topic = "at \"four\" \\N 'o'clock'".parse().unwrap();
        let info = RoomInfo { title, topic, private, owner, ..RoomInfo::default() };
        store.create_room(room(name), info).await.unwrap();
    }
    let first = post(store, "tea", ANN, "one").await;
    let second = post(store, "tea", BOB, "two").await;
    append(store, "tea", EVE, Operation::Post { text: "a reply".into(), reply_to: Some(first) }).await;
    edit(store, "tea", ANN, first, "one, edited").await;
    edit(store, "tea", ANN, first, "one, edited twice").await;
    edit(store, "tea", BOB, second, "soon deleted").await;
    append(store, "tea", ANN, Operation::Delete { target: second }).await;
    let mention =
        |name: &str, id| Mention { name: name.into(), user: User::new(id, DisplayName::generated(id)) };
    for operation in [
        Operation::Post { text: "hi @Bob and @Ann \\N".into(), reply_to: Some(first) },
        Operation::Edit { target: 8, text: "hi @Bob".into() },
    ] {
        let mentions = [mention("Ann \\N", ANN), mention("Bob", BOB), mention("", BOB), mention("me", EVE)];
        let event = NewEvent::new(Uuid::now_v7(), room("tea"), EVE, operation);
        store.append(NewEvent { mentions: mentions.into_iter().collect(), ..event }).await.unwrap();
    }
    for (user, emoji, on) in [(ANN, "👍", true), (BOB, "👍", true), (EVE, "🎉", true), (EVE, "🎉", false)]
    {
        append(store, "tea", user, Operation::React { target: first, emoji: emoji.into(), on }).await;
    }
    for text in [
        "\\N",
        "\\.",
        "tab\tand\nlines\n\nand \\ \" '",
        "\u{202e}right to left\u{202c} \u{200b}\u{feff}\u{fffd}\u{e000}",
        "👩‍👩‍👧‍👦 🏳️‍🌈 e\u{301} \u{10ffff}",
        &"x".repeat(8_192),
        &"𝔵".repeat(2_048),
    ] {
        post(store, "jam", BOB, text).await;
    }
    post_file(store).await;
    post(store, "a", EVE, "the first room by name").await;
    post(store, "zz-top", GUEST, "under a generated name").await;
    post(store, PRIVATE, BOB, "secret").await;
    post(store, "lobby", ANN, "hello").await;
    for (user, name) in
        [(ANN, "Ann".to_owned()), (BOB, "Аnn".into()), (EVE, "ann".into()), (UserId(7), longest_name())]
    {
        store.set_display_name(user, name.parse().unwrap()).await.unwrap();
    }
    for (user, name, seq) in [(BOB, "tea", 3), (ANN, "jam", 2), (GUEST, "quiet", 0), (EVE, PRIVATE, 1)] {
        store.set_read_marker(user, room(name), seq).await.unwrap();
    }
    let lifetime = Duration::from_secs(600);
    store.create_device_link(USED_LINK, ANN, lifetime).await.unwrap().unwrap();
    store.redeem_device_link(USED_LINK).await.unwrap().unwrap();
    store.create_device_link(OPEN_LINK, ANN, lifetime).await.unwrap().unwrap();
    fill_access(store).await;
    for (user, device, browser) in [(ANN, u64::MAX, "Firefox"), (ANN, 1, ""), (EVE, 2, "curl \\N")] {
        let label = DeviceLabel { browser: browser.into(), system: "Linux".into() };
        let generation = store.sign_ins(user).await.unwrap().generation;
        store
            .record_device(user, SignIn { device: DeviceId(device), generation }, Some(label))
            .await
            .unwrap();
    }
    store.sign_out(BOB, SignOut::Everywhere).await.unwrap();
    store.set_recovery_code(EVE, OPEN_CODE).await.unwrap();
    store.set_retention(room("tea"), ANN, Some(168.try_into().unwrap())).await.unwrap();
    let server = ServerRetention { default: 1.try_into().unwrap(), is_limit: false };
    for text in ["soon gone", "soon gone too"] {
        post(store, "expired", EVE, text).await;
    }
    let sweep = Sweep { now: store.clock().await.unwrap() + 7_200_000, server };
    assert_eq!(store.expire(room("expired"), sweep).await.unwrap(), 2);
    post(store, "expired", EVE, "new").await;
    post(store, "expired", ERASED, "secret").await;
    store.begin_erasure(ERASED).await.unwrap();
    while !erase_step(store, ERASED).await.unwrap() {}
}

/// Posts a message with a file, and begins another upload.
async fn post_file(store: &dyn Store) {
    let new = |id| NewFile {
        id,
        owner: ANN,
        room: room("jam"),
        name: "a \\N.png".into(),
        alt: "".into(),
        size: 9,
        network: None,
        is_imported: false,
    };
    store.create_file(new(Uuid::from_u128(1)), 100).await.unwrap();
    store.create_file(new(FILE), 100).await.unwrap();
    let info = store.file(FILE).await.unwrap().unwrap().info;
    let content = Content { hash: [0xfe; 32], bytes: 8 };
    store.reserve_content(FILE, content, FileInfo { size: 8, ..info }, u64::MAX).await.unwrap();
    store.note_ready(FILE).await.unwrap();
    let event = NewEvent::message(Uuid::now_v7(), room("jam"), ANN, "with a file");
    let files = store.claim_files(ANN, room("jam"), event.id, vec![FILE]).await.unwrap();
    store.append(NewEvent { files, ..event }).await.unwrap();
}

/// Stores every kind of row about rights.
async fn fill_access(store: &dyn Store) {
    store.set(Setting::AdminLink, Some("01".repeat(32).into())).await.unwrap();
    assert!(store.redeem_admin_link([1; 32], ANN).await.unwrap());
    store.set(Setting::Name, Some("Café \\N".into())).await.unwrap();
    let invitation = |n| Invitation { hash: [n; 32], expires_at: 1 << 60, most_uses: Some(7) };
    let mute = |user| Action::Mute { user, until: Until(Some(1 << 60)) };
    for (place, actor, action) in [
        (None, ANN, Action::Invite(invitation(1))),
        (None, ANN, mute(GUEST)),
        (Some(PRIVATE), BOB, Action::Appoint { user: EVE, role: Some(Role::Moderator) }),
        (Some(PRIVATE), BOB, Action::Invite(invitation(2))),
        (Some("quiet"), EVE, mute(GUEST)),
        (Some("quiet"), EVE, Action::SetMode { mode: RoomMode::Announcements, slow: 60 }),
    ] {
        let (room, reason) = (place.map(room), "it's \\N".into());
        store.moderate(Moderation { actor, room, action, reason }).await.unwrap();
    }
    store.report(BOB, room("jam"), 1, "look".into()).await.unwrap();
    store.set_blocked(ANN, EVE, true).await.unwrap();
}

/// Returns what a store has about rights, in lines.
async fn access_picture(store: &dyn Store) -> Vec<String> {
    let mut lines = vec![format!("{:?}", store.settings().await.unwrap())];
    for name in ["", PRIVATE, "quiet"] {
        let scope = if name.is_empty() { Scope::Server } else { Scope::Room(room(name)) };
        lines.push(format!("{:?}", store.roles(&scope, Role::Member, UserId(0)).await.unwrap()));
        lines.push(format!("{:?}", store.restrictions(&scope).await.unwrap()));
        lines.push(format!("{:?}", store.invitations(&scope).await.unwrap()));
    }
    lines.extend(store.log(&Scope::All, None).await.unwrap().iter().map(|entry| format!("{entry:?}")));
    lines.push(format!("{:?}", store.reports(&Scope::All).await.unwrap()));
    lines.push(format!("{:?}", store.blocked(ANN).await.unwrap()));
    let entry_request = EntryRequest { user: EVE, network: None, room: Some(room("quiet")) };
    let standing = store.standing(entry_request).await.unwrap();
    lines.push(format!("{:?}", Standing { generation: 0, ..standing }));
    lines
}

/// Returns everything that readers of a store can see, in lines.
async fn picture(store: &dyn Store) -> Vec<String> {
    let rooms: Vec<RoomName> = ROOMS.map(room).into();
    let users = [ANN, BOB, EVE, GUEST, ERASED, UserId(7), UserId(99)];
    let mut lines = vec![store.log_id().to_owned(), format!("{:?}", store.heads(&rooms).await.unwrap())];
    lines.extend(access_picture(store).await);
    lines.extend(store.rooms(&rooms).await.unwrap().iter().map(|room| format!("{room:?}")));
    for name in &rooms {
        lines.push(format!("{name}: {:?}", store.messages_before(name, Seq::MAX, 500).await.unwrap()));
        let events = store.events_after(name, 0, 500).await.unwrap();
        lines.extend(events.iter().map(|event| format!("{name}: {event:?}")));
    }
    lines.extend(store.aging_rooms(None, 100).await.unwrap().iter().map(|room| format!("{room:?}")));
    lines.push(format!("{:?}", store.erasure(ERASED).await.unwrap()));
    for id in [FILE, Uuid::from_u128(1), Uuid::from_u128(2)] {
        lines.push(format!("{:?}", store.file(id).await.unwrap()));
    }
    lines.push(format!("{:?}", store.file_bytes().await.unwrap()));
    lines.extend(store.users(&users).await.unwrap().iter().map(|user| format!("{user:?}")));
    for user in users {
        let markers = store.read_markers(user, 0, 100).await.unwrap();
        lines.push(format!("{user:?} {:?} {markers:?}", store.unread_counts(user, &markers).await.unwrap()));
        lines.push(format!("{:?}", store.sign_ins(user).await.unwrap()));
        lines.push(format!("{:?}", store.recovery_code(user).await.unwrap()));
        lines.push(format!("{:?}", store.mention_counts(user, &markers).await.unwrap()));
        lines.push(format!("{:?}", store.joined_rooms(user, 0, 100, &rooms[..2]).await.unwrap()));
    }
    for order in [RoomOrder::Name, RoomOrder::Title, RoomOrder::Activity] {
        lines.push(format!("{:?}", store.list_rooms(RoomQuery::new(order, 100)).await.unwrap()));
    }
    for link in [OPEN_LINK, USED_LINK, [3; 32]] {
        lines.push(format!("{:?}", store.device_link(link).await.unwrap()));
    }
    lines
}

async fn filled_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cookie.key"), [9; 64]).unwrap();
    let store = open(folder.path());
    fill(&store).await;
    store.close().await;
    folder
}

fn open(data: &Path) -> SqliteStore {
    SqliteStore::open(&data.join("hubbub.db")).unwrap()
}

/// Runs another command of the operator on the folder.
async fn hubbub(data: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hubbub"));
    command.args(arguments).arg("--data").arg(data).env_clear();
    let output = within_timeout(command.output()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn postgres_gets_every_kind_of_row_as_it_was() {
    let Some(database) = TestDatabase::create().await else { return };
    let folder = filled_folder().await;
    // An older version stored control characters.
    alter(
        folder.path(),
        "UPDATE event SET text = 'a' || char(0, 13, 27) || 'b' WHERE room = 'jam' AND seq = 1",
    );
    let store = open(folder.path());
    let before = picture(&store).await;
    store.close().await;

    let printed = succeeds(folder.path(), &database.url, &[]).await;
    assert!(
        printed.contains("31 events in 8 rooms, 6 users, ") && printed.contains("Start with --database"),
        "{printed}"
    );
    let store = database.open().await;
    for (before, after) in before.iter().zip(picture(&store).await) {
        assert_eq!(&after, before);
    }
    assert_eq!(store.cookie_key(), [9; 64]);
    continues_as_before(&store).await;
}

/// Checks that everything after the migration continues what was before it.
async fn continues_as_before(store: &dyn Store) {
    let head = store.head(&room("tea")).await.unwrap();
    assert_eq!(post(store, "tea", ANN, "after").await, head + 1);
    assert_eq!(post(store, "new", ANN, "the next room").await, 1);
    let named = store.set_display_name(UserId(8), "Ann".parse().unwrap()).await.unwrap();
    assert_eq!(named[0].tag.as_deref(), Some("#4"));
    let taken = store
        .create_room(
            room("copy"),
            RoomInfo { title: Some("tea & cake".parse().unwrap()), ..RoomInfo::default() },
        )
        .await;
    assert!(matches!(taken, Err(StoreError::TitleTaken(_))), "{taken:?}");
    assert_eq!(store.redeem_device_link(OPEN_LINK).await.unwrap(), Ok(ANN));
    assert_eq!(store.redeem_device_link(OPEN_LINK).await.unwrap(), Err(LinkError::Used));
    assert_eq!(store.redeem_recovery_code(OPEN_CODE).await.unwrap(), Some(EVE));
    let file = NewFile {
        id: Uuid::nil(),
        owner: BOB,
        room: room("jam"),
        name: "b".into(),
        alt: "".into(),
        size: 1,
        network: None,
        is_imported: false,
    };
    store.create_file(file, 100).await.unwrap();
    let first = store.events_after(&room("tea"), 0, 1).await.unwrap().remove(0);
    let repeat = NewEvent::message(first.id, room("tea"), ANN, "one");
    assert!(matches!(store.append(repeat).await, Ok(Appended { seq: 1, is_duplicate: true, .. })));
    let position = StreamPosition { after: 1, after_id: Some(first.id), log: Some(store.log_id().into()) };
    assert!(store.continues(&room("tea"), position).await.unwrap());
}

#[tokio::test]
async fn postgres_gets_a_folder_without_messages() {
    let Some(database) = TestDatabase::create().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let log = store.log_id().to_owned();
    store.close().await;
    let printed = succeeds(folder.path(), &database.url, &[]).await;
    assert!(printed.contains("0 events in 0 rooms"), "{printed}");
    let store = database.open().await;
    assert_eq!(store.log_id(), log);
    assert_eq!(store.cookie_key(), fs::read(folder.path().join("cookie.key")).unwrap());
    assert_eq!(post(&store, "tea", ANN, "the first").await, 1);
}

#[tokio::test]
async fn postgres_takes_over_and_the_folder_stays_as_a_backup() {
    let Some(database) = TestDatabase::create().await else { return };
    let folder = filled_folder().await;
    let data = folder.path();
    succeeds(data, &database.url, &[]).await;
    check(&data.join("hubbub.db")).unwrap();
    let error = start_error_in(data).await;
    assert!(
        error.contains("its messages have moved to postgres://") && error.contains("hubbub.db-moved"),
        "{error}"
    );

    // The command may be repeated, also after messages have come.
    let store = database.open().await;
    post(&store, "tea", ANN, "after").await;
    let printed = succeeds(data, &database.url, &[]).await;
    assert!(printed.contains("has everything already"), "{printed}");

    // A restored backup has a log id of its own.
    let backup = data.join("backup");
    hubbub(data, &["backup", backup.to_str().unwrap()]).await;
    hubbub(data, &["restore", backup.to_str().unwrap(), "--force"]).await;
    let restored = TestServer::on_disk(data).await;
    assert_ne!(restored.store().log_id(), store.log_id());
}

#[tokio::test]
async fn postgres_log_gets_a_new_epoch_if_its_folder_is_used_again() {
    let Some(database) = TestDatabase::create().await else { return };
    let folder = filled_folder().await;
    let data = folder.path();
    succeeds(data, &database.url, &[]).await;
    let store = database.open().await;
    // Without the mark it is an older copy of the log: a new epoch.
    fs::remove_file(data.join("hubbub.db-moved")).unwrap();
    let back = open(data);
    assert!(back.log_id().starts_with(&format!("{}.", store.log_id())), "{}", back.log_id());
}
