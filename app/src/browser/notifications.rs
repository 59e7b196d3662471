//! Notifies a user who attends elsewhere: browser notifications, the title, the icon.

use crate::{
    base::link,
    browser::storage,
    page_data::RoomSummary,
    state::Live,
    wire::{Event, EventBody, RoomName, Seq, User, mentions},
};
use js_sys::{Object, Reflect};
use leptos::{prelude::*, task::spawn_local};
use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    HtmlAudioElement, HtmlElement, HtmlSelectElement, Notification, NotificationOptions,
    NotificationPermission, ServiceWorkerContainer, ServiceWorkerRegistration,
};

/// Characters of a message that a notification shows.
const SHOWN: usize = 200;

thread_local! {
    /// The last notification that was shown without a service worker, which would know of all of them.
    static OPEN: RefCell<Option<(RoomName, Seq, Notification)>> = const { RefCell::new(None) };
}

/// Shows a notification of a message, if the person wants one. The caller has found that the person does not attend
/// to this page.
pub(crate) fn announce(entry: &RoomSummary, event: &Event, you: &User) {
    let EventBody::Message { text, .. } = &event.body else { return };
    let wanted = match wish(&entry.room).as_deref() {
        Some("all") => true,
        Some("mentions") => mentions(text, you.name.as_str()),
        _ => false,
    };
    if !wanted || !can_notify() || Notification::permission() != NotificationPermission::Granted {
        return;
    }
    let title = format!("{} · {}", event.author.disambiguated(), entry.title);
    let options = NotificationOptions::new();
    options.set_body(&text.chars().take(SHOWN).collect::<String>());
    options.set_tag(entry.room.as_str());
    options.set_icon(&link("/icon-192.png"));
    options.set_silent(Some(true));
    let path = format!("{}#m{}", link(&entry.room.path()), event.seq);
    options.set_data(&path.into());
    let rings = storage::choice("sound").is_some_and(|sound| sound == "on");
    spawn_local(show_notification(entry.room.clone(), title, options, event.seq, rings));
}

/// Closes the notification of a message of `room` that was read, with all before it, or of `only` this one, which was
/// deleted.
pub(crate) fn withdraw(room: &RoomName, seq: Seq, only: bool) {
    if wish(room).is_none_or(|wish| wish == "off") {
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
        if let Some(worker) = registration().await.and_then(|registration| registration.active()) {
            let _ = worker.post_message(&message);
        }
    });
}

impl Live {
    /// What the window's title and the icon say: how much is unread.
    pub(crate) fn sync_title_badge(self) {
        Effect::new(move |worn: Option<u32>| {
            let (unread, title) = (self.unread(), self.title.get());
            let count = match unread {
                0 => String::new(),
                100.. => "(99+) ".into(),
                n => format!("({n}) "),
            };
            document().set_title(&format!("{count}{title} · Hubbub"));
            let was = worn.unwrap_or(0);
            if (was == 0) != (unread == 0)
                && let Ok(Some(icon)) = document().query_selector("link[rel=icon]")
            {
                let file = if unread == 0 { "/favicon.svg" } else { "/favicon-unread.svg" };
                let _ = icon.set_attribute("href", &link(file));
            }
            badge_app(unread);
            unread
        });
    }

    /// Shows the user's settings for this room, and stores changes of them.
    pub(crate) fn init_settings(self) {
        let Some(select) = element::<HtmlSelectElement>("notify") else { return };
        let room = self.room.get_value();
        let wished = wish(&room).filter(|wished| wished != "off");
        select.set_value(wished.as_deref().unwrap_or("off"));
        // Leave may have been taken back since.
        if wished.is_some() && can_notify() && Notification::permission() == NotificationPermission::Denied {
            set_text("notify-problem", self.strings.notify_denied);
        }
        if let Some(workers) = workers() {
            // The worker has but one thing to say to a page.
            listen(&workers, "message", ring);
        }
        let chosen = select.clone();
        listen(&select, "change", move || {
            let (wish, room, select) = (chosen.value(), room.clone(), chosen.clone());
            spawn_local(async move {
                let problem = if wish == "off" { None } else { self.ask().await };
                if problem.is_some() {
                    select.set_value("off");
                }
                storage::choose(&format!("notify/{room}"), &select.value());
                set_text("notify-problem", problem.unwrap_or_default());
            });
        });
        if let Some(sound) = element::<web_sys::HtmlInputElement>("sound") {
            sound.set_checked(storage::choice("sound").is_some_and(|sound| sound == "on"));
            let ticked = sound.clone();
            listen(&sound, "change", move || {
                storage::choose("sound", if ticked.checked() { "on" } else { "off" });
            });
        }
    }

