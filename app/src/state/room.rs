//! All that the page of a room shows.

use super::{ConnectionState, MembersState, ProfileState, RoomInfoState, RoomListState, TimelineState};
use crate::{
    client::{Quote, ReadMarker, Session, Timeline},
    page_data::{PageKind, RoomPage},
};
use leptos::prelude::*;

/// The state of a room's page, for code that changes several concerns at once.
#[derive(Clone, Copy)]
pub struct RoomState {
    /// The connection to the server.
    pub connection: ConnectionState,
    /// The messages.
    pub timeline: TimelineState,
    /// The room.
    pub info: RoomInfoState,
    /// The users present.
    pub members: MembersState,
    /// The list of rooms.
    pub rooms: RoomListState,
    /// The user.
    pub profile: ProfileState,
}

impl RoomState {
    /// Creates the state of a page that the server has rendered.
    pub fn new(page: RoomPage) -> Self {
        let mut timeline = Timeline::new(page.log, page.head, page.messages);
        timeline.set_has_oldest(!page.more);
        page.sources.into_iter().for_each(|(seq, message)| timeline.add_source(seq, message));
        let replying_to = page.replying_to.map(|(seq, message)| Quote { seq, source: Some(message) });
        if let Some(read) = page.read {
            timeline.set_unread_after(read, page.you.id);
        }
        let session = Session::new(page.room.clone(), timeline, ReadMarker::new(page.read.unwrap_or(0)));
        let name = StoredValue::new(page.room);
        let info = RoomInfoState {
            strings: page.lang.strings(),
            name,
            title: RwSignal::new(page.title),
            topic: RwSignal::new(page.topic),
            kept_hours: RwSignal::new(page.kept_hours),
            posting: RwSignal::new(page.posting),
            moderates: page.moderates,
            blocked: StoredValue::new(page.blocked),
            is_latest_page: page.kind == PageKind::Latest,
        };
        Self {
            connection: ConnectionState::new(),
            timeline: TimelineState::new(session, page.more, replying_to),
            info,
            members: MembersState::new(page.members, page.member_count),
            rooms: RoomListState::new(page.rooms, name),
            profile: ProfileState::new(page.you),
        }
    }
}

/// Returns the part of the page's state that a component needs.
///
/// The page provides one context for all parts, since each type of context adds code to the page.
///
/// # Panics
/// Panics outside of the page of a room.
pub fn use_state<T: From<RoomState>>() -> T {
    room_state().into()
}

#[inline(never)]
fn room_state() -> RoomState {
    use_context().expect("the page of a room provides its state")
}

impl From<RoomState> for ConnectionState {
    fn from(room: RoomState) -> Self {
        room.connection
    }
}

impl From<RoomState> for TimelineState {
    fn from(room: RoomState) -> Self {
        room.timeline
    }
}

impl From<RoomState> for RoomInfoState {
    fn from(room: RoomState) -> Self {
        room.info
    }
}

impl From<RoomState> for MembersState {
    fn from(room: RoomState) -> Self {
        room.members
    }
}

impl From<RoomState> for RoomListState {
    fn from(room: RoomState) -> Self {
        room.rooms
    }
}

impl From<RoomState> for ProfileState {
    fn from(room: RoomState) -> Self {
        room.profile
    }
}
