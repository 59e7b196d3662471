//! One run: open, warm up, measure, settle.

use crate::{
    Pace, Settings,
    clients::{Crowd, Tally},
    latency::Latency,
    process::{Cpu, Process, waited},
    report::{Report, Spread},
};
use std::{fs, io};

/// Descriptors that are no connections.
const OTHER_FILES: usize = 32;
/// After the last connection is open: a server may register it after its answer. In µs.
const REST: u64 = 1_000_000;
/// Who hears nothing for so long hears nothing more. In µs.
const QUIET: u64 = 5_000_000;

/// Runs it, and says what came of it.
///
/// # Errors
/// Where not everybody could connect, or the server's process cannot be looked at.
pub fn run(settings: &Settings) -> io::Result<Report> {
    enough_files(settings.connections)?;
    let mut crowd = Crowd::new(settings)?;
    let server = settings.pid.map(Process);
    let mut report = Report {
        kind: kind(settings).into(),
        mode: format!("{:?}", settings.mode).to_lowercase(),
        connections: settings.connections,
        senders: settings.senders,
        payload: settings.payload.into(),
        ..Report::default()
    };
    open(&mut crowd, settings, server, &mut report)?;
    if !settings.idle {
        post(&mut crowd, settings, server, &mut report)?;
    }
    report.posted = crowd.order.posted();
    report.faults = crowd.faults();
    report.refused = crowd.tally.refused;
    report.first_trouble = crowd.first_trouble.take();
    report.peak_kib = server.map_or(Ok(0), Process::peak)?;
    Ok(report)
}

fn kind(settings: &Settings) -> &'static str {
    match settings.pace() {
        _ if settings.idle => "idle",
        Pace::Closed => "closed",
        Pace::Rate(_) => "rate",
        Pace::Posts { .. } => "posts",
    }
}

/// Refuses where the system would refuse in the middle.
fn enough_files(connections: usize) -> io::Result<()> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let limit = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(usize::MAX);
    let needed = connections + OTHER_FILES;
    if needed <= limit {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{connections} connections need {needed} open files, and the limit is {limit}; raise it: ulimit -n {needed}"
    )))
}

/// Opens all connections, and measures what each costs.
fn open(
    crowd: &mut Crowd,
    settings: &Settings,
    server: Option<Process>,
    report: &mut Report,
) -> io::Result<()> {
    let before = server.map(|server| Ok::<_, io::Error>((server.cpu()?, server.anonymous()?))).transpose()?;
    let began = crowd.now();
    crowd.open(settings)?;
    let connections = settings.connections as f64;
    report.opens_per_second = connections * 1e6 / (crowd.now() - began) as f64;
    crowd.serve_until(crowd.now() + REST)?;
    if let (Some(server), Some((cpu, memory))) = (server, before) {
        report.cpu_us_per_open = server.cpu()?.since(&cpu) / connections;
        report.bytes_per_connection = 1_024.0 * (server.anonymous()? as f64 - memory as f64) / connections;
    }
    Ok(())
}

/// What was counted at some moment.
struct Moment {
    at: u64,
    tally: Tally,
    server: Option<Cpu>,
    own: Cpu,
    waited: f64,
}

impl Moment {
    fn now(crowd: &Crowd, server: Option<Process>) -> io::Result<Self> {
        Ok(Self {
            at: crowd.now(),
            tally: crowd.tally,
            server: server.map(Process::cpu).transpose()?,
            own: Process(std::process::id()).cpu()?,
            waited: waited()?,
        })
    }
}

/// Lets the senders post, measures, and waits until everything has arrived.
fn post(
    crowd: &mut Crowd,
    settings: &Settings,
    server: Option<Process>,
    report: &mut Report,
) -> io::Result<()> {
    crowd.post_from_now();
    crowd.serve_until(crowd.now() + micros(settings.warm_up))?;
    let from = Moment::now(crowd, server)?;
    crowd.latency.measure(from.at);
    crowd.ack_latency.measure(from.at);
    crowd.serve_until(from.at + micros(settings.seconds))?;
    let to = Moment::now(crowd, server)?;
    crowd.stop_posting();
    compare(&from, &to, report);
    crowd.settle(QUIET, micros(settings.settle))?;
    report.latency_ms = spread(&mut crowd.latency);
    report.ack_ms = spread(&mut crowd.ack_latency);
    Ok(())
}

