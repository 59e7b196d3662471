//! One open socket and its task.
//!
//! - [`upgrade`]: who may have one, and in which mode.
//! - [`socket`]: what every mode needs of it: pings, silence, the write wait, closing well.
//! - [`lines`]: bare text, as the Go demo's page speaks it.
//! - [`v1`]: `hubbub.v1`, the browser app's protocol.

mod lines;
mod socket;
mod upgrade;
mod v1;

pub use upgrade::{same_origin, upgrade};

use crate::{identity::Identity, link::Link, reader::Reader, state::AppState};
use app::wire::RoomName;
use std::sync::Arc;

/// Posts of one connection that may wait for their commit; at this many it is read no further.
const OUTSTANDING: usize = 64;

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
}

impl Desk {
    async fn new(state: AppState, identity: Identity) -> Self {
        let link = Link::new(identity.id, state.name_of(identity.id).await);
        Self { reader: Reader::new(state.hub.clone(), state.log.clone(), link.clone()), link, state }
    }
}
