//! The entry of the browser half: hydrates the page that the server rendered.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the page when the wasm has arrived.
#[wasm_bindgen]
pub fn hydrate() {
    // The message and its place in the source; a stack of the wasm, whose names are stripped, would say nothing.
    std::panic::set_hook(Box::new(|panic| web_sys::console::error_1(&panic.to_string().into())));
    leptos::mount::hydrate_body(app::App);
}
