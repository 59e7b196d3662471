//! One run: open, warm up, measure, settle.

use crate::{
    Pace, Settings,
    clients::{Clients, Counters},
    latency::Latency,
    process::{Cpu, Process, waited},
    report::{Percentiles, Report},
};
use std::{fs, io};

/// File descriptors other than connections.
const RESERVED_FILES: usize = 32;
/// Pause after the last connection opens, in µs: a server may register it after its response.
const REGISTRATION_DELAY_US: u64 = 1_000_000;
/// Time without a delivery, in µs, after which none is expected.
const QUIET_US: u64 = 5_000_000;

/// Runs the load and returns the results.
///
/// # Errors
/// Connections could not be opened, or the server's process cannot be read.
pub fn run(settings: &Settings) -> io::Result<Report> {
    check_file_limit(settings.connections)?;
    let mut clients = Clients::new(settings)?;
    let server = settings.pid.map(Process);
    let mut report = Report {
        kind: kind(settings).into(),
        mode: format!("{:?}", settings.mode).to_lowercase(),
        connections: settings.connections,
        senders: settings.senders,
        payload: settings.payload.into(),
        ..Report::default()
    };
    open(&mut clients, settings, server, &mut report)?;
    if !settings.idle {
        post(&mut clients, settings, server, &mut report)?;
    }
    report.posted = clients.order.posted();
    report.faults = clients.faults();
    report.refused = clients.counters.refused;
    report.first_error = clients.first_error.take();
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

/// Checks the limit of open files before the run.
fn check_file_limit(connections: usize) -> io::Result<()> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let limit = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(usize::MAX);
    let needed = connections + RESERVED_FILES;
    if needed <= limit {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{connections} connections need {needed} open files, and the limit is {limit}; raise it: ulimit -n {needed}"
    )))
}

/// Opens all connections and measures their cost.
fn open(
    clients: &mut Clients,
    settings: &Settings,
    server: Option<Process>,
    report: &mut Report,
) -> io::Result<()> {
    let before = server.map(|server| Ok::<_, io::Error>((server.cpu()?, server.anonymous()?))).transpose()?;
    let began = clients.now();
    clients.open(settings)?;
    let connections = settings.connections as f64;
    report.opens_per_second = connections * 1e6 / (clients.now() - began) as f64;
    clients.serve_until(clients.now() + REGISTRATION_DELAY_US)?;
    if let (Some(server), Some((cpu, memory))) = (server, before) {
        report.cpu_us_per_open = server.cpu()?.since(&cpu) / connections;
        report.bytes_per_connection = 1_024.0 * (server.anonymous()? as f64 - memory as f64) / connections;
    }
    Ok(())
}

/// Counters at one point in time.
struct Sample {
    at: u64,
    counters: Counters,
    server: Option<Cpu>,
    own: Cpu,
    waited: f64,
}

impl Sample {
    fn now(clients: &Clients, server: Option<Process>) -> io::Result<Self> {
        Ok(Self {
            at: clients.now(),
            counters: clients.counters,
            server: server.map(Process::cpu).transpose()?,
            own: Process(std::process::id()).cpu()?,
            waited: waited()?,
        })
    }
}

/// Sends, measures, and waits for the last deliveries.
fn post(
    clients: &mut Clients,
    settings: &Settings,
    server: Option<Process>,
    report: &mut Report,
) -> io::Result<()> {
    clients.start_sending();
    clients.serve_until(clients.now() + micros(settings.warm_up))?;
    let from = Sample::now(clients, server)?;
    clients.latency.measure(from.at);
    clients.ack_latency.measure(from.at);
    clients.serve_until(from.at + micros(settings.seconds))?;
    let to = Sample::now(clients, server)?;
    clients.stop_sending();
    compare(&from, &to, report);
    clients.settle(QUIET_US, micros(settings.settle))?;
    report.latency_ms = percentiles(&mut clients.latency);
    report.ack_ms = percentiles(&mut clients.ack_latency);
    Ok(())
}

/// Fills in the difference of two samples.
fn compare(from: &Sample, to: &Sample, report: &mut Report) {
    let micros = (to.at - from.at) as f64;
    report.seconds = micros / 1e6;
    report.deliveries = to.counters.delivered - from.counters.delivered;
    let deliveries = report.deliveries as f64;
    report.deliveries_per_second = deliveries / report.seconds;
    report.messages_per_read = deliveries / (to.counters.reads - from.counters.reads).max(1) as f64;
    report.acks_per_second = (to.counters.acknowledged - from.counters.acknowledged) as f64 / report.seconds;
    report.generator_busy = to.own.since(&from.own) / micros;
    report.generator_waited = (to.waited - from.waited) / micros;
    if let (Some(from), Some(to)) = (&from.server, &to.server) {
        let cpu = to.since(from);
        report.cpu_seconds = cpu / 1e6;
        report.cpu_us_per_delivery = cpu / deliveries.max(1.0);
    }
}

fn micros(seconds: f64) -> u64 {
    (seconds * 1e6) as u64
}

fn percentiles(latency: &mut Latency) -> Percentiles {
    let [p50, p95, p99, max] = [50.0, 95.0, 99.0, 100.0].map(|percent| latency.percentile(percent));
    Percentiles { p50, p95, p99, max }
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

    /// Starts a server for two connections. It waits for four messages of the first, sends it all of them in order,
    /// and sends the second those that `order` names, in one frame, in two writes.
    fn faulty_server(order: &'static [usize]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        spawn(move || {
            let [mut one, mut other] = [upgrade(&listener), upgrade(&listener)];
            let mut payloads = [[0; FRAME]; 4];
            for frame in &mut payloads {
                one.read_exact(frame).expect("a message");
            }
            let [truth, lie] = [&[0, 1, 2, 3], order].map(|order| frame(&payloads, order));
            one.write_all(&truth).expect("the first connection is open");
            let (begin, end) = lie.split_at(lie.len() / 2);
            other
                .write_all(begin)
                .and_then(|()| other.write_all(end))
                .expect("the second connection is open");
            // Keeps the connection until the client closes it.
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

    fn frame(payloads: &[[u8; FRAME]; 4], order: &[usize]) -> Vec<u8> {
        let texts: Vec<&[u8]> = order.iter().map(|which| &payloads[*which][6..]).collect();
        let lines = texts.join(&b'\n');
        [&[0x81, lines.len() as u8][..], &lines].concat()
    }

    /// Returns the faults, and the number of messages sent beyond four.
    fn run_against(order: &'static [usize]) -> (Faults, u64) {
        let addr = faulty_server(order).to_string();
        let arguments = "loadgen --connections 2 --senders 1 --payload 16 --rate 100 --warm-up 0 --seconds 0.035 \
                         --settle 0.5 --addr";
        let settings = Settings::parse_from(arguments.split_whitespace().chain([addr.as_str()]));
        let report = run(&settings.settled()).expect("a run");
        (report.faults, report.posted as u64 - 4)
    }

    #[test]
    fn a_correct_server_has_no_faults() {
        let (faults, more) = run_against(&[0, 1, 2, 3]);
        assert_eq!(faults, Faults { lost: 2 * more, ..Faults::default() });
    }

    #[test]
    fn repeated_swapped_and_lost_messages_are_counted() {
        let (faults, more) = run_against(&[0, 0, 2, 1]);
        assert_eq!(faults, Faults { repeated: 1, reordered: 1, lost: 1 + 2 * more, ..Faults::default() });
    }
}
