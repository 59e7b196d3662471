//! One process has the file, so that its hub alone knows who is present.

use super::SqliteStore;
use crate::{
    limits::network::Network,
    store::{PresenceStore, PresentElsewhere, RoomPresence, StoreResult},
};
use app::wire::{RoomName, UserId};
use async_trait::async_trait;

#[async_trait]
impl PresenceStore for SqliteStore {
    fn shares_presence(&self) -> bool {
        false
    }

    async fn has_others(&self) -> StoreResult<bool> {
        Ok(false)
    }

    async fn record_presence(&self, _: &[RoomPresence]) -> StoreResult<()> {
        Ok(())
    }

    async fn present_elsewhere(&self, _: &RoomName) -> StoreResult<PresentElsewhere> {
        Ok(PresentElsewhere::default())
    }

    async fn record_networks(&self, _: &[(UserId, Network)]) -> StoreResult<()> {
        Ok(())
    }

    async fn remove_old_networks(&self) -> StoreResult<()> {
        Ok(())
    }

    async fn recent_network(&self, _: UserId) -> StoreResult<Option<Network>> {
        Ok(None)
    }
}
