//! Random ids.

use crate::{clock::now, wire::CommandId};
use leptos::prelude::window;

/// Returns a UUID of version 7 (RFC 9562, section 5.7). They grow with time, which keeps the index of the store small.
pub(super) fn new_id() -> CommandId {
    let mut random = [0; 10];
    if let Ok(crypto) = window().crypto() {
        let _ = crypto.get_random_values_with_u8_array(&mut random);
    }
    uuid::Builder::from_unix_timestamp_millis(now(), &random).into_uuid()
}
