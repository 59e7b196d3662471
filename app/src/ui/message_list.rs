//! The messages of a room, in order.

use super::scroll_controller::ScrollController;
use crate::{
    base::link,
    state::Live,
    ui::{Icon, MessageRow, RoomNotFound},
    wire::Seq,
};
use leptos::{either::Either, prelude::*};

/// The messages of a room, in order. A reader at the end stays at the end as messages arrive. A reader of older messages
/// keeps their position and sees a button that jumps to the new messages.
#[component]
pub fn MessageList(
    /// The room.
    live: Live,
    /// The `seq` of the first message, if there are older ones.
    older: Option<Seq>,
    /// The message that the address points to.
    highlighted: Option<Seq>,
    /// Unread messages before those of the page.
    older_unread: u32,
    /// If the room does not exist: the titles and paths of similar rooms.
    suggestions: Option<Vec<(String, String)>>,
) -> impl IntoView {
    let strings = live.strings;
    let scroll = ScrollController::new(live, highlighted.is_some());
    let older_link = move |seq| view! { <OlderLink live seq older_unread /> };
    let empty = live.lives.then(|| view! { <EmptyRoom live suggestions /> });
    let polite = move || if live.reads_out.get() { "polite" } else { "off" };
    view! {
        <main class="page">
            <div class="scroller" node_ref=scroll.scroller on:scroll=move |_| scroll.on_scroll() tabindex="0">
                <div class="column" id="top">
                    {move || older.filter(|_| live.more.get()).map(older_link)}
                    <div role="log" aria-label=strings.messages aria-live=polite aria-relevant="additions">
                        <ol class="lines">
                            <For each=move || live.lines.get() key=|(id, _)| *id let:line>
                                <MessageRow entry=line.1 live highlighted />
                            </For>
                        </ol>
                        {empty}
                    </div>
                </div>
            </div>
            <p class="visually-hidden" aria-live="polite">{live.came}</p>
            <JumpButton live scroll />
        </main>
    }
}

/// The link to the page of older messages. It works without script.
#[component]
fn OlderLink(
    live: Live,
    /// The first message of the page.
    seq: Seq,
    /// Unread messages before it.
    older_unread: u32,
) -> impl IntoView {
    let strings = live.strings;
    let path = live.room.with_value(|room| link(&room.path()));
    let label = move || {
        // The number holds until older messages are loaded.
        let is_unchanged = live.lines.with(|_| live.first() == Some(seq));
        if is_unchanged && older_unread > 0 {
            (strings.older_unread)(older_unread)
        } else {
            strings.older.into()
        }
    };
    view! { <p class="older-link"><a href=format!("{path}?before={seq}")>{label}</a></p> }
}

/// The notice of a room without messages.
#[component]
fn EmptyRoom(
    live: Live,
    /// If the room does not exist: the titles and paths of similar rooms.
    suggestions: Option<Vec<(String, String)>>,
) -> impl IntoView {
    match suggestions {
        Some(similar) => Either::Left(view! { <RoomNotFound live similar /> }),
        None => Either::Right(view! {
            <div class="empty-room">
                <p>{live.strings.room_empty}</p>
                <button type="button" popovertarget="about">{live.strings.share}</button>
            </div>
        }),
    }
}

/// The button that jumps to the end, with the number of unread messages. It appears when there are some, or far from the
/// end.
#[component]
fn JumpButton(live: Live, scroll: ScrollController) -> impl IntoView {
    let strings = live.strings;
    let unread = Memo::new(move |_| live.unread_here());
    let jump = move |_| {
        #[cfg(feature = "hydrate")]
        {
            live.go_to_end();
            live.focus_composer();
        }
    };
    move || {
        let unread = unread.get();
        (live.lives && !live.at_end.get() && (unread > 0 || scroll.is_far.get())).then(|| {
            let label =
                if unread > 0 { (strings.new_messages)(unread as usize) } else { strings.latest.into() };
            view! {
                <button type="button" class="jump-button" class:unread={unread > 0} on:click=jump>
                    {label}
                    <Icon path="M12 5v14M6 13l6 6 6-6" />
                </button>
            }
        })
    }
}
