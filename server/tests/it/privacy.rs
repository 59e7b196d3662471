//! Retention, exports and erasures, as users meet them.

use crate::support::{TestDatabase, TestServer, V1, browser, room, sent, visitor, within_timeout};
use app::wire::{EventBody, Retention, Seq, ServerFrame, UserId};
use reqwest::{Client, StatusCode};
use rusqlite::Connection;
use serde_json::Value;
use server::{
    store::{
        ABANDONED_AFTER, AccessStore, ErasureStore, EventStore, MAX_EXPIRED_PER_STEP, NewEvent,
        RetentionStore, RoomInfo, RoomStore, ServerRetention, Setting, SqliteStore, Store, Sweep,
    },
    upkeep::{Step, Sweeper, erase_all},
};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokio::time::sleep;
use uuid::Uuid;

const ANN: UserId = UserId(0xa);
const HOUR: u64 = 3_600_000;

async fn page(browser: &Client, server: &TestServer, path: &str) -> String {
    let answer = sent(browser.get(server.http(path))).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.unwrap()
}

async fn form(browser: &Client, server: &TestServer, path: &str, fields: &[(&str, &str)]) -> StatusCode {
    sent(browser.post(server.http(path)).form(fields)).await.status()
}

/// Expires everything in a room.
async fn expire(store: &dyn Store, name: &str) {
    let server = ServerRetention { default: Retention::try_from(1).unwrap(), is_limit: false };
    let sweep = Sweep { now: store.clock().await.unwrap() + 48 * HOUR, server };
    while store.expire(room(name), sweep).await.unwrap() > 0 {}
}

/// Waits for an event of a room that matches.
async fn event(client: &mut V1, wanted: impl Fn(&EventBody) -> bool) -> Seq {
    loop {
        if let ServerFrame::Events { events, .. } = client.next_frame().await
            && let Some(found) = events.iter().find(|event| wanted(&event.body))
        {
            return found.seq;
        }
    }
}

#[tokio::test]
async fn owner_sets_how_long_messages_are_kept_and_everyone_sees_it() {
    let server = TestServer::start().await;
    let (ann, bob) = (visitor(&server).await, visitor(&server).await);
    assert_eq!(form(&ann, &server, "/rooms", &[("title", "Tea")]).await, StatusCode::SEE_OTHER);
    let mut carol = V1::connect_and_join(&server, "tea").await;
    assert!(page(&bob, &server, "/r/tea").await.contains("Messages are kept without limit."));
    let week = [("title", "Tea"), ("topic", ""), ("keep", "168")];
    assert_eq!(form(&bob, &server, "/r/tea/about", &week).await, StatusCode::FORBIDDEN);
    assert_eq!(form(&ann, &server, "/r/tea/about", &week).await, StatusCode::SEE_OTHER);
    loop {
        if let ServerFrame::RoomUpdated { kept_hours: Some(hours), .. } = carol.next_frame().await {
            assert_eq!(hours, 168);
            break;
        }
    }
    let shown = page(&bob, &server, "/r/tea").await;
    assert!(shown.contains("Messages are kept for a week.") && !shown.contains("name=\"keep\""), "{shown}");
    let own = page(&ann, &server, "/r/tea").await;
    assert!(own.contains("<option value=\"168\" selected"), "{own}");
    let ServerFrame::Joined { kept_hours, .. } = V1::connect(&server).await.join("tea", None).await else {
        panic!("it joins")
    };
    assert_eq!(kept_hours, Some(168));
    // A form without the field changes nothing; a bad value keeps what was typed.
    form(&ann, &server, "/r/tea/about", &[("title", "Tea"), ("topic", "leaves")]).await;
    assert!(page(&bob, &server, "/r/tea").await.contains("kept for a week"));
    let bad = [("title", "Tea"), ("topic", "typed"), ("keep", "87601")];
    let answer = sent(ann.post(server.http("/r/tea/about")).form(&bad)).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(answer.text().await.unwrap().contains("value=\"typed\""));
    form(&ann, &server, "/r/tea/about", &[("title", "Tea"), ("keep", "")]).await;
    assert!(page(&bob, &server, "/r/tea").await.contains("Messages are kept without limit."));
}

