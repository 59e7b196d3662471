//! A faulty network: a TCP proxy that does to connections what networks do to them.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
    time::sleep,
};

/// Bytes that are forwarded at once, at most.
const CHUNK_BYTES: usize = 16 * 1_024;

/// The direction in which bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// A fault of the open connections. Later connections have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No fault: all bytes are forwarded.
    None,
    /// Both ends are closed after this number of further bytes in this direction.
    Cut(Direction, usize),
    /// All bytes are dropped, and both ends stay open. Only a cut ends this fault, because TCP never leaves bytes out.
    Blackhole,
    /// At most this number of bytes is forwarded in this direction at once, each time after this delay.
    Slow(Direction, usize, Duration),
}

/// A proxy on a port of its own. Each connection goes to the next one of its servers.
pub struct Proxy {
    pub address: SocketAddr,
    link: Arc<Link>,
    accepting: JoinHandle<()>,
}

struct Link {
    upstreams: Vec<SocketAddr>,
    fault: watch::Sender<Fault>,
    blocked: AtomicBool,
    forwarded: Arc<[AtomicUsize; 2]>,
}

/// One direction of one connection.
struct Pipe {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    direction: Direction,
    fault: watch::Receiver<Fault>,
    forwarded: Arc<[AtomicUsize; 2]>,
}

impl Proxy {
    /// Starts a proxy without a fault to `upstream`.
    pub async fn to(upstream: SocketAddr) -> Self {
        Self::between(vec![upstream]).await
    }

    /// Starts a proxy without a fault to `upstreams` in turn.
    pub async fn between(upstreams: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let fault = watch::Sender::new(Fault::None);
        let link =
            Arc::new(Link { upstreams, fault, blocked: AtomicBool::default(), forwarded: Arc::default() });
        let accepting = tokio::spawn(link.clone().accept(listener));
        Self { address, link, accepting }
    }

    /// Injects `fault` into the open connections.
    pub fn inject(&self, fault: Fault) {
        self.link.fault.send_replace(fault);
    }

    /// Cuts the open connections and rejects new ones until it is unblocked.
    pub fn block(&self, blocked: bool) {
        self.link.blocked.store(blocked, Ordering::Relaxed);
        if blocked {
            self.inject(Fault::Cut(Direction::Up, 0));
        }
    }

    /// Returns the bytes that were forwarded in this direction since the start.
    pub fn forwarded(&self, direction: Direction) -> usize {
        self.link.forwarded[direction as usize].load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Link {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        for upstream in self.upstreams.iter().copied().cycle() {
            let Ok((client, _)) = listener.accept().await else { continue };
            if !self.blocked.load(Ordering::Relaxed) {
                let (fault, forwarded) = (self.fault.subscribe(), self.forwarded.clone());
                tokio::spawn(connection(client, upstream, fault, forwarded));
            }
        }
    }
}

/// Forwards bytes until one direction ends, then closes both ends.
async fn connection(
    client: TcpStream,
    upstream: SocketAddr,
    fault: watch::Receiver<Fault>,
    forwarded: Arc<[AtomicUsize; 2]>,
) {
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    if client.set_nodelay(true).and(server.set_nodelay(true)).is_err() {
        return;
    }
    let ((client_from, client_to), (server_from, server_to)) = (client.into_split(), server.into_split());
    let pipe = |from, to, direction| Pipe {
        from,
        to,
        direction,
        fault: fault.clone(),
        forwarded: forwarded.clone(),
    };
    let (up, down) =
        (pipe(client_from, server_to, Direction::Up), pipe(server_from, client_to, Direction::Down));
    tokio::select! {
        () = up.forward() => {}
        () = down.forward() => {}
    }
}

impl Pipe {
    async fn forward(mut self) {
        let mut chunk = vec![0; CHUNK_BYTES];
        let (mut fault, mut left) = (Fault::None, usize::MAX);
        while left > 0 {
            let limit = if let Fault::Slow(direction, limit, _) = fault
                && direction == self.direction
            {
                limit
            } else {
                CHUNK_BYTES
            };
            tokio::select! {
                biased;
                changed = self.fault.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    (fault, left) = self.next_fault(fault);
                }
                read = self.from.read(&mut chunk[..limit]) => {
                    let Ok(count @ 1..) = read else { return };
                    let count = count.min(left);
                    left -= count;
                    if self.forward_chunk(&chunk[..count], fault).await.is_none() {
                        return;
                    }
                }
            }
        }
    }

    /// Returns the fault that follows `fault`, and how many bytes may still be forwarded.
    fn next_fault(&mut self, fault: Fault) -> (Fault, usize) {
        match *self.fault.borrow_and_update() {
            next @ Fault::Cut(direction, after) if direction == self.direction => (next, after),
            _ if fault == Fault::Blackhole => (fault, usize::MAX),
            next => (next, usize::MAX),
        }
    }

    async fn forward_chunk(&mut self, chunk: &[u8], fault: Fault) -> Option<()> {
        match fault {
            Fault::Blackhole => return Some(()),
            Fault::Slow(direction, _, wait) if direction == self.direction => sleep(wait).await,
            _ => {}
        }
        self.to.write_all(chunk).await.ok()?;
        self.forwarded[self.direction as usize].fetch_add(chunk.len(), Ordering::Relaxed);
        Some(())
    }
}
