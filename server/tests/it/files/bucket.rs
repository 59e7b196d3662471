//! Files in a bucket: a server that speaks like S3, which several servers of a database share.
//!
//! `make test` installs moto and sets `HUBBUB_MOTO` to the path of its server.

use super::{Uploader, noise, png, sent};
use crate::support::{Process, within_timeout};
use reqwest::{Client, StatusCode};
use std::{
    env,
    io::{Write, stderr},
    net::SocketAddr,
    process::Stdio,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    time::sleep,
};

/// Starts a server like S3 with an empty bucket. Returns `None` if there is no such program.
pub async fn start_bucket() -> Option<(Child, SocketAddr)> {
    let Ok(moto) = env::var("HUBBUB_MOTO") else {
        let _ = writeln!(stderr(), "skipped: a bucket; HUBBUB_MOTO is not set (make test sets it)");
        return None;
    };
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut command = Command::new(moto);
    command.args(["-H", "127.0.0.1", "-p", &free.port().to_string()]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    let create = async || Client::new().put(format!("http://{free}/chat")).send().await;
    within_timeout(async {
        while !create().await.is_ok_and(|answer| answer.status().is_success()) {
            sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    Some((child, free))
}

/// Returns what a server or a command needs to keep its files in the bucket.
pub fn environment(bucket: SocketAddr) -> Vec<(&'static str, String)> {
    let environment = [
        ("HUBBUB_FILES", "s3://chat/hubbub"),
        ("AWS_ENDPOINT", &format!("http://{bucket}")),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    environment.map(|(name, value)| (name, value.to_owned())).to_vec()
}

async fn start_server(bucket: SocketAddr) -> Process {
    let folder = tempfile::tempdir().unwrap();
    Process::start_with(folder, env!("CARGO_BIN_EXE_hubbub").into(), environment(bucket)).await.unwrap()
}

/// Returns the keys in the bucket.
pub async fn keys(bucket: SocketAddr) -> Vec<String> {
    let list =
        sent(Client::new().get(format!("http://{bucket}/chat?list-type=2"))).await.text().await.unwrap();
    list.split("<Key>").skip(1).filter_map(|rest| Some(rest.split_once("</Key>")?.0.to_owned())).collect()
}

#[tokio::test]
async fn files_are_kept_in_a_bucket_and_an_outage_of_it_is_an_error() {
    let Some((mut moto, bucket)) = start_bucket().await else { return };
    let server = start_server(bucket).await;
    let ann = Uploader::at(server.address).await;
    let picture = ann.upload("tea", "a.png", &png(900, 700)).await;
    // More than one request has: a multipart upload.
    let bytes = noise(7 << 20);
    let large = ann.upload("tea", "b.bin", &bytes).await;
    assert_eq!(ann.post("tea", "look", &[picture.id, large.id]).await.status(), StatusCode::CREATED);
    assert_eq!(ann.get(&large.path()).await.bytes().await.unwrap(), bytes);
    let range = sent(ann.request("GET", &large.path()).header("range", "bytes=6000000-6000009")).await;
    assert_eq!(range.bytes().await.unwrap(), bytes[6_000_000..6_000_010]);
    assert_eq!(ann.get(&picture.thumbnail_path()).await.status(), StatusCode::OK);
    let kept = keys(bucket).await;
    assert_eq!(kept.len(), 3, "two contents and a thumbnail, and no parts: {kept:?}");
    assert!(kept.iter().all(|key| key.starts_with("hubbub/")), "{kept:?}");
    let unfinished =
        sent(Client::new().get(format!("http://{bucket}/chat?uploads"))).await.text().await.unwrap();
    assert!(
        unfinished.contains("ListMultipartUploadsResult") && !unfinished.contains("<Upload>"),
        "{unfinished}"
    );
    assert!(!server.folder.path().join("files").exists(), "nothing is on this disk");
    moto.kill().await.unwrap();
    let refused = ann.try_upload("tea", "c.bin", b"bytes").await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ann.post("tea", "the room goes on", &[]).await.status(), StatusCode::CREATED);
}
