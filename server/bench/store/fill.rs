//! Fills a store with appends, as a server does.

use super::Outcome;
use app::wire::{Operation, RoomName, UserId};
use futures_util::future::join_all;
use server::{config::Config, startup::start, store::NewEvent};
use std::{
    io::{Write, stdout},
    path::Path,
    time::Instant,
};
use uuid::Uuid;

/// Messages that are appended at once.
const APPENDS_PER_BATCH: u64 = 8_192;

/// One in this many messages is edited, and one deleted.
const MESSAGES_PER_EDIT: u64 = 50;
const MESSAGES_PER_DELETE: u64 = 200;

const WORDS: [&str; 16] = [
    "tea", "when", "the", "kettle", "boils", "we", "talk", "about", "rooms", "and", "how", "nothing", "is",
    "ever", "lost", "here",
];

/// Returns the settings of a server on `data`.
pub fn config(data: &Path) -> Config {
    Config { ephemeral: false, data: data.into(), post_rate: 0, ..Config::plain() }
}

/// Appends `messages`, and edits or deletes some.
pub async fn fill(data: &Path, messages: u64, rooms: u64, users: u64) -> Outcome {
    let started = start(config(data))?;
    let log = &*started.state.store;
    let rooms: Vec<RoomName> =
        (0..rooms.max(1)).map(|n| format!("years-{n}").parse()).collect::<Result<_, _>>()?;
    let began = Instant::now();
    let mut heads = vec![0; rooms.len()];
    let mut done = 0;
    while done < messages {
        let events: Vec<NewEvent> = (done..messages.min(done + APPENDS_PER_BATCH))
            .flat_map(|n| message_events(n, &rooms, users, &mut heads))
            .collect();
        for appended in join_all(events.into_iter().map(|event| log.append(event))).await {
            appended?;
        }
        done += APPENDS_PER_BATCH;
    }
    let took = began.elapsed().as_secs_f64();
    writeln!(stdout(), "{messages} messages in {took:.1} s, {:.0} a second", messages as f64 / took)?;
    log.close().await;
    Ok(())
}

/// Returns the events of message `n`, and updates `heads`.
fn message_events(n: u64, rooms: &[RoomName], users: u64, heads: &mut [u64]) -> Vec<NewEvent> {
    let index = if n.is_multiple_of(2) { 0 } else { (n / 2 % rooms.len() as u64) as usize };
    let (room, author) = (rooms[index].clone(), UserId(1 + n % users.max(1)));
    let event = |operation| NewEvent::new(Uuid::now_v7(), room.clone(), author, operation);
    let text: Vec<&str> = (0..4 + n % 13).map(|_| WORDS[fastrand::usize(..WORDS.len())]).collect();
    let target = heads[index] + 1;
    let mut events = vec![event(Operation::Post { text: text.join(" ").into(), reply_to: None })];
    if n.is_multiple_of(MESSAGES_PER_EDIT) {
        events.push(event(Operation::Edit { target, text: "as I said before".into() }));
    }
    if n.is_multiple_of(MESSAGES_PER_DELETE) {
        events.push(event(Operation::Delete { target }));
    }
    heads[index] += events.len() as u64;
    events
}
