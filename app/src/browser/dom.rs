//! Elements and events of the page's document.

use crate::keyboard::has_fine_pointer;
use js_sys::Reflect;
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, Event, EventTarget, HtmlElement};

/// Returns the element with this `id`. The server renders dialogs alone, so that no component knows their elements.
pub fn element<E: JsCast>(id: &str) -> Option<E> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Returns the element that scrolls the messages.
pub fn scroller() -> Option<Element> {
    document().query_selector(".scroller").ok().flatten()
}

/// Returns `true` if the user came to the page by a navigation of this type: `navigate`, `reload` or `back_forward`.
pub fn is_navigation(kind: &str) -> bool {
    let navigation =
        window().performance().map(|performance| performance.get_entries_by_type("navigation").get(0));
    let found = navigation.and_then(|navigation| Reflect::get(&navigation, &"type".into()).ok());
    found.is_some_and(|found| found == kind)
}

/// Loads the page again.
pub fn reload() {
    let _ = window().location().reload();
}

/// Moves the focus to the composer. On a phone that would open the keyboard, which covers the page.
pub fn focus_composer() {
    if let Some(field) = element::<HtmlElement>("text").filter(|_| has_fine_pointer()) {
        let _ = field.focus();
    }
}

/// Makes the composer take no input any more. Its text stays.
pub fn disable_composer() {
    if let Some(composer) = document().query_selector(".composer").ok().flatten() {
        let _ = composer.set_attribute("inert", "");
    }
}

/// Replaces the text of the element with this `id`.
pub fn set_text(id: &str, text: &str) {
    if let Some(element) = element::<HtmlElement>(id) {
        element.set_text_content(Some(text));
    }
}

/// Calls `handler` at each `event` of `target`, for as long as the page lives.
pub fn listen(target: &EventTarget, event: &str, handler: impl FnMut() + 'static) {
    let handler = Closure::<dyn FnMut()>::new(handler);
    let _ = target.add_event_listener_with_callback(event, handler.as_ref().unchecked_ref());
    handler.forget();
}

/// Calls `handler` at each `event` of `target` and of the elements in it, before their own handlers, for as long as the page
/// lives. Events that do not bubble come too.
pub fn capture(target: &EventTarget, event: &str, handler: impl FnMut(Event) + 'static) {
    let handler = Closure::<dyn FnMut(Event)>::new(handler);
    let callback = handler.as_ref().unchecked_ref();
    let _ = target.add_event_listener_with_callback_and_bool(event, callback, true);
    handler.forget();
}

/// Returns the element in which an event has happened.
pub fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// A listener that is removed when it is dropped.
pub struct Listener {
    target: EventTarget,
    event: &'static str,
    callback: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Calls `callback` at each `event` of `target`.
    pub fn new(target: &EventTarget, event: &'static str, callback: impl FnMut(Event) + 'static) -> Self {
        let callback = Closure::<dyn FnMut(Event)>::new(callback);
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

/// Shortens the page to the part that a virtual keyboard leaves visible, on phones whose keyboard covers the page instead
/// of resizing it.
pub fn avoid_virtual_keyboard() {
    let Some(view) = window().visual_viewport() else { return };
    listen(&view.clone(), "resize", move || {
        let Some(page) = document().document_element().and_then(|page| page.dyn_into::<HtmlElement>().ok())
        else {
            return;
        };
        let full = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default();
        // A user who has zoomed in sees a part of the page; its height then stays.
        let is_covered = view.scale() < 1.01 && view.height() < full - 1.0;
        let _ = if is_covered {
            window().scroll_to_with_x_and_y(0.0, 0.0);
            page.style().set_property("--page-height", &format!("{}px", view.height() as u32))
        } else {
            page.style().remove_property("--page-height").map(drop)
        };
    });
}
