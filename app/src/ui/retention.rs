//! The field in which the owner of a room says how long its messages are kept. Only the server renders it.

use crate::{
    i18n::{Lang, PrivacyStrings},
    wire::Retention,
};
use leptos::prelude::*;

/// The hours to choose from.
const CHOICES: [u32; 7] = [1, 24, 7 * 24, 30 * 24, 90 * 24, 365 * 24, 0];

/// The retention of a room's messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RoomRetention {
    /// The retention that its owner has chosen; `None` for that of the server.
    pub own: Option<Retention>,
    /// The server's retention of messages.
    pub server: Retention,
    /// No room keeps messages longer than the server.
    pub is_limit: bool,
}

/// The field with the choices of the owner.
#[component]
pub(crate) fn RetentionField(retention: RoomRetention, lang: Lang) -> impl IntoView {
    let strings = lang.privacy();
    let RoomRetention { own, server, is_limit } = retention;
    let limit = (!server.is_unlimited()).then(|| (strings.amount)(server.hours()));
    let own_hours = own.map(Retention::hours);
    let hint = (is_limit && limit.is_some()).then(|| view! { <p class="hint">{strings.keep_limit}</p> });
    view! {
        <label for="keep">{strings.keep_label}</label>
        <select id="keep" name="keep" autocomplete="off">
            <option value="" selected=own.is_none()>{(strings.as_server)(limit)}</option>
            {retention_options(own_hours, strings)}
        </select>
        {hint}
    }
}

/// Returns the options of a field that says how long messages are kept. A value that is not among the choices stays one.
pub(crate) fn retention_options(present: Option<u32>, strings: &'static PrivacyStrings) -> impl IntoView {
    let mut choices = CHOICES.to_vec();
    choices.splice(0..0, present.filter(|hours| !CHOICES.contains(hours)));
    let options = choices.into_iter().map(|hours| {
        view! { <option value=hours.to_string() selected=present == Some(hours)>{label(strings, hours)}</option> }
    });
    options.collect::<Vec<_>>()
}

fn label(strings: &PrivacyStrings, hours: u32) -> String {
    if hours == 0 { strings.keep_forever.into() } else { (strings.amount)(hours) }
}
