//! What comes alive in the browser: a room.

use crate::{page_data::RoomPage, pages::Room};
use leptos::prelude::*;

/// The room, the same on both sides. The server provides the [`RoomPage`] as context before it renders;
/// the page carries it to the browser, which hydrates the very same.
#[component]
pub fn App() -> impl IntoView {
    let page = SharedValue::new(|| expect_context::<Box<RoomPage>>()).into_inner();
    view! { <Room page=*page /> }
}
