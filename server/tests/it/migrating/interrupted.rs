//! Migrations that are killed, continued and checked.

use super::{alter, command, fails, folder_with, messages, start_error_in, start_error_on, succeeds};
use crate::support::{TestDatabase, room, within_timeout};
use server::store::EventStore;
use std::{fs, path::Path, process::Stdio, time::Duration};
use tokio::time::sleep;
use tokio_postgres::{Client, NoTls};

/// More than one chunk.
const MESSAGES: u32 = 12_000;

/// A database in which the copy of one row waits until the lock is given back.
struct Barrier {
    database: TestDatabase,
    client: Client,
    lock: i64,
}

impl Barrier {
    /// Returns a database in which the copy of rows with this condition waits.
    async fn at(table: &str, condition: &str) -> Option<Self> {
        let database = TestDatabase::create().await?;
        drop(database.open().await);
        let lock = fastrand::i64(..);
        let trigger = format!(
            "DELETE FROM log;
             CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_advisory_xact_lock_shared({lock}); RETURN NEW; END $$;
             CREATE TRIGGER wait BEFORE INSERT ON {table} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION wait()"
        );
        database.execute(&trigger).await;
        let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.execute("SELECT pg_advisory_lock($1)", &[&lock]).await.unwrap();
        Some(Self { database, client, lock })
    }

    async fn number(&self, query: &str) -> i64 {
        self.client.query_one(query, &[]).await.unwrap().get(0)
    }

    /// Runs a migration until it has stored `chunks` chunks and waits at the row, then kills it.
    async fn kill(&self, data: &Path, chunks: i64) {
        let mut running = command(data, &self.database.url, &[]);
        let mut running = running.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        within_timeout(async {
            while self.number("SELECT count(*) FROM import_chunk").await < chunks {
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        running.start_kill().unwrap();
        within_timeout(running.wait()).await.unwrap();
    }

    /// Lets the copy of the row go on.
    async fn open(&self) {
        self.client.execute("SELECT pg_advisory_unlock($1)", &[&self.lock]).await.unwrap();
    }
}

#[tokio::test]
async fn postgres_migration_continues_where_it_was_killed() {
    let Some(barrier) = Barrier::at("event", "NEW.seq = 11000").await else { return };
    let folder = folder_with(&messages("tea", MESSAGES)).await;
    barrier.kill(folder.path(), 3).await;
    assert_eq!(barrier.number("SELECT count(*) FROM event").await, 10_000);
    let (first_row, id) = (
        "SELECT xmin::text::int8 FROM event WHERE seq = 1",
        "SELECT ('x' || left(id::text, 8))::bit(32)::int8 FROM import",
    );
    let (row, import) = (barrier.number(first_row).await, barrier.number(id).await);
    let error = start_error_on(&barrier.database).await;
    assert!(error.contains("'hubbub migrate' into it is unfinished; run that again"), "{error}");
    let error = start_error_in(folder.path()).await;
    assert!(error.contains("its move to postgres://") && error.contains("is unfinished"), "{error}");

    barrier.open().await;
    let printed = succeeds(folder.path(), &barrier.database.url, &[]).await;
    assert!(printed.contains("12000 events in 1 room"), "{printed}");
    assert_eq!(
        (barrier.number(first_row).await, barrier.number(id).await),
        (row, import),
        "nothing is copied again"
    );
    assert_eq!(barrier.number("SELECT count(*) FROM import_chunk").await, 0);
    let store = barrier.database.open().await;
    let events = store.events_after(&room("tea"), 10_990, 20).await.unwrap();
    assert!((10_991..=11_010).eq(events.iter().map(|event| event.seq)));
    assert_eq!(store.head(&room("tea")).await.unwrap(), u64::from(MESSAGES));
}

#[tokio::test]
async fn postgres_rows_that_differ_from_the_folder_are_found() {
    let Some(barrier) = Barrier::at("read_marker", "true").await else { return };
    let (folder, url) = (folder_with(&messages("tea", MESSAGES)).await, barrier.database.url.as_str());
    barrier.kill(folder.path(), 4).await;
    barrier.open().await;
    for (change, undo, expected) in [
        (
            "UPDATE event SET text = 'changed' WHERE seq = 77",
            "UPDATE event SET text = 'message 77' WHERE seq = 77",
            "its event rows differ from those of the folder: another checksum of 10000 up to 1/10000; --force starts over",
        ),
        (
            "INSERT INTO event SELECT seq + 1, at, author, gen_random_uuid(), room, kind, text FROM event WHERE seq = 12000",
            "DELETE FROM event WHERE seq = 12001",
            "its event rows differ from those of the folder: 12001 instead of 12000; --force starts over",
        ),
        (
            "DELETE FROM event WHERE seq = 10001",
            "",
            "its event rows differ from those of the folder: 1999 instead of 2000 after 1/10000 up to 1/12000; --force starts over",
        ),
    ] {
        barrier.database.execute(change).await;
        let error = fails(folder.path(), url, &[]).await;
        assert!(error.ends_with(expected), "{error}");
        assert!(start_error_on(&barrier.database).await.contains("unfinished"));
        barrier.database.execute(undo).await;
    }
    succeeds(folder.path(), url, &["--force"]).await;
    let store = barrier.database.open().await;
    assert_eq!(store.events_after(&room("tea"), 10_000, 1).await.unwrap()[0].seq, 10_001);
}

#[tokio::test]
async fn postgres_part_of_a_folder_used_again_is_not_continued() {
    let Some(barrier) = Barrier::at("event", "NEW.seq = 11000").await else { return };
    let (folder, url) = (folder_with(&messages("tea", MESSAGES)).await, barrier.database.url.as_str());
    barrier.kill(folder.path(), 3).await;
    barrier.open().await;
    fs::remove_file(folder.path().join("hubbub.db-moved")).unwrap();
    alter(folder.path(), "UPDATE event SET text = 'edited meanwhile' WHERE seq = 2");
    let error = fails(folder.path(), url, &[]).await;
    assert!(error.contains("of this one before it was used again; --force removes that"), "{error}");
    let other = folder_with(&messages("jam", 3)).await;
    let error = fails(other.path(), url, &[]).await;
    assert!(error.contains("a part of another folder"), "{error}");
    succeeds(folder.path(), url, &["--force"]).await;
    let store = barrier.database.open().await;
    let events = store.events_after(&room("tea"), 1, 1).await.unwrap();
    assert!(format!("{:?}", events[0].body).contains("edited meanwhile"));
}
