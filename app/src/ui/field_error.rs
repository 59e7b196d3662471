//! Errors of form fields.

use leptos::prelude::*;

/// The error message below a field. Screen readers announce it when it appears.
#[component]
pub fn FieldError(
    /// The id that the `aria-describedby` of the field names.
    #[prop(into)]
    id: String,
    /// The message; empty if there is no error.
    message: ReadSignal<String>,
) -> impl IntoView {
    let sentence =
        move || message.with(|message| (!message.is_empty()).then(|| view! { <p>{message.clone()}</p> }));
    view! { <div id=id class="field-error" role="alert">{sentence}</div> }
}
