//! A flood: many connections in one room, messages, and how fast everybody hears them.
//!
//! ```text
//! cargo run --release -p bench --bin loadgen -- --connections 1000 --senders 100 --pid PID
//! cargo run --release -p bench --bin loadgen -- --connections 1000 --senders 40 --rate 40 --pid PID
//! cargo run --release -p bench --bin loadgen -- --posts --pid PID
//! cargo run --release -p bench --bin loadgen -- --idle --connections 10000 --pid PID
//! ```
//!
//! Everybody joins before anybody posts. Each message carries its number, and everybody has to hear all
//! of them, once, in one order ([`ordering`]). At a fixed rate the time of a message counts from when it had
//! to go out, whether the server was ready for it or not; in the closed loop, where everybody posts
//! their next message when they hear their last, from when it went out.
//!
//! One thread does it all, without allocating for a message, so that the server is what is measured. Give
//! it a core of its own (`taskset`). It exits with 1 where anything was lost, repeated, out of order,
//! foreign, disconnected or refused.

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

/// Many connections in one room: how fast does everybody hear what is posted?
#[derive(Debug, Clone, Parser)]
#[command(args_override_self = true)]
struct Settings {
    /// The server.
    #[arg(long, default_value = "127.0.0.1:8080")]
    addr: SocketAddr,
    /// Its process, to measure what it costs.
    #[arg(long)]
    pid: Option<u32>,
    /// Where it upgrades.
    #[arg(long, default_value = "/ws")]
    path: String,
    /// Everybody's room.
    #[arg(long, default_value = "flood")]
    room: String,
    /// How everybody talks.
    #[arg(long, value_enum, default_value_t = Mode::Lines)]
    mode: Mode,
    /// The subprotocol to offer; v1 offers hubbub.v1 by itself.
    #[arg(long)]
    protocol: Option<String>,
    /// How many connections; 1,000, and 2 with --posts.
    #[arg(long, default_value_t = 1_000, default_value_if("posts", "true", "2"))]
    connections: usize,
    /// How many of them post.
    #[arg(long, default_value_t = 100, default_value_if("posts", "true", "1"))]
    senders: usize,
    /// Messages a second that all senders together post, whatever they hear; without it each posts its
    /// next message when it hears its last.
    #[arg(long)]
    rate: Option<f64>,
    /// Bytes of a message.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(9..=8_192))]
    payload: u16,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds of posting before that.
    #[arg(long, default_value_t = 2.0)]
    warm_up: f64,
    /// Seconds after posting within which everything has to have arrived, or it is lost.
    #[arg(long, default_value_t = 60.0)]
    settle: f64,
    /// Measure acknowledged posts (v1): each sender keeps some under way.
    #[arg(long, conflicts_with = "rate")]
    posts: bool,
    /// How many.
    #[arg(long, default_value_t = 64)]
    outstanding: usize,
    /// Only open the connections, and measure what that costs.
    #[arg(long)]
    idle: bool,
    /// How many connections are opened at a time.
    #[arg(long, default_value_t = 64)]
    opening: usize,
    /// Seconds that everybody may take to connect.
    #[arg(long, default_value_t = 60)]
    patience: u64,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// When the senders post.
#[derive(Debug, Clone, Copy)]
enum Pace {
    /// Each posts its next message when it hears its last.
    Closed,
    /// So many a second, all together.
    Rate(f64),
    /// Each keeps so many posts under way.
    Posts { outstanding: usize },
}

impl Settings {
    /// What the arguments mean together.
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

    /// The target of the upgrade's request.
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
    let told = run::run(&settings).and_then(|report| {
        let text = if settings.json { serde_json::to_string(&report)? } else { table::table(&report) };
        writeln!(stdout(), "{text}")?;
        Ok(report.clean())
    });
    match told {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(stderr(), "flood: {error}");
            ExitCode::FAILURE
        }
    }
}
