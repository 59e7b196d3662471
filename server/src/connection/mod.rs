//! One open socket and its task.
//!
//! - [`upgrade`]: who may have one, and in which mode.
//! - [`stream`]: its bytes: written at once by whoever has something, the write wait.
//! - [`socket`]: what every mode needs of it: messages, pings, silence, closing well.
//! - [`commands`]: what a v1 command does, for sockets and for requests.
//! - [`lines`]: bare text, as the Go demo's page speaks it.
//! - [`v1`]: `hubbub.v1`, the browser app's protocol.

pub(crate) mod commands;
mod lines;
mod socket;
mod upgrade;
mod v1;
mod writer;

pub use socket::{Ending, Received, Socket};
pub use upgrade::{hand_over, upgrade};
use writer::Stream;
pub use writer::Stuck;

use crate::{
    http::identity::Identity,
    hub::{batch::Encoding, room::Room, subscriber::Link, subscription::Reader},
    limits::connection_limit::Place,
    state::AppState,
};
use app::wire::{RoomName, Seq};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Posts of one connection that may wait for their commit; at this many it is read no further.
const OUTSTANDING: usize = 64;

/// Events that a room may have yet to tell before those who post in it are read no further.
const AHEAD: u64 = 512;

/// How long a connection of a stopping server waits for the last words of the others.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How a client talks.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mode {
    /// Bare text in one room.
    Lines(RoomName),
    /// JSON frames in any room.
    V1,
}

/// What both modes work with.
struct Desk {
    state: AppState,
    reader: Reader,
    link: Arc<Link>,
    /// Held as long as this connection may post.
    posting: Option<TaskTrackerToken>,
    /// Who the client is, and where from.
    identity: Identity,
    /// Where this connection's newest post stands.
    posted: Option<(Arc<Room>, Seq)>,
    place: Place,
}

impl Desk {
    async fn new(state: AppState, place: Place, identity: Identity) -> Self {
        let link = Link::new(state.author_of(identity.id).await);
        let reader = Reader::new(state.hub.clone(), state.store.clone(), link.clone());
        let posting = Some(state.posting.token());
        // Without a cookie they are somebody new, but the same person as long as the connection lasts.
        let identity = Identity { known: true, ..identity };
        Self { state, reader, link, posting, identity, posted: None, place }
    }

    /// What the rooms tell is written into `socket` from now on.
    fn attach(&self, socket: &Socket, encoding: Encoding) {
        let stream = socket.stream();
        self.link.charge_to(stream.account().clone());
        self.link.attach(stream, encoding);
    }

    /// Gives back what the client has of the budget for unsent bytes. Returns `true` if its queue, which the
    /// log can replace, was most of it, so that it may go on.
    fn relieve(&self, stream: &Stream, stuck: Stuck) -> bool {
        if stuck != Stuck::OverBudget {
            return false;
        }
        let is_enough = self.link.drop_queue() > stream.unsent_bytes();
        if !is_enough {
            stream.drop_unsent();
        }
        stream.account().forgive();
        is_enough
    }

    /// Takes note of where a post of this connection stands.
    fn has_posted(&mut self, room: &RoomName, seq: Seq) {
        self.posted = self.reader.room(room).map(|room| (room.clone(), seq));
    }

    /// Whether this connection posts faster than its room can tell.
    fn is_ahead(&self) -> bool {
        self.posted.as_ref().is_some_and(|(room, seq)| room.told() + AHEAD < *seq)
    }

    /// Resolves when the room has nearly caught up with this connection's posts.
    async fn caught_up(&self) {
        if let Some((room, seq)) = &self.posted {
            Box::pin(room.has_told(seq.saturating_sub(AHEAD))).await;
        }
    }

    /// Says that this connection posts no more, and waits until nobody does. What it is told waits from
    /// now on until it is [`deliver`](Self::deliver)ed.
    async fn until_the_last_post(&mut self) {
        self.link.detach();
        self.posting = None;
        // Who does not wait for the others only hears less.
        let _ = timeout(LAST_WORDS, self.state.posting.wait()).await;
    }

    /// Whether there is, or will soon be, something to deliver before the end.
    async fn has_last_words(&self) -> bool {
        !self.reader.has_everything() && timeout(LAST_WORDS, self.reader.ready()).await.is_ok()
    }

    /// Sends the last words, in `encoding`. Whether there may be more.
    async fn deliver(&mut self, socket: &Socket, encoding: Encoding) -> bool {
        let items = self.reader.take().await;
        socket.send(items.iter().filter_map(|item| item.encoded(encoding)));
        socket.flush().await.is_ok()
    }
}
