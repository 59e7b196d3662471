//! Times and days: in UTC from the server, then in the time zone of the browser.

use super::inert_tree::InertElement;
use crate::{clock, i18n::Strings, wire::Millis};

/// Returns a time, in the browser's time zone if `is_local`.
pub(super) fn time(at: Millis, is_local: bool, strings: &Strings) -> InertElement {
    #[cfg(feature = "hydrate")]
    if is_local {
        return element(at, clock::local(at, strings));
    }
    debug_assert!(!is_local, "the server knows no time zone");
    element(at, clock::utc(at, strings))
}

/// Returns a day, in the browser's time zone if `is_local`.
pub(super) fn day(at: Millis, is_local: bool, strings: &Strings) -> InertElement {
    #[cfg(feature = "hydrate")]
    if is_local {
        return element(at, clock::local_day(at, strings));
    }
    debug_assert!(!is_local, "the server knows no time zone");
    element(at, clock::utc_day(at, strings))
}

fn element(at: Millis, text: String) -> InertElement {
    InertElement::new("time").with("datetime", clock::iso(at)).text(text)
}
