//! The page that shows an error.

use super::rooms::link_to_taken_title;
use crate::{
    base::link,
    i18n::{Lang, PageError},
    raw_text::rcdata,
    ui::{dialogs::RoomFields, retention::RoomRetention},
    wire::ErrorCode,
};
use leptos::{either::Either, prelude::*};

/// The values of a form that the server rejected, so that the user can correct or copy them.
#[derive(Debug, Clone)]
pub enum RejectedForm {
    /// The edit of a message.
    Edit {
        /// The path of the form.
        path: String,
        /// The text.
        text: String,
    },
    /// The title and topic of a room.
    Room {
        /// The path of the form.
        path: String,
        /// The title.
        title: String,
        /// The topic.
        topic: String,
        /// The retention of its messages.
        retention: RoomRetention,
    },
}

/// The page that shows an error, the rejected form, and a link to the lobby.
#[component]
pub fn ErrorPage(
    /// The error.
    error: PageError,
    /// The rejected form.
    rejected: Option<RejectedForm>,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let strings = lang.strings();
    let taken_title = match &error {
        PageError::Room(error) => link_to_taken_title(error),
        _ => None,
    };
    let is_signed_out = error == PageError::Command(ErrorCode::SignedOut);
    let recover =
        is_signed_out.then(|| view! { <p><a href=link("/recover")>{lang.device_strings().recover}</a></p> });
    let leave =
        if is_signed_out { lang.device_strings().continue_as_guest } else { strings.server.go_to_lobby };
    let rejected = rejected.map(|rejected| view! { <RejectedFormFields rejected lang /> });
    view! {
        <main class="plain-page">
            <h1>{(strings.server.page_error_title)(&error)}</h1>
            <p role="alert">{(strings.server.page_error)(&error)}{taken_title}</p>
            {rejected}
            {recover}
            <p><a href=link("/")>{leave}</a></p>
        </main>
    }
}

/// The rejected form with its values.
#[component]
fn RejectedFormFields(rejected: RejectedForm, lang: Lang) -> impl IntoView {
    let strings = lang.strings();
    match rejected {
        RejectedForm::Edit { path, text } => Either::Left(view! {
            <form method="post" action=link(&path) class="stack">
                <label for="text">{strings.message_text_label}</label>
                <textarea id="text" name="text" rows="6" required>{rcdata(&text)}</textarea>
                <button type="submit">{strings.save}</button>
            </form>
        }),
        RejectedForm::Room { path, title, topic, retention } => Either::Right(view! {
            <form method="post" action=link(&path) class="stack"><RoomFields title topic retention lang /></form>
        }),
    }
}
