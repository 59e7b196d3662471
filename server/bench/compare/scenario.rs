//! The scenarios, and the servers that each measures.

use crate::{report::Report, server::Server};
use Server::{AxumBroadcast, Ephemeral, Go, Hubbub, RawWrites, Ws};

/// Chat servers that support lines.
const CHATS: &[Server] = &[Hubbub, Ephemeral, AxumBroadcast, Ws, Go];
/// Servers that support v1.
const OURS: &[Server] = &[Hubbub, Ephemeral];
/// All servers.
const ALL: &[Server] = &[Hubbub, Ephemeral, AxumBroadcast, Ws, Go, RawWrites];

/// One measurement.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// The name for `--only`.
    pub name: &'static str,
    /// The description.
    pub about: &'static str,
    /// Arguments of the load generator, besides address and duration.
    pub arguments: &'static str,
    /// The measured servers.
    pub servers: &'static [Server],
    /// The figure by which the median round is chosen.
    pub figure: fn(&Report) -> f64,
}

/// All scenarios.
pub const SCENARIOS: [Scenario; 11] = [
    closed("closed-100", "100 connections, all post, each when it receives its last", "--connections 100"),
    closed(
        "closed-1000",
        "1,000 connections, 100 post, each when it receives its last",
        "--connections 1000",
    ),
    closed(
        "closed-5000",
        "5,000 connections, 100 post, each when it receives its last",
        "--connections 5000",
    ),
    v1("v1-100", "the same with 100 connections in v1", "--mode v1 --connections 100"),
    v1("v1-1000", "the same with 1,000 connections in v1", "--mode v1 --connections 1000"),
    v1("v1-5000", "the same with 5,000 connections in v1", "--mode v1 --connections 5000"),
    Scenario {
        name: "rate-40",
        about: "40 messages a second to 1,000 connections: what a delivery costs",
        arguments: "--connections 1000 --rate 40",
        servers: ALL,
        figure: |report| report.cpu_us_per_delivery,
    },
    Scenario {
        name: "rate-800",
        about: "800 messages a second to 1,000 connections",
        arguments: "--connections 1000 --rate 800",
        servers: CHATS,
        figure: |report| report.latency_ms.p99,
    },
    Scenario {
        name: "rate-20",
        about: "20 messages a second to 1,000 connections: how long a delivery takes",
        arguments: "--connections 1000 --rate 20",
        servers: ALL,
        figure: |report| report.latency_ms.p99,
    },
    Scenario {
        name: "idle",
        about: "10,000 idle connections",
        arguments: "--idle --connections 10000",
        servers: ALL,
        figure: |report| report.bytes_per_connection,
    },
    Scenario {
        name: "posts",
        about: "acknowledged posts, 64 in flight on one connection, with one more receiver",
        arguments: "--posts --connections 2 --senders 1 --outstanding 64",
        servers: OURS,
        figure: |report| report.acks_per_second,
    },
];

const fn closed(name: &'static str, about: &'static str, arguments: &'static str) -> Scenario {
    Scenario { name, about, arguments, servers: CHATS, figure: |report| report.deliveries_per_second }
}

const fn v1(name: &'static str, about: &'static str, arguments: &'static str) -> Scenario {
    Scenario { servers: OURS, ..closed(name, about, arguments) }
}
