//! Everybody: the connections, the one thread that serves them, and what they post and hear.

use crate::{
    Pace, Settings,
    connection::{Brought, Connection, State, request, upgraded},
    frames::{self, CLOSE, CONTINUATION, Found, Frame, PING, PONG, TEXT, masked},
    latency::Latency,
    order::{Key, Order, key, number},
    report::Faults,
    texts::{Mode, PostFrame, Said, Texts, join_frame},
};
use mio::{Events, Poll};
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

/// Posting, since some moment in µs, and so many messages ago.
#[derive(Debug, Clone, Copy)]
struct Posting {
    since: u64,
    posted: u64,
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

    /// Lets the senders post from now on.
    pub fn post_from_now(&mut self) {
        let now = self.now();
        self.posting = Some(Posting { since: now, posted: 0 });
        let first = match self.pace {
            Pace::Closed => 1,
            Pace::Rate(_) => 0,
            Pace::Posts { outstanding } => outstanding,
        };
        for sender in 0..self.senders {
            for _ in 0..first {
                self.post(sender, now);
            }
        }
    }

    /// Nobody posts any more.
    pub fn stop_posting(&mut self) {
        self.posting = None;
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

    /// When the next message has to go out, at a fixed rate.
    fn next_due(&self) -> Option<u64> {
        match (self.pace, self.posting) {
            (Pace::Rate(rate), Some(posting)) => {
                Some(posting.since + (posting.posted as f64 * 1_000_000.0 / rate) as u64)
            }
            _ => None,
        }
    }

    /// Posts what has to be out by now, at a fixed rate; the senders take turns.
    fn post_what_is_due(&mut self) {
        while let Some(due) = self.next_due()
            && due <= self.now()
            && let Some(posting) = &mut self.posting
        {
            posting.posted += 1;
            let turn = posting.posted as usize;
            let mut turns = (turn..turn + self.senders).map(|turn| turn % self.senders);
            match turns.find(|sender| self.connections[sender * self.stride].state == State::In) {
                Some(sender) => self.post(sender, due),
                None => self.posting = None,
            }
        }
    }

    fn post(&mut self, sender: usize, due: u64) {
        let connection = &mut self.connections[sender * self.stride];
        if connection.state == State::In {
            let number = self.order.post(sender, due);
            connection.awaits = key(number);
            connection.send(self.post.numbered(number));
        }
    }

    /// Posts once more for the connection that has heard its own message, or got it acknowledged.
    fn post_again(&mut self, who: usize, now: u64) {
        if self.posting.is_some() {
            self.post(who / self.stride, now);
        }
    }

    fn read(&mut self, who: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        while self.connections[who].state != State::Gone {
            match self.connections[who].read(&mut buffer) {
                Brought::Bytes(end, more) => {
                    let now = self.now();
                    let rest = self.take(who, &buffer[..end], now);
                    self.connections[who].carry(rest);
                    if !more {
                        break;
                    }
                }
                Brought::Nothing => break,
                Brought::End => self.lose(who, "the connection ended"),
            }
        }
        self.buffer = buffer;
    }

    /// Takes what was read, as far as it is whole; gives the rest.
    fn take<'a>(&mut self, who: usize, bytes: &'a [u8], now: u64) -> &'a [u8] {
        let mut rest = bytes;
        if self.connections[who].state == State::Upgrading {
            match upgraded(bytes) {
                Ok(Some(end)) => {
                    rest = &bytes[end..];
                    self.upgrade(who);
                }
                Ok(None) => return bytes,
                Err(refusal) => self.lose(who, &refusal),
            }
        }
        let before = self.tally.delivered;
        while self.connections[who].state != State::Gone {
            match frames::first(rest) {
                Found::Frame(frame, after) => {
                    rest = after;
                    self.obey(who, &frame, now);
                }
                Found::More => break,
                Found::Wrong => self.lose(who, "a frame that no server sends"),
            }
        }
        self.tally.reads += u64::from(self.tally.delivered > before);
        rest
    }

    fn upgrade(&mut self, who: usize) {
        match self.join {
            Some(_) => self.connections[who].state = State::Joining,
            None => self.enter(who),
        }
    }

    fn enter(&mut self, who: usize) {
        self.connections[who].state = State::In;
        self.inside += 1;
    }

    #[inline]
    fn obey(&mut self, who: usize, frame: &Frame<'_>, now: u64) {
        match frame.opcode {
            TEXT if frame.last => self.understand(who, frame.payload, now),
            TEXT | CONTINUATION => self.join_parts(who, frame, now),
            PING => self.connections[who].send(&masked(PONG, frame.payload)),
            CLOSE => self.lose(who, &goodbye(frame.payload)),
            _ => {}
        }
    }

    /// Waits for a message's last frame.
    fn join_parts(&mut self, who: usize, frame: &Frame<'_>, now: u64) {
        let mut parts = std::mem::take(&mut self.connections[who].parts);
        parts.extend_from_slice(frame.payload);
        if frame.last {
            self.understand(who, &parts, now);
            parts.clear();
        }
        self.connections[who].parts = parts;
    }

    #[inline]
    fn understand(&mut self, who: usize, text: &[u8], now: u64) {
        match self.texts.read(text) {
            Said::Messages => self.hear(who, text, now),
            Said::Ack(id) => self.acknowledge(who, id, now),
            Said::Welcome => {
                if let Some(join) = &self.join {
                    self.connections[who].send(join);
                }
            }
            Said::Joined => self.enter(who),
            Said::Error => {
                self.tally.refused += 1;
                self.note_trouble(&String::from_utf8_lossy(text));
            }
            Said::Else => {}
        }
    }

    /// A connection hears messages.
    #[inline]
    fn hear(&mut self, who: usize, text: &[u8], now: u64) {
        let Self { texts, order, latency, tally, connections, .. } = self;
        let connection = &mut connections[who];
        let mut own = false;
        texts.each(text, |text| {
            if let Some(due) = order.hear(&mut connection.ear, text) {
                tally.delivered += 1;
                latency.note(due, now);
                own |= text.starts_with(&connection.awaits);
            }
        });
        if own && matches!(self.pace, Pace::Closed) {
            self.post_again(who, now);
        }
    }

    fn acknowledge(&mut self, who: usize, id: &Key, now: u64) {
        if let Some(due) = number(*id).and_then(|number| self.order.due(number)) {
            self.tally.acknowledged += 1;
            self.ack_latency.note(due, now);
            if matches!(self.pace, Pace::Posts { .. }) {
                self.post_again(who, now);
            }
        }
    }

    fn lose(&mut self, who: usize, why: &str) {
        self.connections[who].state = State::Gone;
        self.gone += 1;
        self.note_trouble(why);
    }

    fn note_trouble(&mut self, what: &str) {
        if self.first_trouble.is_none() {
            self.first_trouble = Some(what.to_owned());
        }
    }
}

/// The code and the reason of a close frame.
fn goodbye(payload: &[u8]) -> String {
    let (code, reason) = payload
        .split_first_chunk()
        .map_or((1005, payload), |(code, reason)| (u16::from_be_bytes(*code), reason));
    format!("closed with {code} {}", String::from_utf8_lossy(reason))
}
