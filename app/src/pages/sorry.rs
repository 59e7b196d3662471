//! A page that says why there is no other.

use leptos::prelude::*;

/// A sentence and the way back.
#[component]
pub fn Sorry(
    /// What happened, in a few words.
    title: String,
    /// What it means.
    message: String,
) -> impl IntoView {
    view! {
        <main class="sorry">
            <h1>{title}</h1>
            <p>{message}</p>
            <p><a href="/">"Go to the lobby"</a></p>
        </main>
    }
}
