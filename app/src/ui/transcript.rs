//! The messages of a room, in order.

use crate::{live::Live, pages::Place, ui::Line, wire::Seq};
use leptos::{html, prelude::*};

/// How many pixels from the end still count as at the end.
const NEAR: i32 = 8;

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
    let (at_end, set_at_end) = signal(true);
    let (seen, set_seen) = signal(live.lines.with_untracked(Vec::len));
    // The scroller is laid out from its end, so that the end is at 0 and older lines are below 0.
    let scrolled = move |_| {
        if let Some(scroller) = scroller.get() {
            set_at_end.set(scroller.scroll_top().abs() <= NEAR);
        }
    };
    Effect::new(move || {
        let lines = live.lines.with(Vec::len);
        if at_end.get() {
            set_seen.set(lines);
        }
    });
    let new = Memo::new(move |_| live.lines.with(Vec::len).saturating_sub(seen.get()));
    let to_end = move |_| {
        if let Some(scroller) = scroller.get() {
            scroller.set_scroll_top(0);
        }
    };
    let pill = move || {
        (new.get() > 0 && !at_end.get()).then(|| {
            let words = match new.get() {
                1 => "1 new message".to_owned(),
                more => format!("{more} new messages"),
            };
            view! { <button type="button" class="pill" on:click=to_end>{words}</button> }
        })
    };
    let path = live.room.with_value(crate::wire::RoomName::path);
    let marked = match place {
        Place::Around(seq) => Some(seq.to_string()),
        Place::Newest | Place::Before(_) => None,
    };
    view! {
        <main class="page" data-around=marked>
            <div class="scroller" node_ref=scroller on:scroll=scrolled tabindex="0">
                <div class="column">
                    {older.map(|seq| view! {
                        <p class="older"><a href=format!("{path}?before={seq}")>"Older messages"</a></p>
                    })}
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
