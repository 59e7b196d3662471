//! The bytes of a socket: written at once by every task that has some, read by the connection's own task.

use crate::{
    hub::outbound::FrameSink,
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

/// The longest time in which a client may take no byte of what is written to it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Frames in one vectored write.
const MAX_IO_SLICES: usize = 64;

/// A byte stream that accepts frames without waiting, from the connection's task and from rooms.
#[derive(Debug)]
pub struct SocketWriter {
    stream: NetStream,
    /// Sections under this lock never wait. Writes happen under it, so that frames keep their order.
    buffer: Mutex<WriteBuffer>,
    account: Arc<Account>,
}

/// The bytes that the network has not yet taken.
#[derive(Debug)]
struct WriteBuffer {
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// The network has taken a part of the first frame.
    is_partial: bool,
    /// The frames wait for others that are written with them, and not for the network.
    is_held: bool,
    /// The bytes that the account knows of.
    charged: usize,
    /// When the network last took bytes, or when the buffer was last empty.
    last_write: Instant,
    /// When the client last made room for bytes that had to wait.
    last_progress: Instant,
    closed: bool,
}

/// The state of a writer's buffer.
#[derive(Debug, Clone, Copy)]
pub struct WriterState {
    /// No bytes wait for the network.
    pub is_writable: bool,
    /// Frames wait for others that are written with them.
    pub holds_frames: bool,
    /// The buffered bytes.
    pub unsent_bytes: usize,
}

/// The reason why the stream takes no more bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteError {
    /// The connection is closed or broken.
    Closed,
    /// The client took no byte for [`WRITE_TIMEOUT`].
    Timeout,
    /// The process has too many unsent bytes, and this client is among those with the most.
    OverBudget,
}

impl SocketWriter {
    /// Creates a writer for a stream to which nothing was written yet.
    pub fn new(stream: NetStream, account: Arc<Account>) -> Self {
        let now = Instant::now();
        let buffer = WriteBuffer {
            frames: VecDeque::new(),
            bytes: 0,
            is_partial: false,
            is_held: false,
            charged: 0,
            last_write: now,
            last_progress: now,
            closed: false,
        };
        Self { stream, buffer: Mutex::new(buffer), account }
    }

    /// Sends frames in order, in few writes. Bytes that the network does not take now are buffered.
    pub fn send_all(&self, frames: impl IntoIterator<Item = Bytes>) {
        let mut buffer = self.buffer();
        let was_writable = !buffer.waits_for_network();
        for frame in frames {
            buffer.push(frame);
        }
        if was_writable {
            self.write(&mut buffer);
        }
        self.charge(&mut buffer);
    }

    /// Sends frames after all earlier ones, in the same write as the next ones, or when they are
    /// [released](Self::release_held).
    pub fn send_with_next(&self, frames: impl IntoIterator<Item = Bytes>) {
        let mut buffer = self.buffer();
        let was_writable = !buffer.waits_for_network();
        for frame in frames {
            buffer.push(frame);
        }
        buffer.is_held = was_writable && !buffer.frames.is_empty();
        if !buffer.is_held {
            self.charge(&mut buffer);
        }
    }

    /// Returns the state of the buffer.
    pub fn state(&self) -> WriterState {
        let buffer = self.buffer();
        WriterState {
            is_writable: !buffer.waits_for_network(),
            holds_frames: buffer.is_held,
            unsent_bytes: buffer.bytes,
        }
    }

    /// Writes the frames that wait for others.
    pub fn release_held(&self) {
        let mut buffer = self.buffer();
        if buffer.is_held {
            self.write(&mut buffer);
            self.charge(&mut buffer);
        }
    }

    /// Returns the account of this client's unsent bytes.
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Reports the present size to the account.
    fn charge(&self, buffer: &mut WriteBuffer) {
        if buffer.charged != buffer.bytes {
            self.account.recharge(&mut buffer.charged, buffer.bytes);
        }
    }

    /// Returns the buffered bytes.
    pub fn unsent_bytes(&self) -> usize {
        self.buffer().bytes
    }

