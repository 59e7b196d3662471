//! Pages about access and moderation. They are forms, and work without script.

mod access_page;
mod lists;
mod manage;
mod privacy;
mod rows;
mod server;
mod user;

pub use access_page::{Access, AccessPage};
pub use manage::{Manage, ManagePage, ServerSettings};
pub use privacy::{ErasureState, KeptMessages};
pub use rows::{InvitationRow, LogRow, Posting, ReportRow, RestrictionRow, RoleRow};
pub use server::{RoomRow, ServerLimits, ServerOverview};
pub use user::{ManageUser, Reported, UserPage};

use crate::{
    base::link,
    clock,
    i18n::ModerationStrings,
    wire::{Millis, RoomName, User},
};
use leptos::prelude::*;

/// The scope of a page of moderation: a room, or the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModerationScope {
    /// The room, with its title; `None` for the server.
    pub room: Option<(RoomName, String)>,
}

/// The duration choices of a restriction, in hours; 0 is for good.
const HOURS: [u32; 5] = [1, 24, 7 * 24, 30 * 24, 0];

impl ModerationScope {
    /// Returns the path of the page that manages the scope.
    pub fn path(&self) -> String {
        match &self.room {
            Some((room, _)) => format!("/r/{room}/manage"),
            None => "/admin".into(),
        }
    }

    /// Returns the path of the page of a user there.
    pub fn user_path(&self, user: &User) -> String {
        match &self.room {
            Some((room, _)) => format!("/r/{room}/people/{}", user.id),
            None => format!("/admin/people/{}", user.id),
        }
    }
}

/// Returns a moment in UTC, the same in every language: `2026-11-23 15:09 UTC`.
fn moment(at: Millis) -> String {
    let iso = clock::iso(at);
    format!("{} {} UTC", &iso[..10], &iso[11..16])
}

/// A form that does one thing: hidden fields, then what is given, then a button.
#[component]
fn ActionForm(
    /// The path of the form.
    path: String,
    /// The action of the form.
    action: &'static str,
    /// Hidden fields.
    #[prop(default = Vec::new())]
    fields: Vec<(&'static str, String)>,
    /// The button.
    label: &'static str,
    /// The button is what the page is for.
    #[prop(default = false)]
    is_primary: bool,
    /// The button ends something.
    #[prop(default = false)]
    is_danger: bool,
    /// Visible fields.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let hidden =
        fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    let class = match (is_primary, is_danger) {
        (true, _) => "",
        (false, true) => "danger",
        (false, false) => "outlined",
    };
    view! {
        <form method="post" action=link(&path) class="stack">
            <input type="hidden" name="action" value=action />
            {hidden.collect::<Vec<_>>()}
            {children.map(|children| children())}
            <button type="submit" class=class>{label}</button>
        </form>
    }
}

/// The fields of a restriction: how long, and why.
#[component]
fn RestrictionFields(
    /// Distinguishes the fields of several forms.
    id: &'static str,
    strings: &'static ModerationStrings,
) -> impl IntoView {
    let label = |hours| match hours {
        1 => strings.hour,
        24 => strings.day,
        168 => strings.week,
        720 => strings.month,
        _ => strings.for_ever,
    };
    let choices = HOURS.map(|hours| view! { <option value=hours.to_string()>{label(hours)}</option> });
    view! {
        <label for=format!("{id}-hours")>{strings.duration}</label>
        <select id=format!("{id}-hours") name="hours">{choices}</select>
        <ReasonField id strings />
    }
}

/// The field of a reason.
#[component]
fn ReasonField(id: &'static str, strings: &'static ModerationStrings) -> impl IntoView {
    view! {
        <label for=format!("{id}-reason")>{strings.reason}</label>
        <input id=format!("{id}-reason") name="reason" maxlength="200" autocomplete="off" />
    }
}

/// The name of a user, with a link to their page.
#[component]
fn UserLink(scope: ModerationScope, user: User) -> impl IntoView {
    let name = user.disambiguated();
    view! { <a class="person-link" href=link(&scope.user_path(&user))>{crate::ui::face(&user)}<bdi>{name}</bdi></a> }
}
