//! The bytes of a socket: written at once by whoever has something, read by its task.

use crate::{flow::Outlet, net::NetStream};
use bytes::{Buf, Bytes};
use socket2::SockRef;
use std::{
    collections::VecDeque,
    io::{self, IoSlice, Read},
    net::Shutdown,
    sync::{Mutex, MutexGuard, PoisonError},
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
}

/// What the network has not yet taken.
#[derive(Debug)]
struct Unsent {
    frames: VecDeque<Bytes>,
    bytes: usize,
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
}

impl Stream {
    /// A stream to which nothing was written yet.
    pub fn new(stream: NetStream) -> Self {
        let now = Instant::now();
        let unsent =
            Unsent { frames: VecDeque::new(), bytes: 0, progress: now, last_sign: now, broken: false };
        Self { stream, unsent: Mutex::new(unsent) }
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
            match timeout_at(patience, self.stream.writable()).await {
                Ok(Ok(())) => self.write_what_waited(),
                Ok(Err(_)) => return Err(Stuck::Broken),
                Err(_) => return Err(Stuck::TooSlow),
            }
        }
    }

    /// Sends the last frame; the other end has its time for it anew.
    pub fn send_last(&self, frame: Bytes) {
        self.unsent().progress = Instant::now();
        self.send(frame);
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
                Ok(taken) => frame.advance(taken),
                Err(full) if is_full(&full) => {}
                Err(_) => unsent.break_off(),
            }
        }
        unsent.keep(frame);
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
                return;
            }
            taken -= first.len();
            self.frames.pop_front();
        }
        // Nothing is held at rest.
        self.frames = VecDeque::new();
    }

    fn break_off(&mut self) {
        (self.frames, self.bytes, self.broken) = (VecDeque::new(), 0, true);
    }
}
