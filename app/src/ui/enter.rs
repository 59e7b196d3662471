//! The meaning of Enter in a message field.

use super::is_composing;
use leptos::ev::KeyboardEvent;

/// Returns whether the key submits the message: Enter on a device with a fine pointer, and Ctrl Enter or Command Enter on
/// every device. On a touch screen Enter inserts a line break, since virtual keyboards have no other key for that.
///
/// Enter that ends a composition does not submit.
pub(super) fn sends(key: &KeyboardEvent) -> bool {
    key.key() == "Enter"
        && !key.shift_key()
        && !is_composing(key)
        && (key.ctrl_key() || key.meta_key() || has_fine_pointer())
}

/// Returns whether the device has a fine pointer, and so most likely a physical keyboard.
#[cfg(feature = "hydrate")]
pub(crate) fn has_fine_pointer() -> bool {
    let query = leptos::prelude::window().match_media("(pointer: fine)").ok().flatten();
    query.is_some_and(|query| query.matches())
}

/// The server handles no keys.
#[cfg(not(feature = "hydrate"))]
fn has_fine_pointer() -> bool {
    true
}
