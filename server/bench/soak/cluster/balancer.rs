//! A load balancer: a TCP proxy that gives each connection to the next node that accepts it.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};

/// The longest time that a node may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A load balancer on a port of its own.
pub struct Balancer {
    pub address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Balancer {
    /// Starts a load balancer in front of `nodes`.
    pub async fn start(nodes: Vec<SocketAddr>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        Ok(Self { address, accepting: tokio::spawn(accept(listener, nodes.into())) })
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, nodes: Arc<[SocketAddr]>) {
    for next in 0.. {
        let Ok((client, _)) = listener.accept().await else { continue };
        tokio::spawn(forward(client, nodes.clone(), next));
    }
}

/// Forwards bytes to the first node from `next` on that accepts the connection, until either end closes.
async fn forward(mut client: TcpStream, nodes: Arc<[SocketAddr]>, next: usize) {
    for n in 0..nodes.len() {
        let node = nodes[(next + n) % nodes.len()];
        let Ok(Ok(mut server)) = timeout(CONNECT_TIMEOUT, TcpStream::connect(node)).await else { continue };
        if client.set_nodelay(true).and(server.set_nodelay(true)).is_ok() {
            // A node that was killed ends its connections.
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
        return;
    }
}
