//! Measures the latency of pages of a full store, over a real connection.

use super::{Outcome, fill::config, quantiles::Quantiles};
use server::{
    serve::serve,
    startup::start,
    store::{MAX_ROOMS_PER_READ, RoomOrder, RoomQuery, RoomRecord, Store, StoreResult},
};
use std::{
    io::{Write, stdout},
    path::Path,
    time::Instant,
};
use tokio::net::TcpListener;

/// Requests for each measurement.
const REQUESTS: usize = 300;

/// Starts a server on `data` and requests pages of its largest room.
pub async fn measure(data: &Path) -> Outcome {
    let began = Instant::now();
    let started = start(config(data))?;
    writeln!(stdout(), "the store is opened in {:.0} ms", began.elapsed().as_secs_f64() * 1_000.0)?;
    let state = started.state.clone();
    let RoomRecord { room, head, .. } = largest_room(&*state.store).await?.ok_or("the folder is empty")?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(serve(listener, state.clone()));
    let middle = head / 2;
    for (what, path) in [
        ("the newest page", format!("/r/{room}")),
        ("a page in the middle", format!("/r/{room}?before={middle}")),
        ("around a message", format!("/r/{room}?around={middle}")),
        ("messages, JSON", format!("/api/rooms/{room}/messages?before={middle}")),
        ("1,000 events, JSON", format!("/api/rooms/{room}/events?after={middle}&limit=1000")),
    ] {
        let took = ask(&format!("http://{address}{path}")).await?;
        writeln!(stdout(), "{what:22} of {head} events: {took}")?;
    }
    state.draining.cancel();
    serving.await?;
    Ok(())
}

/// Returns the room with the most events, among the first ones by name.
pub async fn largest_room(store: &dyn Store) -> StoreResult<Option<RoomRecord>> {
    let rooms = store.list_rooms(RoomQuery::new(RoomOrder::Name, MAX_ROOMS_PER_READ)).await?;
    Ok(rooms.into_iter().max_by_key(|room| room.head))
}

async fn ask(url: &str) -> reqwest::Result<Quantiles> {
    let client = reqwest::Client::builder().cookie_store(true).build()?;
    let mut took = Quantiles::default();
    for n in 0..=REQUESTS {
        let began = Instant::now();
        client.get(url).send().await?.error_for_status()?.bytes().await?;
        // The first request opens the connection.
        if n > 0 {
            took.add(began.elapsed());
        }
    }
    Ok(took.sorted())
}
