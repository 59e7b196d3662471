//! The page of a room.

use crate::{
    page_data::{PageKind, RoomPage},
    state::Live,
    ui::{Composer, ConnectionStatus, Header, HistoryFooter, MemberList, MessageList, RoomList, Toast},
};
use leptos::{either::Either, prelude::*};

/// The page of a room.
#[component]
pub fn Room(
    /// The data from the server.
    page: RoomPage,
) -> impl IntoView {
    let kind = page.kind;
    let older = page.messages.first().filter(|_| page.more).map(|first| first.seq);
    let newer = page.messages.last().map(|last| last.seq);
    let (room, highlighted, older_unread) = (page.room.clone(), page.highlighted, page.older_unread);
    let suggestions = page.suggestions.clone();
    let rejected = page.rejected.clone();
    let live = Live::new(page);
    let header = view! { <Header live rejected=rejected.clone() /> };
    let above_composer = match kind {
        PageKind::Latest => Either::Left(view! { <ConnectionStatus live /> }),
        PageKind::History => Either::Right(view! { <HistoryFooter live room newer /> }),
    };
    view! {
        <div class="room">
            {header}
            <RoomList live />
            <MessageList live older highlighted older_unread suggestions />
            <footer class="below">
                {above_composer}
                <Toast live />
                <Composer live rejected />
            </footer>
            <MemberList live />
        </div>
    }
}
