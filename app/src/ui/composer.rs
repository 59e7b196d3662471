//! The form that posts a message.

use crate::{
    base::link,
    page_data::RejectedInput,
    raw_text::rcdata,
    state::Live,
    ui::{FieldError, Icon, enter::sends},
    wire::{InvalidText, trim_message},
};
use leptos::{
    ev::{KeyboardEvent, SubmitEvent},
    html,
    prelude::*,
};

/// The form that posts a message. It works without script. Hydration keeps the text that the user has typed before.
#[component]
pub fn Composer(
    /// The room.
    live: Live,
    /// The message that the server rejected.
    rejected: Option<RejectedInput>,
) -> impl IntoView {
    let (draft, why) = match rejected {
        Some(RejectedInput::Message { text, why }) if trim_message(&text) == Err(InvalidText::Blank) => {
            (String::new(), (live.strings.command_error)(why))
        }
        Some(RejectedInput::Message { text, why }) => (text, (live.strings.command_error)(why)),
        _ => Default::default(),
    };
    let field = NodeRef::<html::Textarea>::new();
    let (problem, set_problem) = signal(why);
    // The stored draft goes before the text that was typed before hydration.
    #[cfg(feature = "hydrate")]
    Effect::new(move || {
        let Some(field) = field.get() else { return };
        let (draft, early) = (live.draft(), field.value());
        if early.is_empty() {
            field.set_value(&draft);
        } else if !early.starts_with(&draft) {
            field.set_value(&format!("{draft}\n{early}"));
        }
        live.keep_draft(&field.value());
    });
    let keep = move || {
        #[cfg(feature = "hydrate")]
        if let Some(field) = field.get() {
            live.keep_draft(&field.value());
        }
    };
    let write = move || {
        keep();
        #[cfg(feature = "hydrate")]
        if field.get().is_some_and(|field| field.value().trim().is_empty()) {
            live.stop_typing();
        } else {
            live.on_input();
        }
        // The error disappears when the text becomes valid.
        if field.get().is_some_and(|field| trim_message(&field.value()).is_ok()) {
            set_problem.set(String::new());
        }
    };
    #[cfg(feature = "hydrate")]
    Effect::new(move || live.focus_composer());
    let send = move || {
        let Some(field) = field.get() else { return };
        #[cfg(feature = "hydrate")]
        live.notice.set(None);
        match live.post(&field.value()) {
            Ok(()) => {
                field.set_value("");
                keep();
                // The focus keeps the virtual keyboard open.
                let _ = field.focus();
                #[cfg(feature = "hydrate")]
                live.go_to_end();
            }
            Err(why) => return set_problem.set(why),
        }
        set_problem.set(String::new());
    };
    let submit = move |submit: SubmitEvent| {
        if live.lives {
            submit.prevent_default();
            send();
        }
        // A page of older messages queues the message and opens the latest page, which posts it. Without storage the
        // form posts it.
        #[cfg(feature = "hydrate")]
        if !live.lives
            && let Some(field) = field.get()
        {
            let kept = live.post_on_newest_page(&field.value());
            if kept != Ok(false) {
                submit.prevent_default();
                set_problem.set(kept.err().unwrap_or_default());
            }
        }
    };
    let press = move |key: KeyboardEvent| {
        if sends(&key) {
            key.prevent_default();
            match field.get().and_then(|field| field.form()) {
                Some(form) if !live.lives => drop(form.request_submit()),
                _ => send(),
            }
        }
    };
    let label = Memo::new(move |_| (live.strings.composer_label)(&live.title.get()));
    view! {
        <form class="composer" method="post" action=link(&format!("/r/{}", live.room.get_value())) on:submit=submit>
            <label class="visually-hidden" for="text">{label}</label>
            <textarea
                node_ref=field
                id="text"
                name="text"
                rows="1"
                placeholder=label
                autocomplete="off"
                enterkeyhint="enter"
                aria-describedby="text-problem"
                required
                on:keydown=press
                on:input=move |_| write()
            >
                {rcdata(&draft)}
            </textarea>
            // A press would move the focus and close the virtual keyboard.
            <button type="submit" aria-label=live.strings.send on:pointerdown=|press| press.prevent_default() on:mousedown=|press| press.prevent_default()>
                <Icon path="M4 12h14M12 5l7 7-7 7" />
            </button>
            <FieldError id="text-problem" message=problem />
        </form>
    }
}
