//! Reading back: older rows that the feed has, then those that the server has.

use super::{Live, window::STEP};
use crate::wire::Messages;
use leptos::{
    prelude::*,
    task::{spawn_local, tick},
};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

/// Messages that are fetched at once.
const FETCHED: u32 = 100;

impl Live {
    /// The reader comes near the oldest row shown: shows older ones, unless that is under way.
    pub fn back(&self) {
        let live = *self;
        if live.going_back.get_value() {
            return;
        }
        live.going_back.set_value(true);
        spawn_local(async move {
            if live.more.get_untracked() && live.at_oldest() {
                live.fetch().await;
            }
            // One row at a time: the list then moves no element, so that neither the place nor a
            // selection is lost. It is drawn once, since nothing here waits for a frame.
            for _ in 0..STEP {
                if !live.step_back() {
                    break;
                }
                tick().await;
            }
            live.going_back.set_value(false);
        });
    }

    /// Fetches the messages before the oldest one here. Where it fails, the next scroll tries again.
    async fn fetch(&self) {
        let Some(first) = self.first() else { return };
        let room = self.room.get_value();
        let url = format!("/api/rooms/{room}/messages?before={first}&limit={FETCHED}");
        if let Some(page) = messages(&url).await
            && self.with_feed(|feed| page.log == feed.log() && page.head >= feed.last())
        {
            self.prepend(page.messages, page.more);
        }
    }
}

async fn messages(url: &str) -> Option<Messages> {
    let answer: Response = JsFuture::from(window().fetch_with_str(url)).await.ok()?.dyn_into().ok()?;
    let text = JsFuture::from(answer.text().ok().filter(|_| answer.ok())?).await.ok()?;
    serde_json::from_str(&text.as_string()?).ok()
}
