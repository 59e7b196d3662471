//! The form that posts a message.

use crate::{
    base::link,
    commands::Commands,
    keyboard::{is_composing, sends},
    page_data::RejectedInput,
    raw_text::rcdata,
    state::{RoomInfoState, TimelineState, use_state},
    ui::{
        field_error::field_error,
        icon::icon,
        inert_tree::{InertElement, Reactive, reactive},
        quote::quoted_line,
    },
    wire::{Files, InvalidText, MentionHint, PostingRules, trim_message},
};
use leptos::{
    ev::{KeyboardEvent, SubmitEvent},
    html,
    prelude::*,
    web_sys::HtmlTextAreaElement,
};

/// The attribute of the field in which `writing-aids.js` leaves the users whom the author has chosen.
const MENTIONS: &str = "data-mentions";

/// The attribute of the field in which `files.js` leaves the files that were uploaded, as JSON. The script empties its list
/// when the attribute goes.
const FILES: &str = "data-files";

fn files(field: &HtmlTextAreaElement) -> Files {
    Files::parse(&field.get_attribute(FILES).unwrap_or_default())
}

fn mentions(field: &HtmlTextAreaElement) -> Vec<MentionHint> {
    MentionHint::from_lines(&field.get_attribute(MENTIONS).unwrap_or_default())
}

/// The field of the composer. Its text is stored as a draft until it is posted, with the message that it replies to.
#[derive(Clone, Copy)]
struct DraftField {
    info: RoomInfoState,
    timeline: TimelineState,
    commands: Commands,
    field: NodeRef<html::Textarea>,
    problem: RwSignal<String>,
}

impl DraftField {
    fn new(info: RoomInfoState, problem: String) -> Self {
        let (timeline, commands) = (use_state(), use_state());
        let draft = Self { info, timeline, commands, field: NodeRef::new(), problem: RwSignal::new(problem) };
        Effect::new(move |is_restored: Option<bool>| {
            draft.timeline.replying_to.track();
            if is_restored == Some(true) {
                draft.store();
                return true;
            }
            draft.restore()
        });
        Effect::new(Commands::focus_composer);
        draft
    }

    /// Puts the stored draft before the text that was typed before hydration. Returns `false` if there is no field yet.
    fn restore(self) -> bool {
        let Some(field) = self.field.get() else { return false };
        let (draft, early) = (self.commands.restore_draft(), field.value());
        if early.is_empty() {
            field.set_value(&draft);
        } else if !early.starts_with(&draft) {
            field.set_value(&format!("{draft}\n{early}"));
        }
        self.commands.store_draft(&field.value());
        true
    }

    fn store(self) {
        if let Some(field) = self.field.get() {
            self.commands.store_draft(&field.value());
        }
    }

    fn on_input(self) {
        self.store();
        if self.field.get().is_some_and(|field| field.value().trim().is_empty()) {
            self.commands.stop_typing();
        } else {
            self.commands.on_input();
        }
        // The error disappears when the text becomes valid.
        if self.field.get().is_some_and(|field| trim_message(&field.value()).is_ok()) {
            self.problem.set(String::new());
        }
    }

    fn send(self) {
        let Some(field) = self.field.get() else { return };
        self.timeline.notice.set(None);
        match self.commands.post(&field.value(), mentions(&field), files(&field)) {
            Ok(()) => {
                field.set_value("");
                let _ = field.remove_attribute(MENTIONS);
                let _ = field.remove_attribute(FILES);
                self.store();
                // The focus keeps the virtual keyboard open.
                let _ = field.focus();
                self.commands.go_to_end();
            }
            Err(why) => return self.problem.set(why),
        }
        self.problem.set(String::new());
    }

    /// A page of older messages queues the message and opens the latest page, which posts it. Without storage the form
    /// posts it.
    fn send_from_history(self, submit: &SubmitEvent) {
        let Some(field) = self.field.get() else { return };
        let kept = self.commands.post_on_latest_page(&field.value(), mentions(&field), files(&field));
        if kept != Ok(false) {
            submit.prevent_default();
            self.problem.set(kept.err().unwrap_or_default());
        }
    }

