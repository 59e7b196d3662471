//! A stopping server: it stores and acknowledges what it accepted, and closes every connection, unlike the Go demo.

use crate::{
    joining::fill,
    support::{Lines, TestDatabase, TestServer, V1, room, within_timeout},
};
use app::wire::ServerFrame;
use futures_util::{
    FutureExt, StreamExt,
    future::{join_all, select_all},
};
use server::serve::ShutdownOutcome;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn connections_close_with_1012_and_the_server_stops_at_once() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    let mut bob = Lines::join(&server, "tea").await;
    let stopping = tokio::spawn(server.stop());
    for close in [ann.closed().await, bob.closed().await] {
        assert_eq!(close.map(|frame| u16::from(frame.code)), Some(1012));
    }
    drop((ann, bob));
    assert_eq!(within_timeout(stopping).await.unwrap(), ShutdownOutcome::Graceful);
}

#[tokio::test]
async fn posts_are_stored_acknowledged_and_delivered_before_the_stop() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path()).await;
    let (mut ann, mut bob) = (V1::connect_and_join(&server, "tea").await, Lines::join(&server, "tea").await);
    for n in 0..50 {
        ann.post("tea", &n.to_string()).await;
    }
    // The first reply shows that the server has begun.
    let mut acknowledged = match ann.expect_reply().await {
        ServerFrame::Ack { seq, .. } => seq.unwrap(),
        other => panic!("{other:?}"),
    };
    let stopping = tokio::spawn(server.stop());
    while let Some(Ok(message)) = within_timeout(ann.socket.next()).await {
        if let Ok(ServerFrame::Ack { seq, .. }) = serde_json::from_str(message.to_text().unwrap_or_default())
        {
            acknowledged = seq.unwrap();
        }
    }
    let mut delivered = 0;
    while let Some(Ok(message)) = within_timeout(bob.socket.next()).await {
        delivered +=
            if message.is_text() { message.to_text().unwrap().split('\n').count() as u64 } else { 0 };
    }
    drop((ann, bob));
    assert_eq!(within_timeout(stopping).await.unwrap(), ShutdownOutcome::Graceful);

    let server = TestServer::on_disk(folder.path()).await;
    let stored = server.store().head(&room("tea")).await.unwrap();
    assert_eq!(
        (stored, delivered),
        (acknowledged, acknowledged),
        "the stored, delivered and acknowledged numbers are equal"
    );
}

#[tokio::test]
async fn new_connections_are_rejected() {
    let server = TestServer::start().await;
    let address = server.address;
    assert_eq!(server.stop().await, ShutdownOutcome::Graceful);
    assert!(within_timeout(TcpStream::connect(address)).await.is_err());
}

#[tokio::test]
async fn an_event_stream_ends() {
    let server = TestServer::start().await;
    fill(&server, "tea", 1).await;
    let request = reqwest::Client::new().get(server.http("/api/rooms/tea/events"));
    let stream = within_timeout(request.header("accept", "text/event-stream").send()).await.unwrap();
    let stopping = tokio::spawn(server.stop());
    assert!(
        within_timeout(stream.text()).await.unwrap().contains("id: 1\n"),
        "the stream has the stored event"
    );
    assert_eq!(within_timeout(stopping).await.unwrap(), ShutdownOutcome::Graceful);
}

#[tokio::test]
async fn open_connection_is_cut_off_after_the_drain_timeout() {
    let server = TestServer::with(|config| config.drain_seconds = 0).await;
    let _ann = V1::connect_and_join(&server, "tea").await;
    assert_eq!(server.stop().await, ShutdownOutcome::TimedOut(1));
}

#[tokio::test]
async fn server_on_shared_postgres_serves_each_socket_until_its_close() {
    let Some(database) = TestDatabase::create().await else { return };
    let leaving = TestServer::on_database(&database).await;
    let staying = TestServer::on_database(&database).await;
    let mut bob = V1::connect_and_join(&staying, "tea").await;
    let mut clients = join_all((0..100).map(async |_| V1::connect_and_join(&leaving, "tea").await)).await;
    let stopping = tokio::spawn(leaving.stop());
    let (first, closed, _) = select_all(clients.iter_mut().map(|client| client.closed().boxed())).await;
    assert_eq!(first.map(|frame| u16::from(frame.code)), Some(1012));
    clients.remove(closed);
    for client in &mut clients {
        client.post("tea", "still here").await;
    }
    let mut acknowledged = 0;
    for client in &mut clients {
        while let Some(Ok(message)) = within_timeout(client.socket.next()).await {
            acknowledged += usize::from(message.to_text().is_ok_and(|text| text.contains(r#""type":"ack""#)));
        }
    }
    assert!(acknowledged > 0, "posts are accepted after the first close");
    let stored = staying.store().head(&room("tea")).await.unwrap();
    assert_eq!(stored as usize, acknowledged, "what is stored is acknowledged");
    assert_eq!(bob.events(acknowledged).await.len(), acknowledged);
    drop(clients);
    assert_eq!(within_timeout(stopping).await.unwrap(), ShutdownOutcome::Graceful);
}

#[tokio::test]
async fn line_is_echoed_before_a_server_on_shared_postgres_closes() {
    let Some(database) = TestDatabase::create().await else { return };
    let leaving = TestServer::on_database(&database).await;
    let staying = TestServer::on_database(&database).await;
    let mut ann = Lines::join(&leaving, "tea").await;
    for n in 0..50 {
        ann.send_line(&n.to_string()).await;
    }
    let lines =
        |message: Message| if message.is_text() { message.to_text().unwrap().split('\n').count() } else { 0 };
    // The first one shows that the server has begun.
    let mut echoed = lines(within_timeout(ann.socket.next()).await.unwrap().unwrap());
    let stopping = tokio::spawn(leaving.stop());
    while let Some(Ok(message)) = within_timeout(ann.socket.next()).await {
        echoed += lines(message);
    }
    assert_eq!(within_timeout(stopping).await.unwrap(), ShutdownOutcome::Graceful);
    let stored = staying.store().head(&room("tea")).await.unwrap();
    assert_eq!(stored as usize, echoed, "each line that is stored was echoed");
}
