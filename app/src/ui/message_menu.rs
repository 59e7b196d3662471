//! The menu of a message.

use crate::{
    base::link,
    raw_text::rcdata,
    state::Live,
    ui::{FieldError, Icon, enter::sends, is_composing},
    wire::{Seq, trim_message},
};
use leptos::{
    ev::{KeyboardEvent, SubmitEvent},
    html,
    prelude::*,
};

/// The menu that edits and deletes a message. Without script its forms do the same.
#[component]
pub fn MessageMenu(
    /// The room.
    live: Live,
    /// The `seq` of the message.
    seq: Seq,
    /// The message is the user's own; otherwise it can only be deleted.
    own: bool,
    /// The text.
    text: Signal<String>,
    /// Set by a long press to open the menu.
    asked: RwSignal<bool>,
    /// Set while the menu is open.
    editing: RwSignal<bool>,
) -> impl IntoView {
    let details = NodeRef::<html::Details>::new();
    let field = NodeRef::<html::Textarea>::new();
    let (problem, set_problem) = signal(String::new());
    Effect::new(move || {
        if asked.get()
            && let Some(details) = details.get()
        {
            asked.set(false);
            details.set_open(true);
        }
    });
    // The field keeps its text while the menu is open, since the user may be typing.
    let shows = move |text: &str| {
        if let Some(field) = field.get() {
            field.set_value(text);
        }
    };
    Effect::new(move || {
        let text = text.get();
        if details.get().is_some_and(|details| !details.open()) {
            shows(&text);
        }
    });
    let close = move || {
        if let Some(details) = details.get() {
            details.set_open(false);
            #[cfg(feature = "hydrate")]
            live.focus_composer();
        }
    };
    let save = move || {
        let Some(field) = field.get() else { return };
        if trim_message(&field.value()).is_ok_and(|new| *new == text.get_untracked()) {
            return close();
        }
        match live.edit(seq, &field.value()) {
            Ok(()) => {
                set_problem.set(String::new());
                close();
            }
            Err(why) => set_problem.set(why),
        }
    };
    // A page of older messages has no connection, so its forms are submitted.
    let submit = move |submit: SubmitEvent| {
        if live.lives {
            submit.prevent_default();
            save();
        }
    };
    let give_up = move |()| {
        shows(&text.get_untracked());
        close();
    };
    let press = move |key: KeyboardEvent| {
        if is_composing(&key) {
            // The key belongs to the input method.
        } else if key.key() == "Escape" {
            give_up(());
        } else if sends(&key) {
            key.prevent_default();
            match field.get().and_then(|field| field.form()) {
                Some(form) if !live.lives => drop(form.request_submit()),
                _ => save(),
            }
        }
    };
    let delete = move |submit: SubmitEvent| {
        if live.lives {
            submit.prevent_default();
            live.delete(seq);
            close();
        }
    };
    let toggled = move |_| {
        let open = details.get().is_some_and(|details| details.open());
        editing.set(open);
        if let Some(field) = field.get().filter(|_| open) {
            let end = field.value().encode_utf16().count() as u32;
            let _ = field.focus();
            let _ = field.set_selection_range(end, end);
        }
    };
    let strings = live.strings;
    let label = if own { strings.edit_or_delete } else { strings.delete_only };
    let id = format!("edit-{seq}");
    let described = format!("edit-{seq}-problem");
    let path = live.room.with_value(|room| link(&format!("/r/{room}/{seq}")));
    view! {
        <details class="menu" node_ref=details on:toggle=toggled>
            <summary aria-label=label title=label>
                <Icon path="M5 12h.01M12 12h.01M19 12h.01" />
            </summary>
            <form class="edit" method="post" action=format!("{path}/edit") on:submit=submit>
                <label class="visually-hidden" for=id.clone()>{strings.message_text_label}</label>
                <textarea node_ref=field id=id name="text" rows="2" required readonly=!own aria-describedby=described.clone() on:keydown=press>
                    {rcdata(&text.get_untracked())}
                </textarea>
                {own.then(|| view! { <button type="submit">{strings.save}</button> })}
                <button type="button" class="quiet needs-script" on:click=move |_| give_up(())>{strings.cancel}</button>
                <button type="submit" class="quiet danger" form=format!("delete-{seq}")>{strings.delete}</button>
                <FieldError id=described message=problem />
            </form>
            <form id=format!("delete-{seq}") method="post" action=format!("{path}/delete") on:submit=delete></form>
        </details>
    }
}
