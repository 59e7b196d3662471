//! Keyboard shortcuts, and clicks on elements that only the server renders.

use super::{
    attention, deletions,
    dom::{element, focus_composer, scroller},
    load_older::{go_to_end, go_to_message},
    outbox,
};
use crate::{base::link, keyboard::is_composing, state::RoomState, wire::Seq};
use leptos::{ev, prelude::*};
use std::cell::Cell;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, Event, HtmlElement, HtmlTextAreaElement, KeyboardEvent, MouseEvent};

/// Handles keys and clicks for as long as the page lives.
pub(super) fn start(room: RoomState) {
    std::mem::forget(window_event_listener(ev::keydown, move |key| on_keydown(room, &key)));
    std::mem::forget(window_event_listener(ev::focusin, move |focus| {
        let focused = focus.target().and_then(|target| target.dyn_into::<Element>().ok());
        close_dialogs(focused.as_ref());
    }));
    std::mem::forget(window_event_listener(ev::resize, move |_| close_dialogs(None)));
    restore_focus();
    std::mem::forget(window_event_listener(ev::click, move |click| {
        let Some(target) = click.target().and_then(|target| target.dyn_into::<Element>().ok()) else {
            return;
        };
        close_card(|card| !card.contains(Some(&target)));
        record_opener(&click, &target);
        if change_theme(&target)
            || follow_quote(room, &target)
            || reply(room, &target)
            || react(room, &target)
            || mark_unread(room, &target)
            || press_button(room, &target)
        {
            click.prevent_default();
        }
    }));
}

/// Closes dialogs that the focus has left, since they cover what has it now, and those that became a sidebar when the window
/// was resized.
fn close_dialogs(focused: Option<&Element>) {
    let Ok(open) = document().query_selector_all(":popover-open") else { return };
    let open = (0..open.length()).filter_map(|at| open.item(at)?.dyn_into::<HtmlElement>().ok());
    let has_focus = |dialog: &HtmlElement| focused.is_some_and(|focused| dialog.contains(Some(focused)));
    let dialogs: Vec<HtmlElement> = open.collect();
    let is_left = focused.is_some() && !dialogs.iter().any(has_focus);
    for dialog in dialogs {
        let style = window().get_computed_style(&dialog).ok().flatten();
        let is_sidebar = style
            .and_then(|style| style.get_property_value("--docked").ok())
            .is_some_and(|stands| !stands.is_empty());
        if is_left || is_sidebar {
            let _ = dialog.hide_popover();
        }
    }
}

fn on_keydown(room: RoomState, key: &KeyboardEvent) {
    if is_composing(key) {
        return;
    }
    let is_in_field = is_in_field(key);
    let is_handled = match (key.key().as_str(), key.alt_key(), key.shift_key()) {
        ("?", ..) if !is_in_field => toggle("shortcuts"),
        ("/", ..) if key.ctrl_key() => toggle("shortcuts"),
        ("ArrowDown" | "ArrowUp", true, true) => go_to_room(room, |rooms, at| {
            (1..=rooms.len()).map(|n| (at + n) % rooms.len()).find(|room| rooms[*room].2 > 0)
        }),
        ("ArrowDown", true, false) => go_to_room(room, |rooms, at| Some((at + 1) % rooms.len())),
        ("ArrowUp", true, false) => go_to_room(room, |rooms, at| Some((at + rooms.len() - 1) % rooms.len())),
        ("End", true, _) if !room.info.is_latest_page => open(&room.info.path()),
        ("End", true, _) => {
            go_to_end(room);
            true
        }
        // The user scrolls without leaving the empty field.
        ("PageUp" | "PageDown", false, false) if is_empty_composer(key) => scroll_page(key.key() == "PageUp"),
        ("ArrowUp", false, false) if is_empty_composer(key) => edit_last(room),
        ("Escape", ..) => close_card(|_| true),
        _ => false,
    };
    if is_handled {
        key.prevent_default();
    }
}

