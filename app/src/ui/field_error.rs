//! Errors of form fields.

use super::inert_tree::InertElement;

/// Returns the error message below a field, in an element with the id that the `aria-describedby` of the field names. An
/// empty message is none. Screen readers announce it when it appears.
pub(super) fn field_error(id: &'static str, message: &str) -> InertElement {
    let sentence = (!message.is_empty()).then(|| InertElement::new("p").text(message));
    InertElement::new("div").with("id", id).class("field-error").with("role", "alert").children(sentence)
}
