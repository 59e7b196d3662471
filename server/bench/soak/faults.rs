//! What goes wrong, and when.

use crate::{
    Settings,
    clients::Crowd,
    process::Process,
    proxy::{Fault, Way},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use serde::Serialize;
use std::{
    io,
    time::{Duration, Instant},
};
use tokio::time::{interval, sleep, sleep_until};

/// Seconds that a road is gone or slow.
const LASTING: std::ops::Range<f64> = 1.0..6.0;

/// A cut comes within so many bytes: some of the frames that are under way.
const CUT_WITHIN: usize = 300;

/// A slow road carries less than a busy room says.
const SLOW: Fault = Fault::Slow(Way::Down, 128, Duration::from_millis(25));

/// What was done to roads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    pub cut: usize,
    pub silent: usize,
    pub gone: usize,
    pub slow: usize,
}

/// Everything that went wrong.
#[derive(Default)]
pub struct PageError {
    pub faults: Faults,
    /// Whose road was gone, and from when until when.
    pub gone: Vec<(usize, Instant, Instant)>,
    /// When the server ended, and when it was back.
    pub ends: Vec<(Instant, Instant)>,
}

impl PageError {
    /// Makes trouble for as long as the soak lasts.
    pub async fn make(settings: &Settings, crowd: &Crowd, server: &mut Process) -> io::Result<Self> {
        let end = Instant::now() + Duration::from_secs(settings.seconds);
        let (mut trouble, ends) =
            tokio::join!(trouble_roads(settings, crowd, end), end_server(settings, server));
        trouble.ends = ends?;
        sleep_until(end.into()).await;
        Ok(trouble)
    }

    /// Counts a fault, and says how long it takes where it ends by itself.
    fn befall(&mut self, crowd: &Crowd, victim: usize) -> Option<Duration> {
        let (road, lasting) = (crowd.road(victim), seconds_in(LASTING));
        match fastrand::u8(0..4) {
            0 => {
                self.faults.cut += 1;
                let way = if fastrand::bool() { Way::Up } else { Way::Down };
                road.suffer(Fault::Cut(way, fastrand::usize(0..CUT_WITHIN)));
                None
            }
            1 => {
                self.faults.silent += 1;
                road.suffer(Fault::Silent);
                None
            }
            2 => {
                self.faults.gone += 1;
                road.block(true);
                let now = Instant::now();
                self.gone.push((victim, now, now + lasting));
                Some(lasting)
            }
            _ => {
                self.faults.slow += 1;
                road.suffer(SLOW);
                Some(lasting)
            }
        }
    }
}

/// Lets a fault befall somebody every so often.
async fn trouble_roads(settings: &Settings, crowd: &Crowd, end: Instant) -> PageError {
    let mut trouble = PageError::default();
    if settings.fault_every <= 0.0 {
        return trouble;
    }
    let mut moments = interval(Duration::from_secs_f64(settings.fault_every));
    let mut lasting = FuturesUnordered::new();
    let mut troubled = vec![false; settings.people];
    loop {
        tokio::select! {
            _ = moments.tick() => {
                let victim = fastrand::usize(..settings.people);
                if !troubled[victim] && let Some(time) = trouble.befall(crowd, victim) {
                    troubled[victim] = true;
                    lasting.push(async move { sleep(time).await; victim });
                }
            }
            Some(victim) = lasting.next() => {
                troubled[victim] = false;
                crowd.road(victim).block(false);
                crowd.road(victim).suffer(Fault::Sound);
            }
            () = sleep_until(end.into()) => return trouble,
        }
    }
}

/// Kills and restarts the server at random moments, with at least a few seconds of the soak around them.
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
        server.end(signal).await?;
        server.again().await?;
        ends.push((at, Instant::now()));
    }
    Ok(ends)
}

fn seconds_in(range: std::ops::Range<f64>) -> Duration {
    Duration::from_secs_f64(range.start + fastrand::f64() * (range.end - range.start))
}
