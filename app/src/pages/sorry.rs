//! A page that says why there is no other.

use crate::words::{Lang, Trouble};
use leptos::prelude::*;

/// A sentence and the way back.
#[component]
pub fn Sorry(
    /// What happened.
    trouble: Trouble,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let words = lang.words();
    view! {
        <main class="plain-page">
            <h1>{(words.trouble_title)(&trouble)}</h1>
            <p>{(words.trouble)(&trouble)}</p>
            <p><a href="/">{words.to_lobby}</a></p>
        </main>
    }
}
