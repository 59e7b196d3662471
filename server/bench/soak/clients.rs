//! The clients, each behind a proxy of its own.

use crate::{
    Settings,
    consistency::events,
    proxy::{Fault, Proxy},
    test_client::{ClientState, Pace, TestClient},
};
use app::{client::Operation, wire::Seq};
use futures_util::future::join_all;
use std::{convert::Infallible, net::SocketAddr, time::Duration};
use tokio::{sync::watch::Ref, time::sleep};

/// The room of all clients.
pub const ROOM: &str = "soak";

/// All clients.
pub struct Clients(Vec<Member>);

struct Member {
    client: TestClient,
    link: Proxy,
}

impl Clients {
    /// Connects all clients and waits until they have joined.
    pub async fn connect(server: SocketAddr, settings: &Settings) -> Self {
        let pace = Pace {
            heartbeat_second: Duration::from_millis(settings.pulse_ms.max(1)),
            backoff_second: Duration::from_secs(1),
        };
        let enter = async |_| {
            let link = Proxy::to(server).await;
            let client = TestClient::join(link.address, ROOM, pace);
            client.wait_until(|state| state.is_live).await;
            Member { client, link }
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
        let head = loop {
            match events(server, ROOM).await {
                Ok(events) => break events.last().map_or(0, |event| event.seq),
                Err(_) => sleep(Duration::from_secs(1)).await,
            }
        };
        for member in &self.0 {
            member.client.wait_until(|state| state.has_settled(head)).await;
        }
    }
}

async fn write(n: usize, client: &TestClient, every: f64) {
    for message in 1.. {
        let seconds = every * (0.6 + 0.8 * fastrand::f64());
        sleep(Duration::from_secs_f64(seconds)).await;
        let text = format!("Message {message} of {n}, {}", "la ".repeat(fastrand::usize(0..60))).into();
        let target = random_own_message(&client.state());
        client.submit(match (fastrand::u8(0..20), target) {
            (0, Some(target)) => Operation::Delete { target },
            (1..=3, Some(target)) => Operation::Edit { target, text },
            _ => Operation::Post { text },
        });
    }
}

/// Returns the `seq` of a random message of this client that is not deleted.
fn random_own_message(state: &ClientState) -> Option<Seq> {
    let is_deleted = |seq| {
        state.commands.iter().any(|it| matches!(it.operation, Operation::Delete { target } if target == seq))
    };
    let is_post =
        |id| state.commands.iter().any(|it| it.id == id && matches!(it.operation, Operation::Post { .. }));
    let theirs = state.acknowledged.iter().filter(|(id, seq)| is_post(*id) && !is_deleted(*seq));
    fastrand::choice(theirs.map(|(_, seq)| *seq).collect::<Vec<_>>())
}
