//! The listening addresses and the stop signals of the binary.

use crate::command::{Running, ends, folder, hubbub};
use std::{
    fs,
    os::unix::{fs::PermissionsExt, net::UnixListener as StdUnixListener},
    path::Path,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    time::timeout,
};

const HEALTHZ: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

async fn is_healthy(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin) -> bool {
    let mut answer = Vec::new();
    stream.write_all(HEALTHZ).await.unwrap();
    let read = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    read.is_ok() && answer.starts_with(b"HTTP/1.1 200")
}

/// Starts the binary on a Unix socket and waits until it listens.
async fn at_socket(folder: &Path) -> Running {
    Running::start_at(folder, "unix:chat.sock", &["--ephemeral"]).await
}

#[tokio::test]
async fn a_port_alone_listens_on_both_address_families() {
    let folder = folder();
    let mut running = Running::start_at(folder.path(), ":0", &["--ephemeral"]).await;
    let port: u16 = running.url.rsplit(':').next().unwrap().parse().unwrap();
    assert!(is_healthy(TcpStream::connect(("127.0.0.1", port)).await.unwrap()).await);
    if let Ok(v6) = TcpStream::connect(("::1", port)).await {
        assert!(is_healthy(v6).await);
    } else {
        assert!(TcpStream::connect(("::1", 9)).await.is_err(), "this machine has no IPv6");
    }
    assert_eq!(running.signal("-TERM").await, Some(0));
}

#[tokio::test]
async fn a_unix_socket_is_for_owner_and_group_and_removed_at_the_stop() {
    let folder = folder();
    let mut running = at_socket(folder.path()).await;
    assert!(running.url.ends_with("unix:chat.sock"), "{}", running.url);
    let path = folder.path().join("chat.sock");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    assert!(is_healthy(UnixStream::connect(&path).await.unwrap()).await);
    assert_eq!(running.signal("-TERM").await, Some(0));
    assert!(!path.exists());
}

#[tokio::test]
async fn only_a_stale_unix_socket_is_replaced() {
    let folder = folder();
    let path = folder.path().join("chat.sock");
    drop(StdUnixListener::bind(&path).unwrap());
    let mut running = at_socket(folder.path()).await;
    let args = ["--addr", "unix:chat.sock", "--ephemeral"];
    let second = ends(hubbub(folder.path(), &args)).await;
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("another process listens there"));
    assert!(is_healthy(UnixStream::connect(&path).await.unwrap()).await, "the first server runs on");
    assert_eq!(running.signal("-TERM").await, Some(0));
    fs::write(&path, "precious").unwrap();
    let third = ends(hubbub(folder.path(), &args)).await;
    assert!(!third.status.success());
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn a_hangup_drains_like_a_termination() {
    let folder = folder();
    let mut running = Running::start(folder.path(), &["--ephemeral"]).await;
    assert_eq!(running.signal("-HUP").await, Some(0));
}

#[tokio::test]
async fn a_second_signal_stops_a_draining_server() {
    let folder = folder();
    let mut running =
        Running::start_at(folder.path(), "unix:chat.sock", &["--ephemeral", "--drain-seconds", "600"]).await;
    // A client that answers no close frame and takes no bytes keeps the drain waiting.
    let path = folder.path().join("chat.sock");
    let mut stuck = UnixStream::connect(&path).await.unwrap();
    stuck
        .write_all(
            b"GET /ws?room=tea HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
              sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await
        .unwrap();
    assert!(stuck.read(&mut [0; 1_024]).await.unwrap() > 0);
    // Both signals wait while the process is stopped, so that the drain cannot end between them.
    for signal in ["-STOP", "-TERM", "-INT"] {
        running.send(signal).await;
    }
    assert_eq!(running.signal("-CONT").await, Some(1));
    assert!(!path.exists());
}
