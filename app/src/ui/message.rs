//! The row of a message.

use crate::{
    base::link,
    client::EntryView,
    state::Live,
    ui::{Day, MessageMenu, Time},
    wire::{Seq, mentions, sanitize_for_display},
};
use leptos::{ev::PointerEvent, prelude::*};
use std::time::Duration;

/// The duration of a long press, which opens the menu.
const LONG_PRESS: Duration = Duration::from_millis(500);

/// The time after a long press during which the browser may still synthesize a click.
const CLICK_SUPPRESSION: Duration = Duration::from_millis(400);

/// The row of a message. The element stays the same when the message is confirmed, edited or deleted.
#[component]
pub fn MessageRow(
    /// The current state of the message.
    shown: ArcRwSignal<EntryView>,
    /// The room.
    live: Live,
    /// The message that the address points to.
    highlighted: Option<Seq>,
) -> impl IntoView {
    let shown = RwSignal::from(shown);
    let strings = live.strings;
    // Rows rarely change and many are created at once. Only the menu, which may be open, is memoized.
    let is_highlighted =
        move || highlighted.is_some() && shown.with(|shown| shown.entry.delivery.seq() == highlighted);
    // A highlighted message always shows its author.
    let opens = move || is_highlighted() || shown.with(|shown| shown.starts_group);
    let hidden = move || shown.with(|shown| shown.is_hidden);
    let editing = RwSignal::new(false);
    let deleted = move || shown.with(|shown| shown.entry.deleted);
    let text = move || {
        shown.with(|shown| {
            if shown.entry.deleted {
                strings.message_deleted.into()
            } else {
                sanitize_for_display(&shown.entry.text).into()
            }
        })
    };
    let anchor = move || shown.with(|shown| shown.entry.delivery.seq().map(|seq| format!("m{seq}")));
    let name = move || {
        shown.with(|shown| match shown.pending_change {
            Some((_, None)) => "pending",
            _ => shown.entry.delivery.as_str(),
        })
    };
    // Rows without a visible author have one for screen readers.
    let author = move || {
        shown.with(|shown| {
            let author = &shown.entry.author;
            let tag = author.tag().map(|tag| view! { " "<small class="tag">{tag}</small> });
            view! { <b class=author.id.color_class()>{author.name.to_string()}</b>{tag} }
        })
    };
    let author_id = move || shown.with(|shown| shown.entry.delivery.seq().map(|seq| format!("by{seq}")));
    let path = live.room.with_value(|room| link(&room.path()));
    let time = move || {
        let (seq, at) = shown.with(|shown| shown.entry.delivery.seq().zip(shown.entry.delivery.at()))?;
        let href = format!("{path}?around={seq}#m{seq}");
        Some(view! { <a class="timestamp" href=href title=strings.permalink><Time at strings /></a> })
    };
    let day = move || {
        let at = shown.with(|shown| shown.entry.delivery.at().filter(|_| shown.starts_day))?;
        Some(view! { <Day at live /> })
    };
    let first_new = move || {
        shown
            .with(|shown| shown.is_first_unread)
            .then(|| view! { <p class="new" id="new"><span>{strings.new_messages_separator}</span></p> })
    };
    let to_you = move || {
        live.you.with(|you| {
            shown.with(|shown| {
                shown.entry.author.id != you.id && mentions(&shown.entry.text, you.name.as_str())
            })
        })
    };
    let edited = move || shown.with(|shown| shown.entry.edited && !shown.entry.deleted);
    let note = move || edited().then(|| view! { <small class="edited">" "{strings.edited}</small> });
    // On a touch screen a long press opens the menu. The menu ignores the click that the browser synthesizes when the
    // finger is lifted.
    let asked = RwSignal::new(false);
    let rests = RwSignal::new(false);
    let resting = StoredValue::new(None::<TimeoutHandle>);
    let ask = move || {
        rests.set(true);
        asked.set(true);
    };
    let lift = move || {
        if let Some(handle) = resting.try_update_value(Option::take).flatten() {
            handle.clear();
        }
        if rests.get_untracked() {
            let lifted = move || {
                let _ = rests.try_set(false);
            };
            set_timeout(lifted, CLICK_SUPPRESSION);
        }
    };
    let rest = move |press: PointerEvent| {
        if press.pointer_type() == "touch" {
            resting.set_value(set_timeout_with_handle(ask, LONG_PRESS).ok());
        }
    };
    let mine = Memo::new(move |_| {
        let you = live.you.with(|you| you.id);
        shown.with(|shown| {
            let own = shown.entry.author.id == you;
            let seq = shown.entry.delivery.seq().filter(|_| (own || live.is_owner) && !shown.entry.deleted);
            seq.map(|seq| (seq, own))
        })
    });
    let menu = move || {
        mine.get()
            .map(|(seq, own)| view! { <MessageMenu live seq own text=Signal::derive(text) asked editing /> })
    };
    // The command that the server rejected, with the reason.
    let rejected = move || {
        shown.with(|shown| match (&shown.pending_change, shown.entry.delivery.failure()) {
            (Some((id, Some(why))), _) => Some((*id, *why)),
            (_, Some(why)) => Some((shown.entry.id, why)),
            _ => None,
        })
    };
    let failed = move || {
        rejected().map(|(id, why)| {
            view! {
                <p class="failed">
                    {(strings.command_error)(why)}" "
                    <button type="button" on:click=move |_| live.retry(id)>{strings.try_again}</button>
                    <button type="button" on:click=move |_| live.forget(id)>{strings.discard}</button>
                </p>
            }
        })
    };
    view! {
        <li
            class="line"
            class:opens=opens
            class:deleted=deleted
            class:marked=is_highlighted
            class:to-you=to_you
            class:long-press=rests
            class:changeable=move || mine.get().is_some()
            class:changed=edited
            class:editing=editing
            hidden=hidden
            data-standing=name
            id=anchor
            aria-labelledby=author_id
            on:pointerdown=rest
            on:pointerup=move |_| lift()
            on:pointercancel=move |_| lift()
        >
            {day}
            {first_new}
            <div class="message-body">
                <p class="head"><span class="author" class:visually-hidden=move || !opens() id=author_id>{author}</span>" "{time}</p>
                <div class="message-content"><p class="text" dir="auto">{text}</p>{note}</div>
                {menu}
                {failed}
            </div>
        </li>
    }
}
