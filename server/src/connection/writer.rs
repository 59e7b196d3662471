//! The bytes of a socket: written at once by whoever has something, read by its task.

use crate::{
    hub::outbound::Outlet,
    net::{Account, NetStream},
};
use bytes::{Buf, Bytes};
use socket2::SockRef;
use std::{
    collections::VecDeque,
    future::poll_fn,
    io::{self, IoSlice, Read},
    net::Shutdown,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::Interest,
    time::{Instant, timeout_at},
};

/// How long a socket may take no byte of what is written to it.
const WRITE_WAIT: Duration = Duration::from_secs(10);

/// Frames that are handed to the network in one write.
const GATHERED: usize = 64;

/// A byte stream that takes frames without waiting, from its task and from the rooms.
#[derive(Debug)]
pub struct Stream {
    stream: NetStream,
    /// Sections under this lock never wait; writes happen under it, so that frames keep their order.
    unsent: Mutex<Unsent>,
    account: Arc<Account>,
}

/// What the network has not yet taken.
#[derive(Debug)]
struct Unsent {
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// A part of the first frame was taken.
    is_partial: bool,
    /// As much of it as the account knows.
    charged: usize,
    /// When the network last took something, or something began to wait.
    progress: Instant,
    /// When the other end last made room for something that had to wait.
    last_sign: Instant,
    broken: bool,
}

/// The stream takes nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stuck {
    /// It is broken or closed.
    Broken,
    /// It took no byte for [`WRITE_WAIT`].
    TooSlow,
    /// Too much waits in the process, and this stream is among those with the most.
    OverBudget,
}

impl Stream {
    /// A stream to which nothing was written yet.
    pub fn new(stream: NetStream, account: Arc<Account>) -> Self {
        let now = Instant::now();
        let unsent = Unsent {
            frames: VecDeque::new(),
            bytes: 0,
            is_partial: false,
            charged: 0,
            progress: now,
            last_sign: now,
            broken: false,
        };
        Self { stream, unsent: Mutex::new(unsent), account }
    }

    /// Sends frames in order, in few writes.
    pub fn send_all(&self, frames: impl IntoIterator<Item = Bytes>) {
        let mut unsent = self.unsent();
        let was_free = unsent.frames.is_empty();
        for frame in frames {
            unsent.keep(frame);
        }
        if was_free {
            self.write(&mut unsent);
        }
        self.charge(&mut unsent);
    }

    /// What waits for this stream.
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Charges what waits now.
    fn charge(&self, unsent: &mut Unsent) {
        if unsent.charged != unsent.bytes {
            self.account.recharge(&mut unsent.charged, unsent.bytes);
        }
    }

    /// Bytes that wait to be taken.
    pub fn unsent_bytes(&self) -> usize {
        self.unsent().bytes
    }

    /// When the other end last showed that it is there, by making room.
    pub fn last_sign(&self) -> Instant {
        self.unsent().last_sign
    }

    /// Waits until everything is taken. May be dropped at any time.
    ///
    /// # Errors
    /// [`Stuck`].
    pub async fn flush(&self) -> Result<(), Stuck> {
        loop {
            let patience = {
                let unsent = self.unsent();
                if unsent.broken {
                    return Err(Stuck::Broken);
                }
                if unsent.frames.is_empty() {
                    return Ok(());
                }
                unsent.progress + WRITE_WAIT
            };
            let writable = async {
                tokio::select! {
                    () = poll_fn(|cx| self.account.poll_evicted(cx)) => Err(Stuck::OverBudget),
                    writable = self.stream.writable() => writable.map_err(|_| Stuck::Broken),
                }
            };
            match timeout_at(patience, writable).await {
                Ok(Ok(())) => self.write_what_waited(),
                Ok(Err(stuck)) => return Err(stuck),
                Err(_) => return Err(Stuck::TooSlow),
            }
        }
    }

    /// Sends the last frame; the other end has its time for it anew.
    pub fn send_last(&self, frame: Bytes) {
        self.unsent().progress = Instant::now();
        self.send(frame);
    }

