//! Measures commits: events a second.

use super::{Outcome, fill::config, pages::largest_room, quantiles::Quantiles};
use app::wire::{RoomName, Seq, UserId};
use futures_util::{StreamExt, stream::FuturesUnordered};
use server::{
    startup::start,
    store::{NewEvent, Options, RoomRecord, SqliteStore, Store, Synchronous},
};
use std::{
    io::{Write, stdout},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tempfile::tempdir_in;
use uuid::Uuid;

/// Posts in flight: one, as many as a connection may have, and as many as one commit takes.
const IN_FLIGHT: [usize; 3] = [1, 64, 1_024];

/// Concurrent readers that catch up, and the events of each read, as for a connection.
const READERS: usize = 4;
const READ_BATCH: u32 = 128;

/// Appends to an empty store in both synchronous modes.
pub async fn measure(seconds: f64) -> Outcome {
    for synchronous in [Synchronous::Full, Synchronous::Normal] {
        for in_flight in IN_FLIGHT {
            let folder = tempdir_in("target")?;
            let save_key = &mut |_: &[u8]| Ok(());
            let options = Options { synchronous, max_bytes: None, save_key };
            let log = SqliteStore::open_with(&folder.path().join("hubbub.db"), options)?;
            let (rate, took) = append(&log, in_flight, seconds).await?;
            let how = format!("{synchronous:?}").to_uppercase();
            writeln!(stdout(), "{how:7} {in_flight:5} under way: {rate:7.0} events/s, answered {took}")?;
            log.close().await;
        }
    }
    Ok(())
}

/// Appends to the store in `data`, alone and beside readers.
pub async fn measure_with_readers(data: &Path, seconds: f64) -> Outcome {
    let started = start(config(data))?;
    let log = started.state.store.clone();
    for readers in [0, READERS] {
        let (stop, read) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let reading: Vec<_> =
            (0..readers).map(|_| tokio::spawn(catch_up(log.clone(), stop.clone(), read.clone()))).collect();
        let (rate, took) = append(&*log, 64, seconds).await?;
        stop.store(true, Ordering::Relaxed);
        for reader in reading {
            reader.await?;
        }
        let read = read.load(Ordering::Relaxed) as f64 / seconds;
        writeln!(
            stdout(),
            "FULL       64 under way beside {readers} readers: {rate:7.0} events/s, answered {took}; {read:.0} events/s read"
        )?;
    }
    log.close().await;
    Ok(())
}

/// Returns the events a second, and the latency of each.
async fn append(
    log: &dyn Store,
    in_flight: usize,
    seconds: f64,
) -> Result<(f64, Quantiles), server::store::StoreError> {
    let room: RoomName = RoomName::lobby();
    let text = "x".repeat(64);
    let post = || {
        let appended = log.append(NewEvent::message(Uuid::now_v7(), room.clone(), UserId(1), &text));
        let began = Instant::now();
        async move { appended.await.map(|_| began.elapsed()) }
    };
    let mut under_way: FuturesUnordered<_> = (0..in_flight).map(|_| post()).collect();
    let (mut took, mut events) = (Quantiles::default(), 0_u64);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs_f64(seconds) {
        if let Some(done) = under_way.next().await {
            took.add(done?);
            events += 1;
            under_way.push(post());
        }
    }
    let rate = events as f64 / began.elapsed().as_secs_f64();
    while under_way.next().await.is_some() {}
    Ok((rate, took.sorted()))
}

/// Reads the largest room from its beginning, repeatedly.
async fn catch_up(log: Arc<dyn Store>, stop: Arc<AtomicBool>, read: Arc<AtomicU64>) {
    let Ok(Some(RoomRecord { room, .. })) = largest_room(&*log).await else { return };
    let mut after: Seq = 0;
    while !stop.load(Ordering::Relaxed) {
        let Ok(events) = log.events_after(&room, after, READ_BATCH).await else { return };
        read.fetch_add(events.len() as u64, Ordering::Relaxed);
        after = events.last().map_or(0, |event| event.seq);
    }
}
