//! The end of an upload, where the object store is slow and requests are cut.

use super::{Uploader, id, noise};
use crate::support::{TestServer, room, within_timeout};
use app::wire::{FileId, UserId};
use futures_util::{TryStreamExt, future::join_all};
use object_store::{
    ObjectStore,
    memory::InMemory,
    throttle::{ThrottleConfig, ThrottledStore},
};
use reqwest::StatusCode;
use serde_json::Value;
use server::{
    files::{FileError, FileLimits, FileService},
    store::{Content, SqliteStore, Store, StoreError},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

const ANN: UserId = UserId(7);
const PART: usize = 64 * 1_024;

/// Starts a server whose object store takes this time for each read, and for each removal.
async fn start(read: Duration, removal: Duration) -> TestServer {
    let config =
        ThrottleConfig { wait_get_per_call: read, wait_delete_per_call: removal, ..Default::default() };
    let objects: Arc<dyn ObjectStore> = Arc::new(ThrottledStore::new(InMemory::new(), config));
    TestServer::with_objects(Arc::new(SqliteStore::ephemeral().unwrap()), objects).await
}

/// Uploads all parts but the last one.
async fn upload_begin(user: &Uploader, bytes: &[u8]) -> FileId {
    let id = id(&user.begin("tea", "a.bin", bytes.len()).await.json().await.unwrap());
    let chunks: Vec<_> = bytes.chunks(PART).enumerate().collect();
    for (n, part) in &chunks[..chunks.len() - 1] {
        assert_eq!(user.part(id, n * PART, part).await.status(), StatusCode::OK);
    }
    id
}

/// The services of two servers that share a store and an object store, which takes this time for each object that is put.
struct Services {
    servers: [Arc<FileService>; 2],
    store: Arc<dyn Store>,
    objects: Arc<dyn ObjectStore>,
}

impl Services {
    fn new(put: Duration) -> Self {
        let config = ThrottleConfig { wait_put_per_call: put, ..Default::default() };
        let objects: Arc<dyn ObjectStore> = Arc::new(ThrottledStore::new(InMemory::new(), config));
        let store: Arc<dyn Store> = Arc::new(SqliteStore::ephemeral().unwrap());
        let limits = FileLimits { max_bytes: 25 << 20, quota: 1 << 30 };
        let server = || Arc::new(FileService::new(store.clone(), objects.clone(), limits));
        Self { servers: [server(), server()], store, objects }
    }

    async fn create(&self, size: usize) -> FileId {
        let created = self.servers[0].create(ANN, None, room("tea"), ("a.bin", ""), size as u64);
        created.await.unwrap()
    }

    /// Removes what no file has. Returns the objects that are left.
    async fn swept(&self) -> Vec<String> {
        while self.servers[0].sweep().await.unwrap() {}
        let objects = self.objects.list(None).map_ok(|object| object.location.to_string());
        objects.try_collect().await.unwrap()
    }
}

#[tokio::test]
async fn last_parts_with_other_bytes_at_the_same_time_leave_nothing() {
    let services = Services::new(Duration::from_millis(5));
    for round in 0..8_u8 {
        let id = services.create(2 * PART).await;
        services.servers[0].append(id, ANN, 0, vec![round; PART].into()).await.unwrap();
        let parts = (0..6_u8).map(|n| {
            let server = &services.servers[usize::from(n) % 2];
            server.append(id, ANN, PART as u64, vec![100 + n; PART].into())
        });
        join_all(parts).await;
        // Either one of them is the file, or the upload begins again.
        let file = services.store.file(id).await.unwrap();
        assert!(file.as_ref().is_none_or(|file| file.is_ready), "{file:?}");
        let left = services.swept().await;
        assert_eq!(left.len(), usize::from(file.is_some()), "{left:?}");
        if file.is_some() {
            services.servers[1].forget(id, ANN).await.unwrap();
        }
        assert_eq!(services.swept().await, [] as [&str; 0]);
        assert_eq!(services.store.file_bytes().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn bytes_under_another_hash_than_that_of_the_file_are_not_put() {
    let services = Services::new(Duration::ZERO);
    let id = services.create(PART).await;
    let other = Content { hash: [9; 32], bytes: PART as u64 };
    let info = services.store.file(id).await.unwrap().unwrap().info;
    services.store.reserve_content(id, other, info, u64::MAX).await.unwrap();
    let refused = services.servers[0].append(id, ANN, 0, vec![1; PART].into()).await;
    assert!(matches!(refused, Err(FileError::Broken)), "{refused:?}");
    assert_eq!(services.swept().await, [] as [&str; 0]);
    assert_eq!(services.store.file(id).await.unwrap(), None);
}

#[tokio::test]
async fn upload_leaves_nothing_if_forgotten_while_its_bytes_are_put() {
    let services = Services::new(Duration::from_millis(300));
    let id = services.create(PART).await;
    let has_content = async || {
        let file = services.store.file(id).await.unwrap().unwrap();
        file.content.is_some()
    };
    let forget = async {
        while !has_content().await {
            sleep(Duration::from_millis(5)).await;
        }
        services.servers[1].forget(id, ANN).await.unwrap();
        services.swept().await
    };
    let part = services.servers[0].append(id, ANN, 0, vec![1; PART].into());
    let (appended, _) = within_timeout(async { tokio::join!(part, forget) }).await;
    assert!(appended.is_err(), "{appended:?}");
    assert_eq!(services.swept().await, [] as [&str; 0]);
    // The same for a part of an upload that goes on.
    let id = services.create(2 * PART).await;
    let forget = async {
        sleep(Duration::from_millis(50)).await;
        services.servers[1].forget(id, ANN).await.unwrap();
    };
    let (appended, ()) = tokio::join!(services.servers[0].append(id, ANN, 0, vec![1; PART].into()), forget);
    assert!(matches!(appended, Err(FileError::Store(StoreError::FileNotFound))), "{appended:?}");
    assert_eq!(services.swept().await, [] as [&str; 0]);
    assert_eq!(services.store.file_bytes().await.unwrap(), 0);
}

#[tokio::test]
async fn upload_of_many_parts_ends_within_a_request_on_a_slow_bucket() {
    // One read after the other would take 18 s, and the removals as long again.
    let server = start(Duration::from_millis(90), Duration::from_millis(90)).await;
    let ann = Uploader::new(&server).await;
    let bytes = noise(100 * PART);
    let id = upload_begin(&ann, &bytes).await;
    let began = Instant::now();
    let answer: Value = ann.part(id, 99 * PART, &bytes[99 * PART..]).await.json().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    assert_eq!(answer["file"]["size"], bytes.len());
    assert_eq!(ann.get(&format!("/f/{id}/a.bin")).await.bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn upload_ends_without_its_request_and_a_retry_waits_for_it() {
    let server = start(Duration::from_millis(700), Duration::ZERO).await;
    let ann = Uploader::new(&server).await;
    let bytes = noise(3 * PART);
    let id = upload_begin(&ann, &bytes).await;
    let last = timeout(Duration::from_millis(500), ann.part(id, 2 * PART, &bytes[2 * PART..])).await;
    assert!(last.is_err(), "the client has gone");
    let (one, other) = tokio::join!(ann.part(id, bytes.len(), &[]), ann.part(id, bytes.len(), &[]));
    for answer in [one, other] {
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["file"]["size"], bytes.len());
    }
}

#[tokio::test]
async fn an_upload_ends_although_every_request_is_cut() {
    let server = start(Duration::from_millis(300), Duration::ZERO).await;
    let ann = Uploader::new(&server).await;
    let bytes = noise(3 * PART);
    let id = upload_begin(&ann, &bytes).await;
    let mut offset = 2 * PART;
    let is_ready = async || {
        let progress: Value = ann.get(&format!("/api/files/{id}")).await.json().await.unwrap();
        progress.get("file").is_some()
    };
    within_timeout(async {
        while !is_ready().await {
            let _ = timeout(Duration::from_millis(200), ann.part(id, offset, &bytes[offset..])).await;
            offset = bytes.len();
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(ann.get(&format!("/f/{id}/a.bin")).await.bytes().await.unwrap(), bytes);
}