    /// Returns when the client last made room for bytes that had to wait, which counts as activity.
    pub fn last_progress(&self) -> Instant {
        self.buffer().last_progress
    }

    /// Waits until the network has taken all bytes.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    ///
    /// # Errors
    /// [`WriteError`]; the connection must be closed, except after [`WriteError::OverBudget`].
    pub async fn flush(&self) -> Result<(), WriteError> {
        loop {
            let deadline = {
                let buffer = self.buffer();
                if buffer.closed {
                    return Err(WriteError::Closed);
                }
                if buffer.frames.is_empty() {
                    return Ok(());
                }
                buffer.last_write + WRITE_TIMEOUT
            };
            let writable = async {
                tokio::select! {
                    () = poll_fn(|cx| self.account.poll_evicted(cx)) => Err(WriteError::OverBudget),
                    writable = self.stream.writable() => writable.map_err(|_| WriteError::Closed),
                }
            };
            match timeout_at(deadline, writable).await {
                Ok(Ok(())) => self.flush_pending(),
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(WriteError::Timeout),
            }
        }
    }

    /// Sends the last frame. The write timeout starts again.
    pub fn send_final(&self, frame: Bytes) {
        self.buffer().last_write = Instant::now();
        FrameSink::send(self, frame);
    }

    /// Drops all frames that wait for the network except one that was sent in part, so that a close frame can follow.
    pub fn drop_unsent(&self) {
        let mut buffer = self.buffer();
        if buffer.is_held {
            self.write(&mut buffer);
        }
        let kept = usize::from(buffer.is_partial);
        buffer.frames.truncate(kept);
        buffer.frames.shrink_to_fit();
        buffer.bytes = buffer.frames.iter().map(Bytes::len).sum();
        self.charge(&mut buffer);
    }

    /// Resolves when the stream may be readable.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    pub async fn readable(&self) -> io::Result<()> {
        self.stream.readable().await
    }

    /// Reads the bytes that have arrived.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if there are none.
    pub fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut short = 0;
        let read = self.stream.try_io(Interest::READABLE, || {
            let read = (&*SockRef::from(&self.stream)).read(into)?;
            if read == 0 || read == into.len() {
                return Ok(read);
            }
            // A short read has emptied the socket. Tokio then waits for the next byte without another system call.
            short = read;
            Err(io::ErrorKind::WouldBlock.into())
        });
        if short > 0 { Ok(short) } else { read }
    }

    /// Shuts down the sending side.
    pub fn shutdown_write(&self) {
        // An error means that the connection is closed already.
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
    }

    /// Writes as much as the network takes now.
    fn write(&self, buffer: &mut WriteBuffer) {
        buffer.is_held = false;
        while !buffer.frames.is_empty() && !buffer.closed {
            let mut slices = [IoSlice::new(&[]); MAX_IO_SLICES];
            let count = buffer.fill_io_slices(&mut slices);
            match self.stream.try_write_vectored(&slices[..count]) {
                Ok(taken) => buffer.advance(taken),
                Err(error) if would_block(&error) => break,
                Err(_) => buffer.mark_closed(),
            }
        }
    }

    fn flush_pending(&self) {
        let mut buffer = self.buffer();
        let before = buffer.bytes;
        self.write(&mut buffer);
        if buffer.bytes < before {
            buffer.last_progress = Instant::now();
        }
        self.charge(&mut buffer);
    }

    fn buffer(&self) -> MutexGuard<'_, WriteBuffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns `true` if the network takes no bytes just now.
fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

impl FrameSink for SocketWriter {
    fn send(&self, mut frame: Bytes) -> bool {
        let mut buffer = self.buffer();
        if buffer.is_held {
            buffer.push(frame);
            self.write(&mut buffer);
            self.charge(&mut buffer);
            return !buffer.waits_for_network();
        }
        if !buffer.waits_for_network() {
            // A direct write: Tokio's readiness is only needed when bytes have to wait.
            match SockRef::from(&self.stream).send(&frame) {
                Ok(taken) if taken == frame.len() => return true,
                Ok(taken) => {
                    frame.advance(taken);
                    buffer.is_partial = taken > 0;
                }
                Err(error) if would_block(&error) => {}
                Err(_) => buffer.mark_closed(),
            }
        }
        buffer.push(frame);
        self.charge(&mut buffer);
        false
    }

