//! How the connection is, where that matters to somebody.

use crate::live::{Live, Status};
use leptos::prelude::*;

/// Says nothing while connected; otherwise one calm line.
#[component]
pub fn State(
    /// The room.
    live: Live,
) -> impl IntoView {
    let words = move || match live.status.get() {
        Status::Asleep | Status::Open => None,
        Status::Connecting => Some("Connecting…"),
        Status::Offline => Some("Offline. Your messages wait here and will be sent."),
    };
    let name = move || match live.status.get() {
        Status::Asleep => "asleep",
        Status::Connecting => "connecting",
        Status::Open => "open",
        Status::Offline => "offline",
    };
    view! {
        <div class="state" data-connection=name role="status">
            {move || words().map(|words| view! { <p>{words}</p> })}
        </div>
    }
}
