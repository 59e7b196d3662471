//! Where you are, and who.

use crate::{live::Live, pages::Refused, ui::Problem, wire::limits::NAME_CHARS};
use leptos::{ev::SubmitEvent, html, prelude::*};

/// The room's title, and the name of whoever looks, which they can change.
#[component]
pub fn Header(
    /// The room.
    live: Live,
    /// What the plain form did not change.
    refused: Option<Refused>,
) -> impl IntoView {
    let present = live.you.with_untracked(|you| you.name.to_string());
    let refused = match refused {
        Some(Refused::Name { name, why }) => Some((name, why)),
        _ => None,
    };
    let open = refused.is_some();
    let (written, why) = refused.unwrap_or((present, String::new()));
    live.name_problem.set(why);
    let input = NodeRef::<html::Input>::new();
    let details = NodeRef::<html::Details>::new();
    let name = move || live.you.get().name.to_string();
    let save = move |submit: SubmitEvent| {
        submit.prevent_default();
        let Some(field) = input.get() else { return };
        if live.rename(&field.value())
            && let Some(details) = details.get()
        {
            details.set_open(false);
        }
    };
    view! {
        <header class="top">
            <a class="home" href="/" title="The lobby" aria-label="Hubbub: the lobby">
                <svg viewBox="0 0 32 32" aria-hidden="true">
                    <path d="M6 9h20M6 16h14M6 23h8" />
                </svg>
            </a>
            <h1>{live.title.get_value()}</h1>
            <details class="me" node_ref=details open=open>
                <summary>
                    <span class="label">"You are "</span>
                    <strong class=move || live.you.get().id.hue()>{name}</strong>
                </summary>
                <form method="post" action="/name" on:submit=save>
                    <label for="name">"Your name"</label>
                    <input
                        node_ref=input
                        id="name"
                        name="name"
                        value=written
                        maxlength=NAME_CHARS * 2
                        autocomplete="nickname"
                        aria-describedby="name-problem"
                        required
                    />
                    <input type="hidden" name="room" value=live.room.get_value().to_string() />
                    <button type="submit">"Save"</button>
                    <Problem id="name-problem" words=live.name_problem.read_only() />
                </form>
            </details>
        </header>
    }
}
