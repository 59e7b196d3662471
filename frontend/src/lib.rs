//! The entry of the browser half: hydrates the page that the server rendered.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the page when the wasm has arrived.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