#[tokio::test]
async fn live_clients_pages_and_caches_forget_what_has_expired() {
    let server = TestServer::start().await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    for text in ["secret one", "secret two"] {
        let message = NewEvent::message(Uuid::now_v7(), room("tea"), ANN, text);
        server.store().append(message).await.unwrap();
    }
    event(&mut ann, |body| matches!(body, EventBody::Message { text, .. } if &**text == "secret two")).await;
    let browser = browser();
    let messages = server.http("/api/rooms/tea/messages");
    let before = sent(browser.get(&messages)).await;
    let tag = before.headers()["etag"].clone();
    assert!(before.text().await.unwrap().contains("secret one"));
    expire(server.store(), "tea").await;
    let seq = event(&mut ann, |body| *body == EventBody::Expire { up_to: 2 }).await;
    assert_eq!(seq, 3);
    let after = sent(browser.get(&messages).header("if-none-match", tag)).await;
    assert_eq!(after.status(), StatusCode::OK, "the copy is out of date");
    for path in ["/r/tea", "/api/rooms/tea/messages", "/api/rooms/tea/events?after=0", "/r/tea?around=1"] {
        let shown = page(&browser, &server, path).await;
        assert!(!shown.contains("secret"), "{path}: {shown}");
    }
    // A client that was away gets the places, and the event; a new message follows.
    let mut bob = V1::connect(&server).await;
    bob.join("tea", Some(1)).await;
    event(&mut bob, |body| *body == EventBody::Expire { up_to: 2 }).await;
    let message = NewEvent::message(Uuid::now_v7(), room("tea"), ANN, "new");
    server.store().append(message).await.unwrap();
    event(&mut bob, |body| matches!(body, EventBody::Message { text, .. } if &**text == "new")).await;
}

/// Changes the times of everything in a file, which a store has open.
fn age(file: &Path, hours: u64) {
    let millis = hours * HOUR;
    Connection::open(file)
        .unwrap()
        .execute_batch(&format!(
            "UPDATE event SET at = at - {millis}; UPDATE room SET visited_at = visited_at - {millis}"
        ))
        .unwrap();
}

async fn sweep_round(sweeper: &mut Sweeper, store: &dyn Store) -> u32 {
    let mut steps = 1;
    while sweeper.step(store).await.unwrap() == Step::More {
        steps += 1;
    }
    steps
}

#[tokio::test]
async fn sweep_removes_expired_messages_and_continues_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hubbub.db");
    let store = SqliteStore::open(&file).unwrap();
    let info = |title: &str, hours: Option<u32>| RoomInfo {
        title: Some(title.parse().unwrap()),
        owner: Some(ANN),
        retention: hours.map(|hours| hours.try_into().unwrap()),
        ..RoomInfo::default()
    };
    store.create_room(room("day"), info("Day", Some(24))).await.unwrap();
    store.create_room(room("kept"), info("Kept", None)).await.unwrap();
    // More than the commits of one step remove.
    let count = 12 * u64::from(MAX_EXPIRED_PER_STEP);
    for name in ["day", "kept", "abandoned"] {
        let count = if name == "abandoned" { 1 } else { count };
        let post = |n: u64| NewEvent::message(Uuid::now_v7(), room(name), ANN, &format!("old {n}"));
        futures_util::future::try_join_all((0..count).map(|n| store.append(post(n)))).await.unwrap();
    }
    age(&file, 25);
    store.append(NewEvent::message(Uuid::now_v7(), room("day"), ANN, "young")).await.unwrap();
    let mut sweeper = Sweeper::default();
    assert_eq!(sweeper.step(&store).await.unwrap(), Step::More);
    let left = async |store: &SqliteStore, name: &str| {
        store.messages_before(&room(name), Seq::MAX, 500).await.unwrap().messages.len()
    };
    assert!(left(&store, "day").await > 1);
    drop(store);
    let store = SqliteStore::open(&file).unwrap();
    sweep_round(&mut Sweeper::default(), &store).await;
    assert_eq!((left(&store, "day").await, left(&store, "kept").await), (1, 500));
    assert_eq!(store.room(&room("abandoned")).await.unwrap().head, 1);
    let server = ServerRetention { default: Retention::try_from(30).unwrap(), is_limit: false };
    store.set(Setting::Retention, Some(server.to_string().into())).await.unwrap();
    age(&file, ABANDONED_AFTER / HOUR);
    sweep_round(&mut Sweeper::default(), &store).await;
    assert_eq!(store.room(&room("abandoned")).await.unwrap().head, 0);
    assert_eq!((left(&store, "day").await, left(&store, "kept").await), (0, 0));
}

