//! The menu of a message.

use crate::{
    i18n::Strings,
    ui::{icon::icon, inert_tree::InertElement},
    wire::Seq,
};

/// Returns the menu that edits and deletes the message `seq` with the path `path`. Without script its forms do the same.
/// If it is not the user's own, it can only be deleted. `browser::message_editor` handles its events.
pub(super) fn message_menu(
    path: &str,
    seq: Seq,
    text: &str,
    is_own: bool,
    strings: &Strings,
) -> InertElement {
    let label = if is_own { strings.edit_or_delete } else { strings.delete_only };
    let summary = InertElement::new("summary")
        .with("aria-label", label)
        .with("title", label)
        .child(icon("M4 20l1-4L16 5l3 3L8 19zM14 7l3 3"));
    let (id, problem, delete) =
        (format!("edit-{seq}"), format!("edit-{seq}-problem"), format!("delete-{seq}"));
    let field_label = InertElement::new("label").class("visually-hidden").with("for", &*id);
    let field = InertElement::new("textarea")
        .with("id", id)
        .with("name", "text")
        .with("rows", "2")
        .with("required", "")
        .flag("readonly", !is_own)
        .with("aria-describedby", &*problem)
        .text(text);
    let button = |kind, class, label: &'static str| {
        InertElement::new("button").with("type", kind).class(class).text(label)
    };
    let editor = InertElement::new("form")
        .class("editor")
        .with("method", "post")
        .with("action", format!("{path}/edit"))
        .child(field_label.text(strings.message_text_label))
        .child(field)
        .children(is_own.then(|| button("submit", "", strings.save)))
        .child(button("button", "secondary needs-script", strings.cancel))
        .child(button("submit", "secondary danger", strings.delete).with("form", &*delete))
        .child(InertElement::new("div").with("id", problem).class("field-error").with("role", "alert"));
    let delete = InertElement::new("form")
        .with("id", delete)
        .with("method", "post")
        .with("action", format!("{path}/delete"));
    InertElement::new("details").class("menu").child(summary).child(editor).child(delete)
}
