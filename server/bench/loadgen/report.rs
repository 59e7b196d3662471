//! The results of a run.

use serde::{Deserialize, Serialize};

/// The results of a run; 0 if not measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `closed`, `rate`, `posts` or `idle`.
    pub kind: String,
    /// `lines` or `v1`.
    pub mode: String,
    /// Number of connections.
    pub connections: usize,
    /// Connections that send.
    pub senders: usize,
    /// Bytes of a message's text.
    pub payload: usize,
    /// Seconds measured.
    pub seconds: f64,
    /// Messages sent, warm-up included.
    pub posted: usize,
    /// Deliveries in the measured time.
    pub deliveries: u64,
    /// Deliveries a second.
    pub deliveries_per_second: f64,
    /// Milliseconds from the due time of a message to its arrival.
    pub latency_ms: Percentiles,
    /// Messages for each read.
    pub messages_per_read: f64,
    /// The server's CPU time in the measured time, seconds.
    pub cpu_seconds: f64,
    /// The server's CPU time for each delivery, µs.
    pub cpu_us_per_delivery: f64,
    /// Acknowledged posts a second.
    pub acks_per_second: f64,
    /// Milliseconds from a post to its acknowledgement.
    pub ack_ms: Percentiles,
    /// Bytes of the server's memory for each idle connection.
    pub bytes_per_connection: f64,
    /// The server's CPU time for each connection opened, µs.
    pub cpu_us_per_open: f64,
    /// Connections opened a second.
    pub opens_per_second: f64,
    /// The server's peak memory, KiB.
    pub peak_kib: u64,
    /// CPU use of this tool, 1 for a whole core. At a fixed rate it waits actively for the next message.
    pub generator_busy: f64,
    /// Share of the time in which this tool waited for its core; the figures are only valid near 0.
    pub generator_waited: f64,
    /// Faults of deliveries.
    #[serde(flatten)]
    pub faults: Faults,
    /// Posts that the server rejected.
    pub refused: u64,
    /// The first error or close reason that the server sent.
    pub first_error: Option<String>,
}

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The maximum.
    pub max: f64,
}

/// Faults of the deliveries to all connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// Posted and not delivered, counted for each connection.
    pub lost: u64,
    /// Delivered to the same connection again.
    pub repeated: u64,
    /// Delivered in another order than to the others, or than its sender has sent.
    pub reordered: u64,
    /// Delivered and never posted, or with another text.
    pub foreign: u64,
    /// Connections that the server closed.
    pub disconnected: u64,
}

impl Report {
    /// Returns `true` if every message was delivered to every connection, once and in order.
    pub fn is_clean(&self) -> bool {
        self.faults == Faults::default() && self.refused == 0
    }
}
