//! A page that says why there is no other.

use super::rooms::way_to;
use crate::{
    base::link,
    i18n::{Lang, Trouble, Words},
    raw_text::rcdata,
    ui::dialogs::AboutFields,
};
use leptos::{either::Either, prelude::*};

/// What was written into a form that was refused, to be mended or copied: nothing of it is lost.
#[derive(Debug, Clone)]
pub enum Unsaved {
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
pub fn Sorry(
    /// What happened.
    trouble: Trouble,
    /// What was written, where something was.
    unsaved: Option<Unsaved>,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let words = lang.words();
    let way = match &trouble {
        Trouble::Room(trouble) => way_to(trouble),
        _ => None,
    };
    let unsaved = unsaved.map(|unsaved| view! { <Again unsaved words /> });
    view! {
        <main class="plain-page">
            <h1>{(words.trouble_title)(&trouble)}</h1>
            <p role="alert">{(words.trouble)(&trouble)}{way}</p>
            {unsaved}
            <p><a href=link("/")>{words.to_lobby}</a></p>
        </main>
    }
}

/// The form once more, with what was written in it.
#[component]
fn Again(unsaved: Unsaved, words: &'static Words) -> impl IntoView {
    match unsaved {
        Unsaved::Edit { path, text } => Either::Left(view! {
            <form method="post" action=link(&path) class="stack">
                <label for="text">{words.what_it_says}</label>
                <textarea id="text" name="text" rows="6" required>{rcdata(&text)}</textarea>
                <button type="submit">{words.save}</button>
            </form>
        }),
        Unsaved::About { path, title, topic } => Either::Right(
            view! { <form method="post" action=link(&path) class="stack"><AboutFields title topic words /></form> },
        ),
    }
}
