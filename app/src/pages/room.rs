//! A room: its messages, who is here, and the place to write.

use crate::{
    page_data::{Place, RoomPage},
    state::Live,
    ui::{Composer, Header, History, People, Rooms, State, Toast, Transcript},
};
use leptos::{either::Either, prelude::*};

/// A room on the screen.
#[component]
pub fn Room(
    /// What the server knew.
    page: RoomPage,
) -> impl IntoView {
    let place = page.place;
    let older = page.messages.first().filter(|_| page.more).map(|first| first.seq);
    let newer = page.messages.last().map(|last| last.seq);
    let (room, marked, older_unread) = (page.room.clone(), page.marked, page.older_unread);
    let unknown = page.unknown.clone();
    let refused = page.refused.clone();
    let live = Live::new(page);
    let header = view! { <Header live refused=refused.clone() /> };
    let above_composer = match place {
        Place::Newest => Either::Left(view! { <State live /> }),
        Place::Past => Either::Right(view! { <History live room newer /> }),
    };
    view! {
        <div class="room">
            {header}
            <Rooms live />
            <Transcript live older place marked older_unread unknown />
            <footer class="below">
                {above_composer}
                <Toast live />
                <Composer live refused />
            </footer>
            <People live />
        </div>
    }
}
