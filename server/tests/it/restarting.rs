//! Restarts of the real binary while clients post.

use crate::support::{Kept, Pace, Person, Process, Verdict, events, within_timeout};
use app::client::Operation;
use std::{
    io::{Write, stdout},
    ops::Deref,
    time::Duration,
};
use tokio::time::sleep;

const PEOPLE: usize = 50;
const TALKERS: usize = 10;
const REAL: Pace = Pace { pulse: Duration::from_secs(1), steps: Duration::from_secs(1) };

/// Lets some of the clients post until the future is dropped.
async fn talk(people: &[Person]) {
    for n in 0.. {
        for person in &people[..TALKERS] {
            person.ask(Operation::Post { text: format!("message {n}").into() });
        }
        sleep(Duration::from_millis(50)).await;
    }
}

async fn all(people: &[Person], mut so: impl FnMut(&Kept) -> bool) {
    for person in people {
        within_timeout(person.until(&mut so)).await;
    }
}

fn print_outages(signal: &str, people: &[Person]) {
    let mut blackouts: Vec<Duration> =
        people.iter().flat_map(|person| person.kept().blackouts.clone()).map(|(_, took)| took).collect();
    blackouts.sort_unstable();
    let (p50, p95) = (blackouts[blackouts.len() / 2], blackouts[blackouts.len() * 95 / 100]);
    let _ = writeln!(stdout(), "{signal}: {PEOPLE} people live again, p50 {p50:.0?}, p95 {p95:.0?}");
}

async fn restart_by(signal: &str) {
    let mut server = Process::start(env!("CARGO_BIN_EXE_hubbub").into()).await.expect("it starts");
    let people: Vec<Person> = (0..PEOPLE).map(|_| Person::enter(server.address, "tea", REAL)).collect();
    all(&people, |kept| kept.live).await;
    let restart = async {
        sleep(Duration::from_millis(500)).await;
        server.stop(signal).await.expect("it ends");
        server.restart().await.expect("it starts again");
        all(&people, |kept| !kept.blackouts.is_empty()).await;
    };
    tokio::select! {
        () = talk(&people) => {}
        () = restart => {}
    }
    all(&people, |kept| kept.session.outbox.is_empty()).await;
    let log = events(server.address, "tea").await.expect("it answers");
    all(&people, |kept| kept.settled(log.len() as u64)).await;
    print_outages(signal, &people);
    let kept: Vec<_> = people.iter().map(Person::kept).collect();
    let verdict = Verdict::on(&log, kept.iter().map(Deref::deref));
    assert!(verdict.clean() && verdict.posted >= 10 * TALKERS, "{verdict:?}");
    assert!(kept.iter().all(|kept| kept.resets == 0 && kept.gaps == 0), "every client resumed");
}

#[tokio::test]
async fn a_restart_while_clients_post_loses_repeats_and_reorders_nothing() {
    restart_by("-TERM").await;
}

#[tokio::test]
async fn a_crash_while_clients_post_loses_repeats_and_reorders_nothing() {
    restart_by("-KILL").await;
}