#[tokio::test]
async fn a_sweep_holds_up_no_post() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hubbub.db");
    let store = SqliteStore::open(&file).unwrap();
    let server = ServerRetention { default: Retention::try_from(1).unwrap(), is_limit: false };
    store.set(Setting::Retention, Some(server.to_string().into())).await.unwrap();
    let text = "x".repeat(200);
    let old = (0..5_000).map(|_| store.append(NewEvent::message(Uuid::now_v7(), room("tea"), ANN, &text)));
    futures_util::future::try_join_all(old).await.unwrap();
    age(&file, 2);
    let posting = async {
        let mut times = Vec::new();
        for _ in 0..100 {
            let start = Instant::now();
            let message = NewEvent::message(Uuid::now_v7(), room("jam"), ANN, &text);
            store.append(message).await.unwrap();
            times.push(start.elapsed());
            sleep(Duration::from_millis(2)).await;
        }
        times.sort_unstable();
        times
    };
    let sweeping = async {
        let mut sweeper = Sweeper::default();
        while sweeper.step(&store).await.unwrap() == Step::More {}
    };
    let (times, ()) = tokio::join!(posting, sweeping);
    let left = store.messages_before(&room("tea"), Seq::MAX, 10).await.unwrap().messages;
    assert!(left.is_empty(), "the sweep has ended");
    assert!(times[50] < Duration::from_millis(200) && times[99] < Duration::from_secs(2), "{times:?}");
}

#[tokio::test]
async fn of_two_servers_on_a_postgres_database_one_sweeps() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (database.open().await, database.open().await);
    let minute = Duration::from_secs(60);
    assert!(one.take_lease("sweep", minute).await.unwrap());
    assert!(!two.take_lease("sweep", minute).await.unwrap());
    assert!(one.take_lease("sweep", minute).await.unwrap());
    assert!(two.take_lease("erase", minute).await.unwrap(), "another task");
    // The first server dies, and its lease ends.
    database.execute("UPDATE lease SET expires_at = 0 WHERE task = 'sweep'").await;
    assert!(two.take_lease("sweep", minute).await.unwrap());
    assert!(!one.take_lease("sweep", minute).await.unwrap());
    // Posts of a server and a sweep of the other one do not disturb each other.
    let server = ServerRetention { default: Retention::try_from(1).unwrap(), is_limit: false };
    let sweep = Sweep { now: one.clock().await.unwrap() + 2 * HOUR, server };
    let post = |n: u64| one.append(NewEvent::message(Uuid::now_v7(), room("tea"), ANN, &n.to_string()));
    futures_util::future::try_join_all((0..300).map(post)).await.unwrap();
    let (posted, swept) = tokio::join!(futures_util::future::join_all((300..400).map(post)), async {
        for _ in 0..3 {
            two.expire(room("tea"), sweep).await.unwrap();
        }
    });
    assert!(posted.iter().all(Result::is_ok), "{swept:?}");
    let events = one.events_after(&room("tea"), 0, 500).await.unwrap();
    let seqs: Vec<Seq> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as Seq).collect::<Vec<_>>(), "no position is missing");
}

#[tokio::test]
async fn one_of_two_postgres_servers_erases_and_then_the_other_may() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (database.open().await, database.open().await);
    for user in [ANN, UserId(8)] {
        one.append(NewEvent::message(Uuid::now_v7(), room("tea"), user, "mine")).await.unwrap();
    }
    one.begin_erasure(ANN).await.unwrap();
    assert!(two.take_lease("erase", Duration::from_secs(60)).await.unwrap());
    assert!(!erase_all(&one).await.unwrap(), "it is the turn of the other server");
    assert!(erase_all(&two).await.unwrap());
    assert!(one.erasure(ANN).await.unwrap().unwrap().finished_at.is_some());
    one.begin_erasure(UserId(8)).await.unwrap();
    assert!(erase_all(&one).await.unwrap(), "nobody waits for the end of a lease");
    assert!(one.erasure(UserId(8)).await.unwrap().unwrap().finished_at.is_some());
}

