//! The messages of a room, in order.

use crate::{
    base::link,
    page_data::PageKind,
    state::Live,
    ui::{Icon, MessageRow, RoomNotFound},
    wire::Seq,
};
use leptos::{either::Either, html, prelude::*};

/// The distance from the end, in pixels, that counts as at the end.
const AT_END_PX: i32 = 8;

/// The distance from the end, in pixels, from which the jump button appears.
const JUMP_BUTTON_PX: i32 = 600;

/// The distance from an end of the rendered rows, in pixels, at which more rows are rendered.
const PREFETCH_PX: i32 = 800;

/// The messages of a room, in order. A reader at the end stays at the end as messages arrive. A reader of older messages
/// keeps their position and sees a button that jumps to the new messages.
#[component]
pub fn MessageList(
    /// The room.
    live: Live,
    /// The `seq` of the first message, if there are older ones.
    older: Option<Seq>,
    /// The kind of the page.
    kind: PageKind,
    /// The message that the address points to.
    highlighted: Option<Seq>,
    /// Unread messages before those of the page.
    older_unread: u32,
    /// If the room does not exist: the titles and paths of similar rooms.
    suggestions: Option<Vec<(String, String)>>,
) -> impl IntoView {
    let scroller = NodeRef::<html::Div>::new();
    let is_far = RwSignal::new(false);
    let strings = live.strings;
    let now = kind == PageKind::Latest;
    // The scroller is laid out from its end: the end is at 0, and older rows have negative positions.
    let measure = move || {
        let Some(scroller) = scroller.get() else { return };
        let from_end = scroller.scroll_top().abs();
        let at_end = from_end <= AT_END_PX && live.has_newest();
        if live.at_end.get_untracked() != at_end {
            live.at_end.set(at_end);
        }
        let far = from_end > JUMP_BUTTON_PX;
        if is_far.get_untracked() != far {
            is_far.set(far);
        }
    };
    let scrolled = move |_| {
        let Some(scroller) = scroller.get() else { return };
        let from_end = scroller.scroll_top().abs();
        let from_start = scroller.scroll_height() - scroller.client_height() - from_end;
        if now && from_end < PREFETCH_PX {
            live.forth();
        }
        #[cfg(feature = "hydrate")]
        if now && from_start < PREFETCH_PX && live.has_older() {
            live.back();
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = from_start;
        measure();
        #[cfg(feature = "hydrate")]
        if now {
            live.look();
        }
    };
    // Scrolls to the fragment of the address, the highlighted message or the first unread message, before anything
    // counts as read. The browser or the user may have scrolled already.
    #[cfg(feature = "hydrate")]
    Effect::new(move || {
        if let Some(scroller) = scroller.get().filter(|scroller| scroller.scroll_top() == 0) {
            let hash = window().location().hash().unwrap_or_default();
            let place = match hash.strip_prefix('#') {
                Some(id) => document().get_element_by_id(id),
                None => scroller.query_selector(".marked, .new").ok().flatten(),
            };
            let gently = web_sys::ScrollIntoViewOptions::new();
            gently.set_block(if highlighted.is_some() {
                web_sys::ScrollLogicalPosition::Center
            } else {
                web_sys::ScrollLogicalPosition::Nearest
            });
            if let Some(place) = place.filter(|place| scroller.contains(Some(place))) {
                place.scroll_into_view_with_scroll_into_view_options(&gently);
            }
        }
        measure();
    });
    let new = Memo::new(move |_| live.unread_here());
    let to_end = move |_| {
        #[cfg(feature = "hydrate")]
        {
            live.go_to_end();
            live.focus_composer();
        }
    };
    let pill = move || {
        let new = new.get();
        (now && !live.at_end.get() && (new > 0 || is_far.get())).then(|| {
            let label = if new > 0 { (strings.new_messages)(new as usize) } else { strings.latest.into() };
            view! {
                <button type="button" class="pill" class:fresh={new > 0} on:click=to_end>
                    {label}
                    <Icon path="M12 5v14M6 13l6 6 6-6" />
                </button>
            }
        })
    };
    let empty = now.then(|| match suggestions {
        Some(meant) => Either::Left(view! { <RoomNotFound live meant /> }),
        None => Either::Right(view! {
            <div class="empty">
                <p>{strings.room_empty}</p>
                <button type="button" popovertarget="about">{strings.share}</button>
            </div>
        }),
    });
    let polite = move || if live.reads_out.get() { "polite" } else { "off" };
    let path = live.room.with_value(|room| link(&room.path()));
    let link = move |seq| {
        let label = move || {
            // Until older messages are loaded.
            let still = live.lines.with(|_| live.first() == older);
            if still && older_unread > 0 {
                (strings.older_unread)(older_unread)
            } else {
                strings.older.into()
            }
        };
        view! { <p class="older"><a href=format!("{path}?before={seq}")>{label}</a></p> }
    };
    view! {
        <main class="page">
            <div class="scroller" node_ref=scroller on:scroll=scrolled tabindex="0">
                <div class="column" id="top">
                    {move || older.filter(|_| live.more.get()).map(link.clone())}
                    <div role="log" aria-label=strings.messages aria-live=polite aria-relevant="additions">
                        <ol class="lines">
                            <For each=move || live.lines.get() key=|(id, _)| *id let:line>
                                <MessageRow shown=line.1 live highlighted />
                            </For>
                        </ol>
                        {empty}
                    </div>
                </div>
            </div>
            <p class="visually-hidden" aria-live="polite">{live.came}</p>
            {pill}
        </main>
    }
}
