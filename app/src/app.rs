//! The root of the hydrated app.

use crate::{
    page_data::{EmbeddedPage, RoomPage},
    pages::Room,
};
use leptos::prelude::*;

/// A room, rendered on the server and hydrated in the browser. The server provides the [`RoomPage`] as a context, and the
/// page passes it to the browser.
#[component]
pub fn App() -> impl IntoView {
    let EmbeddedPage(page) =
        SharedValue::new_str(|| EmbeddedPage(expect_context::<Box<RoomPage>>())).into_inner();
    view! { <Room page=*page /> }
}
