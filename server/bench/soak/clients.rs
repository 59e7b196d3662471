//! Everybody, each on a road of their own.

use crate::{
    Settings,
    person::{Kept, Pace, Person},
    proxy::{Fault, Proxy},
    verdict::events,
};
use app::{client::Deed, wire::Seq};
use futures_util::future::join_all;
use std::{convert::Infallible, net::SocketAddr, time::Duration};
use tokio::{sync::watch::Ref, time::sleep};

/// The room that they all talk in.
pub const ROOM: &str = "soak";

/// Everybody.
pub struct Crowd(Vec<Member>);

struct Member {
    person: Person,
    road: Proxy,
}

impl Crowd {
    /// Lets everybody in, and waits until they are.
    pub async fn gather(server: SocketAddr, settings: &Settings) -> Self {
        let pace =
            Pace { pulse: Duration::from_millis(settings.pulse_ms.max(1)), steps: Duration::from_secs(1) };
        let enter = async |_| {
            let road = Proxy::to(server).await;
            let person = Person::enter(road.address, ROOM, pace);
            person.until(|kept| kept.live).await;
            Member { person, road }
        };
        Self(join_all((0..settings.people).map(enter)).await)
    }

    /// Everybody writes or changes something about every so many seconds, without end.
    pub async fn talk(&self, every: f64) -> Infallible {
        join_all(self.0.iter().enumerate().map(|(n, member)| write(n, &member.person, every))).await;
        std::future::pending().await
    }

    pub fn road(&self, member: usize) -> &Proxy {
        &self.0[member].road
    }

    /// What everybody's client keeps.
    pub fn kept(&self) -> Vec<Ref<'_, Kept>> {
        self.0.iter().map(|member| member.person.kept()).collect()
    }

    /// Makes every road sound.
    pub fn mend(&self) {
        for member in &self.0 {
            member.road.block(false);
            member.road.suffer(Fault::Sound);
        }
    }

    /// Waits until everything written is acknowledged and everybody has caught up.
    pub async fn settle(&self, server: SocketAddr) {
        for member in &self.0 {
            member.person.until(|kept| kept.live && kept.outbox.is_empty()).await;
        }
        let head = loop {
            match events(server, ROOM).await {
                Ok(events) => break events.last().map_or(0, |event| event.seq),
                Err(_) => sleep(Duration::from_secs(1)).await,
            }
        };
        for member in &self.0 {
            member.person.until(|kept| kept.settled(head)).await;
        }
    }
}

async fn write(n: usize, person: &Person, every: f64) {
    for message in 1.. {
        let seconds = every * (0.6 + 0.8 * fastrand::f64());
        sleep(Duration::from_secs_f64(seconds)).await;
        let text = format!("Message {message} of {n}, {}", "la ".repeat(fastrand::usize(0..60))).into();
        let target = one_of_their_own(&person.kept());
        person.ask(match (fastrand::u8(0..20), target) {
            (0, Some(target)) => Deed::Delete { target },
            (1..=3, Some(target)) => Deed::Edit { target, text },
            _ => Deed::Post { text },
        });
    }
}

/// The place of a message of theirs that stands and that they have not taken back.
fn one_of_their_own(kept: &Kept) -> Option<Seq> {
    let taken_back =
        |seq| kept.asked.iter().any(|it| matches!(it.deed, Deed::Delete { target } if target == seq));
    let is_post = |id| kept.asked.iter().any(|it| it.id == id && matches!(it.deed, Deed::Post { .. }));
    let theirs = kept.acknowledged.iter().filter(|(id, seq)| is_post(*id) && !taken_back(*seq));
    fastrand::choice(theirs.map(|(_, seq)| *seq).collect::<Vec<_>>())
}
