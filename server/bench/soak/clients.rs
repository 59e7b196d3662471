//! The clients, each behind a proxy of its own.

use crate::{
    Settings,
    consistency::{ConsistencyReport, events},
    proxy::{Fault, Proxy},
    test_client::{ClientState, Pace, TestClient},
};
use app::{client::OutboxOperation, wire::Seq};
use futures_util::future::join_all;
use std::{collections::HashMap, convert::Infallible, net::SocketAddr, ops::Deref, time::Duration};
use tokio::{sync::watch::Ref, time::sleep};

/// All clients.
pub struct Clients(Vec<Member>);

struct Member {
    client: TestClient,
    link: Proxy,
    room: String,
}

impl Clients {
    /// Connects all clients and waits until they have joined, each in one of the rooms.
    pub async fn connect(server: SocketAddr, settings: &Settings) -> Self {
        let pace = Pace {
            heartbeat_second: Duration::from_millis(settings.pulse_ms.max(1)),
            backoff_second: Duration::from_secs(1),
        };
        let enter = async |n: usize| {
            let (link, room) = (Proxy::to(server).await, format!("soak-{}", n % settings.rooms.max(1)));
            let client = TestClient::join(link.address, &room, pace);
            client.wait_until(|state| state.is_live).await;
            Member { client, link, room }
        };
        Self(join_all((0..settings.clients).map(enter)).await)
    }

    /// Lets every client send or change a message about every `every` seconds, without end.
    pub async fn send_forever(&self, every: f64) -> Infallible {
        join_all(self.0.iter().enumerate().map(|(n, member)| write(n, &member.client, every))).await;
        std::future::pending().await
    }

    pub fn link(&self, member: usize) -> &Proxy {
        &self.0[member].link
    }

    /// Returns the state of every client.
    pub fn states(&self) -> Vec<Ref<'_, ClientState>> {
        self.0.iter().map(|member| member.client.state()).collect()
    }

    /// Ends all faults of the links.
    pub fn heal_links(&self) {
        for member in &self.0 {
            member.link.block(false);
            member.link.inject(Fault::None);
        }
    }

    /// Waits until every command is acknowledged and every client has caught up.
    pub async fn wait_until_settled(&self, server: SocketAddr) {
        for member in &self.0 {
            member.client.wait_until(|state| state.is_live && state.session.outbox.is_empty()).await;
        }
        for (room, members) in self.by_room() {
            let head = loop {
                match events(server, room).await {
                    Ok(events) => break events.last().map_or(0, |event| event.seq),
                    Err(_) => sleep(Duration::from_secs(1)).await,
                }
            };
            for member in members {
                member.client.wait_until(|state| state.has_settled(head)).await;
            }
        }
    }

    /// Compares what the clients have sent and seen with the event logs. Returns the number of events, too.
    pub async fn check(&self, server: SocketAddr) -> reqwest::Result<(ConsistencyReport, usize)> {
        let (mut report, mut count) = (ConsistencyReport::default(), 0);
        for (room, members) in self.by_room() {
            let log = events(server, room).await?;
            let states: Vec<_> = members.iter().map(|member| member.client.state()).collect();
            report += ConsistencyReport::new(&log, states.iter().map(Deref::deref));
            count += log.len();
        }
        Ok((report, count))
    }

    fn by_room(&self) -> HashMap<&str, Vec<&Member>> {
        let mut rooms: HashMap<&str, Vec<&Member>> = HashMap::new();
        for member in &self.0 {
            rooms.entry(&member.room).or_default().push(member);
        }
        rooms
    }
}

async fn write(n: usize, client: &TestClient, every: f64) {
    for message in 1.. {
        let seconds = every * (0.6 + 0.8 * fastrand::f64());
        sleep(Duration::from_secs_f64(seconds)).await;
        let text = format!("Message {message} of {n}, {}", "la ".repeat(fastrand::usize(0..60))).into();
        let kind = fastrand::u8(0..20);
        // Looking for a message takes time that grows with their number.
        let target = if kind <= 5 { random_own_message(&client.state()) } else { None };
        client.submit(match (kind, target) {
            (0, Some(target)) => OutboxOperation::Delete { target },
            (4..=5, Some(target)) => OutboxOperation::React { target, emoji: "👍".into(), on: kind == 4 },
            (_, Some(target)) => OutboxOperation::Edit { target, text },
            _ => OutboxOperation::post(text),
        });
    }
}

/// Returns the `seq` of a random message of this client, unless it chose a command that is no post, or a message that is
/// deleted.
fn random_own_message(state: &ClientState) -> Option<Seq> {
    let (id, seq) = *fastrand::choice(&state.acknowledged)?;
    let is_deleted = state
        .commands
        .iter()
        .any(|it| matches!(it.operation, OutboxOperation::Delete { target } if target == seq));
    let is_post =
        state.commands.iter().any(|it| it.id == id && matches!(it.operation, OutboxOperation::Post { .. }));
    (is_post && !is_deleted).then_some(seq)
}
