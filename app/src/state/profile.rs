//! The user of the page.

use crate::{i18n::Strings, page_data::NameError, wire::User};
use leptos::prelude::*;

/// The user of the page, and the card with their name.
#[derive(Debug, Clone, Copy)]
pub struct ProfileState {
    /// The user.
    pub user: RwSignal<User>,
    /// The reason why the last name was refused; empty if it was accepted.
    pub rename_error: RwSignal<String>,
    /// Set to open the card, since it says something about the new name.
    pub is_card_requested: RwSignal<bool>,
}

impl ProfileState {
    pub(super) fn new(user: User) -> Self {
        Self {
            user: RwSignal::new(user),
            rename_error: RwSignal::default(),
            is_card_requested: RwSignal::new(false),
        }
    }
}

/// Returns the sentence that explains why a name was refused.
pub fn rename_error(strings: &Strings, error: NameError) -> String {
    match error {
        NameError::Invalid(invalid) => (strings.invalid_name)(invalid),
        NameError::CookiesDisabled => strings.cannot_save_without_cookies.into(),
        NameError::Command(code) => (strings.command_error)(code),
    }
}
