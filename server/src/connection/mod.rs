//! One open WebSocket and its task.
//!
//! - [`mod@upgrade`]: checks the request and chooses the protocol; [`handshake`]: answers 101.
//! - [`run`]: the loop of a connection, the same for both protocols.
//! - [`lines`]: bare text in one room; [`v1`]: `hubbub.v1`, the browser app's protocol.
//! - [`in_order`]: the commits that a connection waits for.
//! - [`socket`]: messages, pings, the idle timeout and the close; [`writer`]: the bytes, written at once by every task
//!   that has some.
//! - [`close`]: the reasons for a close.

mod close;
mod handshake;
mod in_order;
mod lines;
mod run;
mod socket;
mod upgrade;
pub(crate) mod v1;
mod writer;

pub use close::CloseReason;
pub use handshake::complete_handshake;
pub use socket::{Incoming, Socket};
pub use upgrade::upgrade;
pub use writer::WriteError;

use crate::{
    http::identity::Identity,
    hub::{
        batch::Encoding,
        outbound::Delivery,
        room::Room,
        subscriber::{Signal, Subscriber},
        subscription::SubscriberSession,
    },
    limits::connection_limit::ConnectionPermit,
    sign_ins::SEEN_INTERVAL,
    state::AppState,
    store::{DeviceLabel, StoreResult},
};
use app::wire::{RoomName, Seq};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};
use tokio_util::task::task_tracker::TaskTrackerToken;
use writer::SocketWriter;

/// Posts of one connection that may wait for their commit. At this many the connection is not read.
const MAX_IN_FLIGHT_POSTS: usize = 64;

/// Events that a room may have yet to broadcast. Beyond them, connections that post there are not read.
const MAX_UNBROADCAST_EVENTS: u64 = 512;

/// The time that a connection of a stopping server waits for its final events.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// The protocol that the client speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Protocol {
    /// Bare text in one room.
    Lines(RoomName),
    /// JSON frames in any room.
    V1,
}

/// The state of a connection of either protocol.
struct ConnectionContext {
    state: AppState,
    session: SubscriberSession,
    subscriber: Arc<Subscriber>,
    /// Held as long as this connection may append.
    writer_token: Option<TaskTrackerToken>,
    /// The client's user and network.
    identity: Identity,
    /// The room and the `seq` of this connection's newest post.
    last_post: Option<(Arc<Room>, Seq)>,
    /// When the device of the connection is recorded again.
    record_at: Instant,
    /// The device, until it is recorded for the first time.
    label: Option<Box<DeviceLabel>>,
    /// The client has posted or changed the name, so that its user is no guest any more.
    has_acted: bool,
    permit: ConnectionPermit,
}

impl ConnectionContext {
    /// Registers the connection, which is ended at once if its device was signed out.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) if the store cannot be read.
    async fn new(
        state: AppState,
        permit: ConnectionPermit,
        identity: Identity,
        label: DeviceLabel,
    ) -> StoreResult<Self> {
        let user = state.author_of(identity.id).await;
        let subscriber = Subscriber::signed_in(user, identity.network, identity.sign_in);
        let session = SubscriberSession::new(state.hub.clone(), state.store.clone(), subscriber.clone());
        state.note_connection(identity, &subscriber).await?;
        let writer_token = Some(state.writers.token());
        // A client without a cookie is a new user, but the same one as long as the connection lasts.
        let identity = Identity { is_known: true, ..identity };
        let record_at = Instant::now() + SEEN_INTERVAL;
        Ok(Self {
            state,
            session,
            subscriber,
            writer_token,
            identity,
            last_post: None,
            record_at,
            label: Some(Box::new(label)),
            has_acted: false,
            permit,
        })
    }

