//! The button that closes a sheet.

use crate::{i18n::Words, ui::Icon};
use leptos::prelude::*;

/// The button that closes a sheet, also without script.
#[component]
pub fn Close(
    /// The sheet's id.
    sheet: &'static str,
    /// The page's language.
    words: &'static Words,
) -> impl IntoView {
    view! {
        <button type="button" class="tool close" popovertarget=sheet popovertargetaction="hide" autofocus aria-label=words.close>
            <Icon path="M6 6l12 12M18 6L6 18" />
        </button>
    }
}
