//! A page that says why there is no other.

use super::rooms::link_to_taken_title;
use crate::{
    base::link,
    i18n::{Lang, PageError, Strings},
    raw_text::rcdata,
    ui::dialogs::RoomFields,
};
use leptos::{either::Either, prelude::*};

/// What was written into a form that was rejected, to be mended or copied: nothing of it is lost.
#[derive(Debug, Clone)]
pub enum RejectedForm {
    /// What a message was to say.
    Edit {
        /// Where the form goes.
        path: String,
        /// What was written.
        text: String,
    },
    /// What a room was to be called.
    About {
        /// Where the form goes.
        path: String,
        /// What was written.
        title: String,
        /// What was written.
        topic: String,
    },
}

/// A sentence, what was written, and the way back.
#[component]
pub fn ErrorPage(
    /// What happened.
    error: PageError,
    /// What was written, where something was.
    rejected: Option<RejectedForm>,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let strings = lang.strings();
    let way = match &error {
        PageError::Room(error) => link_to_taken_title(error),
        _ => None,
    };
    let rejected = rejected.map(|rejected| view! { <RejectedFormFields rejected strings /> });
    view! {
        <main class="plain-page">
            <h1>{(strings.page_error_title)(&error)}</h1>
            <p role="alert">{(strings.page_error)(&error)}{way}</p>
            {rejected}
            <p><a href=link("/")>{strings.go_to_lobby}</a></p>
        </main>
    }
}

/// The form once more, with what was written in it.
#[component]
fn RejectedFormFields(rejected: RejectedForm, strings: &'static Strings) -> impl IntoView {
    match rejected {
        RejectedForm::Edit { path, text } => Either::Left(view! {
            <form method="post" action=link(&path) class="stack">
                <label for="text">{strings.message_text_label}</label>
                <textarea id="text" name="text" rows="6" required>{rcdata(&text)}</textarea>
                <button type="submit">{strings.save}</button>
            </form>
        }),
        RejectedForm::About { path, title, topic } => Either::Right(
            view! { <form method="post" action=link(&path) class="stack"><RoomFields title topic strings /></form> },
        ),
    }
}
