//! The file of a store: reopening, migrations, damage.

mod large_files;
mod migrations;
mod opening;

use crate::support::{room, text};
use app::wire::UserId;
use server::store::{EventStore, NewEvent, RoomOrder, RoomQuery, RoomStore, SqliteStore};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use uuid::Uuid;

const ANN: UserId = UserId(0xa);

fn temporary_file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hubbub.db");
    (folder, file)
}

fn open(file: &Path) -> SqliteStore {
    SqliteStore::open(file).unwrap()
}

fn message(n: usize) -> NewEvent {
    NewEvent::message(Uuid::now_v7(), room("tea"), ANN, &n.to_string())
}

async fn listed(store: &SqliteStore, order: RoomOrder) -> Vec<app::wire::RoomName> {
    let rooms = store.list_rooms(RoomQuery::new(order, 9)).await.unwrap();
    rooms.into_iter().map(|room| room.room).collect()
}

async fn texts(store: &SqliteStore) -> Vec<String> {
    let events = store.events_after(&room("tea"), 0, u32::MAX).await.unwrap();
    events.iter().map(|event| text(event).to_owned()).collect()
}