#[tokio::test]
async fn an_export_has_everything_of_the_user_and_nothing_of_others() {
    let server = TestServer::start().await;
    let (ann, bob) = (visitor(&server).await, visitor(&server).await);
    form(&ann, &server, "/name", &[("name", "Ann \"A\"")]).await;
    for (who, path, text) in
        [(&ann, "/r/tea", "one\ntwo"), (&bob, "/r/tea", "of Bob"), (&ann, "/r/jam", "jam")]
    {
        assert_eq!(form(who, &server, path, &[("text", text)]).await, StatusCode::SEE_OTHER);
    }
    form(&ann, &server, "/r/tea/2/react", &[("give", "👍")]).await;
    let answer = sent(ann.get(server.http("/you/export"))).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let text = answer.text().await.unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == *kind).collect::<Vec<_>>();
    assert_eq!(of("profile")[0]["name"], "Ann \"A\"");
    assert_eq!(of("read_marker").len(), 2);
    let texts: Vec<&str> = of("message").iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert!(texts.contains(&"one\ntwo") && texts.contains(&"jam") && texts.len() == 2, "{texts:?}");
    assert!(of("message").iter().all(|line| line["at"].as_u64().unwrap() > 0 && line["room"].is_string()));
    assert_eq!(of("reaction").len(), 1, "{text}");
    assert!(!text.contains("of Bob"));
    assert_eq!(lines.last().unwrap()["type"], "end");
    let compressed = sent(ann.get(server.http("/you/export")).header("accept-encoding", "gzip")).await;
    assert_eq!(compressed.headers()["content-encoding"], "gzip");
    assert!(!compressed.bytes().await.expect("it is complete").is_empty());
}

#[tokio::test]
async fn a_user_erases_everything_and_is_a_new_user_afterwards() {
    let server = TestServer::start().await;
    let (ann, bob) = (visitor(&server).await, visitor(&server).await);
    form(&ann, &server, "/name", &[("name", "Mystery Ann")]).await;
    for n in 0..3 {
        form(&ann, &server, "/r/tea", &[("text", &format!("secret {n}"))]).await;
    }
    form(&bob, &server, "/r/tea", &[("text", "hello")]).await;
    let cookie = server.new_user_cookie().await;
    assert!(!cookie.is_empty());
    let offered = page(&ann, &server, "/you/data").await;
    assert!(offered.contains("action=\"/you/erase\"") && offered.contains("/you/export"), "{offered}");
    let unconfirmed = sent(ann.post(server.http("/you/erase")).form(&[("other", "")])).await;
    assert_eq!(unconfirmed.status(), StatusCode::BAD_REQUEST);
    assert!(unconfirmed.text().await.unwrap().contains("Nothing was erased"));
    assert!(page(&bob, &server, "/r/tea").await.contains("secret 1"));
    let mut carol = V1::connect_and_join(&server, "tea").await;
    let started = sent(ann.post(server.http("/you/erase")).form(&[("confirm", "yes")])).await;
    assert_eq!(started.status(), StatusCode::SEE_OTHER);
    let late = form(&ann, &server, "/r/tea", &[("text", "late")]).await;
    assert_eq!(late, StatusCode::FORBIDDEN, "what another device still has is refused");
    event(&mut carol, |body| *body == EventBody::Delete { target: 3 }).await;
    let erased = async {
        loop {
            let answer = sent(ann.get(server.http("/you/data"))).await;
            let has_cookie = answer.headers().contains_key("set-cookie");
            let shown = answer.text().await.unwrap();
            assert!(shown.contains("hubbub/"), "the browser forgets its drafts: {shown}");
            if shown.contains("Everything is erased: 3 messages and reactions.") {
                assert!(has_cookie, "the browser is a new user");
                return;
            }
            assert!(shown.contains("http-equiv=\"refresh\""), "{shown}");
            sleep(Duration::from_millis(50)).await;
        }
    };
    within_timeout(erased).await;
    let shown = page(&bob, &server, "/r/tea").await;
    assert!(!shown.contains("secret") && !shown.contains("Mystery") && shown.contains("hello"), "{shown}");
    assert!(page(&ann, &server, "/you/data").await.contains("action=\"/you/erase\""), "a new user");
    assert_eq!(form(&ann, &server, "/r/tea", &[("text", "hello again")]).await, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn another_site_can_neither_erase_nor_read_anything() {
    let server = TestServer::start().await;
    let ann = visitor(&server).await;
    let erase = ann.post(server.http("/you/erase")).form(&[("confirm", "yes")]);
    assert_eq!(sent(erase.header("origin", "https://evil.example")).await.status(), StatusCode::FORBIDDEN);
    assert!(page(&ann, &server, "/you/data").await.contains("action=\"/you/erase\""));
    let export = sent(ann.get(server.http("/you/export")).header("origin", "https://evil.example")).await;
    assert!(!export.headers().contains_key("access-control-allow-origin"));
}
