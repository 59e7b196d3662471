//! What this browser stores over a reload: pending commands and the draft of each room. They stay although the user
//! becomes another one, by a link from another device or a server without its data.
//!
//! Every waiting command has a key of its own, so that tabs do not overwrite each other's. A command
//! is sent by the tab that made it; when that tab is gone, another one takes it over. Should two send
//! it all the same, the server does it once, since its id is one.

use crate::{
    client::{
        Command,
        tabs::{TabHeartbeat, Tabs},
    },
    clock::{now, steady},
    wire::{CommandId, ErrorCode, Millis, RoomName, Seq},
};
use leptos::prelude::window;
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use web_sys::Storage;

/// The key of the read marker that a tab's last page had.
const READ: &str = "hubbub/read";

/// The keys of one room. Where the browser keeps nothing, nothing is kept.
pub(crate) struct RoomStorage {
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

impl RoomStorage {
    pub(crate) fn of(room: &RoomName) -> Self {
        Self { prefix: format!("hubbub/room/{room}") }
    }

    /// Keeps a command until it is forgotten. Whether the browser has taken it; otherwise it waits in this tab only.
    #[must_use]
    pub(crate) fn keep(&self, command: &Command) -> bool {
        let at = self.kept(command.id).map_or_else(stamp, |kept| kept.at);
        self.write(&Kept { at, tab: tab(), command: command.clone(), refused: None })
    }

    /// The server does not take it; its author decides.
    pub(crate) fn refuse(&self, id: CommandId, why: ErrorCode) {
        if let Some(kept) = self.kept(id) {
            // Where it is not taken the command is tried once more after a reload.
            let _ = self.write(&Kept { refused: Some(why), ..kept });
        }
    }

    pub(crate) fn forget(&self, id: CommandId) {
        if let Some(storage) = storage() {
            let _ = storage.remove_item(&self.key(id));
        }
    }

    /// The commands that this tab has to see to, with why they were refused: its own, and those of tabs
    /// that are gone.
    pub(crate) fn waiting(&self) -> Vec<(Command, Option<ErrorCode>)> {
        let Some(storage) = storage() else { return Vec::new() };
        let out = format!("{}/out/", self.prefix);
        let keys = (0..storage.length().unwrap_or(0)).filter_map(|n| storage.key(n).ok()?);
        let kept = keys.filter(|key| key.starts_with(&out)).filter_map(|key| read(&storage, &key));
        let mut mine: Vec<Kept> =
            kept.filter(|kept| kept.tab == tab() || is_gone(&storage, &kept.tab)).collect();
        mine.sort_unstable_by_key(|kept| (kept.at, kept.command.id));
        for kept in &mut mine {
            STAMP.set(STAMP.get().max(kept.at));
            if kept.tab != tab() {
                kept.tab = tab();
                // Where it is not taken, other tabs may send it too, and it is stored once.
                let _ = self.write(kept);
            }
        }
        mine.into_iter().map(|kept| (kept.command, kept.refused)).collect()
    }

    /// What is being written in this tab, or was in one that is gone.
    pub(crate) fn draft(&self) -> String {
        let Some(storage) = storage() else { return String::new() };
        let drafts = format!("{}/draft/", self.prefix);
        let own = format!("{drafts}{}", tab());
        if let Ok(Some(draft)) = storage.get_item(&own) {
            return draft;
        }
        let keys = (0..storage.length().unwrap_or(0)).filter_map(|n| storage.key(n).ok()?);
        let is_left = |key: &String| key.strip_prefix(&drafts).is_some_and(|tab| is_gone(&storage, tab));
        let Some(left) = { keys }.find(is_left) else { return String::new() };
        let draft = storage.get_item(&left).ok().flatten().unwrap_or_default();
        let _ = storage.remove_item(&left);
        draft
    }

    /// Keeps what is being written. Whether the browser has taken it.
    #[must_use]
    pub(crate) fn set_draft(&self, text: &str) -> bool {
        let Some(storage) = storage() else { return false };
        let key = format!("{}/draft/{}", self.prefix, tab());
        let kept = if text.is_empty() { storage.remove_item(&key) } else { storage.set_item(&key, text) };
        kept.is_ok()
    }

    /// Keeps the read marker for this tab's next page: the server may make that page before the last report reaches it.
    pub(crate) fn set_read(&self, log: &str, seq: Seq) {
        if let Some(tab) = session() {
            let _ = tab.set_item(READ, &format!("{seq}{}", self.place(log)));
        }
    }

    /// The read marker that this tab's last page kept, if that was a page of this room and log.
    pub(crate) fn read(&self, log: &str) -> Option<Seq> {
        session()?.get_item(READ).ok()??.strip_suffix(&self.place(log))?.parse().ok()
    }

    fn place(&self, log: &str) -> String {
        format!(" {log} {}", self.prefix)
    }

    fn key(&self, id: CommandId) -> String {
        format!("{}/out/{id}", self.prefix)
    }

