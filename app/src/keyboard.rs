//! Keys of input methods, and the key that submits a message.

use leptos::ev::KeyboardEvent;

/// The `keyCode` of a key that an input method handles (UI Events, section 8.3.1).
const INPUT_METHOD_KEY: u32 = 229;

/// Returns whether an input method handles the key. Chromium and Firefox set `isComposing`; Safari sends the key that ends
/// a composition after `compositionend`, so only the key code identifies it.
pub fn is_composing(key: &KeyboardEvent) -> bool {
    key.is_composing() || key.key_code() == INPUT_METHOD_KEY
}

/// Returns whether the key submits the message: Enter on a device with a fine pointer, and Ctrl Enter or Command Enter on
/// every device. On a touch screen Enter inserts a line break, since virtual keyboards have no other key for that.
///
/// Enter that ends a composition does not submit.
pub fn sends(key: &KeyboardEvent) -> bool {
    key.key() == "Enter"
        && !key.shift_key()
        && !is_composing(key)
        && (key.ctrl_key() || key.meta_key() || has_fine_pointer())
}

/// Returns `true` if the device has a fine pointer, and so most likely a physical keyboard.
#[cfg(feature = "hydrate")]
pub fn has_fine_pointer() -> bool {
    let query = leptos::prelude::window().match_media("(pointer: fine)").ok().flatten();
    query.is_some_and(|query| query.matches())
}

/// The server handles no keys.
#[cfg(not(feature = "hydrate"))]
fn has_fine_pointer() -> bool {
    true
}
