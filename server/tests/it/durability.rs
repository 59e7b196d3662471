//! Servers that share the disk syncs of one database: a read returns an event once it is durable.

use crate::support::{TestDatabase, room, text, within_timeout};
use app::wire::{Seq, UserId};
use futures_util::{FutureExt, future::BoxFuture, future::join_all};
use server::store::{
    EventStore, NewEvent, PostgresStore, ReadMarkerStore, RoomOrder, RoomQuery, RoomStore, StoreResult,
};
use tokio_postgres::Client;
use uuid::Uuid;

const ANN: UserId = UserId(0xa);

fn message(text: &str) -> NewEvent {
    NewEvent::message(Uuid::now_v7(), room("tea"), ANN, text)
}

/// A read that returns whether it has found the newest event of a room.
type Read = fn(&PostgresStore, Seq) -> BoxFuture<'_, StoreResult<bool>>;

const READS: [(&str, Read); 8] = [
    ("heads", |store, seq| async move { Ok(store.head(&room("tea")).await? == seq) }.boxed()),
    ("events", |store, seq| {
        async move { Ok(store.events_after(&room("tea"), seq - 1, 9).await?.len() == 1) }.boxed()
    }),
    ("messages", |store, seq| {
        async move {
            let page = store.messages_before(&room("tea"), Seq::MAX, 1).await?;
            Ok(page.messages.last().is_some_and(|message| message.seq == seq))
        }
        .boxed()
    }),
    ("snapshot", |store, seq| {
        async move { Ok(store.snapshot(&room("tea"), ANN, None, 9).await?.record.head == seq) }.boxed()
    }),
    ("rooms", |store, seq| async move { Ok(store.room(&room("tea")).await?.head == seq) }.boxed()),
    ("room list", |store, seq| {
        async move {
            let rooms = store.list_rooms(RoomQuery::new(RoomOrder::Activity, 9)).await?;
            Ok(rooms.iter().any(|record| record.head == seq))
        }
        .boxed()
    }),
    ("joined rooms", |store, seq| {
        async move {
            let rooms = store.joined_rooms(ANN, 0, 9, &[]).await?.rooms;
            Ok(rooms.iter().any(|joined| joined.record.head == seq))
        }
        .boxed()
    }),
    ("unread count", |store, seq| {
        async move { Ok(store.unread_counts(UserId(0xb), &[(room("tea"), seq - 1)]).await? == [1]) }.boxed()
    }),
];

/// Commits an event that is visible at once and durable later. Returns its position in the write-ahead log, or `None` if
/// another commit has made it durable already.
async fn append_early(client: &Client, seq: Seq) -> Option<String> {
    let append = format!(
        "SET synchronous_commit = off;
        INSERT INTO event (seq, at, author, id, room, kind, text)
        SELECT {seq}, 0, {}, '{}', r.id, 0, 'early' FROM room r WHERE r.name = 'tea'",
        ANN.0,
        Uuid::now_v7()
    );
    client.batch_execute(&append).await.unwrap();
    let position = "SELECT l::text, l > pg_current_wal_flush_lsn() FROM pg_current_wal_insert_lsn() l";
    let row = client.query_one(position, &[]).await.unwrap();
    row.get::<_, bool>(1).then(|| row.get(0))
}

#[tokio::test]
async fn postgres_reads_return_events_when_they_are_durable() {
    let Some(database) = TestDatabase::create().await else { return };
    let store = database.open().await;
    let mut head = store.append(message("first")).await.unwrap().seq;
    database.execute("UPDATE log SET early = true").await;
    let client = database.client().await;
    for (name, read) in READS {
        let position = within_timeout(async {
            loop {
                head += 1;
                if let Some(position) = append_early(&client, head).await {
                    return position;
                }
            }
        })
        .await;
        assert!(read(&store, head).await.unwrap(), "{name}");
        let is_durable = format!("SELECT '{position}'::pg_lsn <= pg_current_wal_flush_lsn()");
        let row = client.query_one(&is_durable, &[]).await.unwrap();
        assert!(row.get::<_, bool>(0), "{name}");
    }
}

#[tokio::test]
async fn postgres_a_read_up_to_a_head_ends_there() {
    let Some(database) = TestDatabase::create().await else { return };
    let store = database.open().await;
    for n in 1..=5 {
        store.append(message(&n.to_string())).await.unwrap();
    }
    let texts = async |after, head, limit| {
        let events = store.events_up_to(&room("tea"), after, head, limit).await.unwrap();
        events.iter().map(|event| text(event).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(texts(1, 3, 9).await, ["2", "3"]);
    assert_eq!(texts(1, 4, 2).await, ["2", "3"]);
    assert_eq!(texts(3, 3, 9).await, [""; 0]);
    assert_eq!(texts(4, 3, 9).await, [""; 0]);
    assert_eq!(texts(4, Seq::MAX, 9).await, ["5"]);
}

#[tokio::test]
async fn postgres_three_writers_unlock_early_and_keep_one_order() {
    let Some(database) = TestDatabase::create().await else { return };
    let stores = join_all((0..3).map(|_| database.open())).await;
    let client = database.client().await;
    let is_early = async || client.query_one("SELECT early FROM log", &[]).await.unwrap().get::<_, bool>(0);
    let append = |store: &PostgresStore, count: u32| {
        join_all((0..count).map(|n| store.append(message(&n.to_string()))).collect::<Vec<_>>())
    };
    for store in &stores[..2] {
        append(store, 3).await.into_iter().for_each(|appended| drop(appended.unwrap()));
    }
    assert!(!is_early().await, "two servers gain nothing");
    within_timeout(async {
        while !is_early().await {
            for store in &stores {
                append(store, 1).await[0].as_ref().unwrap();
            }
        }
    })
    .await;
    let appended = join_all(stores.iter().map(|store| append(store, 200))).await;
    let mut seqs: Vec<Seq> = appended.into_iter().flatten().map(|appended| appended.unwrap().seq).collect();
    seqs.sort_unstable();
    let first = seqs[0];
    assert!(seqs.iter().copied().eq(first..first + 600));
    let events = stores[0].events_after(&room("tea"), 0, u32::MAX).await.unwrap();
    for store in &stores {
        assert_eq!(store.head(&room("tea")).await.unwrap(), first + 599);
        assert_eq!(store.events_after(&room("tea"), 0, u32::MAX).await.unwrap(), events);
    }
}
