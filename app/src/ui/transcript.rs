//! The messages of a room, in order.

use crate::{live::Live, pages::Place, ui::Line, wire::Seq};
use leptos::{html, prelude::*};

/// How many pixels from the end still count as at the end.
const NEAR: i32 = 8;

/// How many pixels from an end of what is shown more is shown.
const AHEAD: i32 = 800;

/// The messages of a room, in order. Who reads at the end stays there as the room grows; who reads
/// back is left where they are and told that there is something new.
#[component]
pub fn Transcript(
    /// The room.
    live: Live,
    /// The first message's place, where there are older ones.
    older: Option<Seq>,
    /// Which page this is.
    place: Place,
) -> impl IntoView {
    let scroller = NodeRef::<html::Div>::new();
    let (seen, set_seen) = signal(0);
    let now = place == Place::Newest;
    // The scroller is laid out from its end, so that the end is at 0 and older lines are below 0.
    let scrolled = move |_| {
        let Some(scroller) = scroller.get() else { return };
        let from_end = scroller.scroll_top().abs();
        let from_start = scroller.scroll_height() - scroller.client_height() - from_end;
        if now && from_end < AHEAD {
            live.forth();
        }
        #[cfg(feature = "hydrate")]
        if now && from_start < AHEAD && live.has_older() {
            live.back();
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = from_start;
        live.at_end.set(from_end <= NEAR && live.has_newest());
    };
    Effect::new(move || {
        let arrived = live.arrived.get();
        if live.at_end.get() {
            set_seen.set(arrived);
        }
    });
    let new = Memo::new(move |_| live.arrived.get().saturating_sub(seen.get()));
    let to_end = move |_| {
        live.to_end();
        if let Some(scroller) = scroller.get() {
            scroller.set_scroll_top(0);
        }
    };
    let pill = move || {
        (new.get() > 0 && !live.at_end.get()).then(|| {
            let words = match new.get() {
                1 => "1 new message".to_owned(),
                more => format!("{more} new messages"),
            };
            view! { <button type="button" class="pill" on:click=to_end>{words}</button> }
        })
    };
    let path = live.room.with_value(crate::wire::RoomName::path);
    let link =
        move |seq| view! { <p class="older"><a href=format!("{path}?before={seq}")>"Older messages"</a></p> };
    let marked = match place {
        Place::Around(seq) => Some(seq.to_string()),
        Place::Newest | Place::Before(_) => None,
    };
    view! {
        <main class="page" data-around=marked>
            <div class="scroller" node_ref=scroller on:scroll=scrolled tabindex="0">
                <div class="column">
                    {move || older.filter(|_| live.more.get()).map(link.clone())}
                    <div role="log" aria-label="Messages" aria-live="polite">
                        <ol class="lines">
                            <For each=move || live.lines.get() key=|(id, _)| *id let:line>
                                <Line shown=line.1 live />
                            </For>
                        </ol>
                        <p class="empty">"Nobody has said anything yet. Share the link, and begin."</p>
                    </div>
                </div>
            </div>
            {pill}
        </main>
    }
}
