//! Injects faults of the network and of the server.

use crate::{
    Settings,
    clients::Clients,
    process::Process,
    proxy::{Direction, Fault},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use serde::Serialize;
use std::{
    io,
    time::{Duration, Instant},
};
use tokio::time::{interval, sleep, sleep_until};

/// Seconds of a blocked or slow link.
const FAULT_SECONDS: std::ops::Range<f64> = 1.0..6.0;

/// A cut happens within this many bytes, often in the middle of a frame.
const MAX_BYTES_BEFORE_CUT: usize = 300;

/// A slow link transports less than a busy room sends.
const SLOW_LINK: Fault = Fault::Slow(Direction::Down, 128, Duration::from_millis(25));

/// Counts of faults of links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    pub cut: usize,
    pub silent: usize,
    pub gone: usize,
    pub slow: usize,
}

/// All injected faults.
#[derive(Default)]
pub struct FaultInjector {
    pub faults: Faults,
    /// Blocked links: client, start, end.
    pub gone: Vec<(usize, Instant, Instant)>,
    /// Restarts of the server: end, start.
    pub ends: Vec<(Instant, Instant)>,
}

impl FaultInjector {
    /// Injects faults for the duration of the soak.
    pub async fn run(settings: &Settings, clients: &Clients, server: &mut Process) -> io::Result<Self> {
        let end = settings.end();
        let (mut faults_done, ends) =
            tokio::join!(fail_links(settings, clients, end), end_server(settings, server));
        faults_done.ends = ends?;
        sleep_until(end.into()).await;
        Ok(faults_done)
    }

    /// Injects a random fault; returns its duration if it must be ended.
    fn inject(&mut self, clients: &Clients, victim: usize) -> Option<Duration> {
        let (link, duration) = (clients.link(victim), seconds_in(FAULT_SECONDS));
        match fastrand::u8(0..4) {
            0 => {
                self.faults.cut += 1;
                let way = if fastrand::bool() { Direction::Up } else { Direction::Down };
                link.inject(Fault::Cut(way, fastrand::usize(0..MAX_BYTES_BEFORE_CUT)));
                None
            }
            1 => {
                self.faults.silent += 1;
                link.inject(Fault::Blackhole);
                None
            }
            2 => {
                self.faults.gone += 1;
                link.block(true);
                let now = Instant::now();
                self.gone.push((victim, now, now + duration));
                Some(duration)
            }
            _ => {
                self.faults.slow += 1;
                link.inject(SLOW_LINK);
                Some(duration)
            }
        }
    }
}

/// Injects faults of links at intervals.
pub async fn fail_links(settings: &Settings, clients: &Clients, end: Instant) -> FaultInjector {
    let mut faults_done = FaultInjector::default();
    if settings.fault_every <= 0.0 {
        sleep_until(end.into()).await;
        return faults_done;
    }
    let mut moments = interval(Duration::from_secs_f64(settings.fault_every));
    let mut duration = FuturesUnordered::new();
    let mut failing = vec![false; settings.clients];
    loop {
        tokio::select! {
            _ = moments.tick() => {
                let victim = fastrand::usize(..settings.clients);
                if !failing[victim] && let Some(time) = faults_done.inject(clients, victim) {
                    failing[victim] = true;
                    duration.push(async move { sleep(time).await; victim });
                }
            }
            Some(victim) = duration.next() => {
                failing[victim] = false;
                clients.link(victim).block(false);
                clients.link(victim).inject(Fault::None);
            }
            () = sleep_until(end.into()) => return faults_done,
        }
    }
}

/// Kills and restarts the server at random times, not close to the beginning or the end.
async fn end_server(settings: &Settings, server: &mut Process) -> io::Result<Vec<(Instant, Instant)>> {
    let began = Instant::now();
    let seconds = settings.seconds as f64;
    let mut signals = [vec!["-KILL"; settings.kills], vec!["-TERM"; settings.restarts]].concat();
    fastrand::shuffle(&mut signals);
    let mut moments: Vec<Duration> =
        signals.iter().map(|_| seconds_in(seconds * 0.1..seconds * 0.9)).collect();
    moments.sort_unstable();
    let mut ends = Vec::new();
    for (signal, moment) in signals.into_iter().zip(moments) {
        sleep_until((began + moment).into()).await;
        let at = Instant::now();
        server.stop(signal).await?;
        server.restart().await?;
        ends.push((at, Instant::now()));
    }
    Ok(ends)
}

/// Returns a random time.
pub fn seconds_in(range: std::ops::Range<f64>) -> Duration {
    Duration::from_secs_f64(range.start + fastrand::f64() * (range.end - range.start))
}