/// Returns `true` if the key goes into a field.
fn is_in_field(key: &KeyboardEvent) -> bool {
    let target = key.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|target| matches!(target.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
}

fn is_empty_composer(key: &KeyboardEvent) -> bool {
    let target = key.target().and_then(|target| target.dyn_into::<HtmlTextAreaElement>().ok());
    target.is_some_and(|field| field.id() == "text" && field.value().is_empty())
}

/// Scrolls the messages by nearly the height that is visible.
fn scroll_page(up: bool) -> bool {
    let scroller = scroller();
    scroller
        .inspect(|scroller| {
            let page = scroller.client_height() * 9 / 10;
            scroller.scroll_by_with_x_and_y(0.0, f64::from(if up { -page } else { page }));
        })
        .is_some()
}

/// Opens the menu of the newest own message, whose field then takes the focus.
fn edit_last(room: RoomState) -> bool {
    let you = room.profile.user.with_untracked(|user| user.id);
    let menu = room
        .timeline
        .newest_message_of(you)
        .and_then(|seq| document().query_selector(&format!("#m{seq} .menu")).ok().flatten());
    menu.inspect(|menu| {
        let _ = menu.set_attribute("open", "");
        menu.scroll_into_view_with_bool(false);
    })
    .is_some()
}

/// The rooms of the list: path, whether it is the room of the page, unread messages.
type ListedRooms = Vec<(String, bool, u32)>;

/// Opens the room of the list that `choose` returns.
fn go_to_room(room: RoomState, choose: impl FnOnce(&ListedRooms, usize) -> Option<usize>) -> bool {
    let rooms: ListedRooms = room.rooms.rooms.with_untracked(|rooms| {
        let joined = rooms.iter().filter(|entry| entry.is_joined);
        joined.map(|entry| (link(&entry.room.path()), room.info.is_here(&entry.room), entry.unread)).collect()
    });
    let at = rooms.iter().position(|room| room.1).unwrap_or(0);
    let chosen = if rooms.is_empty() { None } else { choose(&rooms, at) };
    if let Some((path, false, unread)) = chosen.map(|chosen| &rooms[chosen]) {
        let fragment = if *unread > 0 { "#new" } else { "" };
        open(&format!("{path}{fragment}"));
    }
    true
}

/// Opens another page. Returns `false` if the browser refuses.
fn open(path: &str) -> bool {
    window().location().set_href(path).is_ok()
}

/// Opens or closes a dialog.
fn toggle(id: &str) -> bool {
    element::<HtmlElement>(id).is_some_and(|dialog| dialog.toggle_popover().is_ok())
}

thread_local! {
    /// A pointer has opened the last dialog or card.
    static OPENED_BY_POINTER: Cell<bool> = const { Cell::new(false) };
}

/// Records whether a pointer opens a dialog or the card. The click that a key causes has no count.
fn record_opener(click: &MouseEvent, target: &Element) {
    let opens = target.closest("[popovertarget]:not([popovertargetaction=hide]), .me summary");
    if opens.is_ok_and(|opener| opener.is_some()) {
        OPENED_BY_POINTER.set(click.detail() > 0);
    }
}

/// Moves the focus to the composer when a dialog closes that a pointer has opened. The browser moves it to the button that has
/// opened the dialog, where it shows a ring and accepts no text.
fn restore_focus() {
    let closed = Closure::<dyn FnMut(Event)>::new(move |toggled: Event| {
        let Some(sheet) = toggled.target().and_then(|target| target.dyn_into::<Element>().ok()) else {
            return;
        };
        if !sheet.has_attribute("popover") || sheet.matches(":popover-open").unwrap_or(true) {
            return;
        }
        let opener = format!("body, [popovertarget={}]", sheet.id());
        let is_at_opener =
            document().active_element().is_none_or(|has_focus| has_focus.matches(&opener).unwrap_or(false));
        if is_at_opener && OPENED_BY_POINTER.get() {
            focus_composer();
        }
    });
    // The event does not bubble.
    let _ =
        window().add_event_listener_with_callback_and_bool("toggle", closed.as_ref().unchecked_ref(), true);
    closed.forget();
}

/// Closes the profile card if it is open and `should_close` agrees. The focus moves from it to its button, or to the composer
/// if a pointer has opened the card.
fn close_card(should_close: impl FnOnce(&Element) -> bool) -> bool {
    let Ok(Some(card)) = document().query_selector(".me[open]") else { return false };
    let closes = should_close(&card);
    if closes {
        let _ = card.remove_attribute("open");
        if card.contains(document().active_element().as_deref())
            && let Ok(Some(button)) = card.query_selector("summary")
            && let Ok(button) = button.dyn_into::<HtmlElement>()
        {
            let _ = button.focus();
            if OPENED_BY_POINTER.get() {
                focus_composer();
            }
        }
    }
    closes
}

/// Replies to the message of the bar or menu whose button was clicked.
fn reply(room: RoomState, target: &Element) -> bool {
    let seq = message_of(target, "[data-action=reply]");
    if let Some(seq) = seq {
        room.timeline.start_reply(seq);
        focus_composer();
    }
    seq.is_some()
}

/// Gives the reaction whose button was clicked, or takes it back. A page of older messages submits a form instead.
fn react(room: RoomState, target: &Element) -> bool {
    let button = target.closest("[data-react]").ok().flatten();
    let emoji = button.and_then(|button| button.get_attribute("data-react"));
    let (Some(seq), Some(emoji)) = (message_of(target, "[data-react]"), emoji) else { return false };
    if room.info.is_latest_page {
        outbox::react(room, seq, &emoji);
    }
    room.info.is_latest_page
}

/// Does what a button says that appears and disappears: jumps to the end, undoes deletions or cancels the reply.
fn press_button(room: RoomState, target: &Element) -> bool {
    let is_on = |button| target.closest(button).is_ok_and(|button| button.is_some());
    if is_on(".jump-button") {
        go_to_end(room);
        focus_composer();
    } else if is_on("#undo") {
        deletions::undo(room);
    } else if is_on(".reply-notice a") {
        room.timeline.take_reply();
        focus_composer();
    } else {
        return false;
    }
    true
}

/// Marks the message of the menu whose button was clicked as unread, together with all later ones.
fn mark_unread(room: RoomState, target: &Element) -> bool {
    let seq = message_of(target, "[data-action=unread]");
    seq.inspect(|seq| attention::mark_unread(room, *seq)).is_some()
}

/// Returns the message of the bar, the menu, the picker or the reactions, if `button` was clicked there.
fn message_of(target: &Element, button: &str) -> Option<Seq> {
    target.closest(button).ok()??.closest("[data-seq]").ok()??.get_attribute("data-seq")?.parse().ok()
}

/// Jumps to the message that a reply quotes, if the timeline has it.
fn follow_quote(room: RoomState, target: &Element) -> bool {
    let Ok(Some(quote)) = target.closest("[data-message]") else { return false };
    let seq = quote.get_attribute("data-message").and_then(|seq| seq.parse().ok());
    seq.is_some_and(|seq| go_to_message(room, seq))
}

/// Changes the theme at once; without script the form loads the page again.
fn change_theme(target: &Element) -> bool {
    let Ok(Some(button)) = target.closest("[data-theme-choice]") else { return false };
    let Some(theme) = button.get_attribute("data-theme-choice") else { return false };
    let Some(page) = document().document_element() else { return false };
    let _ = if theme == "system" {
        page.remove_attribute("data-theme")
    } else {
        page.set_attribute("data-theme", &theme)
    };
    for choice in ["system", "light", "dark"] {
        if let Ok(Some(other)) = document().query_selector(&format!("[data-theme-choice={choice}]")) {
            let _ = other.set_attribute("aria-pressed", if choice == theme { "true" } else { "false" });
        }
    }
    // The color of the browser's bars on a phone.
    let paper = window().get_computed_style(&page).ok().flatten();
    let paper = paper.and_then(|style| style.get_property_value("background-color").ok()).unwrap_or_default();
    if let Ok(metas) = document().query_selector_all("meta[name=theme-color]") {
        let metas = (0..metas.length()).filter_map(|at| metas.item(at)?.dyn_into::<Element>().ok());
        metas.for_each(|meta| drop(meta.set_attribute("content", &paper)));
    }
    let year = 365 * 24 * 60 * 60;
    let base = link("");
    let path = if base.is_empty() { "/" } else { &base };
    let cookie = format!("hubbub_theme={theme}; path={path}; max-age={year}; samesite=lax");
    if let Ok(page) = document().dyn_into::<web_sys::HtmlDocument>() {
        let _ = page.set_cookie(&cookie);
    }
    true
}