    fn on_submit(self, submit: &SubmitEvent) {
        if self.info.is_latest_page {
            submit.prevent_default();
            self.send();
        } else {
            self.send_from_history(submit);
        }
    }

    fn on_keydown(self, key: &KeyboardEvent) {
        if key.key() == "Escape" && !is_composing(key) {
            self.commands.cancel_reply();
        } else if sends(key) {
            key.prevent_default();
            match self.field.get().and_then(|field| field.form()) {
                Some(form) if !self.info.is_latest_page => drop(form.request_submit()),
                _ => self.send(),
            }
        }
    }
}

/// The form that posts a message. It works without script. Hydration keeps the text that the user has typed before.
#[component]
pub fn Composer(
    /// The message that the server rejected.
    rejected: Option<RejectedInput>,
) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let (text, why) = match rejected {
        Some(RejectedInput::Message { text, why }) if trim_message(&text) == Err(InvalidText::Blank) => {
            (String::new(), (info.strings.command_error)(why))
        }
        Some(RejectedInput::Message { text, why }) => (text, (info.strings.command_error)(why)),
        _ => Default::default(),
    };
    let draft = DraftField::new(info, why);
    let label = Memo::new(move |_| (info.strings.composer_label)(&info.title.get()));
    view! {
        <form id="composer" class="composer" method="post" action=link(&format!("/r/{}", info.name.get_value())) on:submit=move |submit| draft.on_submit(&submit)>
            {posting_notice(info)}
            {reply_notice(info, draft.timeline)}
            {reactive(move || {
                let name = InertElement::new("label").class("visually-hidden").with("for", "text");
                name.text(label.get())
            })}
            <textarea
                node_ref=draft.field
                id="text"
                name="text"
                rows="1"
                placeholder=label
                autocomplete="off"
                enterkeyhint="enter"
                aria-describedby="text-problem"
                required
                on:keydown=move |key| draft.on_keydown(&key)
                on:input=move |_| draft.on_input()
            >
                {rcdata(&text)}
            </textarea>
            // A press would move the focus and close the virtual keyboard.
            <button type="submit" aria-label=info.strings.send on:pointerdown=|press| press.prevent_default() on:mousedown=|press| press.prevent_default()>
                {InertElement::from_server("svg", || icon("M12 20V5M5 12l7-7 7 7"))}
            </button>
            {reactive(move || draft.problem.with(|problem| field_error("text-problem", problem)))}
        </form>
    }
}

/// Returns the sentence that says why the user may not post, or how often they may.
fn posting_notice(info: RoomInfoState) -> Reactive<InertElement> {
    let strings = info.strings;
    reactive(move || {
        let PostingRules { closed, slow_seconds, .. } = info.posting.get();
        let slow = || slow_seconds.map(strings.slow_mode);
        let sentence = closed.map(strings.command_error).or_else(slow);
        // The element stays, so that screen readers read out what changes in it.
        let region = InertElement::new("div").class("posting-notice-region").with("role", "status");
        region.children(sentence.map(|text| InertElement::new("p").class("posting-notice").text(text)))
    })
}

/// Returns the message that the composer replies to, with a link that cancels the reply.
fn reply_notice(info: RoomInfoState, timeline: TimelineState) -> Reactive<Option<InertElement>> {
    let (strings, path) = (info.strings, link(&info.path()));
    reactive(move || {
        timeline.replying_to.get().map(|quote| {
            let cancel = InertElement::new("a")
                .with("href", &*path)
                .with("aria-label", strings.cancel_reply)
                .with("title", strings.cancel_reply)
                .child(icon("M6 6l12 12M18 6L6 18"));
            let target = InertElement::new("input").with("type", "hidden").with("name", "reply_to");
            InertElement::new("p")
                .class("reply-notice")
                .text(strings.replying_to)
                .text(" ")
                .child(quoted_line(InertElement::new("span"), &quote, strings))
                .child(cancel)
                .child(target.with("value", quote.seq.to_string()))
        })
    })
}