    /// Drops what waits, but for the rest of a frame that was begun, so that a close frame can follow.
    pub fn drop_unsent(&self) {
        let mut unsent = self.unsent();
        let kept = usize::from(unsent.is_partial);
        unsent.frames.truncate(kept);
        unsent.frames.shrink_to_fit();
        unsent.bytes = unsent.frames.iter().map(Bytes::len).sum();
        self.charge(&mut unsent);
    }

    /// Resolves when there is something to [`read`](Self::read). May be dropped at any time.
    pub async fn readable(&self) -> io::Result<()> {
        self.stream.readable().await
    }

    /// Reads what is there.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] where nothing is there.
    pub fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut short = 0;
        let read = self.stream.try_io(Interest::READABLE, || {
            let read = (&*SockRef::from(&self.stream)).read(into)?;
            if read == 0 || read == into.len() {
                return Ok(read);
            }
            // There was no more, so there is no need to ask again: Tokio waits for the next byte then.
            short = read;
            Err(io::ErrorKind::WouldBlock.into())
        });
        if short > 0 { Ok(short) } else { read }
    }

    /// Says that nothing more will be sent.
    pub fn end(&self) {
        // Who is gone already needs not be told.
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
    }

    /// Hands over as much as the network takes now.
    fn write(&self, unsent: &mut Unsent) {
        while !unsent.frames.is_empty() && !unsent.broken {
            let mut slices = [IoSlice::new(&[]); GATHERED];
            let gathered = unsent.gather(&mut slices);
            match self.stream.try_write_vectored(&slices[..gathered]) {
                Ok(taken) => unsent.taken(taken),
                Err(full) if is_full(&full) => break,
                Err(_) => unsent.break_off(),
            }
        }
    }

    fn write_what_waited(&self) {
        let mut unsent = self.unsent();
        let before = unsent.bytes;
        self.write(&mut unsent);
        if unsent.bytes < before {
            unsent.last_sign = Instant::now();
        }
        self.charge(&mut unsent);
    }

    fn unsent(&self) -> MutexGuard<'_, Unsent> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the network takes nothing just now.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

impl Outlet for Stream {
    fn send(&self, mut frame: Bytes) {
        let mut unsent = self.unsent();
        if !unsent.is_stalled() {
            // Past Tokio, whose readiness is asked for when something has to wait.
            match SockRef::from(&self.stream).send(&frame) {
                Ok(taken) if taken == frame.len() => return,
                Ok(taken) => {
                    frame.advance(taken);
                    unsent.is_partial = taken > 0;
                }
                Err(full) if is_full(&full) => {}
                Err(_) => unsent.break_off(),
            }
        }
        unsent.keep(frame);
        self.charge(&mut unsent);
    }

    fn send_all(&self, frames: Vec<Bytes>) {
        self.send_all(frames);
    }

    fn is_free(&self) -> bool {
        !self.unsent().is_stalled()
    }
}

impl Unsent {
    fn is_stalled(&self) -> bool {
        self.broken || !self.frames.is_empty()
    }

    /// What is broken takes nothing and keeps nothing.
    fn keep(&mut self, frame: Bytes) {
        if self.broken {
            return;
        }
        if self.frames.is_empty() {
            self.progress = Instant::now();
        }
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }

    fn gather<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let frames = self.frames.iter().zip(slices);
        frames.map(|(frame, slice)| *slice = IoSlice::new(frame)).count()
    }

    fn taken(&mut self, mut taken: usize) {
        self.progress = Instant::now();
        self.bytes -= taken;
        while let Some(first) = self.frames.front_mut() {
            if taken < first.len() {
                first.advance(taken);
                self.is_partial |= taken > 0;
                return;
            }
            taken -= first.len();
            self.is_partial = false;
            self.frames.pop_front();
        }
        // Nothing is held at rest.
        self.frames = VecDeque::new();
    }

    fn break_off(&mut self) {
        (self.frames, self.bytes, self.broken) = (VecDeque::new(), 0, true);
    }
}
