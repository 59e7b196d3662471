//! Showing what has changed once for each frame of the screen, since a burst changes the feed more often.

use crate::state::Live;
use leptos::prelude::*;
use std::time::Duration;

/// A hidden tab has no frames; changes are shown after this time all the same.
const UNSEEN: Duration = Duration::from_millis(250);

impl Live {
    /// Shows the feed with the next frame.
    pub(crate) fn show_soon(&self) {
        let live = *self;
        if self.stale.with_value(Option::is_none) {
            self.stale.set_value(set_timeout_with_handle(move || live.show_stale(), UNSEEN).ok());
            request_animation_frame(move || live.show_stale());
        }
    }

    fn show_stale(&self) {
        // The page may be on its way out.
        if let Some(timeout) = self.stale.try_update_value(Option::take).flatten() {
            timeout.clear();
            if self.show_on() {
                self.show_soon();
            }
        }
    }
}