    /// Asks for leave to notify; a sentence where there is none.
    async fn ask(&self) -> Option<&'static str> {
        // Over plain HTTP browsers refuse without asking, and no setting of theirs helps.
        if !can_notify() || !window().is_secure_context() {
            return Some(self.strings.notify_unsupported);
        }
        let Ok(asked) = Notification::request_permission() else {
            return Some(self.strings.notify_unsupported);
        };
        let granted = JsFuture::from(asked).await.is_ok_and(|answer| answer == "granted");
        (!granted).then_some(self.strings.notify_denied)
    }
}

fn can_notify() -> bool {
    Reflect::has(&window(), &"Notification".into()).unwrap_or(false)
}

fn wish(room: &RoomName) -> Option<String> {
    storage::choice(&format!("notify/{room}"))
}

/// Shows a notification through the service worker, if there is one. It receives one from every hidden tab and shows it once;
/// phones know no other way.
async fn show_notification(
    room: RoomName,
    title: String,
    options: NotificationOptions,
    seq: Seq,
    rings: bool,
) {
    if let Some(worker) = registration().await.and_then(|registration| registration.active()) {
        let parts = [
            ("title", title.into()),
            ("options", options.into()),
            ("seq", (seq as f64).into()),
            ("rings", rings.into()),
        ];
        let _ = worker.post_message(&object([("notify", object(parts))]));
    } else {
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

async fn registration() -> Option<ServiceWorkerRegistration> {
    JsFuture::from(workers()?.get_registration()).await.ok()?.dyn_into().ok()
}

/// Browsers have workers over HTTPS and on this machine only.
pub(crate) fn workers() -> Option<ServiceWorkerContainer> {
    Reflect::get(&window().navigator(), &"serviceWorker".into()).ok()?.dyn_into().ok()
}

/// A short quiet tone, in the file that the page brings along.
fn ring() {
    if let Ok(tone) = HtmlAudioElement::new_with_src(&link("/tone.wav")) {
        let _ = tone.play();
    }
}

/// On the icon of the installed app, where the system has such badges.
fn badge_app(unread: u32) {
    let navigator: JsValue = window().navigator().into();
    let Ok(set) = Reflect::get(&navigator, &"setAppBadge".into()) else { return };
    if let Ok(set) = set.dyn_into::<js_sys::Function>()
        && let Ok(done) = set.call1(&navigator, &unread.into())
    {
        // RejectedInput where the app is not installed: nothing is lost by it.
        spawn_local(async move {
            if let Ok(done) = done.dyn_into::<js_sys::Promise>() {
                let _ = JsFuture::from(done).await;
            }
        });
    }
}

/// Writes a sentence into an element of the page.
pub(crate) fn set_text(id: &str, text: &str) {
    if let Some(place) = element::<HtmlElement>(id) {
        place.set_text_content(Some(text));
    }
}

/// An element that the server alone has rendered.
pub(crate) fn element<E: JsCast>(id: &str) -> Option<E> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// For as long as the page lives.
pub(crate) fn listen(target: &web_sys::EventTarget, event: &str, handler: impl FnMut() + 'static) {
    let handler = wasm_bindgen::closure::Closure::<dyn FnMut()>::new(handler);
    let _ = target.add_event_listener_with_callback(event, handler.as_ref().unchecked_ref());
    handler.forget();
}

/// A listener for as long as this lives.
pub(crate) struct Listener {
    target: web_sys::EventTarget,
    event: &'static str,
    callback: wasm_bindgen::closure::Closure<dyn FnMut(web_sys::Event)>,
}

impl Listener {
    /// Calls `callback` at each `event` of `target`.
    pub(crate) fn new(
        target: &web_sys::EventTarget,
        event: &'static str,
        callback: impl FnMut(web_sys::Event) + 'static,
    ) -> Self {
        let callback = wasm_bindgen::closure::Closure::<dyn FnMut(web_sys::Event)>::new(callback);
        let _ = target.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref());
        Self { target: target.clone(), event, callback }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let callback = self.callback.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback(self.event, callback);
    }
}
