//! The messages of a room, in order.

use super::scroll_controller::ScrollController;
use crate::{
    base::link,
    state::{MembersState, RoomInfoState, RoomListState, TimelineState, use_state},
    ui::{
        MessageRow,
        icon::icon,
        inert_tree::{InertElement, Reactive, reactive},
        room_not_found::room_not_found,
        row_owners::RowOwners,
    },
    wire::Seq,
};
use leptos::{
    prelude::*,
    tachys::{reactive_graph::OwnedView, view::keyed::keyed},
};
use std::sync::{Arc, Mutex, PoisonError};

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
    let older_link = older_link(older, older_unread, info, timeline);
    let empty = info.is_latest_page.then(|| empty_room(suggestions, info));
    let polite = reactive(move || if timeline.announce_each.get() { "polite" } else { "off" });
    view! {
        <main class="page">
            <div class="scroller" node_ref=scroll.scroller on:scroll=move |_| scroll.on_scroll() tabindex="0">
                <div class="column" id="top">
                    {older_link}
                    <div role="log" aria-label=strings.messages aria-live=polite aria-relevant="additions">
                        <ol class="lines">
                            {rows(timeline, highlighted)}
                        </ol>
                        {empty}
                    </div>
                    {arrivals()}
                </div>
            </div>
            {reactive(move || {
                let summary = InertElement::new("p").class("visually-hidden").with("aria-live", "polite");
                summary.text(timeline.announcement.get())
            })}
            {jump_button(scroll, info, timeline)}
        </main>
    }
}

/// Returns the rows. It is `<For>` but for the owners of the rows.
fn rows(timeline: TimelineState, highlighted: Option<Seq>) -> impl IntoView {
    // Only the effect that renders the rows takes the lock.
    let owners = Arc::new(Mutex::new(RowOwners::new()));
    let row = move |_, (_, entry)| {
        let owner = owners.lock().unwrap_or_else(PoisonError::into_inner).create();
        let view = owner.with(|| view! { <MessageRow entry highlighted /> });
        (drop, OwnedView::new_with_owner(view, owner))
    };
    move || keyed(timeline.entries.get(), |(id, _)| *id, row.clone())
}

/// Returns the link to the page of older messages, before the first one of the page. It works without script.
fn older_link(
    first: Option<Seq>,
    unread: u32,
    info: RoomInfoState,
    timeline: TimelineState,
) -> Reactive<Option<InertElement>> {
    let (path, strings) = (link(&info.path()), info.strings);
    reactive(move || {
        let seq = first.filter(|_| timeline.has_older.get())?;
        // The number holds until older messages are loaded.
        let is_unchanged = timeline.entries.with(|_| timeline.first() == Some(seq));
        let label =
            if is_unchanged && unread > 0 { (strings.older_unread)(unread) } else { strings.older.into() };
        let anchor = InertElement::new("a").with("href", format!("{path}?before={seq}")).text(label);
        Some(InertElement::new("p").class("older-link").child(anchor))
    })
}

/// Returns the notice of a room without messages.
fn empty_room(suggestions: Option<Vec<(String, String)>>, info: RoomInfoState) -> Reactive<InertElement> {
    reactive(move || match &suggestions {
        Some(similar) => InertElement::from_server("div", || {
            info.name.with_value(|room| room_not_found(room, similar, info.strings))
        }),
        None => greeting(info),
    })
}

/// Returns what an empty room says: where one is, how to invite others, and how to write.
fn greeting(info: RoomInfoState) -> InertElement {
    let strings = info.strings;
    let title = info.title.get();
    let initial: String = title.chars().take(1).collect();
    let face = InertElement::new("span").class("face room-face").with("aria-hidden", "true").text(initial);
    let paragraph = |text: &str| InertElement::new("p").text(text);
    let actions = InertElement::from_server("div", || {
        let button = |label: &'static str| InertElement::new("button").with("type", "button").text(label);
        let invite = button(strings.copy_invite).class("needs-script").with("data-invite", "");
        let share = button(strings.share).with("popovertarget", "about");
        InertElement::new("div").class("actions").child(invite).child(share)
    });
    let lessons = InertElement::from_server("ul", || {
        let lines = strings.lessons.split('\n').map(|line| InertElement::new("li").text(line));
        InertElement::new("ul").class("lessons").children(lines)
    });
    InertElement::new("div")
        .class("empty-room")
        .child(face)
        .child(paragraph(&title).class("title"))
        .child(paragraph(&info.topic.get()))
        .child(InertElement::from_server("p", || paragraph(strings.room_empty)))
        .child(actions)
        .child(lessons)
}

/// Returns the users who have come since the newest message. Where few are present, a screen reader announces them.
fn arrivals() -> Reactive<InertElement> {
    let strings = use_state::<RoomInfoState>().strings;
    let members = use_state::<MembersState>();
    reactive(move || {
        let live = if members.present() < MAX_ANNOUNCED { "polite" } else { "off" };
        let text = members
            .arrivals
            .with(|names| if names.is_empty() { String::new() } else { (strings.joined)(names) });
        InertElement::new("p").class("arrivals").with("aria-live", live).text(text)
    })
}

/// Returns the button that jumps to the end, with the number of unread messages. It appears when there are some, or far from
/// the end.
fn jump_button(
    scroll: ScrollController,
    info: RoomInfoState,
    timeline: TimelineState,
) -> Reactive<Option<InertElement>> {
    let rooms = use_state::<RoomListState>();
    let strings = info.strings;
    reactive(move || {
        let unread = rooms.unread_here();
        let is_shown = info.is_latest_page && !timeline.at_end.get() && (unread > 0 || scroll.is_far.get());
        let label = if unread > 0 { (strings.new_messages)(unread as usize) } else { strings.latest.into() };
        let button = InertElement::new("button")
            .with("type", "button")
            .class(if unread > 0 { "jump-button unread" } else { "jump-button" })
            .text(label)
            .child(icon("M12 5v14M6 13l6 6 6-6"));
        is_shown.then_some(button)
    })
}
