//! The number of unread messages in the window's title and on the page's and the app's icon. In the title those that address
//! the user come before others.

use crate::{
    base::link,
    state::{RoomInfoState, RoomListState},
};
use js_sys::Reflect;
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Shows the number of unread messages in the title and on the icons, for as long as the page lives.
pub(super) fn start(info: RoomInfoState, rooms: RoomListState) {
    let server = server_name();
    Effect::new(move |shown: Option<u32>| {
        let (unread, title) = (rooms.unread(), info.title.get());
        let count = match (rooms.unread_mentions(), unread) {
            (0, 0) => String::new(),
            (0, 100..) => "(99+) ".into(),
            (0, n) => format!("({n}) "),
            (100.., _) => "(@99+) ".into(),
            (n, _) => format!("(@{n}) "),
        };
        document().set_title(&format!("{count}{title} · {server}"));
        if (shown.unwrap_or(0) == 0) != (unread == 0)
            && let Ok(Some(icon)) = document().query_selector("link[rel=icon]")
        {
            let file = if unread == 0 { "/favicon.svg" } else { "/favicon-unread.svg" };
            let _ = icon.set_attribute("href", &link(file));
        }
        set_app_badge(unread);
        unread
    });
}

/// Returns the name of the server, which is in the document.
fn server_name() -> String {
    let name = document().query_selector("meta[name=application-name]").ok().flatten();
    name.and_then(|name| name.get_attribute("content")).unwrap_or_default()
}

/// Sets the badge of the installed app, on systems that have such badges.
fn set_app_badge(unread: u32) {
    let navigator: JsValue = window().navigator().into();
    let Ok(set) = Reflect::get(&navigator, &"setAppBadge".into()) else { return };
    if let Ok(set) = set.dyn_into::<js_sys::Function>()
        && let Ok(done) = set.call1(&navigator, &unread.into())
    {
        // The promise is rejected if the app is not installed; nothing else depends on it.
        spawn_local(async move {
            if let Ok(done) = done.dyn_into::<js_sys::Promise>() {
                let _ = JsFuture::from(done).await;
            }
        });
    }
}