    fn send_all(&self, frames: Vec<Bytes>) {
        self.send_all(frames);
    }

    fn is_writable(&self) -> bool {
        !self.buffer().waits_for_network()
    }
}

impl WriteBuffer {
    /// Returns `true` if a frame cannot be written now.
    fn waits_for_network(&self) -> bool {
        self.closed || (!self.frames.is_empty() && !self.is_held)
    }

    /// Buffers a frame. A closed buffer drops it.
    fn push(&mut self, frame: Bytes) {
        if self.closed {
            return;
        }
        if self.frames.is_empty() {
            self.last_write = Instant::now();
        }
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }

    fn fill_io_slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let frames = self.frames.iter().zip(slices);
        frames.map(|(frame, slice)| *slice = IoSlice::new(frame)).count()
    }

    fn advance(&mut self, mut taken: usize) {
        self.last_write = Instant::now();
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
        // An idle connection holds no memory.
        self.frames = VecDeque::new();
    }

    fn mark_closed(&mut self) {
        (self.frames, self.bytes, self.closed, self.is_held) = (VecDeque::new(), 0, true, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::UnsentBudget;
    use tokio::{
        io::AsyncReadExt,
        net::{TcpListener, TcpStream},
    };

    /// Returns a writer and the other end of its connection.
    async fn connect() -> (SocketWriter, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        (SocketWriter::new(stream.into(), UnsentBudget::new(64 * 1_024 * 1_024).open()), client)
    }

    /// Returns what the client has received when the next bytes arrive.
    async fn received(client: &mut TcpStream) -> String {
        let mut bytes = [0; 64];
        let read = client.read(&mut bytes).await.unwrap();
        String::from_utf8(bytes[..read].to_vec()).unwrap()
    }

    #[tokio::test]
    async fn held_frame_goes_with_the_next_one_and_is_no_reason_to_queue() {
        let (writer, mut client) = connect().await;
        writer.send_with_next(["ack,".into()]);
        assert_eq!(client.try_read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(writer.is_writable() && writer.state().holds_frames);
        assert!(FrameSink::send(&writer, "event,".into()));
        assert_eq!(received(&mut client).await, "ack,event,");
        assert!(!writer.state().holds_frames);
        writer.send_with_next(["ack,".into()]);
        writer.send_all(["pong,".into()]);
        assert_eq!(received(&mut client).await, "ack,pong,");
    }

    #[tokio::test]
    async fn held_frame_is_released_also_by_the_end_of_the_connection() {
        let (writer, mut client) = connect().await;
        writer.send_with_next(["ack,".into()]);
        writer.release_held();
        assert_eq!(received(&mut client).await, "ack,");
        writer.send_with_next(["ack,".into()]);
        writer.drop_unsent();
        writer.send_final("close".into());
        assert_eq!(received(&mut client).await, "ack,close");
        writer.send_with_next(["ack,".into()]);
        writer.flush().await.unwrap();
        assert_eq!(received(&mut client).await, "ack,");
    }

    #[tokio::test]
    async fn frame_to_hold_waits_behind_those_that_the_network_has_not_taken() {
        let (writer, mut client) = connect().await;
        let large = Bytes::from(vec![b'x'; 16 * 1_024 * 1_024]);
        assert!(!FrameSink::send(&writer, large.clone()), "the network does not take all of it");
        writer.send_with_next(["ack".into()]);
        assert!(!writer.is_writable() && !writer.state().holds_frames);
        let read = async {
            let mut bytes = vec![0; large.len() + 3];
            client.read_exact(&mut bytes).await.unwrap();
            bytes
        };
        let (flushed, bytes) = tokio::join!(writer.flush(), read);
        assert_eq!((flushed, &bytes[large.len()..]), (Ok(()), &b"ack"[..]));
    }
}
