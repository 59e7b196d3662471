//! One message.

use crate::{
    live::{Live, Shown, Standing},
    ui::Time,
    wire::visible,
};
use leptos::prelude::*;

/// One message. It stays the same element while it turns from pending into confirmed.
#[component]
pub fn Line(
    /// The message, whatever becomes of it.
    shown: ArcRwSignal<Shown>,
    /// The room.
    live: Live,
) -> impl IntoView {
    let shown = RwSignal::from(shown);
    let id = shown.with_untracked(|shown| shown.row.id);
    let opens = Memo::new(move |_| shown.with(|shown| shown.opens));
    let author = Memo::new(move |_| shown.with(|shown| shown.row.author.clone()));
    let standing = Memo::new(move |_| shown.with(|shown| shown.row.standing.clone()));
    let text = shown.with_untracked(|shown| visible(&shown.row.text));
    let anchor = move || standing.with(|standing| standing.seq().map(|seq| format!("m{seq}")));
    let name = move || standing.with(Standing::name);
    let head = move || {
        opens.get().then(
            || view! { <b class=move || author.get().id.hue()>{move || author.get().name.to_string()}</b> },
        )
    };
    let time = move || standing.with(Standing::at).map(|at| view! { <Time at /> });
    let failed = move || {
        standing.with(Standing::failure).map(|why| {
            view! {
                <p class="failed">
                    {why}" "
                    <button type="button" on:click=move |_| live.retry(id)>"Try again"</button>
                    <button type="button" on:click=move |_| live.forget(id)>"Delete"</button>
                </p>
            }
        })
    };
    view! {
        <li class="line" class:opens=opens data-standing=name id=anchor>
            <p class="head">{head}{time}</p>
            <p class="text" dir="auto">{text}</p>
            {failed}
        </li>
    }
}
