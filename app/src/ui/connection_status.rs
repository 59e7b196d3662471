//! The state of the connection and the typing users.

use crate::{
    i18n::Strings,
    state::{ConnectionState, MembersState, RoomInfoState, Status, use_state},
    ui::inert_tree::{InertElement, reactive},
    wire::{ErrorCode, Millis, User},
};
use leptos::prelude::*;

/// Faces of users who are typing, at most. Of more than two the sentence gives no names either.
const MAX_TYPING_FACES: usize = 2;

/// Shows a line if the connection has been interrupted for a second, and who is typing.
#[component]
pub fn ConnectionStatus() -> impl IntoView {
    let connection = use_state::<ConnectionState>();
    let lasts = lasting(move || matches!(connection.status.get(), Status::Connecting | Status::Offline));
    let seconds = countdown(move || connection.next_retry_at.get());
    let strings = use_state::<RoomInfoState>().strings;
    let members = use_state::<MembersState>();
    // Hidden from screen readers because it changes often.
    let typing = reactive(move || {
        let line = InertElement::new("p").class("typing").with("aria-hidden", "true");
        let users: Vec<User> =
            members.typing.with(|typing| typing.iter().map(|typing| typing.user.clone()).collect());
        if users.is_empty() {
            return line;
        }
        let names: Vec<String> = users.iter().map(User::disambiguated).collect();
        let dots = (0..3).map(|_| InertElement::new("i"));
        line.children(users.iter().take(MAX_TYPING_FACES).map(typing_face))
            .child(InertElement::new("span").class("dots").children(dots))
            .text((strings.typing)(&names))
    });
    (reactive(move || status_line(connection, lasts, seconds, strings)), typing)
}

/// Returns a small face. The style sheet shows the initials, so that they are no part of the sentence.
fn typing_face(user: &User) -> InertElement {
    let class = format!("face {}", user.id.color_class());
    InertElement::new("span").class(class).with("data-initials", user.name.initials())
}

fn status_line(
    connection: ConnectionState,
    lasts: ReadSignal<bool>,
    seconds: ReadSignal<u64>,
    strings: &Strings,
) -> InertElement {
    let paragraph = |text: &str| InertElement::new("p").text(text);
    let status = connection.status.get();
    let (name, sentence) = match status {
        Status::Asleep => ("asleep", None),
        Status::Connecting => ("connecting", Some(paragraph(strings.connecting))),
        Status::Open => ("open", None),
        Status::Offline => {
            // Hidden from screen readers because it changes every second.
            let next = InertElement::new("span").with("aria-hidden", "true");
            let next = next.text((strings.next_retry)(seconds.get()));
            ("offline", Some(paragraph(strings.offline).child(next)))
        }
        Status::SignedOut => {
            let reload = InertElement::new("a").with("href", "").text(strings.reload);
            let sentence = paragraph(&(strings.command_error)(ErrorCode::SignedOut));
            ("signed-out", Some(sentence.text(" ").child(reload)))
        }
    };
    InertElement::new("div")
        .class("status")
        .with("data-connection", name)
        .with("role", "status")
        .children(sentence.filter(|_| lasts.get() || status == Status::SignedOut))
        .children(connection.is_origin_rejected.get().then(|| paragraph(strings.origin_rejected)))
        .children(connection.storage_warning.get().map(paragraph))
}

/// Returns a signal that is `true` if `holds` has been true for a second.
fn lasting(holds: impl Fn() -> bool + 'static) -> ReadSignal<bool> {
    let (lasts, set_lasts) = signal(false);
    Effect::new(move |pending: Option<Option<TimeoutHandle>>| {
        if let Some(Some(pending)) = pending {
            pending.clear();
        }
        if !holds() {
            set_lasts.set(false);
            return None;
        }
        let flicker = std::time::Duration::from_secs(1);
        set_timeout_with_handle(move || set_lasts.set(true), flicker).ok()
    });
    lasts
}

/// Returns a signal that counts down the seconds until a moment.
pub(super) fn countdown(until: impl Fn() -> Option<Millis> + 'static) -> ReadSignal<u64> {
    let (seconds, set_seconds) = signal(0);
    #[cfg(feature = "hydrate")]
    Effect::new(move |ticking: Option<Option<IntervalHandle>>| {
        if let Some(Some(ticking)) = ticking {
            ticking.clear();
        }
        let next = until()?;
        let count = move || set_seconds.set(next.saturating_sub(crate::clock::steady()).div_ceil(1_000));
        count();
        set_interval_with_handle(count, std::time::Duration::from_secs(1)).ok()
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (until, set_seconds);
    seconds
}
