//! Shortcuts, and the few things on the page that the server alone has rendered and a click sets in motion.

use crate::{
    base::link,
    browser::dom::{element, scroller},
    state::Live,
    ui::is_composing,
    wire::RoomName,
};
use leptos::{ev, prelude::*};
use std::cell::Cell;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, Event, HtmlElement, HtmlTextAreaElement, KeyboardEvent, MouseEvent};

/// Handles keys and clicks for as long as the page lives.
pub(crate) fn attend(live: Live) {
    std::mem::forget(window_event_listener(ev::keydown, move |key| press(live, &key)));
    std::mem::forget(window_event_listener(ev::focusin, move |focus| {
        let focused = focus.target().and_then(|target| target.dyn_into::<Element>().ok());
        tidy_sheets(focused.as_ref());
    }));
    std::mem::forget(window_event_listener(ev::resize, move |_| tidy_sheets(None)));
    give_focus_back(live);
    std::mem::forget(window_event_listener(ev::click, move |click| {
        let Some(target) = click.target().and_then(|target| target.dyn_into::<Element>().ok()) else {
            return;
        };
        close_card(live, |card| !card.contains(Some(&target)));
        note_opener(&click, &target);
        if dress(&target) {
            click.prevent_default();
        }
    }));
}

/// Closes sheets: those that the focus has left, since they lie over what has it now, and those that have got a
/// place of their own beside the page.
fn tidy_sheets(focused: Option<&Element>) {
    let Ok(open) = document().query_selector_all(":popover-open") else { return };
    let open = (0..open.length()).filter_map(|at| open.item(at)?.dyn_into::<HtmlElement>().ok());
    let within = |sheet: &HtmlElement| focused.is_some_and(|focused| sheet.contains(Some(focused)));
    let sheets: Vec<HtmlElement> = open.collect();
    let left = focused.is_some() && !sheets.iter().any(within);
    for sheet in sheets {
        let style = window().get_computed_style(&sheet).ok().flatten();
        let stands = style
            .and_then(|style| style.get_property_value("--docked").ok())
            .is_some_and(|stands| !stands.is_empty());
        if left || stands {
            let _ = sheet.hide_popover();
        }
    }
}

fn press(live: Live, key: &KeyboardEvent) {
    if is_composing(key) {
        return;
    }
    let writes = writes(key);
    let done = match (key.key().as_str(), key.alt_key(), key.shift_key()) {
        ("?", ..) if !writes => toggle("shortcuts"),
        ("/", ..) if key.ctrl_key() => toggle("shortcuts"),
        ("ArrowDown" | "ArrowUp", true, true) => go(live, |rooms, at| {
            (1..=rooms.len()).map(|n| (at + n) % rooms.len()).find(|room| rooms[*room].2 > 0)
        }),
        ("ArrowDown", true, false) => go(live, |rooms, at| Some((at + 1) % rooms.len())),
        ("ArrowUp", true, false) => go(live, |rooms, at| Some((at + rooms.len() - 1) % rooms.len())),
        ("End", true, _) if !live.lives => go_to(&live.room.with_value(RoomName::path)),
        ("End", true, _) => {
            live.go_to_end();
            true
        }
        // Who is about to write reads back without leaving the field.
        ("PageUp" | "PageDown", false, false) if is_empty_composer(key) => turn_page(key.key() == "PageUp"),
        ("ArrowUp", false, false) if is_empty_composer(key) => edit_last(live),
        ("Escape", ..) => close_card(live, |_| true),
        _ => false,
    };
    if done {
        key.prevent_default();
    }
}