    /// Records now and then that the user is on this device: a connection may last for days, and a guest becomes a user while
    /// it is open.
    fn record_device(&mut self) {
        let now = Instant::now();
        if self.has_acted
            && let Some(label) = self.label.take()
            && !self.state.sign_ins.was_recorded(self.identity.sign_in.device)
        {
            self.state.sign_ins.record(self.identity.id, self.identity.sign_in, Some(*label));
        }
        if now >= self.record_at {
            self.record_at = now + SEEN_INTERVAL;
            self.state.sign_ins.record(self.identity.id, self.identity.sign_in, None);
        }
    }

    /// Writes the deliveries of rooms into `socket` from now on.
    fn attach(&self, socket: &Socket, encoding: Encoding) {
        let writer = socket.writer();
        self.subscriber.charge_to(writer.account().clone());
        self.subscriber.attach(writer, encoding);
    }

    /// Gives back the client's share of the budget for unsent bytes after a write error. Returns `true` if its queue,
    /// which the store can replace, was most of the share: the connection may go on then.
    #[must_use]
    fn recover(&self, writer: &SocketWriter, error: WriteError) -> bool {
        if error != WriteError::OverBudget {
            return false;
        }
        let is_enough = self.subscriber.drop_queue() > writer.unsent_bytes();
        if !is_enough {
            writer.drop_unsent();
        }
        writer.account().forgive();
        is_enough
    }

    /// Records the position of a post of this connection.
    fn record_post(&mut self, room: &RoomName, seq: Seq) {
        self.has_acted = true;
        self.last_post = self.session.room(room).map(|room| (room.clone(), seq));
    }

    /// Returns `true` while this connection's newest post is more than `MAX_UNBROADCAST_EVENTS` ahead of the room's
    /// cursor. The connection is not read while this holds.
    fn is_backpressured(&self) -> bool {
        let last_post = self.last_post.as_ref();
        last_post.is_some_and(|(room, seq)| room.cursor() + MAX_UNBROADCAST_EVENTS < *seq)
    }

    /// Resolves when [`is_backpressured`](Self::is_backpressured) no longer holds.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    async fn backpressure_released(&self) {
        if let Some((room, seq)) = &self.last_post {
            Box::pin(room.wait_for(seq.saturating_sub(MAX_UNBROADCAST_EVENTS))).await;
        }
    }

    /// Announces that this connection appends no more, and waits for its final events: all that the connections of this
    /// server have posted. If there are other servers, all go on, and these are the events up to its own last post.
    /// Deliveries are queued from now on, until [`flush_final`](Self::flush_final).
    async fn stop_accepting_and_wait(&mut self) {
        self.subscriber.detach();
        self.writer_token = None;
        let has_others = self.state.has_other_servers().await;
        let posted = async {
            match &self.last_post {
                _ if !has_others => self.state.writers.wait().await,
                Some((room, seq)) => room.wait_for(*seq).await,
                None => {}
            }
        };
        // After the timeout the client only misses the last posts.
        let _ = timeout(DRAIN_TIMEOUT, posted).await;
    }

    /// Returns `true` if there is, or will soon be, a final event to deliver.
    async fn has_final_deliveries(&self) -> bool {
        let is_done = match self.state.has_other_servers().await {
            true => self.has_own_posts(),
            false => self.session.is_caught_up().await,
        };
        !is_done && matches!(timeout(DRAIN_TIMEOUT, self.session.signal()).await, Ok(Signal::Flush))
    }

    /// Returns `true` if the client's own posts were delivered to it.
    fn has_own_posts(&self) -> bool {
        let outbound = self.subscriber.outbound();
        self.last_post.as_ref().is_none_or(|(room, seq)| outbound.cursor(&room.name) >= Some(*seq))
    }

    /// Sends the final deliveries. Returns `false` if the client takes no more bytes.
    async fn flush_final(&mut self, socket: &Socket, encoding: Encoding) -> bool {
        let deliveries: Vec<Delivery> = self.session.flush().await;
        socket.send(deliveries.iter().filter_map(|delivery| delivery.encoded(encoding)));
        socket.flush().await.is_ok()
    }
}
