//! Keys of input methods.

use leptos::ev::KeyboardEvent;

/// The `keyCode` of a key that an input method handles (UI Events, section 8.3.1).
const INPUT_METHOD_KEY: u32 = 229;

/// Returns whether an input method handles the key. Chromium and Firefox set `isComposing`; Safari sends the key that ends
/// a composition after `compositionend`, so only the key code identifies it.
pub(crate) fn is_composing(key: &KeyboardEvent) -> bool {
    key.is_composing() || key.key_code() == INPUT_METHOD_KEY
}
