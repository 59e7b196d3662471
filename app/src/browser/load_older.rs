//! ReadMarker back: older rows that the feed has, then those that the server has.

use crate::{
    base::link,
    client::{Timeline, viewport::STEP},
    state::Live,
    wire::{Messages, Seq},
};
use leptos::{
    prelude::*,
    task::{spawn_local, tick},
};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, Response};

/// Messages that are fetched at once.
const FETCHED: u32 = 100;

impl Live {
    /// Whether there are older rows than those shown.
    pub fn has_older(&self) -> bool {
        self.more.get_untracked() || !self.at_oldest()
    }

    /// The reader comes near the oldest row shown: shows older ones, unless that is under way.
    pub fn back(&self) {
        let live = *self;
        if live.going_back.get_value() {
            return;
        }
        live.going_back.set_value(true);
        // They come onto the page, but are no news.
        live.set_announce_each(false);
        spawn_local(async move {
            if live.more.get_untracked() && live.at_oldest() {
                let _ = live.fetch().await;
            }
            // One row at a time: the list then moves no element, so that neither the place nor a
            // selection is lost. It is drawn once, since nothing here waits for a frame.
            let place = ScrollAnchor::of(".line + .line");
            for _ in 0..STEP {
                if !live.step_back() {
                    break;
                }
                tick().await;
            }
            if let Some(place) = place {
                place.keep();
            }
            live.going_back.set_value(false);
        });
    }

    /// Fetches the messages before the oldest one here, and returns whether that succeeded. If it fails, the next
    /// scroll tries again.
    pub(crate) async fn fetch(&self) -> bool {
        let Some(first) = self.first() else { return false };
        let page = self.page_before(Some(first), FETCHED).await;
        // The feed may have begun again meanwhile.
        let fits =
            |page: &Messages| page.head >= self.with_feed(Timeline::last) && self.first() == Some(first);
        page.filter(fits).map(|page| self.prepend(page.messages, page.more)).is_some()
    }

    /// Shows rows that come below, while the reader keeps those in view: at the very edge the browser would go with
    /// the edge, and a reader could not scroll on.
    pub(crate) fn show_in_place(&self) {
        let place = ScrollAnchor::of(".line:last-child");
        self.show();
        spawn_local(async move {
            tick().await;
            if let Some(place) = place {
                place.keep();
            }
        });
    }

    /// Fetches the messages after those that were kept, of a feed that was detached from its end.
    pub(crate) fn fetch_newer(&self) {
        let live = *self;
        let Some(detached_at) =
            live.with_feed(Timeline::detached_at).filter(|_| !live.going_back.get_value())
        else {
            return;
        };
        live.going_back.set_value(true);
        live.set_announce_each(false);
        spawn_local(async move {
            let mut events = FETCHED;
            // One message more than there can be in these events: the page then reaches back to those that are here,
            // unless the server has cut it since it has too many bytes.
            while let Some(page) =
                live.page_before(Some(detached_at + 1 + Seq::from(events)), events + 1).await
            {
                let first = page.messages.first().map_or(0, |first| first.seq);
                if !page.more || first <= detached_at + 1 || events == 1 {
                    if live.with_feed(Timeline::detached_at) == Some(detached_at) {
                        live.append(page.messages, page.head.min(detached_at + Seq::from(events)));
                    }
                    break;
                }
                events /= 2;
            }
            live.going_back.set_value(false);
        });
    }

    /// Begins again with the newest messages.
    pub(crate) fn fetch_newest(&self) {
        let live = *self;
        live.set_announce_each(false);
        spawn_local(async move {
            if let Some(page) = live.page_before(None, FETCHED).await {
                live.restart_at_end(page);
            }
        });
    }

    /// At most `limit` messages of this log: those before an event, or the newest ones.
    async fn page_before(&self, before: Option<Seq>, limit: u32) -> Option<Messages> {
        let room = self.room.get_value();
        let before = before.map(|before| format!("before={before}&")).unwrap_or_default();
        let page = messages(&link(&format!("/api/rooms/{room}/messages?{before}limit={limit}"))).await?;
        Some(page).filter(|page| self.with_feed(|feed| page.log == feed.log()))
    }
}

/// Where a row stands on the screen: the oldest but one (the oldest has other margins), or the newest. Browsers keep
/// it there when rows come beside it, but not for a reader who has come to the very edge.
struct ScrollAnchor {
    row: Element,
    top: f64,
}

impl ScrollAnchor {
    fn of(row: &str) -> Option<Self> {
        let row = document().query_selector(row).ok().flatten()?;
        let top = row.get_bounding_client_rect().top();
        Some(Self { row, top })
    }

    fn keep(&self) {
        let moved = self.row.get_bounding_client_rect().top() - self.top;
        if let Ok(Some(scroller)) = self.row.closest(".scroller") {
            scroller.set_scroll_top(scroller.scroll_top() + moved as i32);
        }
    }
}

async fn messages(url: &str) -> Option<Messages> {
    let answer: Response = JsFuture::from(window().fetch_with_str(url)).await.ok()?.dyn_into().ok()?;
    let text = JsFuture::from(answer.text().ok().filter(|_| answer.ok())?).await.ok()?;
    serde_json::from_str(&text.as_string()?).ok()
}
