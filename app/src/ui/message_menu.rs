//! The menu of a message.

use crate::{
    base::link,
    commands::Commands,
    keyboard::is_composing,
    raw_text::rcdata,
    state::{RoomInfoState, use_state},
    ui::{FieldError, Icon, enter::sends},
    wire::{Seq, trim_message},
};
use leptos::{
    ev::{KeyboardEvent, SubmitEvent},
    html,
    prelude::*,
};

/// The editor in the menu of a message. A page of older messages has no connection, so its forms are submitted.
#[derive(Clone, Copy)]
struct MessageEditor {
    info: RoomInfoState,
    commands: Commands,
    seq: Seq,
    text: Signal<String>,
    /// Set while the menu is open.
    editing: RwSignal<bool>,
    menu: NodeRef<html::Details>,
    field: NodeRef<html::Textarea>,
    problem: RwSignal<String>,
}

impl MessageEditor {
    fn new(seq: Seq, text: Signal<String>, editing: RwSignal<bool>) -> Self {
        let editor = Self {
            info: use_state(),
            commands: use_state(),
            seq,
            text,
            editing,
            menu: NodeRef::new(),
            field: NodeRef::new(),
            problem: RwSignal::default(),
        };
        // The field keeps its text while the menu is open, since the user may be typing.
        Effect::new(move || {
            let text = text.get();
            if editor.menu.get().is_some_and(|menu| !menu.open()) {
                editor.set_field(&text);
            }
        });
        editor
    }

    fn set_field(self, text: &str) {
        if let Some(field) = self.field.get() {
            field.set_value(text);
        }
    }

    fn close(self) {
        if let Some(menu) = self.menu.get() {
            menu.set_open(false);
            Commands::focus_composer();
        }
    }

    fn cancel(self) {
        self.set_field(&self.text.get_untracked());
        self.close();
    }

    fn save(self) {
        let Some(field) = self.field.get() else { return };
        if trim_message(&field.value()).is_ok_and(|new| *new == self.text.get_untracked()) {
            return self.close();
        }
        match self.commands.edit(self.seq, &field.value()) {
            Ok(()) => {
                self.problem.set(String::new());
                self.close();
            }
            Err(why) => self.problem.set(why),
        }
    }

    fn on_toggle(self) {
        let open = self.menu.get().is_some_and(|menu| menu.open());
        self.editing.set(open);
        if let Some(field) = self.field.get().filter(|_| open) {
            let end = field.value().encode_utf16().count() as u32;
            let _ = field.focus();
            let _ = field.set_selection_range(end, end);
        }
    }

    fn on_submit(self, submit: &SubmitEvent) {
        if self.info.is_latest_page {
            submit.prevent_default();
            self.save();
        }
    }

    fn on_delete(self, submit: &SubmitEvent) {
        if self.info.is_latest_page {
            submit.prevent_default();
            self.commands.delete(self.seq);
            self.close();
        }
    }

    fn on_keydown(self, key: &KeyboardEvent) {
        if is_composing(key) {
            // The key belongs to the input method.
        } else if key.key() == "Escape" {
            self.cancel();
        } else if sends(key) {
            key.prevent_default();
            match self.field.get().and_then(|field| field.form()) {
                Some(form) if !self.info.is_latest_page => drop(form.request_submit()),
                _ => self.save(),
            }
        }
    }
}

/// The menu that edits and deletes a message. Without script its forms do the same.
#[component]
pub fn MessageMenu(
    /// The `seq` of the message.
    seq: Seq,
    /// The message is the user's own; otherwise it can only be deleted.
    own: bool,
    /// The text.
    text: Signal<String>,
    /// Set while the menu is open.
    editing: RwSignal<bool>,
) -> impl IntoView {
    let editor = MessageEditor::new(seq, text, editing);
    let info = editor.info;
    let strings = info.strings;
    let label = if own { strings.edit_or_delete } else { strings.delete_only };
    let id = format!("edit-{seq}");
    let described = format!("edit-{seq}-problem");
    let path = info.name.with_value(|room| link(&format!("/r/{room}/{seq}")));
    view! {
        <details class="menu" node_ref=editor.menu on:toggle=move |_| editor.on_toggle()>
            <summary aria-label=label title=label>
                <Icon path="M4 20l1-4L16 5l3 3L8 19zM14 7l3 3" />
            </summary>
            <form class="editor" method="post" action=format!("{path}/edit") on:submit=move |submit| editor.on_submit(&submit)>
                <label class="visually-hidden" for=id.clone()>{strings.message_text_label}</label>
                <textarea node_ref=editor.field id=id name="text" rows="2" required readonly=!own aria-describedby=described.clone() on:keydown=move |key| editor.on_keydown(&key)>
                    {rcdata(&text.get_untracked())}
                </textarea>
                {own.then(|| view! { <button type="submit">{strings.save}</button> })}
                <button type="button" class="secondary needs-script" on:click=move |_| editor.cancel()>{strings.cancel}</button>
                <button type="submit" class="secondary danger" form=format!("delete-{seq}")>{strings.delete}</button>
                <FieldError id=described message=editor.problem.read_only() />
            </form>
            <form id=format!("delete-{seq}") method="post" action=format!("{path}/delete") on:submit=move |submit| editor.on_delete(&submit)></form>
        </details>
    }
}
