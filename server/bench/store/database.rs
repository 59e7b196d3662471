//! Measures commits of several servers into one PostgreSQL database.

use super::{Outcome, quantiles::Quantiles};
use app::wire::{RoomName, UserId};
use futures_util::{StreamExt, future::try_join_all, stream::FuturesUnordered};
use server::store::{NewEvent, PostgresStore, Store, StoreError};
use std::{
    fs::File,
    io::{Seek, Write, stdout},
    time::{Duration, Instant},
};
use tempfile::tempfile_in;
use uuid::Uuid;

/// Posts in flight, of all servers together.
const IN_FLIGHT: [usize; 4] = [2, 16, 64, 1_024];

/// Rooms that all servers post in, and authors of each server.
const ROOMS: usize = 16;
const AUTHORS: u64 = 50;

/// Syncs of which the mean is printed, each of 8 KiB.
const SYNCS: u32 = 200;

/// Appends to the database at `url` from `servers` stores.
pub async fn measure(url: &str, servers: usize, seconds: f64) -> Outcome {
    let url = url.parse()?;
    let stores = try_join_all((0..servers).map(|_| PostgresStore::open(&url, &[0; 64]))).await?;
    writeln!(stdout(), "a sync of the disk here takes {:?}", sync_time(tempfile_in(".")?)?)?;
    let rooms: Vec<RoomName> = (0..ROOMS).map(|n| format!("bench-{n}").parse()).collect::<Result<_, _>>()?;
    for in_flight in IN_FLIGHT {
        let each = (in_flight / servers).max(1);
        let runs = stores.iter().zip(1..).map(|(store, n)| append(store, n, &rooms, each, seconds));
        let mut took = Quantiles::default();
        let mut events = 0;
        for times in try_join_all(runs).await? {
            events += times.len();
            times.into_iter().for_each(|time| took.add(time));
        }
        let rate = events as f64 / seconds;
        let took = took.sorted();
        writeln!(
            stdout(),
            "{servers} servers, {in_flight:5} in flight: {rate:7.0} events/s, answered {took}"
        )?;
    }
    for store in stores {
        store.close().await;
    }
    Ok(())
}

/// Returns the latency of each event of one store.
async fn append(
    store: &PostgresStore,
    server: u64,
    rooms: &[RoomName],
    in_flight: usize,
    seconds: f64,
) -> Result<Vec<Duration>, StoreError> {
    let text = "x".repeat(100);
    let post = |n: usize| {
        let author = UserId(server * AUTHORS + n as u64 % AUTHORS);
        let event = NewEvent::message(Uuid::now_v7(), rooms[n % rooms.len()].clone(), author, &text);
        let (appended, began) = (server::store::EventStore::append(store, event), Instant::now());
        async move { appended.await.map(|_| began.elapsed()) }
    };
    let mut under_way: FuturesUnordered<_> = (0..in_flight).map(post).collect();
    let (mut times, began) = (Vec::new(), Instant::now());
    while let Some(done) = under_way.next().await {
        times.push(done?);
        if began.elapsed() < Duration::from_secs_f64(seconds) {
            under_way.push(post(times.len()));
        }
    }
    Ok(times)
}

fn sync_time(mut file: File) -> std::io::Result<Duration> {
    let began = Instant::now();
    for _ in 0..SYNCS {
        file.rewind()?;
        file.write_all(&[7; 8_192])?;
        file.sync_data()?;
    }
    Ok(began.elapsed() / SYNCS)
}
