//! Long presses on a touch screen.

use leptos::{ev::PointerEvent, prelude::*};
use std::time::Duration;

/// The duration of a long press.
const LONG_PRESS: Duration = Duration::from_millis(500);

/// The time after a long press during which the browser may still synthesize a click.
const CLICK_SUPPRESSION: Duration = Duration::from_millis(400);

/// Recognizes long presses on one element, whose pointer events it receives.
#[derive(Clone, Copy)]
pub(super) struct LongPress<F> {
    on_long_press: F,
    is_active: RwSignal<bool>,
    timer: StoredValue<Option<TimeoutHandle>>,
}

/// Returns a recognizer that calls `on_long_press` when a finger has rested on the element for [`LONG_PRESS`].
pub(super) fn use_long_press<F: Fn() + Copy + 'static>(on_long_press: F) -> LongPress<F> {
    LongPress { on_long_press, is_active: RwSignal::new(false), timer: StoredValue::new(None) }
}

impl<F: Fn() + Copy + 'static> LongPress<F> {
    /// Returns whether a long press is under way, or ended so recently that the browser may still synthesize a click.
    /// The menu that the press has opened ignores clicks until then. Tracks changes.
    pub(super) fn is_active(self) -> bool {
        self.is_active.get()
    }

    /// Handles `pointerdown`.
    pub(super) fn on_pointer_down(self, press: &PointerEvent) {
        if press.pointer_type() == "touch" {
            let recognize = move || {
                self.is_active.set(true);
                (self.on_long_press)();
            };
            self.timer.set_value(set_timeout_with_handle(recognize, LONG_PRESS).ok());
        }
    }

    /// Handles `pointerup` and `pointercancel`.
    pub(super) fn on_pointer_up(self) {
        if let Some(timer) = self.timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
        if self.is_active.get_untracked() {
            let deactivate = move || {
                let _ = self.is_active.try_set(false);
            };
            set_timeout(deactivate, CLICK_SUPPRESSION);
        }
    }
}
