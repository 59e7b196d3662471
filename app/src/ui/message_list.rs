//! The messages of a room, in order.

use super::scroll_controller::ScrollController;
use crate::{
    base::link,
    commands::Commands,
    state::{MembersState, RoomInfoState, RoomListState, TimelineState, use_state},
    ui::{Icon, MessageRow, RoomNotFound, inert_tree::InertElement},
    wire::Seq,
};
use leptos::{either::Either, prelude::*};

/// Users present up to whom a screen reader announces who comes.
const MAX_ANNOUNCED: usize = 10;

/// The messages of a room, in order. A reader at the end stays at the end as messages arrive. A reader of older messages
/// keeps their position and sees a button that jumps to the new messages.
#[component]
pub fn MessageList(
    /// The `seq` of the first message, if there are older ones.
    older: Option<Seq>,
    /// The message that the address points to.
    highlighted: Option<Seq>,
    /// Unread messages before those of the page.
    older_unread: u32,
    /// If the room does not exist: the titles and paths of similar rooms.
    suggestions: Option<Vec<(String, String)>>,
) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let timeline = use_state::<TimelineState>();
    let strings = info.strings;
    let scroll = ScrollController::new(highlighted.is_some());
    let older_link = move |seq| view! { <OlderLink seq older_unread /> };
    let empty = info.is_latest_page.then(|| view! { <EmptyRoom suggestions /> });
    let polite = move || if timeline.announce_each.get() { "polite" } else { "off" };
    view! {
        <main class="page">
            <div class="scroller" node_ref=scroll.scroller on:scroll=move |_| scroll.on_scroll() tabindex="0">
                <div class="column" id="top">
                    {move || older.filter(|_| timeline.has_older.get()).map(older_link)}
                    <div role="log" aria-label=strings.messages aria-live=polite aria-relevant="additions">
                        <ol class="lines">
                            <For each=move || timeline.entries.get() key=|(id, _)| *id let:line>
                                <MessageRow entry=line.1 highlighted />
                            </For>
                        </ol>
                        {empty}
                    </div>
                    <Arrivals />
                </div>
            </div>
            <p class="visually-hidden" aria-live="polite">{timeline.announcement}</p>
            <JumpButton scroll />
        </main>
    }
}

/// The link to the page of older messages. It works without script.
#[component]
fn OlderLink(
    /// The first message of the page.
    seq: Seq,
    /// Unread messages before it.
    older_unread: u32,
) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let timeline = use_state::<TimelineState>();
    let strings = info.strings;
    let path = link(&info.path());
    let label = move || {
        // The number holds until older messages are loaded.
        let is_unchanged = timeline.entries.with(|_| timeline.first() == Some(seq));
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
    /// If the room does not exist: the titles and paths of similar rooms.
    suggestions: Option<Vec<(String, String)>>,
) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    match suggestions {
        Some(similar) => Either::Left(view! { <RoomNotFound similar /> }),
        None => Either::Right(view! { <Greeting info /> }),
    }
}

/// What an empty room says: where one is, how to invite others, and how to write.
#[component]
fn Greeting(info: RoomInfoState) -> impl IntoView {
    let strings = info.strings;
    let initial = move || info.title.with(|title| title.chars().next().map(String::from));
    let line = |line: &'static str| InertElement::new("li").text(line);
    let lines = InertElement::new("ul").class("lessons").children(strings.lessons.split('\n').map(line));
    view! {
        <div class="empty-room">
            <span class="face room-face" aria-hidden="true">{initial}</span>
            <p class="title">{info.title}</p>
            <p>{info.topic}</p>
            <p>{strings.room_empty}</p>
            <div class="actions">
                <button type="button" class="needs-script" data-invite>{strings.copy_invite}</button>
                <button type="button" popovertarget="about">{strings.share}</button>
            </div>
            {lines}
        </div>
    }
}

/// The users who have come since the newest message. Where few are present, a screen reader announces them.
#[component]
fn Arrivals() -> impl IntoView {
    let strings = use_state::<RoomInfoState>().strings;
    let members = use_state::<MembersState>();
    let text = move || {
        members.arrivals.with(|names| if names.is_empty() { String::new() } else { (strings.joined)(names) })
    };
    let live = move || if members.present() < MAX_ANNOUNCED { "polite" } else { "off" };
    view! { <p class="arrivals" aria-live=live>{text}</p> }
}

/// The button that jumps to the end, with the number of unread messages. It appears when there are some, or far from the
/// end.
#[component]
fn JumpButton(scroll: ScrollController) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let timeline = use_state::<TimelineState>();
    let rooms = use_state::<RoomListState>();
    let commands = use_state::<Commands>();
    let strings = info.strings;
    let unread = Memo::new(move |_| rooms.unread_here());
    let jump = move |_| {
        commands.go_to_end();
        Commands::focus_composer();
    };
    move || {
        let unread = unread.get();
        (info.is_latest_page && !timeline.at_end.get() && (unread > 0 || scroll.is_far.get())).then(|| {
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