    fn kept(&self, id: CommandId) -> Option<Kept> {
        read(&storage()?, &self.key(id))
    }

    fn write(&self, kept: &Kept) -> bool {
        let (Some(storage), Ok(json)) = (storage(), serde_json::to_string(kept)) else { return false };
        storage.set_item(&self.key(kept.command.id), &json).is_ok()
    }
}

thread_local! {
    /// Which tab this is, and what its page calls itself.
    static TAB: (String, String) = claim_tab();
    static TABS: RefCell<Tabs> = RefCell::default();
    /// The last command's place in the order.
    static STAMP: Cell<Millis> = const { Cell::new(0) };
}

/// Gives a sign of life of this tab.
pub(crate) fn tab_heartbeat() {
    TAB.with(|(tab, page)| {
        if let Some(storage) = storage() {
            let _ =
                storage.set_item(&sign_key(tab), &TabHeartbeat { at: now(), page: page.clone() }.to_string());
        }
    });
}

/// This tab is closed or turned to another page: what it left is another tab's to take up.
pub(crate) fn tab_closed() {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(&sign_key(&tab()));
    }
}

fn is_gone(storage: &Storage, tab: &str) -> bool {
    TABS.with_borrow_mut(|tabs| tabs.is_gone(tab, sign(storage, tab), now(), steady()))
}

fn sign(storage: &Storage, tab: &str) -> Option<TabHeartbeat> {
    TabHeartbeat::parse(&storage.get_item(&sign_key(tab)).ok()??)
}

fn sign_key(tab: &str) -> String {
    format!("hubbub/tab/{tab}")
}

/// Which tab this is, also after a reload. Where the browser does not keep that, each page is a tab of its own.
fn tab() -> String {
    TAB.with(|(tab, _)| tab.clone())
}

/// Storage of this tab, which a reload keeps.
fn session() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

fn claim_tab() -> (String, String) {
    let page = crate::state::commands::new_id().to_string();
    let own = session();
    let known = own.as_ref().and_then(|own| own.get_item("hubbub/tab").ok()?);
    let is_taken = |tab: &String| {
        let sign = storage().and_then(|storage| sign(&storage, tab));
        sign.is_some_and(|sign| sign.is_of_another_page(&page, now()))
    };
    if let Some(tab) = known.filter(|tab| !is_taken(tab)) {
        return (tab, page);
    }
    if let Some(own) = own {
        let _ = own.set_item("hubbub/tab", &page);
    }
    (page.clone(), page)
}

/// A place in the order of commands: later than all before it, also where the clock was put back.
fn stamp() -> Millis {
    let stamp = now().max(STAMP.get() + 1);
    STAMP.set(stamp);
    stamp
}

fn read(storage: &Storage, key: &str) -> Option<Kept> {
    serde_json::from_str(&storage.get_item(key).ok()??).ok()
}

/// Whether this browser keeps anything for this site.
pub(crate) fn keeps() -> bool {
    let Some(storage) = storage() else { return false };
    let key = "hubbub/keeps";
    storage.set_item(key, "1").and_then(|()| storage.remove_item(key)).is_ok()
}

/// Milliseconds for which it is remembered that no WebSocket gets through.
const BLOCKED_MS: Millis = 10 * 60 * 1_000;

/// Remembers for the next pages whether WebSockets get through.
pub(crate) fn socket_blocked(blocked: bool) {
    if let Some(storage) = storage() {
        let key = "hubbub/socket-blocked";
        let _ = if blocked { storage.set_item(key, &now().to_string()) } else { storage.remove_item(key) };
    }
}

/// Whether an earlier page has found that no WebSocket gets through, not long ago.
pub(crate) fn is_socket_blocked() -> bool {
    let since = storage().and_then(|storage| storage.get_item("hubbub/socket-blocked").ok()?);
    let since = since.and_then(|since| since.parse::<Millis>().ok());
    // A clock that was set back makes nothing last longer.
    since.is_some_and(|since| now().checked_sub(since).is_some_and(|ago| ago < BLOCKED_MS))
}

thread_local! {
    /// Choices that the browser did not take: they hold as long as the page.
    static UNKEPT: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

/// A choice that was made for a room or, without one, for all of them.
pub(crate) fn choice(key: &str) -> Option<String> {
    let kept = storage().and_then(|storage| storage.get_item(&format!("hubbub/choice/{key}")).ok()?);
    kept.or_else(|| {
        UNKEPT.with_borrow(|unkept| {
            let chosen = unkept.iter().rev().find(|(known, _)| known == key);
            chosen.map(|(_, value)| value.clone())
        })
    })
}

/// Keeps a choice.
pub(crate) fn choose(key: &str, value: &str) {
    let kept =
        storage().is_some_and(|storage| storage.set_item(&format!("hubbub/choice/{key}"), value).is_ok());
    if !kept {
        UNKEPT.with_borrow_mut(|unkept| unkept.push((key.into(), value.into())));
    }
}

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}
