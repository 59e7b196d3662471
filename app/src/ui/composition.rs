//! Keys that belong to an input method.

use leptos::ev::KeyboardEvent;

/// The `keyCode` of a key that an input method has taken (UI Events, section 8.3.1).
const TAKEN: u32 = 229;

/// Whether the key belongs to the composition of a word, and so does nothing else. In Chromium and Firefox
/// `isComposing` says so; Safari sends the key that ends a composition after `compositionend`, with the key code
/// alone.
pub(crate) fn is_composing(key: &KeyboardEvent) -> bool {
    key.is_composing() || key.key_code() == TAKEN
}
