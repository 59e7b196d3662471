//! Counts writes against the limits of the user and of the network, whichever transport they arrive by.

use crate::{
    http::identity::Identity,
    limits::network::{Network, Use},
    state::AppState,
};
use app::wire::{RoomName, UserId};
use std::time::Duration;

impl AppState {
    /// Counts a write of `identity` against the limits of the user and of the network. A client without a cookie is a
    /// new user at each request, so all such clients of one network share the limit of one user.
    ///
    /// # Errors
    /// The time to wait before the next attempt.
    pub fn admit_write(&self, identity: Identity, what: Use) -> Result<(), Duration> {
        let usage = self.networks.usage(identity.network);
        if identity.is_known {
            self.admit_user(identity.id, what)?;
        } else {
            usage.take(Use::AnonymousPost)?;
        }
        usage.take(what)?;
        self.recent_networks.note(identity);
        Ok(())
    }

    /// Counts a write against the limits of the user alone.
    ///
    /// # Errors
    /// The time to wait before the next attempt.
    pub fn admit_user(&self, user: UserId, what: Use) -> Result<(), Duration> {
        self.posts.check(user)?;
        if what == Use::Rename { self.renames.check(user) } else { Ok(()) }
    }

    /// Returns the network of `identity` whose uploads count together; `None` if networks are not limited.
    pub fn limited_network(&self, identity: Identity) -> Option<Network> {
        self.networks.is_limited(Use::Upload).then_some(identity.network)
    }

    /// Counts a post of `identity` into `room`, which creates the room if it does not exist.
    ///
    /// # Errors
    /// The time to wait before the next attempt.
    pub async fn admit_post(&self, identity: Identity, room: &RoomName) -> Result<(), Duration> {
        self.admit_write(identity, Use::Post)?;
        self.admit_room(identity, room).await
    }

    /// Counts `room` against the limit of new rooms, unless it exists already.
    ///
    /// # Errors
    /// The time to wait before the next attempt.
    pub async fn admit_room(&self, identity: Identity, room: &RoomName) -> Result<(), Duration> {
        if !self.networks.is_limited(Use::Room) || self.hub.has_events(room) {
            return Ok(());
        }
        // The append finds out what a read that fails cannot.
        let is_new = self.store.head(room).await.is_ok_and(|head| head == 0);
        if is_new { self.networks.usage(identity.network).take(Use::Room) } else { Ok(()) }
    }
}
