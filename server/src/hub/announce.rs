//! Announcements: changes of names, titles and read markers, sent to the connections that show them.

use super::{Hub, outbound::Delivery, room::Room, subscriber::Subscriber};
use crate::{
    store::{MAX_READ_MARKERS, StoreError, StoreResult},
    websocket::frame,
};
use app::wire::{DisplayName, RoomName, RoomTitle, Seq, ServerFrame, Topic, User, UserId};
use smallvec::SmallVec;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
};

impl Hub {
    /// Sends the read marker of `user` to their connections, except the subscriber with the id `origin`, together with
    /// the number of events that are still unread.
    pub async fn broadcast_read_marker(&self, user: UserId, origin: Option<u64>, room: &RoomName, seq: Seq) {
        let others: SmallVec<[Arc<Subscriber>; 4]> = match self.users().get(&user) {
            Some(subscribers) => {
                subscribers.iter().filter(|subscriber| Some(subscriber.id) != origin).cloned().collect()
            }
            None => return,
        };
        if others.is_empty() {
            return;
        }
        let live = self.room(room).and_then(|room| room.head());
        let head = match live {
            Some(head) => head,
            None => self.store.head(room).await.unwrap_or(seq),
        };
        let unread = if seq >= head {
            Some(0)
        } else {
            // Without a count the clients estimate.
            let counts = self.store.unread_counts(user, &[(room.clone(), seq)]).await;
            counts.ok().and_then(|counts| counts.first().copied())
        };
        let read = ServerFrame::Read { room: room.clone(), seq, head: unread.map(|_| head), unread };
        let frame = frame::text(&read.to_json());
        others.iter().for_each(|subscriber| subscriber.deliver(Delivery::Control(frame.clone())));
    }

    /// Stores a user's display name and announces it. Reserves the change's position when it is called, and is carried
    /// out even if the future is dropped. Resolves with the user after the change.
    ///
    /// # Errors
    /// [`StoreError::Backend`]; nothing has changed then.
    pub fn set_display_name(
        self: &Arc<Self>,
        user: UserId,
        name: DisplayName,
    ) -> impl Future<Output = StoreResult<User>> + Send + use<> {
        let (hub, fallback) = (self.clone(), User::new(user, name.clone()));
        let renamed = self.store.set_display_name(user, name);
        run_to_completion(async move {
            let announced = hub.announce_users(renamed.await?).await;
            Ok(announced.into_iter().find(|announced| announced.id == user).unwrap_or(fallback))
        })
    }

    /// Announces the current names and marks of users that have changed. Returns them.
    pub(super) async fn announce_users(&self, changed: Vec<User>) -> Vec<User> {
        self.names_generation.fetch_add(1, Ordering::AcqRel);
        let _guard = self.announce_lock.lock().await;
        let ids: Vec<UserId> = changed.iter().map(|changed| changed.id).collect();
        let current = self.store.users(&ids).await.unwrap_or(changed);
        for user in &current {
            self.announce_user(user).await;
        }
        current
    }

    async fn announce_user(&self, user: &User) {
        let own = self.users().get(&user.id).cloned().unwrap_or_default();
        own.iter().for_each(|subscriber| subscriber.set_user(user.clone()));
        let visited = self.store.read_markers(user.id, 0, MAX_READ_MARKERS).await.unwrap_or_default();
        let visited: HashSet<RoomName> = visited.into_iter().map(|(room, _)| room).collect();
        let followed: HashSet<RoomName> = own.iter().flat_map(|subscriber| subscriber.rooms()).collect();
        // Only rooms that the user is in or has visited: the cost of a rename does not grow with the open rooms.
        let rooms: Vec<Arc<Room>> = {
            let open = self.rooms();
            visited.union(&followed).filter_map(|room| open.get(room).cloned()).collect()
        };
        for room in &rooms {
            self.schedule_flush(room, room.update_user(user));
        }
        let shows_user = |room: &&Arc<Room>| visited.contains(&room.name) || room.has_user(user.id);
        let recipients: HashMap<u64, Arc<Subscriber>> = rooms
            .iter()
            .filter(shows_user)
            .flat_map(|room| room.subscribers().to_vec())
            .map(|subscriber| (subscriber.id, subscriber))
            .collect();
        let User { id, name, ambiguous, tag } = user.clone();
        let frame = frame::text(&ServerFrame::Renamed { id, name, ambiguous, tag }.to_json());
        recipients.into_values().for_each(|subscriber| subscriber.deliver(Delivery::Control(frame.clone())));
    }

    /// Stores the title and topic that a room's owner chose, and announces them in the room. Reserves the change's
    /// position when it is called, and is carried out even if the future is dropped.
    ///
    /// # Errors
    /// Those of [`Store::update_room`](crate::store::Store::update_room).
    pub fn update_room(
        self: &Arc<Self>,
        room: &RoomName,
        user: UserId,
        title: RoomTitle,
        topic: Topic,
    ) -> impl Future<Output = StoreResult<()>> + Send + use<> {
        let (hub, name) = (self.clone(), room.clone());
        let updated = self.store.update_room(room.clone(), user, title, topic);
        run_to_completion(async move {
            updated.await?;
            hub.announce_room(name).await;
            Ok(())
        })
    }

    async fn announce_room(&self, name: RoomName) {
        let _guard = self.announce_lock.lock().await;
        let Some(room) = self.room(&name) else { return };
        let stored = match self.store.room(&name).await {
            Ok(stored) => stored,
            Err(error) => return tracing::error!(%error, "reading a changed room failed"),
        };
        let (title, topic) = (stored.title(), stored.info.topic.to_string());
        room.broadcast_all(&ServerFrame::RoomUpdated { room: name, title, topic });
    }
}

/// Runs `operation` in a task of its own, so that it is completed even if the returned future is dropped.
fn run_to_completion<T: Send + 'static>(
    operation: impl Future<Output = StoreResult<T>> + Send + 'static,
) -> impl Future<Output = StoreResult<T>> + Send {
    let task = tokio::spawn(operation);
    async { task.await.unwrap_or_else(|error| Err(StoreError::backend(error))) }
}
