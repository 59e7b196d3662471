//! What Enter means in a field for a message.

use super::is_composing;
use leptos::ev::KeyboardEvent;

/// Returns whether the key sends what is in the field: Enter on a device with a mouse or the like, and Ctrl Enter or
/// Command Enter on every device. On a touch screen Enter begins a line, since its keyboard has no other key for that.
///
/// While a word is being composed, Enter chooses it.
pub(super) fn sends(key: &KeyboardEvent) -> bool {
    key.key() == "Enter"
        && !key.shift_key()
        && !is_composing(key)
        && (key.ctrl_key() || key.meta_key() || has_fine_pointer())
}

/// Returns whether the device has a mouse or the like, and so a keyboard at hand.
#[cfg(feature = "hydrate")]
pub(crate) fn has_fine_pointer() -> bool {
    let query = leptos::prelude::window().match_media("(pointer: fine)").ok().flatten();
    query.is_some_and(|query| query.matches())
}

/// The server has no keys to answer.
#[cfg(not(feature = "hydrate"))]
fn has_fine_pointer() -> bool {
    true
}
