//! The button that closes a dialog or sidebar.

use crate::{i18n::Strings, ui::Icon};
use leptos::prelude::*;

/// The button that closes a popover. It works without script.
#[component]
pub fn CloseButton(
    /// The id of the popover.
    popover: &'static str,
    /// The page's language.
    strings: &'static Strings,
) -> impl IntoView {
    view! {
        <button type="button" class="icon-button close" popovertarget=popover popovertargetaction="hide" autofocus aria-label=strings.close>
            <Icon path="M6 6l12 12M18 6L6 18" />
        </button>
    }
}
