//! What is wrong with what somebody wrote.

use leptos::prelude::*;

/// A sentence below a field, announced when it comes; nothing where there is nothing wrong.
#[component]
pub fn FieldError(
    /// Which the field is described by.
    #[prop(into)]
    id: String,
    /// The sentence; empty where all is well.
    message: ReadSignal<String>,
) -> impl IntoView {
    let sentence =
        move || message.with(|message| (!message.is_empty()).then(|| view! { <p>{message.clone()}</p> }));
    view! { <div id=id class="problem" role="alert">{sentence}</div> }
}