/// What has happened between two moments.
fn compare(from: &Moment, to: &Moment, report: &mut Report) {
    let micros = (to.at - from.at) as f64;
    report.seconds = micros / 1e6;
    report.deliveries = to.tally.delivered - from.tally.delivered;
    let deliveries = report.deliveries as f64;
    report.deliveries_per_second = deliveries / report.seconds;
    report.messages_per_read = deliveries / (to.tally.reads - from.tally.reads).max(1) as f64;
    report.acks_per_second = (to.tally.acknowledged - from.tally.acknowledged) as f64 / report.seconds;
    report.flood_busy = to.own.since(&from.own) / micros;
    report.flood_waited = (to.waited - from.waited) / micros;
    if let (Some(from), Some(to)) = (&from.server, &to.server) {
        let cpu = to.since(from);
        report.cpu_seconds = cpu / 1e6;
        report.cpu_us_per_delivery = cpu / deliveries.max(1.0);
    }
}

fn micros(seconds: f64) -> u64 {
    (seconds * 1e6) as u64
}

fn spread(latency: &mut Latency) -> Spread {
    let [p50, p95, p99, max] = [50.0, 95.0, 99.0, 100.0].map(|percent| latency.percentile(percent));
    Spread { p50, p95, p99, max }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connection::ACCEPT, report::Faults};
    use clap::Parser;
    use std::{
        io::{Read, Write},
        net::{SocketAddr, TcpListener, TcpStream},
        thread::spawn,
    };

    /// Bytes of each message, and of its frame.
    const TEXT: usize = 16;
    const FRAME: usize = 6 + TEXT;

    /// A server for two connections. It waits for four messages of the first, tells it all of them in order,
    /// and tells the second those that `order` names, in one frame, in two writes.
    fn liar(order: &'static [usize]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        spawn(move || {
            let [mut one, mut other] = [upgrade(&listener), upgrade(&listener)];
            let mut said = [[0; FRAME]; 4];
            for frame in &mut said {
                one.read_exact(frame).expect("a message");
            }
            let [truth, lie] = [&[0, 1, 2, 3], order].map(|order| frame(&said, order));
            one.write_all(&truth).expect("the first listens");
            let (begin, end) = lie.split_at(lie.len() / 2);
            other.write_all(begin).and_then(|()| other.write_all(end)).expect("the second listens");
            // Until they leave.
            let _ = one.read_to_end(&mut Vec::new());
        });
        address
    }

    fn upgrade(listener: &TcpListener) -> TcpStream {
        let (mut stream, _) = listener.accept().expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a request");
            request.extend(byte);
        }
        write!(stream, "HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n").expect("an answer");
        stream
    }

    fn frame(said: &[[u8; FRAME]; 4], order: &[usize]) -> Vec<u8> {
        let texts: Vec<&[u8]> = order.iter().map(|which| &said[*which][6..]).collect();
        let lines = texts.join(&b'\n');
        [&[0x81, lines.len() as u8][..], &lines].concat()
    }

    /// What flood finds, and how many messages more than four it has posted.
    fn found(order: &'static [usize]) -> (Faults, u64) {
        let addr = liar(order).to_string();
        let arguments = "flood --connections 2 --senders 1 --payload 16 --rate 100 --warm-up 0 --seconds 0.035 \
                         --settle 0.5 --addr";
        let settings = Settings::parse_from(arguments.split_whitespace().chain([addr.as_str()]));
        let report = run(&settings.settled()).expect("a run");
        (report.faults, report.posted as u64 - 4)
    }

    #[test]
    fn what_a_server_tells_is_checked() {
        let (faults, more) = found(&[0, 1, 2, 3]);
        assert_eq!(faults, Faults { lost: 2 * more, ..Faults::default() });
    }

    #[test]
    fn a_server_that_repeats_swaps_and_loses_is_found_out() {
        let (faults, more) = found(&[0, 0, 2, 1]);
        assert_eq!(faults, Faults { repeated: 1, reordered: 1, lost: 1 + 2 * more, ..Faults::default() });
    }
}
