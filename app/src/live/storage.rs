//! What this browser keeps over a reload: commands that wait, and the draft, for each room. Whoever sits here
//! may be somebody else meanwhile (another device's link, a server that has forgotten everybody): what they
//! wrote is still theirs.
//!
//! Every waiting command has a key of its own, so that tabs do not overwrite each other's. A command
//! is sent by the tab that made it; when that tab is gone, another one takes it over. Should two send
//! it all the same, the server does it once, since its id is one.

use super::Command;
use crate::{
    clock::now,
    wire::{CommandId, ErrorCode, Millis, RoomName},
};
use leptos::prelude::window;
use serde::{Deserialize, Serialize};
use std::{cell::RefCell, collections::BTreeMap};
use web_sys::Storage as Shelf;

/// Milliseconds after which a tab that gave no sign of life is gone.
const GONE_MS: Millis = 20_000;

/// The keys of one room. Where the browser keeps nothing, nothing is kept.
pub(super) struct Storage {
    prefix: String,
}

/// A waiting command as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// When it was given: the order of sending.
    at: Millis,
    /// Whose it is to send.
    tab: String,
    command: Command,
    /// Why the server does not take it.
    refused: Option<ErrorCode>,
}

impl Storage {
    pub(super) fn of(room: &RoomName) -> Self {
        Self { prefix: format!("hubbub/room/{room}") }
    }

    /// Keeps a command until it is forgotten.
    pub(super) fn keep(&self, command: &Command) {
        let at = self.kept(command.id).map_or_else(now, |kept| kept.at);
        self.write(&Kept { at, tab: tab(), command: command.clone(), refused: None });
    }

    /// The server does not take it; its author decides.
    pub(super) fn refuse(&self, id: CommandId, why: ErrorCode) {
        if let Some(kept) = self.kept(id) {
            self.write(&Kept { refused: Some(why), ..kept });
        }
    }

    pub(super) fn forget(&self, id: CommandId) {
        if let Some(shelf) = shelf() {
            let _ = shelf.remove_item(&self.key(id));
        }
    }

    /// The commands that this tab has to see to, with why they were refused: its own, and those of tabs
    /// that are gone.
    pub(super) fn waiting(&self) -> Vec<(Command, Option<ErrorCode>)> {
        let Some(shelf) = shelf() else { return Vec::new() };
        let out = format!("{}/out/", self.prefix);
        let keys = (0..shelf.length().unwrap_or(0)).filter_map(|n| shelf.key(n).ok()?);
        let kept = keys.filter(|key| key.starts_with(&out)).filter_map(|key| read(&shelf, &key));
        let mut mine: Vec<Kept> =
            kept.filter(|kept| kept.tab == tab() || is_gone(&shelf, &kept.tab)).collect();
        mine.sort_by_key(|kept| (kept.at, kept.command.id));
        for kept in &mut mine {
            kept.tab = tab();
            self.write(kept);
        }
        mine.into_iter().map(|kept| (kept.command, kept.refused)).collect()
    }

    /// What is being written in this tab, or was in one that is gone.
    pub(super) fn draft(&self) -> String {
        let Some(shelf) = shelf() else { return String::new() };
        let drafts = format!("{}/draft/", self.prefix);
        let own = format!("{drafts}{}", tab());
        if let Ok(Some(draft)) = shelf.get_item(&own) {
            return draft;
        }
        let keys = (0..shelf.length().unwrap_or(0)).filter_map(|n| shelf.key(n).ok()?);
        let is_left = |key: &String| key.strip_prefix(&drafts).is_some_and(|tab| is_gone(&shelf, tab));
        let Some(left) = { keys }.find(is_left) else { return String::new() };
        let draft = shelf.get_item(&left).ok().flatten().unwrap_or_default();
        let _ = shelf.remove_item(&left);
        draft
    }

    pub(super) fn set_draft(&self, text: &str) {
        let Some(shelf) = shelf() else { return };
        let key = format!("{}/draft/{}", self.prefix, tab());
        // A full shelf keeps what it has.
        let _ = if text.is_empty() { shelf.remove_item(&key) } else { shelf.set_item(&key, text) };
    }

    fn key(&self, id: CommandId) -> String {
        format!("{}/out/{id}", self.prefix)
    }

    fn kept(&self, id: CommandId) -> Option<Kept> {
        read(&shelf()?, &self.key(id))
    }

    fn write(&self, kept: &Kept) {
        if let (Some(shelf), Ok(json)) = (shelf(), serde_json::to_string(kept)) {
            // A full shelf costs the reload, not the message: it waits in this tab all the same.
            let _ = shelf.set_item(&self.key(kept.command.id), &json);
        }
    }
}

/// Gives a sign of life of this tab.
pub(super) fn live_on() {
    if let Some(shelf) = shelf() {
        let _ = shelf.set_item(&format!("hubbub/tab/{}", tab()), &now().to_string());
    }
}

/// This tab is closed or turned to another page: what it left is another tab's to take up.
pub(super) fn live_no_more() {
    if let Some(shelf) = shelf() {
        let _ = shelf.remove_item(&format!("hubbub/tab/{}", tab()));
    }
}

fn is_gone(shelf: &Shelf, tab: &str) -> bool {
    let sign = shelf.get_item(&format!("hubbub/tab/{tab}")).ok().flatten();
    sign.and_then(|sign| sign.parse::<Millis>().ok()).is_none_or(|sign| now() > sign + GONE_MS)
}

/// Who this tab is, also after a reload.
fn tab() -> String {
    let Ok(Some(own)) = window().session_storage() else { return String::new() };
    if let Ok(Some(tab)) = own.get_item("hubbub/tab") {
        return tab;
    }
    let tab = super::commands::new_id().to_string();
    let _ = own.set_item("hubbub/tab", &tab);
    tab
}

fn read(shelf: &Shelf, key: &str) -> Option<Kept> {
    serde_json::from_str(&shelf.get_item(key).ok()??).ok()
}

/// Whether this browser keeps anything for this site.
pub(super) fn keeps() -> bool {
    let Some(shelf) = shelf() else { return false };
    let key = "hubbub/keeps";
    shelf.set_item(key, "1").and_then(|()| shelf.remove_item(key)).is_ok()
}

thread_local! {
    /// Choices that the browser did not take: they hold as long as the page.
    static UNKEPT: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// A choice that was made for a room or, without one, for all of them.
pub(super) fn choice(key: &str) -> Option<String> {
    let kept = shelf().and_then(|shelf| shelf.get_item(&format!("hubbub/choice/{key}")).ok()?);
    kept.or_else(|| UNKEPT.with_borrow(|unkept| unkept.get(key).cloned()))
}

/// Keeps a choice.
pub(super) fn choose(key: &str, value: &str) {
    let kept = shelf().is_some_and(|shelf| shelf.set_item(&format!("hubbub/choice/{key}"), value).is_ok());
    if !kept {
        UNKEPT.with_borrow_mut(|unkept| unkept.insert(key.into(), value.into()));
    }
}

fn shelf() -> Option<Shelf> {
    window().local_storage().ok()?
}
