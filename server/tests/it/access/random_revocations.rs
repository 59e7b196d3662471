//! Random orders of posts, removals and readmissions, on one server and on three: what was posted between the acknowledgement of a
//! removal and the readmission never arrives at the connection of the removed user before that readmission begins.

use super::{Visitor, act, create_room, remove};
use crate::support::{TestDatabase, TestServer, V1, join_frame, room, text, within_timeout};
use app::wire::{RoomName, ServerFrame};
use futures_util::{SinkExt, StreamExt, stream::SplitStream};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use server::store::{Action, NewEvent, RestrictionKind, Subject};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::runtime::Handle;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

/// The next step, by a server with this number.
#[derive(Debug, Clone, Copy)]
enum Step {
    Post(usize),
    Remove(usize),
    Readmit(usize),
    /// The user asks to join, allowed or not.
    Join,
}

fn step(servers: usize) -> impl Strategy<Value = Step> {
    let by = move || 0..servers;
    prop_oneof![
        6 => by().prop_map(Step::Post),
        2 => by().prop_map(Step::Remove),
        2 => by().prop_map(Step::Readmit),
        3 => Just(Step::Join),
    ]
}

async fn post(server: &TestServer, author: &Visitor, name: &RoomName, text: &str) {
    let message = NewEvent::message(Uuid::now_v7(), name.clone(), author.id, text);
    server.store().append(message).await.expect("the author may post");
}

/// The texts that a user has received.
#[derive(Default)]
struct Received {
    texts: Mutex<Vec<String>>,
    /// The readmissions that have begun.
    readmissions: AtomicUsize,
    /// Texts that were posted while the user was removed, and arrived before the readmission.
    leaks: Mutex<Vec<String>>,
}

impl Received {
    fn add(&self, text: &str) {
        let hidden = text.strip_prefix("hidden ").and_then(|removal| removal.parse().ok());
        if hidden.is_some_and(|removal: usize| self.readmissions.load(Ordering::SeqCst) < removal) {
            self.leaks.lock().unwrap().push(text.to_owned());
        }
        self.texts.lock().unwrap().push(text.to_owned());
    }
}

/// Collects the texts of live events until the last one arrives.
async fn collect<S>(mut frames: SplitStream<S>, received: Arc<Received>)
where
    S: futures_util::Stream<Item = Result<Message, tokio_tungstenite::tungstenite::Error>>,
{
    while let Some(Ok(message)) = frames.next().await {
        let Message::Text(json) = message else { continue };
        if let ServerFrame::Events { events, .. } = serde_json::from_str(&json).expect("a frame") {
            events.iter().for_each(|event| received.add(text(event)));
            if events.last().is_some_and(|event| text(event) == "last") {
                return;
            }
        }
    }
}

/// Carries out the steps while another user posts all the time, and returns what the user received.
async fn received(servers: &[TestServer], name: &RoomName, steps: &[Step]) -> Arc<Received> {
    let reader = servers.last().expect("there is a server");
    let (owner, ann) = (Visitor::new(&servers[0]).await, Visitor::new(reader).await);
    create_room(servers[0].store(), name, owner.id).await;
    let client = V1::connect_as(reader, &ann.cookie).await;
    let (mut out, frames) = client.socket.split();
    let received = Arc::new(Received::default());
    let reading = tokio::spawn(collect(frames, received.clone()));
    let join = join_frame(name.as_str(), None);
    let join = Message::text(serde_json::to_string(&join).expect("a frame is JSON"));
    let noise = async {
        for n in 0.. {
            post(&servers[n % servers.len()], &owner, name, "noise").await;
        }
    };
    // Removals are numbered from one; between two removals is one readmission.
    let (mut removals, mut is_removed) = (0, false);
    let acting = async {
        for step in steps {
            match *step {
                Step::Post(by) => {
                    let text = if is_removed { format!("hidden {removals}") } else { "shown".into() };
                    post(&servers[by], &owner, name, &text).await;
                }
                Step::Remove(by) => {
                    act(servers[by].store(), owner.id, Some(name), remove(ann.id)).await.expect("it may");
                    removals += usize::from(!is_removed);
                    is_removed = true;
                }
                Step::Readmit(by) => {
                    let lift = Action::Lift { subject: Subject::User(ann.id), kind: RestrictionKind::Ban };
                    received.readmissions.store(removals, Ordering::SeqCst);
                    act(servers[by].store(), owner.id, Some(name), lift).await.expect("it may");
                    is_removed = false;
                }
                Step::Join => out.send(join.clone()).await.expect("the connection stays"),
            }
        }
        let lift = Action::Lift { subject: Subject::User(ann.id), kind: RestrictionKind::Ban };
        received.readmissions.store(removals, Ordering::SeqCst);
        act(servers[0].store(), owner.id, Some(name), lift).await.expect("it may");
    };
    tokio::select! {
        () = noise => unreachable!("it never ends"),
        () = acting => {}
    }
    // Access is back: it works as before.
    let ending = async {
        while !reading.is_finished() {
            out.send(join.clone()).await.expect("the connection stays");
            post(&servers[0], &owner, name, "last").await;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    within_timeout(ending).await;
    received
}

/// Tries random steps, each time in a new room.
fn try_all(servers: &[TestServer], cases: u32) {
    let handle = Handle::current();
    let rooms = std::cell::Cell::new(0);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&vec(step(servers.len()), 1..24), |steps| {
        rooms.set(rooms.get() + 1);
        let name = room(&format!("random-{}", rooms.get()));
        let received = tokio::task::block_in_place(|| handle.block_on(received(servers, &name, &steps)));
        let leaks = received.leaks.lock().unwrap();
        prop_assert!(leaks.is_empty(), "{leaks:?}");
        let texts = received.texts.lock().unwrap();
        prop_assert_eq!(texts.last().map(String::as_str), Some("last"));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removed_user_receives_no_post_until_readmitted_in_any_order() {
    let servers = [TestServer::alone().await];
    tokio::task::block_in_place(|| try_all(&servers, 48));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removed_user_receives_no_post_on_three_postgres_servers() {
    let Some(database) = TestDatabase::create().await else { return };
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(TestServer::on_database(&database).await);
    }
    tokio::task::block_in_place(|| try_all(&servers, 12));
}
