//! One message.

use crate::{
    live::{Live, Shown, Standing},
    ui::{Menu, Time},
    wire::visible,
};
use leptos::{ev::PointerEvent, prelude::*};
use std::time::Duration;

/// How long a finger rests on a message to ask for its menu.
const LONG_PRESS: Duration = Duration::from_millis(500);

/// One message. It stays the same element while it turns from pending into confirmed, is edited or
/// deleted.
#[component]
pub fn Line(
    /// The message, whatever becomes of it.
    shown: ArcRwSignal<Shown>,
    /// The room.
    live: Live,
) -> impl IntoView {
    let shown = RwSignal::from(shown);
    let opens = Memo::new(move |_| shown.with(|shown| shown.opens));
    let author = Memo::new(move |_| shown.with(|shown| shown.row.author.clone()));
    let standing = Memo::new(move |_| shown.with(|shown| shown.row.standing.clone()));
    let deleted = Memo::new(move |_| shown.with(|shown| shown.row.deleted));
    let edited = Memo::new(move |_| shown.with(|shown| shown.row.edited && !shown.row.deleted));
    let text = Memo::new(move |_| {
        shown.with(|shown| if shown.row.deleted { "Deleted".into() } else { visible(&shown.row.text) })
    });
    let anchor = move || standing.with(|standing| standing.seq().map(|seq| format!("m{seq}")));
    let name = move || {
        let pending =
            shown.with(|shown| shown.changing.as_ref().is_some_and(|(_, refused)| refused.is_none()));
        if pending { "pending" } else { standing.with(Standing::name) }
    };
    let head = move || {
        opens.get().then(
            || view! { <b class=move || author.get().id.hue()>{move || author.get().name.to_string()}</b> },
        )
    };
    let time = move || standing.with(Standing::at).map(|at| view! { <Time at /> });
    let note = move || edited.get().then(|| view! { <small class="edited">" edited"</small> });
    // A finger has no hover: it rests on the message for a moment.
    let asked = RwSignal::new(false);
    let resting = StoredValue::new(None::<TimeoutHandle>);
    let lift = move || {
        if let Some(handle) = resting.try_update_value(Option::take).flatten() {
            handle.clear();
        }
    };
    let rest = move |press: PointerEvent| {
        if press.pointer_type() == "touch" {
            resting.set_value(set_timeout_with_handle(move || asked.set(true), LONG_PRESS).ok());
        }
    };
    let menu = move || {
        let mine = author.get().id == live.you.get().id && !deleted.get();
        let seq = standing.with(Standing::seq).filter(|_| mine);
        seq.map(|seq| view! { <Menu live seq text=text.into() asked /> })
    };
    // What its author asked for and the server did not take.
    let refused = Memo::new(move |_| {
        shown.with(|shown| match (&shown.changing, shown.row.standing.failure()) {
            (Some((id, Some(why))), _) => Some((*id, why.clone())),
            (_, Some(why)) => Some((shown.row.id, why)),
            _ => None,
        })
    });
    let failed = move || {
        refused.get().map(|(id, why)| {
            view! {
                <p class="failed">
                    {why}" "
                    <button type="button" on:click=move |_| live.retry(id)>"Try again"</button>
                    <button type="button" on:click=move |_| live.forget(id)>"Discard"</button>
                </p>
            }
        })
    };
    view! {
        <li
            class="line"
            class:opens=opens
            class:deleted=deleted
            data-standing=name
            id=anchor
            on:pointerdown=rest
            on:pointerup=move |_| lift()
            on:pointercancel=move |_| lift()
        >
            <p class="head">{head}{time}</p>
            <p class="text" dir="auto">{text}</p>
            {note}
            {menu}
            {failed}
        </li>
    }
}
