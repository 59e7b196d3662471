//! The cost of a command does not grow with the number of stored rows.

use super::*;
use crate::store::{
    skeleton,
    sqlite::{connection::Synchronous, open},
};
use app::wire::Operation;
use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};
use uuid::Uuid;

/// Stored rows of each kind: users named Ann, users with one generated name, messages in the room, rooms of one user.
const FEW: u64 = 20;
const MANY: u64 = 4_000;

/// Steps by which commands over [`MANY`] rows may differ from those over [`FEW`], because a B-tree is deeper.
const SLACK: u64 = 4;

const OWNER: UserId = UserId(1);

/// The ids of stored users start here.
const FIRST_USER: u64 = 1 << 20;

struct CountingWriter {
    writer: Writer,
    /// The number of times that SQLite's virtual machine reached the end of a loop or of a statement.
    steps: Arc<AtomicU64>,
}

impl CountingWriter {
    /// Returns a writer of a store with `stored` rows of everything that a user can add.
    fn over(file: &Path, stored: u64) -> Self {
        let opened = open::open(file, Synchronous::Normal, &mut |_| Ok(())).unwrap();
        fill(&opened.connection, stored);
        drop(opened);
        let opened = open::open(file, Synchronous::Normal, &mut |_| Ok(())).unwrap();
        let steps = Arc::new(AtomicU64::new(0));
        let counted = steps.clone();
        let count = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            false
        };
        opened.connection.progress_handler(1, Some(count)).unwrap();
        let upkeep = (Upkeep::new(&opened.path, None), Some(Record::of(&opened.path)), Arc::default());
        let publisher = Publisher {
            notifier: Notifier::default(),
            names_generation: Arc::default(),
            access: Arc::default(),
        };
        Self { writer: Writer::new(opened.connection, publisher, upkeep), steps }
    }

    fn cost(&mut self, command: WriteCommand) -> u64 {
        self.steps.store(0, Ordering::Relaxed);
        let (results, effects) = self.writer.transact(vec![command]).unwrap();
        let steps = self.steps.load(Ordering::Relaxed);
        self.writer.publish(effects);
        for result in results {
            assert!(result.is_ok(), "{:?}", result.err());
        }
        steps
    }
}

/// Returns a user with the same generated name as the stored ones.
fn newcomer() -> UserId {
    UserId(FIRST_USER)
}

fn fill(db: &Connection, stored: u64) {
    let ann = skeleton::name_key("Ann");
    let generated = DisplayName::generated(newcomer());
    let generated_key = skeleton::name_key(generated.as_str());
    db.execute_batch("BEGIN").unwrap();
    for n in 1..=stored {
        let users = "INSERT INTO person (id, name, key, alike, number) VALUES (?1, ?2, ?3, 1, ?4)";
        db.execute(users, (n + 10, "Ann", &ann, n)).unwrap();
        // Generated names repeat with the remainder of the id.
        db.execute(users, (FIRST_USER + n * 1_024, generated.as_str(), &generated_key, n)).unwrap();
        let rooms = "INSERT INTO room (name, head, title) VALUES (?1, 1, 'By address')";
        db.execute(rooms, [format!("room-{n}")]).unwrap();
        let event =
            "INSERT INTO event (room, seq, at, id, author, kind, text) VALUES (?1, ?2, 5, ?3, ?4, 0, 'x')";
        let id = Uuid::from_u128(n.into());
        db.execute(event, ("tea", n, id.as_bytes(), OWNER.0)).unwrap();
    }
    let tea = "INSERT INTO room (name, head, title, owner) VALUES ('tea', ?1, 'Tea', ?2)";
    db.execute(tea, (stored, OWNER.0)).unwrap();
    // A user with the maximum of read markers, so that one more evicts one.
    db.execute_batch(
        "INSERT INTO reading (person, room, seq, at) SELECT 3, name, 1, 5 FROM room WHERE name <> 'tea' LIMIT 1000;
         INSERT INTO visitor (person, visits) VALUES (3, 1000)",
    )
    .unwrap();
    db.execute_batch("COMMIT").unwrap();
}

fn room(name: &str) -> RoomName {
    name.parse().unwrap()
}

fn append(author: UserId, operation: Operation) -> WriteCommand {
    WriteCommand::Append(NewEvent::new(Uuid::now_v7(), room("tea"), author, operation))
}

fn post(author: UserId) -> WriteCommand {
    append(author, Operation::Post { text: "hello".into(), reply_to: None })
}

fn rename(user: u64, name: &str) -> WriteCommand {
    WriteCommand::SetDisplayName(UserId(user), name.parse().unwrap())
}

/// Returns every kind of command, each where the most rows are stored that it could read.
fn commands() -> Vec<(&'static str, WriteCommand)> {
    let repeated = NewEvent {
        id: Uuid::from_u128(1),
        ..NewEvent::message(Uuid::now_v7(), room("tea"), OWNER, "a repeat")
    };
    let about = RoomInfo { title: Some("New".parse().unwrap()), owner: Some(OWNER), ..RoomInfo::default() };
    vec![
        ("a rename to a name of many", rename(2, "Ann")),
        ("a rename to the same name", rename(2, "ANN")),
        ("a rename from a name of many", rename(2, "Bob")),
        ("a rename from a name of many to another", rename(11, "Carol")),
        ("the first post of a user whose generated name many have", post(newcomer())),
        ("a post", post(OWNER)),
        ("a repeated post", WriteCommand::Append(repeated)),
        ("a reply", append(OWNER, Operation::Post { text: "yes".into(), reply_to: Some(2) })),
        ("an edit", append(OWNER, Operation::Edit { target: 2, text: "other".into() })),
        ("a deletion by the owner", append(OWNER, Operation::Delete { target: 3 })),
        ("a read marker", WriteCommand::SetReadMarker(OWNER, room("tea"), 1)),
        ("a read marker of a user with many", WriteCommand::SetReadMarker(UserId(3), room("tea"), 1)),
        ("a read marker in another room", WriteCommand::SetReadMarker(OWNER, room("room-2"), 1)),
        ("an unread message", WriteCommand::MarkUnread(OWNER, room("tea"), 1)),
        ("a new room", WriteCommand::CreateRoom(room("new"), about)),
        (
            "a room by its address with the title of many",
            WriteCommand::Append(NewEvent::message(Uuid::now_v7(), room("by-address"), OWNER, "first")),
        ),
        (
            "another title",
            WriteCommand::UpdateRoom {
                room: room("tea"),
                user: OWNER,
                title: "Other".parse().unwrap(),
                topic: "".parse().unwrap(),
            },
        ),
    ]
}

#[test]
fn a_command_reads_no_more_rows_however_much_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let mut few = CountingWriter::over(&folder.path().join("few.db"), FEW);
    let mut many = CountingWriter::over(&folder.path().join("many.db"), MANY);
    let grown: Vec<_> = commands()
        .into_iter()
        .zip(commands())
        .map(|((name, first), (_, second))| (name, few.cost(first), many.cost(second)))
        .filter(|(_, few, many)| *many > few + SLACK)
        .collect();
    assert!(grown.is_empty(), "steps over {FEW} and over {MANY} stored rows: {grown:?}");
}
