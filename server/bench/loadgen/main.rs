//! Load generator: opens many connections in one room, sends messages and measures deliveries.
//!
//! ```text
//! cargo run --release -p bench --bin loadgen -- --connections 1000 --senders 100 --pid PID
//! cargo run --release -p bench --bin loadgen -- --connections 1000 --senders 40 --rate 40 --pid PID
//! cargo run --release -p bench --bin loadgen -- --posts --pid PID
//! cargo run --release -p bench --bin loadgen -- --idle --connections 10000 --pid PID
//! ```
//!
//! All connections join before the first message. Each message carries its number, and every connection must receive
//! all of them, once, in one order ([`ordering`]). At a fixed rate, latency counts from the time at which a message was
//! due, even if the server was not ready (no coordinated omission). In the closed loop, each sender sends its next
//! message when it receives its last one, and latency counts from the time of sending.
//!
//! One thread does everything and allocates nothing for a message, so that the server is measured and not this tool.
//! Give it a core of its own (`taskset`). The exit code is 1 if any message was lost, repeated, reordered or foreign,
//! or if any connection or post was rejected or closed.

mod clients;
mod connection;
mod frames;
mod latency;
mod ordering;
mod payloads;
mod process;
mod report;
mod run;
mod table;

use clap::Parser;
use payloads::Mode;
use std::{
    io::{Write, stderr, stdout},
    net::SocketAddr,
    process::ExitCode,
};

/// Opens many connections in one room and measures how fast messages are delivered
#[derive(Debug, Clone, Parser)]
#[command(args_override_self = true)]
struct Settings {
    /// Address of the server
    #[arg(long, default_value = "127.0.0.1:8080")]
    addr: SocketAddr,
    /// Process id of the server, to measure its CPU time and memory
    #[arg(long)]
    pid: Option<u32>,
    /// Path of the upgrade
    #[arg(long, default_value = "/ws")]
    path: String,
    /// Room of all connections
    #[arg(long, default_value = "loadgen")]
    room: String,
    /// Protocol of all connections
    #[arg(long, value_enum, default_value_t = Mode::Lines)]
    mode: Mode,
    /// Subprotocol to offer; hubbub.v1 by default in v1
    #[arg(long)]
    protocol: Option<String>,
    /// Number of connections: 1,000, or 2 with --posts
    #[arg(long, default_value_t = 1_000, default_value_if("posts", "true", "2"))]
    connections: usize,
    /// Number of connections that send
    #[arg(long, default_value_t = 100, default_value_if("posts", "true", "1"))]
    senders: usize,
    /// Messages a second of all senders together; without it, each sender sends its next message
    /// when it receives its last one
    #[arg(long)]
    rate: Option<f64>,
    /// Bytes of a message
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(9..=8_192))]
    payload: u16,
    /// Seconds to measure
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds of warm-up before that
    #[arg(long, default_value_t = 2.0)]
    warm_up: f64,
    /// Seconds after the last message until a missing delivery counts as lost
    #[arg(long, default_value_t = 60.0)]
    settle: f64,
    /// Measure acknowledged posts (v1): each sender keeps some in flight
    #[arg(long, conflicts_with = "rate")]
    posts: bool,
    /// Number of posts in flight
    #[arg(long, default_value_t = 64)]
    outstanding: usize,
    /// Only open the connections, and measure their cost
    #[arg(long)]
    idle: bool,
    /// Number of connections that are opened at a time
    #[arg(long, default_value_t = 64)]
    opening: usize,
    /// Seconds until all connections must be open
    #[arg(long, default_value_t = 60)]
    connect_seconds: u64,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// When the senders send.
#[derive(Debug, Clone, Copy)]
enum Pace {
    /// Each posts its when it receives its last one
    Closed,
    /// Messages a second, all senders together.
    Rate(f64),
    /// Each keeps this many posts in flight.
    Posts { outstanding: usize },
}

impl Settings {
    /// Resolves options that depend on each other.
    fn settled(self) -> Self {
        let mode = if self.posts { Mode::V1 } else { self.mode };
        let senders = self.senders.clamp(1, self.connections.max(1));
        Self { mode, senders, ..self }
    }

    fn pace(&self) -> Pace {
        match self.rate {
            Some(rate) => Pace::Rate(rate),
            None if self.posts => Pace::Posts { outstanding: self.outstanding },
            None => Pace::Closed,
        }
    }

    /// Returns the request target of the upgrade.
    fn target(&self) -> String {
        match self.mode {
            Mode::Lines => format!("{}?room={}", self.path, self.room),
            Mode::V1 => self.path.clone(),
        }
    }

    fn protocol(&self) -> Option<&str> {
        let of_mode = if self.mode == Mode::V1 { Some("hubbub.v1") } else { None };
        self.protocol.as_deref().or(of_mode)
    }
}

fn main() -> ExitCode {
    let settings = Settings::parse().settled();
    let result = run::run(&settings).and_then(|report| {
        let text = if settings.json { serde_json::to_string(&report)? } else { table::table(&report) };
        writeln!(stdout(), "{text}")?;
        Ok(report.is_clean())
    });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(stderr(), "loadgen: {error}");
            ExitCode::FAILURE
        }
    }
}
