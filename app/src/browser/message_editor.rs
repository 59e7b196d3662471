//! The menus of messages, and the buttons of messages that the server rejected. Many rows are created at once, so a row has no
//! handlers of its own: the list handles the events of all.

use super::{deletions, dom, outbox};
use crate::{
    keyboard::{is_composing, sends},
    state::RoomState,
    wire::{Seq, trim_message},
};
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlTextAreaElement, KeyboardEvent};

/// Set on a row while its menu is open.
const EDITING: &str = "data-editing";

/// Handles the events of the rows for as long as the page lives.
pub(super) fn start(room: RoomState) {
    let Ok(Some(list)) = document().query_selector(".lines") else { return };
    for (event, handle) in HANDLERS {
        dom::capture(&list, event, move |event| {
            if let Some(editor) = MessageEditor::of(room, &event) {
                handle(&editor, &event);
            }
        });
    }
    dom::capture(&list, "click", move |click| {
        let command = |attribute| {
            let button = dom::target(&click)?.closest(&format!("[{attribute}]")).ok()??;
            button.get_attribute(attribute)?.parse().ok()
        };
        if let Some(id) = command("data-retry") {
            outbox::retry(room, id);
        } else if let Some(id) = command("data-discard") {
            outbox::discard(room, id);
        }
    });
}

type Handler = fn(&MessageEditor, &Event);

const HANDLERS: [(&str, Handler); 4] = [
    ("toggle", |editor, _| editor.on_toggle()),
    ("keydown", MessageEditor::on_keydown),
    ("submit", MessageEditor::on_submit),
    ("click", MessageEditor::on_click),
];

/// The editor in the menu of a message. A page of older messages has no connection, so its forms are submitted.
struct MessageEditor {
    room: RoomState,
    seq: Seq,
    menu: Element,
    field: HtmlTextAreaElement,
}

impl MessageEditor {
    /// Returns the editor in the menu in which `event` has happened.
    fn of(room: RoomState, event: &Event) -> Option<Self> {
        let menu = dom::target(event)?.closest(".menu").ok()??;
        let field: HtmlTextAreaElement = menu.query_selector("textarea").ok()??.dyn_into().ok()?;
        let seq = field.id().strip_prefix("edit-")?.parse().ok()?;
        Some(Self { room, seq, menu, field })
    }

    /// Moves the focus to the field of a menu that was opened, unless the user is in it already: the event comes some time after
    /// the menu has opened. The field keeps its text while the menu is open: only one whose value was never set follows the text
    /// of the message.
    fn on_toggle(&self) {
        let Ok(Some(row)) = self.menu.closest(".line") else { return };
        if !self.menu.has_attribute("open") {
            let _ = row.remove_attribute(EDITING);
            return;
        }
        let _ = row.set_attribute(EDITING, "");
        self.field.set_value(&self.field.value());
        self.show_problem("");
        if self.field.matches(":focus").unwrap_or(false) {
            return;
        }
        let end = self.field.value().encode_utf16().count() as u32;
        let _ = self.field.focus();
        let _ = self.field.set_selection_range(end, end);
    }

    fn on_keydown(&self, event: &Event) {
        let Some(key) = event.dyn_ref::<KeyboardEvent>() else { return };
        if dom::target(event).as_ref() != Some(&self.field) || is_composing(key) {
            // The key belongs to a button or to the input method.
        } else if key.key() == "Escape" {
            self.close();
        } else if sends(key) {
            key.prevent_default();
            match self.field.form() {
                Some(form) if !self.room.info.is_latest_page => drop(form.request_submit()),
                _ => self.save(),
            }
        }
    }

    fn on_submit(&self, submit: &Event) {
        if !self.room.info.is_latest_page {
            return;
        }
        submit.prevent_default();
        if dom::target(submit).is_some_and(|form| form.class_name() == "editor") {
            self.save();
        } else {
            deletions::hold(self.room, self.seq);
            self.close();
        }
    }

    fn on_click(&self, click: &Event) {
        let cancel =
            dom::target(click).and_then(|target| target.closest(".editor [type=button]").ok().flatten());
        if cancel.is_some() {
            self.close();
        }
    }

    fn save(&self) {
        let text = self.field.value();
        if trim_message(&text).is_ok_and(|new| *new == self.text()) {
            return self.close();
        }
        match outbox::edit(self.room, self.seq, &text) {
            Ok(()) => self.close(),
            Err(why) => self.show_problem(&why),
        }
    }

    /// Returns the text of the message, which the row has put into the field.
    fn text(&self) -> String {
        self.field.default_value().unwrap_or_default()
    }

    /// Closes the menu, whose field follows the text of the message again.
    fn close(&self) {
        if let Some(form) = self.field.form() {
            form.reset();
        }
        let _ = self.menu.remove_attribute("open");
        dom::focus_composer();
    }

    fn show_problem(&self, problem: &str) {
        dom::set_text(&format!("edit-{}-problem", self.seq), problem);
    }
}
