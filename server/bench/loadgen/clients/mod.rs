//! All connections, served by one thread.

mod receive;
mod send;

use crate::{
    Pace, Settings,
    connection::{Connection, State, request},
    latency::Latency,
    ordering::Order,
    payloads::{Mode, PayloadReader, PostFrame, join_frame},
    report::Faults,
};
use mio::{Events, Poll};
use send::Sending;
use std::{
    io,
    time::{Duration, Instant},
};

/// Size of the shared read buffer; it grows if a frame is larger.
const READ_BUFFER_BYTES: usize = 1 << 20;

/// Counters since the start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counters {
    /// Deliveries.
    pub delivered: u64,
    /// Reads with at least one delivery.
    pub reads: u64,
    /// Acknowledged posts.
    pub acknowledged: u64,
    /// Refused posts.
    pub refused: u64,
}

/// All connections.
pub struct Clients {
    poll: Poll,
    connections: Vec<Connection>,
    /// The distance from one sender's index to the next.
    stride: usize,
    senders: usize,
    buffer: Vec<u8>,
    texts: PayloadReader,
    post: PostFrame,
    /// The `join` frame; none in lines mode.
    join: Option<Vec<u8>>,
    pace: Pace,
    /// The progress of sending; none while no sender sends.
    sending: Option<Sending>,
    clock: Instant,
    /// Connections that have joined, closed ones included.
    inside: usize,
    gone: u64,
    /// Posted messages and deliveries.
    pub order: Order,
    /// Latency of deliveries.
    pub latency: Latency,
    /// Latency of acknowledgements.
    pub ack_latency: Latency,
    /// Counters since the start.
    pub counters: Counters,
    /// The first error or close reason that the server sent.
    pub first_error: Option<String>,
}

impl Clients {
    /// Creates clients without connections.
    pub fn new(settings: &Settings) -> io::Result<Self> {
        let order = Order::new(settings.senders, settings.payload.into());
        Ok(Self {
            poll: Poll::new()?,
            connections: Vec::with_capacity(settings.connections),
            stride: (settings.connections / settings.senders.max(1)).max(1),
            senders: settings.senders,
            buffer: vec![0; READ_BUFFER_BYTES],
            texts: PayloadReader::new(settings.mode, settings.payload.into()),
            post: PostFrame::new(settings.mode, &settings.room, order.padding()),
            join: (settings.mode == Mode::V1).then(|| join_frame(&settings.room)),
            pace: settings.pace(),
            sending: None,
            clock: Instant::now(),
            inside: 0,
            gone: 0,
            order,
            latency: Latency::new(),
            ack_latency: Latency::new(),
            counters: Counters::default(),
            first_error: None,
        })
    }

    /// Returns the microseconds since the start.
    pub fn now(&self) -> u64 {
        self.clock.elapsed().as_micros() as u64
    }

    /// Opens all connections, some at a time, and waits until all have joined.
    pub fn open(&mut self, settings: &Settings) -> io::Result<()> {
        let request = request(&settings.addr.to_string(), &settings.target(), settings.protocol());
        let mut events = Events::with_capacity(1_024);
        let deadline = self.now() + 1_000_000 * settings.connect_seconds;
        loop {
            let waiting = self.connections.len() - self.inside;
            for _ in waiting..settings.opening.min(waiting + settings.connections - self.connections.len()) {
                let token = self.connections.len();
                let connection = Connection::open(settings.addr, &request, self.poll.registry(), token)?;
                self.connections.push(connection);
            }
            if self.inside == settings.connections {
                return Ok(());
            }
            if self.gone > 0 || self.now() > deadline {
                let error = self.first_error.clone().unwrap_or_default();
                return Err(io::Error::other(format!("not all connections could be opened: {error}")));
            }
            self.poll_once(&mut events, deadline)?;
        }
    }

    /// Serves all connections until `then`, in µs since the start.
    pub fn serve_until(&mut self, then: u64) -> io::Result<()> {
        let mut events = Events::with_capacity(1_024);
        while self.now() < then {
            self.poll_once(&mut events, then)?;
        }
        Ok(())
    }

    /// Serves all connections until each open one has received everything, no delivery has come for
    /// `quiet` µs, or `longest` µs are over.
    pub fn settle(&mut self, quiet: u64, longest: u64) -> io::Result<()> {
        let end = self.now() + longest;
        let mut before = u64::MAX;
        while !self.is_complete() && self.counters.delivered != before && self.now() < end {
            before = self.counters.delivered;
            let until = end.min(self.now() + quiet);
            while !self.is_complete() && self.now() < until {
                self.serve_until(until.min(self.now() + 10_000))?;
            }
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        let mut left = self.connections.iter().filter(|connection| connection.state == State::Joined);
        left.all(|connection| self.order.has_received_all(&connection.receiver))
    }

    /// Returns the faults until now.
    pub fn faults(&self) -> Faults {
        self.order.faults(self.connections.iter().map(|connection| &connection.receiver), self.gone)
    }

    /// Waits for events until `until` at most, and handles them.
    fn poll_once(&mut self, events: &mut Events, until: u64) -> io::Result<()> {
        self.send_due();
        match self.poll.poll(events, Some(self.poll_timeout(until))) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in events.iter() {
            if event.is_writable() {
                self.connections[event.token().0].flush();
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                self.read(event.token().0);
            }
            self.send_due();
        }
        Ok(())
    }

    /// Returns the time to poll in whole milliseconds, the system's resolution; the rest is spent spinning.
    fn poll_timeout(&self, until: u64) -> Duration {
        let next = self.next_due().unwrap_or(until).min(until);
        Duration::from_millis(next.saturating_sub(self.now()) / 1_000)
    }
}
