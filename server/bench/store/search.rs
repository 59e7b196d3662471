//! Measures the search: how fast messages come into the index, what that costs those who post, and how long queries take.

use super::{Outcome, fill::config, quantiles::Quantiles};
use app::wire::{RoomName, UserId};
use futures_util::{
    StreamExt,
    future::{join_all, try_join_all},
    stream::FuturesUnordered,
};
use server::{
    startup::start,
    store::{IndexLag, NewEvent, ParsedQuery, PostgresStore, SearchQuery, SearchScope, Store},
    upkeep::follow_index,
};
use std::{
    io::{Write, stdout},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{MissedTickBehavior, interval, sleep};
use uuid::Uuid;

/// Messages that are appended at once.
const APPENDS_PER_BATCH: u64 = 4_096;

/// Rooms: the first has half of the messages, the last one lacks the word that is common elsewhere.
const ROOMS: u64 = 50;

/// Words that the texts are made of, the first ones most often, as in a language.
const WORDS: u64 = 20_000;

/// Runs of each query.
const RUNS: usize = 200;

/// Posts a second while the lag is measured, and for how many seconds.
const STEADY_RATE: u64 = 1_000;
const STEADY_SECONDS: u64 = 15;

/// Posts in flight while the speed of posts is measured, for how long, and how often in turns.
const IN_FLIGHT: usize = 64;
const POSTING_TIME: Duration = Duration::from_secs(4);
const POSTING_ROUNDS: usize = 4;

/// Opens a data folder, or a database.
pub async fn measure(data: &Path, url: Option<&str>, messages: u64) -> Outcome {
    let store: Arc<dyn Store> = match url {
        None => start(config(data))?.state.store.clone(),
        Some(url) => Arc::new(PostgresStore::open(&url.parse()?, &[7; 64]).await?),
    };
    let rooms: Vec<RoomName> = (0..ROOMS).map(|n| format!("search-{n}").parse()).collect::<Result<_, _>>()?;
    fill(&*store, &rooms, messages).await?;
    index(&*store, &rooms).await?;
    query(&*store, &rooms).await?;
    lag(store.clone(), &rooms).await?;
    posting(store.clone(), &rooms).await?;
    store.close().await;
    Ok(())
}

/// Returns the text of message `n`: words of which few are frequent, and some Chinese.
fn text(n: u64, room: u64) -> String {
    let word = || {
        let place = (fastrand::f64() * (WORDS as f64).ln()).exp() as u64;
        format!("w{}", place.min(WORDS - 1))
    };
    let mut words: Vec<String> = (0..4 + n % 13).map(|_| word()).collect();
    if room != ROOMS - 1 && n.is_multiple_of(3) {
        words.push("everywhere".into());
    }
    if n.is_multiple_of(5) {
        let character = || char::from_u32(0x4e00 + fastrand::u32(..600)).unwrap_or('茶');
        words.push((0..8).map(|_| character()).collect());
    }
    if n.is_multiple_of(50_000) {
        words.push("needle in haystack 北京".into());
    }
    words.join(" ")
}

async fn fill(store: &dyn Store, rooms: &[RoomName], messages: u64) -> Outcome {
    let filled: u64 = store.heads(rooms).await?.iter().sum();
    let began = Instant::now();
    let mut done = filled;
    while done < messages {
        let posts = (done..messages.min(done + APPENDS_PER_BATCH)).map(|n| {
            let room = if n % 2 == 0 { 0 } else { n / 2 % ROOMS };
            store.append(NewEvent::message(
                Uuid::now_v7(),
                rooms[room as usize].clone(),
                UserId(1 + n % 200),
                &text(n, room),
            ))
        });
        for appended in join_all(posts).await {
            appended?;
        }
        done += APPENDS_PER_BATCH;
    }
    let rate = messages.saturating_sub(filled) as f64 / began.elapsed().as_secs_f64();
    writeln!(stdout(), "{messages} messages, appended at {rate:.0} a second")?;
    Ok(())
}

async fn index(store: &dyn Store, rooms: &[RoomName]) -> Outcome {
    let (began, mut events) = (Instant::now(), 0_u64);
    let mut longest = Duration::ZERO;
    loop {
        let step_began = Instant::now();
        let step = store.index(rooms).await?;
        longest = longest.max(step_began.elapsed());
        events += u64::from(step.events);
        if !step.more {
            break;
        }
    }
    let rate = events as f64 / began.elapsed().as_secs_f64();
    writeln!(stdout(), "{events} events indexed at {rate:.0} a second; longest step {longest:.0?}")?;
    Ok(())
}

async fn query(store: &dyn Store, rooms: &[RoomName]) -> Outcome {
    let last = &rooms[rooms.len() - 1..];
    for (what, query, of) in [
        ("a word", "w150", None),
        ("a common word", "everywhere", None),
        ("a rare word", "needle", None),
        ("a word that is nowhere", "nowhere", None),
        ("a phrase", "\"w3 w1\"", None),
        ("a rare phrase", "\"needle in haystack\"", None),
        ("two common words", "w1 w2", None),
        ("two Chinese characters", "北京", None),
        ("two frequent Chinese characters", "一丁", None),
        ("one Chinese character", "丁", None),
        ("a common word that the room lacks", "everywhere", Some(last)),
        ("a common word, a phrase that the room lacks", "w1 \"everywhere w1\"", Some(last)),
        ("a common word in a small room", "w1", Some(last)),
    ] {
        let parsed = ParsedQuery::parse(query)?;
        let scope = match of {
            Some(rooms) => SearchScope { rooms: rooms.to_vec(), ..SearchScope::default() },
            None => SearchScope { is_public: true, ..SearchScope::default() },
        };
        let query = SearchQuery { phrases: parsed.phrases, scope, limit: 20, ..SearchQuery::default() };
        let (mut took, mut found) = (Quantiles::default(), 0);
        for _ in 0..RUNS {
            let began = Instant::now();
            found = store.search(query.clone()).await?.hits.len();
            took.add(began.elapsed());
        }
        let took = took.sorted();
        let (p50, p95, p99) = (took.at(0.5), took.at(0.95), took.at(0.99));
        writeln!(stdout(), "{what:45} {found:3} found, p50 {p50:6.2} p95 {p95:6.2} p99 {p99:6.2} ms")?;
    }
    Ok(())
}

/// Posts at a steady rate while the index follows. Prints how long the last message of each tenth of a second took until it was
/// found.
async fn lag(store: Arc<dyn Store>, rooms: &[RoomName]) -> Outcome {
    let following = store.clone();
    let follower = tokio::spawn(async move { follow_index(&*following, &IndexLag::default()).await });
    let (mut delays, mut waiting) = (Quantiles::default(), Vec::new());
    let mut tick = interval(Duration::from_millis(100));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for n in 0..STEADY_SECONDS * 10 {
        tick.tick().await;
        let posts = (0..STEADY_RATE / 10).map(|k| {
            store.append(NewEvent::message(
                Uuid::now_v7(),
                rooms[(k % ROOMS) as usize].clone(),
                UserId(1),
                &text(k, 0),
            ))
        });
        try_join_all(posts).await?;
        let mark = format!("mark{}x{n}", Uuid::new_v4().simple());
        store.append(NewEvent::message(Uuid::now_v7(), rooms[0].clone(), UserId(1), &mark)).await?;
        let store = store.clone();
        waiting.push(tokio::spawn(wait_until_found(store, mark, Instant::now())));
    }
    for found in waiting {
        delays.add(found.await??);
    }
    follower.abort();
    let delays = delays.sorted();
    writeln!(stdout(), "{STEADY_RATE} posts a second: found after {delays}")?;
    Ok(())
}

async fn wait_until_found(
    store: Arc<dyn Store>,
    mark: String,
    began: Instant,
) -> Result<Duration, server::store::StoreError> {
    let scope = SearchScope { is_public: true, ..SearchScope::default() };
    let mark = mark.chars().take(server::store::MAX_TOKEN_CHARS).collect();
    let query = SearchQuery { phrases: vec![vec![mark]], scope, limit: 1, ..SearchQuery::default() };
    while store.search(query.clone()).await?.hits.is_empty() {
        sleep(Duration::from_millis(50)).await;
    }
    Ok(began.elapsed())
}

/// Posts as fast as possible, in turns without an index that follows and with one.
async fn posting(store: Arc<dyn Store>, rooms: &[RoomName]) -> Outcome {
    let mut rates = [0.0, 0.0];
    for round in 0..POSTING_ROUNDS {
        // The second one has the larger store: so the order changes.
        for is_followed in [round % 2 == 1, round % 2 == 0] {
            let following = store.clone();
            let follower = is_followed
                .then(|| tokio::spawn(async move { follow_index(&*following, &IndexLag::default()).await }));
            rates[usize::from(is_followed)] += post(&*store, rooms).await? / POSTING_ROUNDS as f64;
            if let Some(follower) = follower {
                follower.abort();
            }
        }
    }
    let [without, with] = rates;
    let part = 100.0 * with / without;
    writeln!(stdout(), "posts a second without the index {without:.0}, with it {with:.0}: {part:.0} %")?;
    Ok(())
}

async fn post(store: &dyn Store, rooms: &[RoomName]) -> Result<f64, server::store::StoreError> {
    let post = |n: u64| {
        let room = rooms[(n % ROOMS) as usize].clone();
        store.append(NewEvent::message(Uuid::now_v7(), room, UserId(1 + n % 200), &text(n, 0)))
    };
    let mut under_way: FuturesUnordered<_> = (0..IN_FLIGHT as u64).map(post).collect();
    let (began, mut events) = (Instant::now(), 0_u64);
    while began.elapsed() < POSTING_TIME {
        if let Some(done) = under_way.next().await {
            done?;
            events += 1;
            under_way.push(post(events));
        }
    }
    let rate = events as f64 / began.elapsed().as_secs_f64();
    while let Some(done) = under_way.next().await {
        done?;
    }
    Ok(rate)
}
