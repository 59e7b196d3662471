//! The state of the connection and the typing users.

use crate::{
    state::{ConnectionState, MembersState, RoomInfoState, Status, use_state},
    wire::{ErrorCode, Millis},
};
use leptos::prelude::*;

/// Shows a line if the connection has been interrupted for a second.
#[component]
pub fn ConnectionStatus() -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let connection = use_state::<ConnectionState>();
    let members = use_state::<MembersState>();
    let strings = info.strings;
    let lasts = lasting(move || matches!(connection.status.get(), Status::Connecting | Status::Offline));
    let seconds = countdown(move || connection.next_retry_at.get());
    let sentence = move || match connection.status.get() {
        Status::SignedOut => Some((strings.command_error)(ErrorCode::SignedOut)),
        _ if !lasts.get() => None,
        Status::Asleep | Status::Open => None,
        Status::Connecting => Some(strings.connecting.into()),
        Status::Offline => Some(strings.offline.into()),
    };
    // Hidden from screen readers because it changes every second.
    let next = move || {
        (connection.status.get() == Status::Offline)
            .then(|| view! { <span aria-hidden="true">{move || (strings.next_retry)(seconds.get())}</span> })
    };
    let reload = move || {
        (connection.status.get() == Status::SignedOut).then(|| view! { " "<a href="">{strings.reload}</a> })
    };
    // Hidden from screen readers because it changes often.
    let typing = move || {
        let names: Vec<String> =
            members.typing.with(|typing| typing.iter().map(|typing| typing.user.disambiguated()).collect());
        (!names.is_empty()).then(|| (strings.typing)(&names))
    };
    let name = move || match connection.status.get() {
        Status::Asleep => "asleep",
        Status::Connecting => "connecting",
        Status::Open => "open",
        Status::Offline => "offline",
        Status::SignedOut => "signed-out",
    };
    view! {
        <div class="status" data-connection=name role="status">
            {move || sentence().map(|sentence| view! { <p>{sentence}{next}{reload}</p> })}
            {move || connection.is_origin_rejected.get().then(|| view! { <p>{strings.origin_rejected}</p> })}
            {move || connection.storage_warning.get().map(|sentence| view! { <p>{sentence}</p> })}
        </div>
        <p class="typing" aria-hidden="true">{typing}</p>
    }
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
