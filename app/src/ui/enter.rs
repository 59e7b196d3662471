//! The meaning of Enter in a message field.

#[cfg(feature = "hydrate")]
use crate::browser::dom::has_fine_pointer;
use crate::keyboard::is_composing;
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

/// The server handles no keys.
#[cfg(not(feature = "hydrate"))]
fn has_fine_pointer() -> bool {
    true
}
