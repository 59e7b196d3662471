//! The scroll position of the messages.

use crate::{
    commands::Commands,
    state::{AT_END_PX, RoomInfoState, TimelineState, use_state},
};
use leptos::{html, prelude::*};

/// The distance from the end, in pixels, from which the jump button appears.
const JUMP_BUTTON_PX: i32 = 600;

/// The distance from an end of the rendered rows, in pixels, at which more rows are rendered.
const PREFETCH_PX: i32 = 800;

/// Observes the element that scrolls the messages: renders more rows near its ends, and records whether the reader is at
/// the end.
///
/// The element is laid out from its end: the end is at 0, and older rows have negative positions.
#[derive(Clone, Copy)]
pub(super) struct ScrollController {
    info: RoomInfoState,
    timeline: TimelineState,
    commands: Commands,
    /// The element.
    pub(super) scroller: NodeRef<html::Div>,
    /// The reader is further from the end than [`JUMP_BUTTON_PX`].
    pub(super) is_far: RwSignal<bool>,
}

impl ScrollController {
    /// Returns a controller of an element that is still to be bound to [`scroller`](Self::scroller). It scrolls to the
    /// start position when the page is hydrated.
    pub(super) fn new(is_highlighting: bool) -> Self {
        let controller = Self {
            info: use_state(),
            timeline: use_state(),
            commands: use_state(),
            scroller: NodeRef::new(),
            is_far: RwSignal::new(false),
        };
        #[cfg(feature = "hydrate")]
        Effect::new(move || {
            controller.scroll_to_start(is_highlighting);
            controller.measure();
        });
        #[cfg(not(feature = "hydrate"))]
        let _ = is_highlighting;
        controller
    }

    /// Handles `scroll`.
    pub(super) fn on_scroll(self) {
        let Some(scroller) = self.scroller.get() else { return };
        let from_end = scroller.scroll_top().abs();
        let from_start = scroller.scroll_height() - scroller.client_height() - from_end;
        let is_live = self.info.is_latest_page;
        if is_live && from_end < PREFETCH_PX {
            self.commands.load_newer();
        }
        if is_live && from_start < PREFETCH_PX {
            self.commands.load_older();
        }
        self.measure();
        if is_live {
            self.commands.look();
        }
    }

    fn measure(self) {
        let Some(scroller) = self.scroller.get() else { return };
        let from_end = scroller.scroll_top().abs();
        let at_end = from_end <= AT_END_PX && self.timeline.shows_newest();
        if self.timeline.at_end.get_untracked() != at_end {
            self.timeline.at_end.set(at_end);
        }
        let far = from_end > JUMP_BUTTON_PX;
        if self.is_far.get_untracked() != far {
            self.is_far.set(far);
        }
    }

    /// Scrolls to the fragment of the address, the highlighted message or the first unread message, before anything
    /// counts as read. The browser or the user may have scrolled already.
    #[cfg(feature = "hydrate")]
    fn scroll_to_start(self, is_highlighting: bool) {
        let Some(scroller) = self.scroller.get().filter(|scroller| scroller.scroll_top() == 0) else {
            return;
        };
        let hash = window().location().hash().unwrap_or_default();
        let target = match hash.strip_prefix('#') {
            Some(id) => document().get_element_by_id(id),
            None => scroller.query_selector(".marked, .unread-line").ok().flatten(),
        };
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(if is_highlighting {
            web_sys::ScrollLogicalPosition::Center
        } else {
            web_sys::ScrollLogicalPosition::Nearest
        });
        if let Some(target) = target.filter(|target| scroller.contains(Some(target))) {
            target.scroll_into_view_with_scroll_into_view_options(&options);
        }
    }
}
