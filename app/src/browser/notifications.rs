//! Browser notifications and their settings, for a user who does not attend to the page.

use crate::{
    base::link,
    browser::{
        dom::{element, listen, set_text},
        service_worker, storage,
    },
    i18n::Strings,
    markup::plain_text,
    page_data::RoomSummary,
    state::RoomInfoState,
    wire::{Event, EventBody, RoomName, Seq, UserId},
};
use js_sys::{Object, Reflect};
use leptos::{prelude::*, task::spawn_local};
use std::cell::RefCell;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    HtmlAudioElement, HtmlInputElement, HtmlSelectElement, Notification, NotificationOptions,
    NotificationPermission,
};

/// Characters of a message that a notification shows, at most.
const MAX_BODY_CHARS: usize = 200;

thread_local! {
    /// The last notification that was shown without a service worker, which would know of all of them.
    static OPEN: RefCell<Option<(RoomName, Seq, Notification)>> = const { RefCell::new(None) };
}

/// Shows a notification of a message if the user `you` wants one. The caller has checked that they do not attend to the page.
pub fn announce(entry: &RoomSummary, event: &Event, you: UserId) {
    let EventBody::Message { text, mentions, .. } = &event.body else { return };
    let wanted = match notify_setting(&entry.room).as_deref() {
        Some("all") => true,
        Some("mentions") => mentions.is_to(you),
        _ => false,
    };
    if !wanted || !can_notify() || Notification::permission() != NotificationPermission::Granted {
        return;
    }
    let title = format!("{} · {}", event.author.disambiguated(), entry.title);
    let options = NotificationOptions::new();
    options.set_body(&plain_text(text, MAX_BODY_CHARS));
    options.set_tag(entry.room.as_str());
    options.set_icon(&link("/icon-192.png"));
    options.set_silent(Some(true));
    let path = format!("{}#m{}", link(&entry.room.path()), event.seq);
    options.set_data(&path.into());
    let rings = storage::setting("sound").is_some_and(|sound| sound == "on");
    spawn_local(show_notification(entry.room.clone(), title, options, event.seq, rings));
}

/// Closes the notifications of `room` up to the message `seq`, which the user has read, or `only` that of the message, which
/// was deleted.
pub fn withdraw(room: &RoomName, seq: Seq, only: bool) {
    if notify_setting(room).is_none_or(|setting| setting == "off") {
        return;
    }
    let is_over = |(of, at, _): &mut (RoomName, Seq, Notification)| {
        of == room && if only { *at == seq } else { *at <= seq }
    };
    if let Some((.., shown)) = OPEN.with_borrow_mut(|open| open.take_if(is_over)) {
        shown.close();
    }
    let parts = [("tag", room.as_str().into()), ("seq", (seq as f64).into()), ("only", only.into())];
    let message = object([("withdraw", object(parts))]);
    spawn_local(async move {
        service_worker::post(&message).await;
    });
}

/// Shows the user's settings for this room, and stores changes of them.
pub(super) fn start(info: RoomInfoState) {
    let Some(select) = element::<HtmlSelectElement>("notify") else { return };
    let room = info.name.get_value();
    let setting = notify_setting(&room).filter(|setting| setting != "off");
    select.set_value(setting.as_deref().unwrap_or("off"));
    // The user may have withdrawn the permission since.
    if setting.is_some() && can_notify() && Notification::permission() == NotificationPermission::Denied {
        set_text("notify-problem", info.strings.notify_denied);
    }
    if let Some(workers) = service_worker::container() {
        // The worker sends pages no other message.
        listen(&workers, "message", ring);
    }
    let chosen = select.clone();
    listen(&select, "change", move || {
        let (setting, room, select) = (chosen.value(), room.clone(), chosen.clone());
        spawn_local(async move {
            let problem = if setting == "off" { None } else { request_permission(info.strings).await };
            if problem.is_some() {
                select.set_value("off");
            }
            storage::set_setting(&format!("notify/{room}"), &select.value());
            set_text("notify-problem", problem.unwrap_or_default());
        });
    });
    if let Some(sound) = element::<HtmlInputElement>("sound") {
        sound.set_checked(storage::setting("sound").is_some_and(|sound| sound == "on"));
        let ticked = sound.clone();
        listen(&sound, "change", move || {
            storage::set_setting("sound", if ticked.checked() { "on" } else { "off" });
        });
    }
}

/// Asks for the permission to notify. Returns a sentence if there is none.
async fn request_permission(strings: &'static Strings) -> Option<&'static str> {
    // Over plain HTTP browsers refuse without asking, and none of their settings changes that.
    if !can_notify() || !window().is_secure_context() {
        return Some(strings.notify_unsupported);
    }
    let Ok(asked) = Notification::request_permission() else {
        return Some(strings.notify_unsupported);
    };
    let granted = JsFuture::from(asked).await.is_ok_and(|answer| answer == "granted");
    (!granted).then_some(strings.notify_denied)
}

fn can_notify() -> bool {
    Reflect::has(&window(), &"Notification".into()).unwrap_or(false)
}

fn notify_setting(room: &RoomName) -> Option<String> {
    storage::setting(&format!("notify/{room}"))
}

/// Shows a notification through the service worker, if there is one. The worker receives one from every hidden tab and
/// shows it once; on phones there is no other way.
async fn show_notification(
    room: RoomName,
    title: String,
    options: NotificationOptions,
    seq: Seq,
    rings: bool,
) {
    let parts = [
        ("title", title.as_str().into()),
        ("options", options.clone().into()),
        ("seq", (seq as f64).into()),
        ("rings", rings.into()),
    ];
    if !service_worker::post(&object([("notify", object(parts))])).await {
        if let Ok(shown) = Notification::new_with_options(&title, &options) {
            OPEN.with_borrow_mut(|open| *open = Some((room, seq, shown)));
        }
        if rings {
            ring();
        }
    }
}

fn object<const N: usize>(parts: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    for (key, value) in parts {
        let _ = Reflect::set(&object, &key.into(), &value);
    }
    object.into()
}

/// Plays a short quiet tone.
fn ring() {
    if let Ok(tone) = HtmlAudioElement::new_with_src(&link("/tone.wav")) {
        let _ = tone.play();
    }
}
