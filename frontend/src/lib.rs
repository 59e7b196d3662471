//! The entry point of the wasm: hydrates the page that the server rendered.

use wasm_bindgen::prelude::wasm_bindgen;

/// Hydrates the page. The page calls it once the wasm is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    // Logs the message and location of a panic. The wasm has no symbol names, so a stack trace would not help.
    std::panic::set_hook(Box::new(|panic| web_sys::console::error_1(&panic.to_string().into())));
    leptos::mount::hydrate_body(app::App);
}