/// Whether the key goes into a field.
fn writes(key: &KeyboardEvent) -> bool {
    let target = key.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|target| matches!(target.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
}

fn is_empty_composer(key: &KeyboardEvent) -> bool {
    let target = key.target().and_then(|target| target.dyn_into::<HtmlTextAreaElement>().ok());
    target.is_some_and(|field| field.id() == "text" && field.value().is_empty())
}

/// Scrolls the messages by nearly as much as is seen of them.
fn turn_page(up: bool) -> bool {
    let scroller = scroller();
    scroller
        .inspect(|scroller| {
            let page = scroller.client_height() * 9 / 10;
            scroller.scroll_by_with_x_and_y(0.0, f64::from(if up { -page } else { page }));
        })
        .is_some()
}

/// Opens the menu of the newest own message, whose field then takes the focus.
fn edit_last(live: Live) -> bool {
    let menu = live
        .newest_of_yours()
        .and_then(|seq| document().query_selector(&format!("#m{seq} .menu")).ok().flatten());
    menu.inspect(|menu| {
        let _ = menu.set_attribute("open", "");
        menu.scroll_into_view_with_bool(false);
    })
    .is_some()
}

/// Rooms as the list has them: path, whether it is this one, unread.
type Listed = Vec<(String, bool, u32)>;

/// Goes to another room of the list.
fn go(live: Live, choose: impl FnOnce(&Listed, usize) -> Option<usize>) -> bool {
    let here = live.room.get_value();
    let rooms: Listed = live.rooms.with_untracked(|rooms| {
        let is_joined = rooms.iter().filter(|entry| entry.is_joined);
        is_joined.map(|entry| (link(&entry.room.path()), entry.room == here, entry.unread)).collect()
    });
    let at = rooms.iter().position(|room| room.1).unwrap_or(0);
    let chosen = if rooms.is_empty() { None } else { choose(&rooms, at) };
    if let Some((path, false, unread)) = chosen.map(|chosen| &rooms[chosen]) {
        let place = if *unread > 0 { "#new" } else { "" };
        go_to(&format!("{path}{place}"));
    }
    true
}

/// Goes to another page. Whether that can be.
fn go_to(path: &str) -> bool {
    window().location().set_href(path).is_ok()
}

/// Opens or closes a sheet.
fn toggle(id: &str) -> bool {
    element::<HtmlElement>(id).is_some_and(|sheet| sheet.toggle_popover().is_ok())
}

thread_local! {
    /// The sheet or card that was opened last was opened with a pointer.
    static OPENED_BY_POINTER: Cell<bool> = const { Cell::new(false) };
}

/// Notes with what a button is pressed that opens a sheet or the card: a key makes a click without a count.
fn note_opener(click: &MouseEvent, target: &Element) {
    let opens = target.closest("[popovertarget]:not([popovertargetaction=hide]), .me summary");
    if opens.is_ok_and(|opener| opener.is_some()) {
        OPENED_BY_POINTER.set(click.detail() > 0);
    }
}

/// When a sheet that was opened with a pointer closes, the user writes on. The browser gives the focus to the button
/// that opened it, where it shows a ring and takes no text.
fn give_focus_back(live: Live) {
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
            live.focus_composer();
        }
    });
    // It does not bubble.
    let _ =
        window().add_event_listener_with_callback_and_bool("toggle", closed.as_ref().unchecked_ref(), true);
    closed.forget();
}

/// Closes the card with the name, where it is open and `must` be closed. Who was in it is at its button then, or
/// writes on if a pointer opened it.
fn close_card(live: Live, must: impl FnOnce(&Element) -> bool) -> bool {
    let Ok(Some(card)) = document().query_selector(".me[open]") else { return false };
    let closes = must(&card);
    if closes {
        let _ = card.remove_attribute("open");
        if card.contains(document().active_element().as_deref())
            && let Ok(Some(button)) = card.query_selector("summary")
            && let Ok(button) = button.dyn_into::<HtmlElement>()
        {
            let _ = button.focus();
            if OPENED_BY_POINTER.get() {
                live.focus_composer();
            }
        }
    }
    closes
}

/// Another theme, at once; the form would do the same with a new page.
fn dress(target: &Element) -> bool {
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
    // What surrounds the page on a phone.
    let paper = window().get_computed_style(&page).ok().flatten();
    let paper = paper.and_then(|style| style.get_property_value("background-color").ok()).unwrap_or_default();
    if let Ok(colours) = document().query_selector_all("meta[name=theme-color]") {
        let colours = (0..colours.length()).filter_map(|at| colours.item(at)?.dyn_into::<Element>().ok());
        colours.for_each(|colour| drop(colour.set_attribute("content", &paper)));
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
