//! The figures.

use serde::{Deserialize, Serialize};

/// What came of a flood. What was not measured is 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `closed`, `rate`, `posts` or `idle`.
    pub kind: String,
    /// `lines` or `v1`.
    pub mode: String,
    /// Connections, and those of them that post.
    pub connections: usize,
    /// Those of them that post.
    pub senders: usize,
    /// Bytes of a message's text.
    pub payload: usize,
    /// How long was measured.
    pub seconds: f64,
    /// Messages posted, the warm-up's too.
    pub posted: usize,
    /// Messages that connections have received in the measured time.
    pub deliveries: u64,
    /// The same for each second.
    pub deliveries_per_second: f64,
    /// Milliseconds from when a message had to go out to its arrival.
    pub latency_ms: Spread,
    /// Messages that one read brings.
    pub messages_per_read: f64,
    /// The server's CPU time in the measured time, seconds.
    pub cpu_seconds: f64,
    /// The server's CPU time for each delivery, µs.
    pub cpu_us_per_delivery: f64,
    /// Acknowledged posts for each second.
    pub acks_per_second: f64,
    /// Milliseconds from a post to its acknowledgement.
    pub ack_ms: Spread,
    /// Bytes of the server's memory for each open connection that says nothing.
    pub bytes_per_connection: f64,
    /// The server's CPU time for each connection opened, µs.
    pub cpu_us_per_open: f64,
    /// Connections opened for each second.
    pub opens_per_second: f64,
    /// The most memory that the server has had, KiB.
    pub peak_kib: u64,
    /// How busy this tool was, 1 for all of its core. It waits awake for the next message at a rate.
    pub flood_busy: f64,
    /// How much of the time others had its core while it wanted to run: near 0, or the figures mean little.
    pub flood_waited: f64,
    /// What was lost, repeated, out of order, foreign, disconnected.
    #[serde(flatten)]
    pub faults: Faults,
    /// Posts that the server has refused.
    pub refused: u64,
    /// The first thing that a server said about an end or a refusal.
    pub first_trouble: Option<String>,
}

/// How milliseconds spread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of them take at most this.
    pub p50: f64,
    /// 95 of a hundred.
    pub p95: f64,
    /// 99 of a hundred.
    pub p99: f64,
    /// All of them.
    pub max: f64,
}

/// What was wrong with the deliveries to all connections together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// Posted and not heard, counted for each connection.
    pub lost: u64,
    /// Heard again by the same connection.
    pub repeated: u64,
    /// Heard later than something that comes after it: in the order of the others, or of its author.
    pub reordered: u64,
    /// Heard and never posted, or with another text.
    pub foreign: u64,
    /// Connections that the server has ended.
    pub disconnected: u64,
}

impl Report {
    /// Whether everything posted has arrived everywhere, once and in order.
    pub fn clean(&self) -> bool {
        self.faults == Faults::default() && self.refused == 0
    }
}
