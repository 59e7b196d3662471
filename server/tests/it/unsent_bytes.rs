//! The budget for unsent bytes of the whole process.

use crate::{
    heartbeat::flush_sockets,
    joining::fill,
    support::{TestServer, V1, room, within_timeout},
};
use app::wire::UserId;
use futures_util::future::join_all;
use server::store::NewEvent;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
};
use uuid::Uuid;

const MIB: usize = 1_024 * 1_024;

async fn client(server: &TestServer) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1_024).unwrap();
    within_timeout(socket.connect(server.address)).await.unwrap()
}

/// Messages of 4,000 bytes.
async fn fill_long(server: &TestServer, count: usize) {
    let long = "x".repeat(4_000);
    let message = |_| NewEvent::message(Uuid::now_v7(), room("tea"), UserId(7), &long);
    join_all((0..count).map(message).map(|message| server.store().append(message))).await;
}

async fn until(what: impl Fn() -> bool) {
    within_timeout(async {
        while !what() {
            flush_sockets().await;
        }
    })
    .await;
}

#[tokio::test]
async fn clients_with_most_unsent_bytes_are_closed_above_the_budget() {
    let server = TestServer::with(|config| config.max_unsent_mib = 1).await;
    fill_long(&server, 200).await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    let mut stuck = Vec::new();
    for _ in 0..30 {
        let mut one = client(&server).await;
        let get = "GET /api/rooms/tea/events HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(3);
        within_timeout(one.write_all(get.as_bytes())).await.unwrap();
        stuck.push(one);
        flush_sockets().await;
    }
    // The server reads a response from the store before it counts as unsent.
    until(|| server.state.sockets.len() < 25).await;
    until(|| server.state.unsent_budget.total() <= MIB).await;
    fill(&server, "tea", 1).await;
    ann.events(1).await;
    drop(stuck);
    until(|| server.state.unsent_budget.total() == 0).await;
}

#[tokio::test]
async fn sockets_above_the_budget_drop_their_queue_and_catch_up() {
    let server = TestServer::with(|config| config.max_unsent_mib = 1).await;
    let mut slow = Vec::new();
    for _ in 0..10 {
        slow.push(V1::connect_and_join(&server, "tea").await);
    }
    for _ in 0..20 {
        fill_long(&server, 100).await;
        tokio::task::yield_now().await;
    }
    until(|| server.state.unsent_budget.total() <= 2 * MIB).await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    fill(&server, "tea", 1).await;
    assert_eq!(ann.events(1).await[0].seq, 2_001);
    drop((slow, ann));
    until(|| server.state.unsent_budget.total() == 0).await;
}
