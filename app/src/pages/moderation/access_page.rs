//! The way in: the closed server, invitations, and the admin link.

use super::ActionForm;
use crate::{
    base::link,
    i18n::{Lang, ModerationStrings},
};
use leptos::{either::EitherOf4, prelude::*};

/// A page at the way in.
#[derive(Debug, Clone)]
pub enum AccessPage {
    /// The server is closed to the user.
    Closed {
        /// The password lets users in.
        takes_password: bool,
        /// The password before was wrong.
        is_wrong: bool,
    },
    /// An invitation. To open the page does not use it.
    Invitation {
        /// The path of the form.
        path: String,
        /// The name of the user who invites.
        by: String,
        /// The title of the room; `None` for the server.
        room: Option<String>,
    },
    /// The link that makes its user the administrator.
    AdminLink {
        /// The path of the form.
        path: String,
    },
    /// A link that does not work.
    InvalidLink,
}

impl AccessPage {
    /// Returns the heading of the page.
    pub(crate) fn title(&self, strings: &ModerationStrings) -> &'static str {
        match self {
            Self::Closed { .. } => strings.closed_title,
            Self::Invitation { .. } => strings.invitation_title,
            Self::AdminLink { .. } => strings.admin_link_title,
            Self::InvalidLink => strings.link_invalid_title,
        }
    }
}

/// The page at the way in.
#[component]
pub fn Access(page: AccessPage, lang: Lang) -> impl IntoView {
    let (strings, common) = (lang.moderation(), lang.strings());
    let title = page.title(strings);
    let is_in = !matches!(page, AccessPage::Closed { .. });
    let content = match page {
        AccessPage::Closed { takes_password, is_wrong } => {
            EitherOf4::A(view! { <Closed takes_password is_wrong strings /> })
        }
        AccessPage::Invitation { path, by, room } => {
            let text = match room {
                Some(room) => (strings.invited_to)(&by, &room),
                None => (strings.invited_by)(&by),
            };
            EitherOf4::B(view! {
                <p>{text}</p>
                <ActionForm path action="accept" label=strings.accept_invitation is_primary=true />
            })
        }
        AccessPage::AdminLink { path } => EitherOf4::C(view! {
            <p>{strings.admin_link_text}</p>
            <ActionForm path action="accept" label=strings.become_admin is_primary=true />
        }),
        AccessPage::InvalidLink => EitherOf4::D(view! { <p role="alert">{strings.link_invalid}</p> }),
    };
    view! {
        <main class="plain-page">
            <h1>{title}</h1>
            {content}
            {is_in.then(|| view! { <p><a href=link("/")>{common.server.go_to_lobby}</a></p> })}
        </main>
    }
}

/// The content for a user who may not enter yet.
#[component]
fn Closed(takes_password: bool, is_wrong: bool, strings: &'static ModerationStrings) -> impl IntoView {
    let problem = is_wrong.then_some(strings.wrong_password);
    let form = takes_password.then(|| {
        view! {
            <form method="post" action=link("/enter") class="stack">
                <label for="password">{strings.password_label}</label>
                <input id="password" name="password" type="password" autocomplete="current-password" required aria-describedby="password-problem" aria-invalid=is_wrong.then_some("true") />
                <div id="password-problem" class="field-error" role="alert">{problem}</div>
                <button type="submit">{strings.enter_server}</button>
            </form>
        }
    });
    view! {
        <p>{if takes_password { strings.door_password } else { strings.door_invite }}</p>
        {form}
    }
}
