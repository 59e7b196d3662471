//! The files of messages in the archive of a room: `GET /r/{room}/export`, `hubbub export` and `hubbub import`.

mod exporting;
mod hostile;
mod importing;

use crate::{
    command::run,
    files::{noise, png},
    support::room,
};
use app::wire::{Event, EventBody, FileInfo, Operation, Seq, UserId};
use futures_util::TryStreamExt;
use server::{
    files::{FileLimits, FileService, objects::FilePlace},
    store::{ContentHash, NewEvent, RoomInfo, SqliteStore, Store},
};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Cursor, Read, Write},
    path::Path,
    sync::Arc,
};
use uuid::Uuid;
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

const ANN: UserId = UserId(0xa);
const BOB: UserId = UserId(0xb);

/// A store with its files, as a server has them.
struct Installation {
    store: Arc<dyn Store>,
    files: Arc<FileService>,
}

impl Installation {
    /// Opens a data folder.
    fn open(data: &Path) -> Self {
        fs::create_dir_all(data).unwrap();
        if !data.join("cookie.key").exists() {
            fs::write(data.join("cookie.key"), [9; 64]).unwrap();
        }
        let store = SqliteStore::open(&data.join("hubbub.db")).unwrap();
        Self::new(Arc::new(store), &FilePlace::within(data))
    }

    fn new(store: Arc<dyn Store>, place: &FilePlace) -> Self {
        let limits = FileLimits { max_bytes: 25 << 20, quota: u64::MAX };
        let files = Arc::new(FileService::new(store.clone(), place.open().unwrap(), limits));
        Self { store, files }
    }

    /// Posts a message with files: their names, descriptions and bytes.
    async fn post(&self, author: UserId, text: &str, files: &[(&str, &str, &[u8])]) -> Vec<FileInfo> {
        let mut uploaded = Vec::new();
        for (name, alt, bytes) in files {
            let size = bytes.len() as u64;
            let id = self.files.create(author, None, room("tea"), (name, alt), size).await.unwrap();
            let mut offset = 0;
            for part in bytes.chunks(1 << 20) {
                let part = part.to_vec().into();
                if let Some(file) = self.files.append(id, author, offset, part).await.unwrap().file {
                    uploaded.push(file);
                }
                offset += 1 << 20;
            }
        }
        let operation = Operation::Post { text: text.into(), reply_to: None };
        let mut event = NewEvent::new(Uuid::now_v7(), room("tea"), author, operation);
        let ids = uploaded.iter().map(|file| file.id).collect();
        event.files = self.store.claim_files(author, room("tea"), event.id, ids).await.unwrap();
        if text.is_empty() {
            event.operation = Operation::Post { text: event.files.names().into(), reply_to: None };
        }
        self.store.append(event).await.unwrap();
        uploaded
    }

    async fn delete(&self, author: UserId, target: Seq) {
        let event = NewEvent::new(Uuid::now_v7(), room("tea"), author, Operation::Delete { target });
        self.store.append(event).await.unwrap();
    }

    async fn hash(&self, file: &FileInfo) -> ContentHash {
        self.store.file(file.id).await.unwrap().unwrap().content.unwrap()
    }

    /// Returns the bytes of a file.
    async fn bytes(&self, file: &FileInfo) -> Vec<u8> {
        let parts: Vec<_> =
            self.files.read(self.hash(file).await, None).await.unwrap().try_collect().await.unwrap();
        parts.concat()
    }

    /// Returns the files of the messages of the room, in order, with their bytes.
    async fn shown(&self, name: &str) -> Vec<(FileInfo, Vec<u8>)> {
        let mut shown = Vec::new();
        for event in events(&*self.store, name).await {
            let EventBody::Message { files, .. } = event.body else { continue };
            for file in &files {
                shown.push((file.clone(), self.bytes(file).await));
                if file.pixels().is_some() {
                    assert!(!self.files.thumbnail(self.hash(file).await).await.unwrap().is_empty());
                }
            }
        }
        shown
    }

    /// Removes what no message shows.
    async fn sweep(&self) {
        while self.files.sweep().await.unwrap() {}
    }
}

async fn events(store: &dyn Store, name: &str) -> Vec<Event> {
    let events = store.events_after(&room(name), 0, 1_000).await.unwrap();
    events.iter().map(|event| (**event).clone()).collect()
}

/// Posts in the room: a picture twice, a text that no page shows as one, a file of several parts, and one that is deleted.
async fn fill(from: &Installation) {
    let info = RoomInfo { owner: Some(ANN), ..RoomInfo::default() };
    from.store.create_room(room("tea"), info).await.unwrap();
    let picture = png(90, 70);
    from.post(ANN, "look", &[("a [cup].png", "a *cup*", &picture), ("<b>.html", "", b"<script>")]).await;
    from.post(BOB, "", &[("same.png", "", &picture)]).await;
    from.post(ANN, "gone", &[("c.bin", "", &noise(3_000))]).await;
    from.delete(ANN, 3).await;
    from.sweep().await;
    from.post(BOB, "large", &[("d.bin", "", &noise((2 << 20) + 7))]).await;
}

/// Fills the data folder `from` and exports its room to `tea.zip`. Returns its events and files.
async fn export(folder: &Path) -> (Vec<Event>, Vec<(FileInfo, Vec<u8>)>) {
    let from = Installation::open(&folder.join("from"));
    fill(&from).await;
    let (events, shown) = (events(&*from.store, "tea").await, from.shown("tea").await);
    from.store.close().await;
    let exported = run(folder, &["export", "tea", "--data", "from"]).await.unwrap();
    assert_eq!(exported, "tea.zip has 5 events and 4 files of the room tea.\n");
    (events, shown)
}

/// Returns the entries of an archive.
fn entries(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut entries = BTreeMap::new();
    for at in 0..archive.len() {
        let (mut entry, mut bytes) = (archive.by_index(at).unwrap(), Vec::new());
        entry.read_to_end(&mut bytes).unwrap();
        entries.insert(entry.name().unwrap().into_owned(), bytes);
    }
    entries
}

fn text(entries: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(entries[name].clone()).unwrap()
}

fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes an archive of these entries.
fn write(path: &Path, entries: &[(&str, &[u8])]) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in entries {
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
}

/// Returns the names in a folder of files, without what a killed process was about to write.
fn objects(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    // An import that is running removes folders.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => found.extend(objects(&entry.path())),
            false => found.push(entry.file_name().into_string().unwrap()),
        }
    }
    found.retain(|name| !name.contains('#'));
    found.sort();
    found
}
