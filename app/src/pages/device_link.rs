//! Being the same person on another device.

use crate::{
    base::link,
    i18n::Lang,
    ui::share::{LinkToPass, Shared},
    wire::User,
};
use leptos::{either::Either, prelude::*};

/// What the page of a link to another device shows.
#[derive(Debug, Clone)]
pub enum DevicePage {
    /// The link, on the device where it was made.
    Made(Shared),
    /// The question, on the other device. Nothing is used up by looking.
    Opened {
        /// Where the answer goes.
        path: String,
        /// Who one would be.
        becomes: User,
        /// Who one was here before.
        before: User,
    },
}

/// A link to another device: to be passed on, or to be followed.
#[component]
pub fn Device(
    /// What to show.
    page: DevicePage,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let words = lang.words();
    let content = match page {
        DevicePage::Made(shared) => Either::Left(view! {
            <p>{words.device_here}</p>
            <div class="stack"><LinkToPass id="share" label=words.link shared words /></div>
            <p class="note">{words.device_safe}</p>
        }),
        DevicePage::Opened { path, becomes, before } => Either::Right(view! {
            <p>{(words.device_as)(becomes.name.as_str())}</p>
            <p class="note">{(words.device_else)(before.name.as_str())}</p>
            <form method="post" action=link(&path) class="stack"><button type="submit">{words.device_go}</button></form>
        }),
    };
    view! {
        <main class="plain-page">
            <h1>{words.device}</h1>
            {content}
            <p><a href=link("/")>{words.to_lobby}</a></p>
        </main>
    }
}
