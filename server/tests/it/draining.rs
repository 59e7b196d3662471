//! A server that goes: it keeps what it took, says so, and asks everybody to come back (H11 of the Go
//! demo, put right).

use crate::{
    joining::fill,
    support::{Lines, TestServer, V1, room, soon},
};
use app::wire::ServerFrame;
use futures_util::StreamExt;
use server::serve::ShutdownOutcome;
use tokio::net::TcpStream;

#[tokio::test]
async fn everybody_is_closed_with_1012_and_the_server_ends_at_once() {
    let server = TestServer::start().await;
    let mut ann = V1::enter(&server, "tea").await;
    let mut bob = Lines::enter(&server, "tea").await;
    let stopping = tokio::spawn(server.stop());
    for close in [ann.closed().await, bob.closed().await] {
        assert_eq!(close.map(|frame| u16::from(frame.code)), Some(1012));
    }
    drop((ann, bob));
    assert_eq!(soon(stopping).await.unwrap(), ShutdownOutcome::Graceful);
}

#[tokio::test]
async fn what_was_posted_before_the_end_is_stored_acknowledged_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    let (mut ann, mut bob) = (V1::enter(&server, "tea").await, Lines::enter(&server, "tea").await);
    for n in 0..50 {
        ann.post("tea", &n.to_string()).await;
    }
    // The first answer shows that the server is at work on them.
    let mut acknowledged = match ann.answer().await {
        ServerFrame::Ack { seq, .. } => seq.unwrap(),
        other => panic!("{other:?}"),
    };
    let stopping = tokio::spawn(server.stop());
    while let Some(Ok(message)) = soon(ann.socket.next()).await {
        if let Ok(ServerFrame::Ack { seq, .. }) = serde_json::from_str(message.to_text().unwrap_or_default())
        {
            acknowledged = seq.unwrap();
        }
    }
    let mut told = 0;
    while let Some(Ok(message)) = soon(bob.socket.next()).await {
        told += if message.is_text() { message.to_text().unwrap().split('\n').count() as u64 } else { 0 };
    }
    drop((ann, bob));
    assert_eq!(soon(stopping).await.unwrap(), ShutdownOutcome::Graceful);

    let server = TestServer::on_disk(folder.path()).await;
    let stored = server.store().heads(&[room("tea")])[0];
    assert_eq!((stored, told), (acknowledged, acknowledged), "stored, told and acknowledged are one");
}

#[tokio::test]
async fn nobody_new_is_let_in() {
    let server = TestServer::start().await;
    let address = server.address;
    assert_eq!(server.stop().await, ShutdownOutcome::Graceful);
    assert!(soon(TcpStream::connect(address)).await.is_err());
}

#[tokio::test]
async fn a_stream_of_events_ends() {
    let server = TestServer::start().await;
    fill(&server, "tea", 1).await;
    let request = reqwest::Client::new().get(server.http("/api/rooms/tea/events"));
    let stream = soon(request.header("accept", "text/event-stream").send()).await.unwrap();
    let stopping = tokio::spawn(server.stop());
    assert!(soon(stream.text()).await.unwrap().contains("id: 1\n"), "and has told what there was");
    assert_eq!(soon(stopping).await.unwrap(), ShutdownOutcome::Graceful);
}

#[tokio::test]
async fn who_does_not_go_is_cut_off_when_the_patience_ends() {
    let server = TestServer::with(|config| config.drain_seconds = 0).await;
    let _ann = V1::enter(&server, "tea").await;
    assert_eq!(server.stop().await, ShutdownOutcome::TimedOut(1));
}
