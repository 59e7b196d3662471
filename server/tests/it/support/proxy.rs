//! A bad road: a TCP proxy that does to connections what networks do to them.

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

/// The most that is carried at once.
const PIECE: usize = 16 * 1_024;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What happens to the connections that are open; later ones are sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: everything passes.
    Sound,
    /// Both ends are closed when so many more bytes have gone this way.
    Cut(Way, usize),
    /// Everything is swallowed, and both ends stay open. Only a cut ends it: what was swallowed cannot
    /// come any more, and TCP never leaves anything out.
    Silent,
    /// At most so many bytes go this way at once, and each time only after this wait.
    Slow(Way, usize, Duration),
}

/// A proxy on a port of its own.
pub struct Proxy {
    pub address: SocketAddr,
    road: Arc<Road>,
    accepting: JoinHandle<()>,
}

struct Road {
    upstream: SocketAddr,
    fault: watch::Sender<Fault>,
    blocked: AtomicBool,
    carried: Arc<[AtomicUsize; 2]>,
}

/// One way of one connection.
struct Lane {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    way: Way,
    fault: watch::Receiver<Fault>,
    carried: Arc<[AtomicUsize; 2]>,
}

impl Proxy {
    /// A sound road to `upstream`.
    pub async fn to(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let fault = watch::Sender::new(Fault::Sound);
        let road =
            Arc::new(Road { upstream, fault, blocked: AtomicBool::default(), carried: Arc::default() });
        let accepting = tokio::spawn(road.clone().accept(listener));
        Self { address, road, accepting }
    }

    /// Lets `fault` happen to the connections that are open.
    pub fn suffer(&self, fault: Fault) {
        self.road.fault.send_replace(fault);
    }

    /// Cuts what is open and lets nobody through until it is unblocked.
    pub fn block(&self, blocked: bool) {
        self.road.blocked.store(blocked, Ordering::Relaxed);
        if blocked {
            self.suffer(Fault::Cut(Way::Up, 0));
        }
    }

    /// Bytes that have gone this way since the proxy began.
    pub fn carried(&self, way: Way) -> usize {
        self.road.carried[way as usize].load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Road {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            let Ok((client, _)) = listener.accept().await else { continue };
            if !self.blocked.load(Ordering::Relaxed) {
                let (fault, carried) = (self.fault.subscribe(), self.carried.clone());
                tokio::spawn(connection(client, self.upstream, fault, carried));
            }
        }
    }
}

/// Carries until one way ends, then closes both ends.
async fn connection(
    client: TcpStream,
    upstream: SocketAddr,
    fault: watch::Receiver<Fault>,
    carried: Arc<[AtomicUsize; 2]>,
) {
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    if client.set_nodelay(true).and(server.set_nodelay(true)).is_err() {
        return;
    }
    let ((client_from, client_to), (server_from, server_to)) = (client.into_split(), server.into_split());
    let lane = |from, to, way| Lane { from, to, way, fault: fault.clone(), carried: carried.clone() };
    let (up, down) = (lane(client_from, server_to, Way::Up), lane(server_from, client_to, Way::Down));
    tokio::select! {
        () = up.carry() => {}
        () = down.carry() => {}
    }
}

impl Lane {
    async fn carry(mut self) {
        let mut piece = vec![0; PIECE];
        let (mut fault, mut left) = (Fault::Sound, usize::MAX);
        while left > 0 {
            let most = if let Fault::Slow(way, most, _) = fault
                && way == self.way
            {
                most
            } else {
                PIECE
            };
            tokio::select! {
                biased;
                changed = self.fault.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    (fault, left) = self.next_fault(fault);
                }
                read = self.from.read(&mut piece[..most]) => {
                    let Ok(count @ 1..) = read else { return };
                    let count = count.min(left);
                    left -= count;
                    if self.pass(&piece[..count], fault).await.is_none() {
                        return;
                    }
                }
            }
        }
    }

    /// The fault that follows `fault`, and how many bytes may still go.
    fn next_fault(&mut self, fault: Fault) -> (Fault, usize) {
        match *self.fault.borrow_and_update() {
            next @ Fault::Cut(way, after) if way == self.way => (next, after),
            _ if fault == Fault::Silent => (fault, usize::MAX),
            next => (next, usize::MAX),
        }
    }

    async fn pass(&mut self, piece: &[u8], fault: Fault) -> Option<()> {
        match fault {
            Fault::Silent => return Some(()),
            Fault::Slow(way, _, wait) if way == self.way => sleep(wait).await,
            _ => {}
        }
        self.to.write_all(piece).await.ok()?;
        self.carried[self.way as usize].fetch_add(piece.len(), Ordering::Relaxed);
        Some(())
    }
}
