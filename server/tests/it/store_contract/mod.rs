//! The contract of a store. Each test runs on each store: in a file, in memory, and in PostgreSQL.

mod access;
mod device_links;
mod devices;
mod editing;
mod erasing;
mod events;
mod files;
mod imported_files;
mod importing;
mod mentions;
mod messages;
mod names;
mod notifications;
mod reactions;
mod read_markers;
mod retention;
mod room_lists;
mod rooms;
mod search;

use crate::support::{TestDatabase, room, text};
use app::wire::{Event, Operation, RoomName, Seq, UserId};
use futures_util::stream::{BoxStream, StreamExt};
use server::store::{
    Appended, MessagePage, NewEvent, Notification, RoomInfo, RoomOrder, RoomQuery, SqliteStore, Store,
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

const ANN: UserId = UserId(0xa);
const BOB: UserId = UserId(0xb);

/// Declares the named tests of the calling module once for each store. Another store is one more `mod` here,
/// and a function beside [`on_memory`].
macro_rules! every_store {
    ($($test:ident)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $test() {
                $crate::store_contract::on_memory(super::$test).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                $crate::store_contract::on_sqlite(super::$test).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                $crate::store_contract::on_postgres(super::$test).await;
            })*
        }
    };
}
use every_store;

/// Runs a test on a store in memory.
async fn on_memory(test: impl AsyncFnOnce(Arc<dyn Store>)) {
    test(Arc::new(SqliteStore::ephemeral().unwrap())).await;
}

/// Runs a test on a store in a file.
async fn on_sqlite(test: impl AsyncFnOnce(Arc<dyn Store>)) {
    let folder = tempfile::tempdir().unwrap();
    test(Arc::new(SqliteStore::open(&folder.path().join("hubbub.db")).unwrap())).await;
}

/// Runs a test on a store in a PostgreSQL database.
async fn on_postgres(test: impl AsyncFnOnce(Arc<dyn Store>)) {
    let Some(database) = TestDatabase::create().await else { return };
    test(Arc::new(database.open().await)).await;
}

fn message(room_name: &str, author: UserId, text: &str) -> NewEvent {
    NewEvent::message(Uuid::now_v7(), room(room_name), author, text)
}

fn reply(author: UserId, target: Seq) -> NewEvent {
    let operation = Operation::Post { text: "yes".into(), reply_to: Some(target) };
    NewEvent { operation, ..message("tea", author, "") }
}

fn edit(author: UserId, target: Seq, text: &str) -> NewEvent {
    NewEvent { operation: Operation::Edit { target, text: text.into() }, ..message("tea", author, "") }
}

fn delete(author: UserId, target: Seq) -> NewEvent {
    NewEvent { operation: Operation::Delete { target }, ..message("tea", author, "") }
}

async fn post(store: &dyn Store, room: &str, text: &str) -> Appended {
    store.append(message(room, ANN, text)).await.unwrap()
}

/// Returns the `seq` and the text of each event of a room.
async fn texts(store: &dyn Store, room_name: &str) -> Vec<(Seq, String)> {
    let events = store.events_after(&room(room_name), 0, u32::MAX).await.unwrap();
    events.iter().map(|event| (event.seq, text(event).to_owned())).collect()
}

/// Numbers texts from 1, as [`texts`] returns them.
fn numbered(texts: &[&str]) -> Vec<(Seq, String)> {
    (1..).zip(texts.iter().map(|text| (*text).to_owned())).collect()
}

/// Returns every public room with its head.
async fn rooms_by_name(store: &dyn Store) -> Vec<(RoomName, Seq)> {
    let rooms = store.list_rooms(RoomQuery::new(RoomOrder::Name, usize::MAX)).await.unwrap();
    rooms.into_iter().map(|room| (room.room, room.head)).collect()
}

/// Returns the description of a room.
async fn info(store: &dyn Store, name: &RoomName) -> RoomInfo {
    store.room(name).await.unwrap().info
}

/// Returns the title of a room.
async fn title(store: &dyn Store, name: &str) -> String {
    store.room(&room(name)).await.unwrap().title()
}

/// Returns public rooms in an order, without those in which BOB has a read marker.
async fn not_joined(
    store: &dyn Store,
    order: RoomOrder,
    after: Option<&RoomName>,
    limit: usize,
) -> Vec<RoomName> {
    let query = RoomQuery { after: after.cloned(), not_joined_by: Some(BOB), ..RoomQuery::new(order, limit) };
    store.list_rooms(query).await.unwrap().into_iter().map(|room| room.room).collect()
}

/// Returns the room and the events of the next commit that appended some.
async fn next_appended(
    notifications: &mut BoxStream<'static, Notification>,
) -> (RoomName, Arc<[Arc<Event>]>) {
    loop {
        if let Notification::Appended { room, head, events } = notifications.next().await.unwrap() {
            let events = events.expect("this process has committed them");
            assert_eq!(events.last().map(|last| last.seq), Some(head));
            return (room, events);
        }
    }
}

async fn latest_page(store: &dyn Store) -> MessagePage {
    store.messages_before(&room("tea"), Seq::MAX, 100).await.unwrap()
}

fn room_info(title: &str, owner: UserId) -> RoomInfo {
    RoomInfo { title: Some(title.parse().unwrap()), owner: Some(owner), ..RoomInfo::default() }
}

/// Waits until the clock of the store has advanced, so that the next command has a later time.
async fn advance_clock() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}
