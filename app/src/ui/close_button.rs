//! The button that closes a sheet.

use crate::{i18n::Strings, ui::Icon};
use leptos::prelude::*;

/// The button that closes a sheet, also without script.
#[component]
pub fn CloseButton(
    /// The sheet's id.
    sheet: &'static str,
    /// The page's language.
    strings: &'static Strings,
) -> impl IntoView {
    view! {
        <button type="button" class="tool close" popovertarget=sheet popovertargetaction="hide" autofocus aria-label=strings.close>
            <Icon path="M6 6l12 12M18 6L6 18" />
        </button>
    }
}
