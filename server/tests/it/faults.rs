//! The network fails at every moment; nothing is lost, repeated or reordered.

use crate::support::{Fault, Pace, Person, Proxy, TestServer, Verdict, Way, events, soon};
use app::{client::Deed, wire::Event};
use futures_util::{StreamExt, stream};
use std::{sync::Arc, time::Duration};

/// What takes twenty seconds in a browser takes a fifth of one here.
const FAST: Pace = Pace { pulse: Duration::from_millis(10), steps: Duration::from_millis(100) };

/// How many roads fail at the same time.
const AT_ONCE: usize = 32;

/// Somebody in a room of their own, on a road of their own.
struct Traveller {
    person: Person,
    road: Proxy,
    room: String,
}

impl Traveller {
    async fn set_out(server: &TestServer, room: String) -> Self {
        let road = Proxy::to(server.address).await;
        let person = Person::enter(road.address, &room, FAST);
        soon(person.until(|kept| kept.live)).await;
        Self { person, road, room }
    }

    /// Writes three messages, and waits until they have all arrived.
    async fn write(&self) {
        for text in ["one", "two", "three"] {
            self.person.ask(Deed::Post { text: text.into() });
        }
        soon(self.person.until(|kept| kept.settled(3))).await;
    }

    /// Each message is in the log once, in order, and the client shows exactly that.
    async fn assert_nothing_amiss(&self, server: &TestServer, what: &str) {
        let log = events(server.address, &self.room).await.expect("the server answers");
        let verdict = Verdict::on(&log, [&*self.person.kept()]);
        let expected = Verdict { posted: 3, acknowledged: 3, delivered: 3, ..Verdict::default() };
        assert_eq!(verdict, expected, "{what}");
    }
}

/// How many bytes go `way` while somebody writes.
async fn bytes_of_writing(server: &TestServer, way: Way) -> usize {
    let ann = Traveller::set_out(server, "sound".into()).await;
    let before = ann.road.carried(way);
    ann.write().await;
    ann.road.carried(way) - before
}

async fn cut_everywhere(way: Way) {
    let server = &TestServer::start().await;
    let bytes = bytes_of_writing(server, way).await;
    assert!(bytes > 200, "three messages have more than {bytes} bytes");
    let cuts = stream::iter(0..=bytes).map(async |after| {
        let ann = Traveller::set_out(server, format!("cut-{after}")).await;
        let before = ann.road.carried(way);
        ann.road.suffer(Fault::Cut(way, after));
        ann.write().await;
        let what = format!("cut after {after} of {bytes} bytes {way:?}");
        let arrived = ann.road.carried(way) - before <= after;
        assert!(arrived || ann.person.kept().blackouts.len() == 1, "{what}: it was cut once");
        ann.assert_nothing_amiss(server, &what).await;
    });
    cuts.buffer_unordered(AT_ONCE).collect::<()>().await;
}

#[tokio::test]
async fn a_connection_that_breaks_within_a_post_costs_nothing_wherever_it_breaks() {
    cut_everywhere(Way::Up).await;
}

#[tokio::test]
async fn a_connection_that_breaks_within_an_answer_costs_nothing_wherever_it_breaks() {
    cut_everywhere(Way::Down).await;
}

#[tokio::test]
async fn a_road_that_swallows_everything_is_noticed_and_left() {
    let server = TestServer::start().await;
    let ann = Traveller::set_out(&server, "tea".into()).await;
    ann.road.suffer(Fault::Silent);
    ann.write().await;
    assert_eq!(ann.person.kept().blackouts.len(), 1, "she came back once");
    ann.assert_nothing_amiss(&server, "silence").await;
}

#[tokio::test]
async fn a_slow_road_is_slow_and_no_more() {
    let server = TestServer::start().await;
    for way in [Way::Up, Way::Down] {
        let ann = Traveller::set_out(&server, format!("slow-{}", way as usize)).await;
        ann.road.suffer(Fault::Slow(way, 16, Duration::from_millis(2)));
        ann.write().await;
        assert!(ann.person.kept().blackouts.is_empty(), "she stayed");
        ann.assert_nothing_amiss(&server, "slowness").await;
    }
}

#[tokio::test]
async fn who_writes_offline_is_read_when_they_are_back() {
    let server = TestServer::start().await;
    let ann = Traveller::set_out(&server, "tea".into()).await;
    ann.road.block(true);
    soon(ann.person.until(|kept| !kept.live)).await;
    let back = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        ann.road.block(false);
    };
    tokio::join!(ann.write(), back);
    ann.assert_nothing_amiss(&server, "offline").await;
}

#[tokio::test]
async fn what_is_lost_repeated_or_reordered_does_not_go_unseen() {
    let server = TestServer::start().await;
    let ann = Traveller::set_out(&server, "tea".into()).await;
    ann.write().await;
    let log = events(server.address, "tea").await.expect("the server answers");
    let [one, two, three] = [0, 1, 2].map(|n| log[n].clone());
    let on = |events: &[Arc<Event>]| Verdict::on(events, [&*ann.person.kept()]);
    assert!(on(&log).clean());
    assert!(on(&[one.clone(), two.clone()]).lost > 0);
    assert!(on(&[one.clone(), two.clone(), three.clone(), three.clone()]).repeated > 0);
    assert!(on(&[one, three, two]).reordered > 0);
}
