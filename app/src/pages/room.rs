//! The page of a room.

use crate::{
    page_data::{PageKind, RoomPage},
    state::RoomState,
    ui::{
        Composer, ConnectionStatus, Header, InertElement, MemberList, MessageList, RoomList, Toast,
        history_footer,
    },
};
use leptos::{either::Either, prelude::*};

/// The page of a room.
#[component]
pub fn Room(
    /// The data from the server.
    page: RoomPage,
) -> impl IntoView {
    let (kind, strings) = (page.kind, page.lang.strings());
    let older = page.messages.first().filter(|_| page.more).map(|first| first.seq);
    let newer = page.messages.last().map(|last| last.seq);
    let (room, highlighted, older_unread) = (page.room.clone(), page.highlighted, page.older_unread);
    let suggestions = page.suggestions.clone();
    let rejected = page.rejected.clone();
    let state = RoomState::new(page);
    provide_context(state);
    #[cfg(feature = "hydrate")]
    crate::browser::start_soon(state);
    let header = view! { <Header rejected=rejected.clone() /> };
    let above_composer = match kind {
        PageKind::Latest => Either::Left(view! { <ConnectionStatus /> }),
        PageKind::History => {
            Either::Right(InertElement::from_server("div", || history_footer(&room, newer, strings)))
        }
    };
    view! {
        <div class="room">
            {header}
            <RoomList />
            <MessageList older highlighted older_unread suggestions />
            <footer class="below">
                {above_composer}
                <Toast />
                <Composer rejected />
            </footer>
            <MemberList />
        </div>
    }
}
