//! Reading back: older rows that the feed has, then those that the server has.

use super::{Live, window::STEP};
use crate::{base::link, wire::Messages};
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
        live.read_out(false);
        spawn_local(async move {
            if live.more.get_untracked() && live.at_oldest() {
                live.fetch().await;
            }
            // One row at a time: the list then moves no element, so that neither the place nor a
            // selection is lost. It is drawn once, since nothing here waits for a frame.
            let place = Place::now();
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

    /// Fetches the messages before the oldest one here. Where it fails, the next scroll tries again.
    async fn fetch(&self) {
        let Some(first) = self.first() else { return };
        let room = self.room.get_value();
        let url = link(&format!("/api/rooms/{room}/messages?before={first}&limit={FETCHED}"));
        if let Some(page) = messages(&url).await
            && self.with_feed(|feed| page.log == feed.log() && page.head >= feed.last())
        {
            self.prepend(page.messages, page.more);
        }
    }
}

/// Where the oldest row but one stands on the screen (the oldest has other margins). Browsers keep it there
/// when rows come before it, but not for a reader who has come to the very edge.
struct Place {
    row: Element,
    top: f64,
}

impl Place {
    fn now() -> Option<Self> {
        let row = document().query_selector(".line + .line").ok().flatten()?;
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
