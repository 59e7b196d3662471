//! The button that closes a dialog or sidebar.

use crate::{
    i18n::Strings,
    ui::{icon::icon, inert_tree::InertElement},
};

/// Returns the button that closes a popover. It works without script.
pub(super) fn close_button(popover: &'static str, strings: &Strings) -> InertElement {
    InertElement::new("button")
        .with("type", "button")
        .class("icon-button close")
        .with("popovertarget", popover)
        .with("popovertargetaction", "hide")
        .with("autofocus", "")
        .with("aria-label", strings.close)
        .child(icon("M6 6l12 12M18 6L6 18"))
}
