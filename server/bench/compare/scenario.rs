//! What is measured, and of whom.

use crate::{report::Report, server::Server};
use Server::{Ephemeral, Floor, Go, Hubbub, Naive, Ws};

/// Those that are chats and speak lines.
const CHATS: &[Server] = &[Hubbub, Ephemeral, Naive, Ws, Go];
/// Those that speak v1.
const OURS: &[Server] = &[Hubbub, Ephemeral];
/// Everybody.
const ALL: &[Server] = &[Hubbub, Ephemeral, Naive, Ws, Go, Floor];

/// One thing to measure.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// What `--only` takes.
    pub name: &'static str,
    /// What it is, for people.
    pub about: &'static str,
    /// What flood is told, besides where and how long.
    pub arguments: &'static str,
    /// Who is measured.
    pub servers: &'static [Server],
    /// The figure that counts: of several rounds the one in the middle by this is shown.
    pub figure: fn(&Report) -> f64,
}

/// Everything that is measured.
pub const SCENARIOS: [Scenario; 11] = [
    closed("closed-100", "100 connections, all post, each when it hears its last", "--connections 100"),
    closed("closed-1000", "1,000 connections, 100 post, each when it hears its last", "--connections 1000"),
    closed("closed-5000", "5,000 connections, 100 post, each when it hears its last", "--connections 5000"),
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
        about: "10,000 connections that say nothing",
        arguments: "--idle --connections 10000",
        servers: ALL,
        figure: |report| report.bytes_per_connection,
    },
    Scenario {
        name: "posts",
        about: "posts with 64 under way on one connection, one more listens: acknowledged, on disk where there is one",
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
