//! What is wrong with what somebody wrote.

use leptos::prelude::*;

/// A sentence below a field, announced when it comes; nothing where there is nothing wrong.
#[component]
pub fn Problem(
    /// Which the field is described by.
    #[prop(into)]
    id: String,
    /// The sentence; empty where all is well.
    words: ReadSignal<String>,
) -> impl IntoView {
    let sentence = move || words.with(|words| (!words.is_empty()).then(|| view! { <p>{words.clone()}</p> }));
    view! { <div id=id class="problem" role="alert">{sentence}</div> }
}
