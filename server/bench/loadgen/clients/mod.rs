//! Everybody: the connections, the one thread that serves them, and what they post and hear.

mod receive;
mod send;

use crate::{
    Pace, Settings,
    connection::{Connection, State, request},
    latency::Latency,
    ordering::Order,
    payloads::{Mode, PostFrame, Texts, join_frame},
    report::Faults,
};
use mio::{Events, Poll};
use send::Posting;
use std::{
    io,
    time::{Duration, Instant},
};

/// What one read takes at most, more where a frame needs it. All connections share it.
const BUFFER: usize = 1 << 20;

/// What was counted so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Messages that connections have received.
    pub delivered: u64,
    /// Reads that brought some.
    pub reads: u64,
    /// Posts that were acknowledged.
    pub acknowledged: u64,
    /// Posts that were refused.
    pub refused: u64,
}

/// All connections.
pub struct Crowd {
    poll: Poll,
    connections: Vec<Connection>,
    /// From one sender's connection to the next.
    stride: usize,
    senders: usize,
    buffer: Vec<u8>,
    texts: Texts,
    post: PostFrame,
    /// What follows the upgrade; none in lines mode.
    join: Option<Vec<u8>>,
    pace: Pace,
    /// When the next message has to go out at a fixed rate, in µs; none while nobody posts.
    posting: Option<Posting>,
    clock: Instant,
    /// How many are in their room, or have been.
    inside: usize,
    gone: u64,
    /// What was posted and heard.
    pub order: Order,
    /// How long that took.
    pub latency: Latency,
    /// How long acknowledgements take.
    pub ack_latency: Latency,
    /// What was counted.
    pub tally: Tally,
    /// The first thing that a server said about an end or a refusal.
    pub first_trouble: Option<String>,
}

impl Crowd {
    /// Nobody yet.
    pub fn new(settings: &Settings) -> io::Result<Self> {
        let order = Order::new(settings.senders, settings.payload.into());
        Ok(Self {
            poll: Poll::new()?,
            connections: Vec::with_capacity(settings.connections),
            stride: (settings.connections / settings.senders.max(1)).max(1),
            senders: settings.senders,
            buffer: vec![0; BUFFER],
            texts: Texts::new(settings.mode, settings.payload.into()),
            post: PostFrame::new(settings.mode, &settings.room, order.padding()),
            join: (settings.mode == Mode::V1).then(|| join_frame(&settings.room)),
            pace: settings.pace(),
            posting: None,
            clock: Instant::now(),
            inside: 0,
            gone: 0,
            order,
            latency: Latency::new(),
            ack_latency: Latency::new(),
            tally: Tally::default(),
            first_trouble: None,
        })
    }

    /// Microseconds since the start.
    pub fn now(&self) -> u64 {
        self.clock.elapsed().as_micros() as u64
    }

    /// Opens all connections, a few at a time, and waits until they are in their room.
    pub fn open(&mut self, settings: &Settings) -> io::Result<()> {
        let request = request(&settings.addr.to_string(), &settings.target(), settings.protocol());
        let mut events = Events::with_capacity(1_024);
        let deadline = self.now() + 1_000_000 * settings.patience;
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
                let trouble = self.first_trouble.clone().unwrap_or_default();
                return Err(io::Error::other(format!("not everybody could connect: {trouble}")));
            }
            self.turn(&mut events, deadline)?;
        }
    }

    /// Serves everybody until then, in µs since the start.
    pub fn serve_until(&mut self, then: u64) -> io::Result<()> {
        let mut events = Events::with_capacity(1_024);
        while self.now() < then {
            self.turn(&mut events, then)?;
        }
        Ok(())
    }

    /// Serves everybody until all that are left have heard everything, nobody has heard anything for
    /// `quiet` µs, or `longest` µs are over.
    pub fn settle(&mut self, quiet: u64, longest: u64) -> io::Result<()> {
        let end = self.now() + longest;
        let mut before = u64::MAX;
        while !self.complete() && self.tally.delivered != before && self.now() < end {
            before = self.tally.delivered;
            let until = end.min(self.now() + quiet);
            while !self.complete() && self.now() < until {
                self.serve_until(until.min(self.now() + 10_000))?;
            }
        }
        Ok(())
    }

    fn complete(&self) -> bool {
        let mut left = self.connections.iter().filter(|connection| connection.state == State::In);
        left.all(|connection| self.order.complete_for(&connection.ear))
    }

    /// What was wrong until now.
    pub fn faults(&self) -> Faults {
        self.order.faults(self.connections.iter().map(|connection| &connection.ear), self.gone)
    }

    /// Waits for something to happen, until then at most, and does what it asks for.
    fn turn(&mut self, events: &mut Events, until: u64) -> io::Result<()> {
        self.post_what_is_due();
        match self.poll.poll(events, Some(self.patience(until))) {
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
            self.post_what_is_due();
        }
        Ok(())
    }

    /// How long to wait: whole milliseconds, which is what the system can do; the rest is spent awake.
    fn patience(&self, until: u64) -> Duration {
        let next = self.next_due().unwrap_or(until).min(until);
        Duration::from_millis(next.saturating_sub(self.now()) / 1_000)
    }
}
