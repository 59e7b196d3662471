//! The one way into the server and its rooms: whatever a user reads or writes, over a page, the API or a socket, is
//! checked here first, by the rules of the store.

mod middleware;

pub use middleware::let_in;

use crate::{
    http::identity::Identity,
    state::AppState,
    store::{EntryRequest, Standing, StoreError, StoreResult, may_enter_room, may_enter_server},
};
use app::wire::RoomName;
use std::collections::BTreeSet;

/// Proof that a user may enter the server, or a room, as of a generation of access.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The rights of the user.
    pub standing: Standing,
    room: Option<RoomName>,
}

impl AppState {
    /// Returns the rights of a user in a room, or on the server alone.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    pub async fn standing(&self, identity: Identity, room: Option<&RoomName>) -> StoreResult<Standing> {
        let network = Some(identity.network);
        self.store.standing(EntryRequest { user: identity.id, network, room: room.cloned() }).await
    }

    /// Checks that a user may enter a room, or the server alone.
    ///
    /// # Errors
    /// [`StoreError::NotAdmitted`], [`StoreError::Banned`]; for a room [`StoreError::Removed`],
    /// [`StoreError::RoomNotFound`]; [`StoreError::Backend`].
    pub async fn enter(&self, identity: Identity, room: Option<&RoomName>) -> StoreResult<Admission> {
        let standing = self.standing(identity, room).await?;
        match room {
            Some(room) => may_enter_room(room, &standing)?,
            None => may_enter_server(&standing)?,
        }
        Ok(Admission { standing, room: room.cloned() })
    }

    /// Returns those of some rooms that a user may enter, at most [`MAX_ROOMS_PER_READ`](crate::store::MAX_ROOMS_PER_READ). Others
    /// do not exist for the user, also if they moderate the server.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    pub async fn enterable(
        &self,
        identity: Identity,
        rooms: BTreeSet<RoomName>,
    ) -> StoreResult<BTreeSet<RoomName>> {
        if rooms.is_empty() {
            return Ok(rooms);
        }
        let network = Some(identity.network);
        let entry_request =
            |room: &RoomName| EntryRequest { user: identity.id, network, room: Some(room.clone()) };
        let standings = self.store.standings(&rooms.iter().map(entry_request).collect::<Vec<_>>()).await?;
        let entered = rooms.into_iter().zip(standings);
        let entered = entered.filter(|(room, standing)| may_enter_room(room, standing).is_ok());
        Ok(entered.map(|(room, _)| room).collect())
    }

    /// Checks again, if access has changed, that a user may still enter. Whatever was read from the store before this resolves
    /// may be shown to the user then. Costs one read by key if nothing has changed.
    ///
    /// # Errors
    /// Those of [`enter`](Self::enter).
    pub async fn confirm(&self, identity: Identity, admission: &Admission) -> StoreResult<()> {
        self.renew(identity, admission.clone()).await.map(drop)
    }

    /// Returns the admission of a user as of now, as [`confirm`](Self::confirm) does.
    ///
    /// # Errors
    /// Those of [`enter`](Self::enter).
    pub async fn renew(&self, identity: Identity, admission: Admission) -> StoreResult<Admission> {
        let since = admission.standing.generation;
        if self.store.access_changes(since).await?.generation == since {
            return Ok(admission);
        }
        self.enter(identity, admission.room.as_ref()).await
    }
}

/// Returns `true` if the error is about what the user may do, not about the store.
pub fn is_refusal(error: &StoreError) -> bool {
    !matches!(error, StoreError::Away(_) | StoreError::Backend(_))
}
