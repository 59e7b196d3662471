//! Below an older page: the way back to now.

use crate::wire::RoomName;
use leptos::prelude::*;

/// Says that this is not the newest page, and where that is.
#[component]
pub fn History(
    /// The room.
    room: RoomName,
) -> impl IntoView {
    view! {
        <footer class="below history">
            <p>"These are older messages. "<a href=room.path()>"Back to now"</a></p>
        </footer>
    }
}
