//! The data that this browser stores across reloads: the pending commands and the drafts of each room. They stay if
//! the user changes, by a link from another device or because the server has lost its data.
//!
//! Each pending command has its own key, so that tabs do not overwrite each other's. The tab that created a command sends
//! it; if that tab is gone, another one takes the command over. If two tabs send it, the server executes it once, by its id.

use crate::{
    client::{
        Command, ReadMarker,
        tabs::{TabHeartbeat, Tabs},
    },
    clock::{now, steady},
    wire::{
        CommandId, ErrorCode, Millis, RoomName, Seq,
        json::{FromJson, Json, ObjectWriter, record},
    },
};
use leptos::prelude::window;
use std::cell::{Cell, RefCell};
use web_sys::Storage;

/// The key of the read marker that the tab's last page had, with the log and the room to which it belongs.
const READ_KEY: &str = "hubbub/read";

/// The stored data of one room. In a browser without storage every write fails and every read finds nothing.
pub struct RoomStorage {
    prefix: String,
}

/// A pending command as it is stored.
struct StoredCommand {
    /// Its timestamp, in whose order commands are sent.
    at: Millis,
    /// The id of the tab that sends it.
    tab: String,
    command: Command,
    /// The reason why the server has refused it.
    refused: Option<ErrorCode>,
}

record!(StoredCommand { at, tab, command, refused });

impl StoredCommand {
    fn to_json(&self) -> String {
        let object = ObjectWriter::new("at", &self.at).field("tab", &*self.tab);
        object.field("command", &self.command).field("refused", &self.refused).end()
    }
}

impl RoomStorage {
    /// Returns the storage of a room.
    pub fn new(room: &RoomName) -> Self {
        Self { prefix: format!("hubbub/room/{room}") }
    }

    /// Stores a command until [`remove_command`](Self::remove_command). Returns `false` if the browser does not store it, so
    /// that it is lost when the page is closed.
    #[must_use]
    pub fn store_command(&self, command: &Command) -> bool {
        let at = self.command(command.id).map_or_else(next_timestamp, |stored| stored.at);
        self.write(&StoredCommand { at, tab: tab_id(), command: command.clone(), refused: None })
    }

    /// Stores that the server has refused a command. The user decides what becomes of it.
    pub fn store_refusal(&self, id: CommandId, why: ErrorCode) {
        if let Some(stored) = self.command(id) {
            // If the browser does not store it, the command is sent once more after a reload.
            let _ = self.write(&StoredCommand { refused: Some(why), ..stored });
        }
    }

    /// Removes a command.
    pub fn remove_command(&self, id: CommandId) {
        if let Some(storage) = storage() {
            let _ = storage.remove_item(&self.key(id));
        }
    }

    /// Returns the commands that this tab sends, with the reasons why they were refused: its own, and those of tabs that are
    /// gone, which it takes over.
    pub fn take_commands(&self) -> Vec<(Command, Option<ErrorCode>)> {
        let Some(storage) = storage() else { return Vec::new() };
        let prefix = format!("{}/out/", self.prefix);
        let keys = (0..storage.length().unwrap_or(0)).filter_map(|n| storage.key(n).ok()?);
        let stored = keys.filter(|key| key.starts_with(&prefix)).filter_map(|key| read(&storage, &key));
        let mut own: Vec<StoredCommand> =
            stored.filter(|stored| stored.tab == tab_id() || is_gone(&storage, &stored.tab)).collect();
        own.sort_unstable_by_key(|stored| (stored.at, stored.command.id));
        for stored in &mut own {
            LAST_TIMESTAMP.set(LAST_TIMESTAMP.get().max(stored.at));
            if stored.tab != tab_id() {
                stored.tab = tab_id();
                // If the browser does not store it, other tabs may send the command too; the server executes it once.
                let _ = self.write(stored);
            }
        }
        own.into_iter().map(|stored| (stored.command, stored.refused)).collect()
    }

    /// Returns the draft of this tab and the message that it replies to, or takes over those of a tab that is gone.
    pub fn draft(&self) -> (String, Option<Seq>) {
        let Some(storage) = storage() else { return Default::default() };
        let read = |keys: &[String; 2]| keys.each_ref().map(|key| storage.get_item(key).ok().flatten());
        let mut stored = read(&self.draft_keys(&tab_id()));
        if stored == [None, None]
            && let Some(left) = self.left_draft(&storage)
        {
            stored = read(&left);
            left.iter().for_each(|key| drop(storage.remove_item(key)));
        }
        let [text, reply_to] = stored;
        (text.unwrap_or_default(), reply_to.and_then(|seq| seq.parse().ok()))
    }

    /// Returns the keys of the draft of a tab that is gone.
    fn left_draft(&self, storage: &Storage) -> Option<[String; 2]> {
        let prefixes = self.draft_keys("");
        let keys = (0..storage.length().unwrap_or(0)).filter_map(|n| storage.key(n).ok()?);
        let tab_of =
            |key: String| prefixes.iter().find_map(|prefix| key.strip_prefix(prefix).map(String::from));
        { keys }.filter_map(tab_of).find(|tab| is_gone(storage, tab)).map(|tab| self.draft_keys(&tab))
    }

    /// Stores the draft of this tab and the message that it replies to. Returns `false` if the browser does not store them.
    #[must_use]
    pub fn set_draft(&self, text: &str, reply_to: Option<Seq>) -> bool {
        let Some(storage) = storage() else { return false };
        let values = [text.to_owned(), reply_to.map(|seq| seq.to_string()).unwrap_or_default()];
        self.draft_keys(&tab_id()).iter().zip(&values).all(|(key, value)| {
            let stored =
                if value.is_empty() { storage.remove_item(key) } else { storage.set_item(key, value) };
            stored.is_ok()
        })
    }

    /// Returns the keys of the text of a tab's draft, and of the `seq` that it replies to.
    fn draft_keys(&self, tab: &str) -> [String; 2] {
        ["draft", "reply"].map(|kind| format!("{}/{kind}/{tab}", self.prefix))
    }

    /// Stores the read marker for this tab's next page, which the server may render before the last report arrives.
    pub fn set_read_marker(&self, log: &str, marker: &ReadMarker) {
        if let Some(storage) = tab_storage() {
            let _ = storage.set_item(READ_KEY, &format!("{}{}", marker.to_stored(), self.read_suffix(log)));
        }
    }

    /// Returns the read marker that this tab's last page has stored, if that was a page of this room and `log`.
    pub fn read_marker(&self, log: &str) -> Option<String> {
        let stored = tab_storage()?.get_item(READ_KEY).ok()??;
        stored.strip_suffix(&self.read_suffix(log)).map(Into::into)
    }

    fn read_suffix(&self, log: &str) -> String {
        format!(" {log} {}", self.prefix)
    }

    fn key(&self, id: CommandId) -> String {
        format!("{}/out/{id}", self.prefix)
    }

    fn command(&self, id: CommandId) -> Option<StoredCommand> {
        read(&storage()?, &self.key(id))
    }

    fn write(&self, stored: &StoredCommand) -> bool {
        storage()
            .is_some_and(|storage| storage.set_item(&self.key(stored.command.id), &stored.to_json()).is_ok())
    }
}

thread_local! {
    /// The ids of this tab and of its page.
    static TAB: (String, String) = claim_tab_id();
    static TABS: RefCell<Tabs> = RefCell::default();
    /// The timestamp of the last command.
    static LAST_TIMESTAMP: Cell<Millis> = const { Cell::new(0) };
}

/// Writes a heartbeat of this tab.
pub fn write_heartbeat() {
    TAB.with(|(tab, page)| {
        if let Some(storage) = storage() {
            let heartbeat = TabHeartbeat { at: now(), page: page.clone() };
            let _ = storage.set_item(&heartbeat_key(tab), &heartbeat.to_string());
        }
    });
}

/// Removes the heartbeat of this tab, which is closed or leaves the page: other tabs may take its commands over at once.
pub fn remove_heartbeat() {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(&heartbeat_key(&tab_id()));
    }
}

fn is_gone(storage: &Storage, tab: &str) -> bool {
    TABS.with_borrow_mut(|tabs| tabs.is_gone(tab, heartbeat(storage, tab), now(), steady()))
}

fn heartbeat(storage: &Storage, tab: &str) -> Option<TabHeartbeat> {
    TabHeartbeat::parse(&storage.get_item(&heartbeat_key(tab)).ok()??)
}

fn heartbeat_key(tab: &str) -> String {
    format!("hubbub/tab/{tab}")
}

/// Returns the id of this tab, which a reload keeps. Without storage each page counts as a tab.
fn tab_id() -> String {
    TAB.with(|(tab, _)| tab.clone())
}

/// Returns the storage of this tab, which a reload keeps.
fn tab_storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

/// Returns the ids of this tab and of its page. A duplicated tab finds its id in use, and takes another.
fn claim_tab_id() -> (String, String) {
    let page = super::command_id::new_id().to_string();
    let own = tab_storage();
    let known = own.as_ref().and_then(|own| own.get_item("hubbub/tab").ok()?);
    let is_in_use = |tab: &String| {
        let heartbeat = storage().and_then(|storage| heartbeat(&storage, tab));
        heartbeat.is_some_and(|heartbeat| heartbeat.is_of_another_page(&page, now()))
    };
    if let Some(tab) = known.filter(|tab| !is_in_use(tab)) {
        return (tab, page);
    }
    if let Some(own) = own {
        let _ = own.set_item("hubbub/tab", &page);
    }
    (page.clone(), page)
}

/// Returns a timestamp that is later than that of every command before, also if the clock was set back.
fn next_timestamp() -> Millis {
    let timestamp = now().max(LAST_TIMESTAMP.get() + 1);
    LAST_TIMESTAMP.set(timestamp);
    timestamp
}

fn read(storage: &Storage, key: &str) -> Option<StoredCommand> {
    StoredCommand::from_json(&Json::parse(&storage.get_item(key).ok()??)?)
}

/// Returns `true` if this browser stores anything for the site.
pub fn is_available() -> bool {
    let Some(storage) = storage() else { return false };
    let key = "hubbub/keeps";
    storage.set_item(key, "1").and_then(|()| storage.remove_item(key)).is_ok()
}

/// The key of the time at which a page last found WebSockets blocked.
const SOCKET_BLOCKED_KEY: &str = "hubbub/socket-blocked";

/// Milliseconds for which pages assume that WebSockets are still blocked.
const SOCKET_BLOCKED_MS: Millis = 10 * 60 * 1_000;

/// Stores for the next pages whether WebSockets are blocked.
pub fn set_socket_blocked(is_blocked: bool) {
    if let Some(storage) = storage() {
        let key = SOCKET_BLOCKED_KEY;
        let _ = if is_blocked { storage.set_item(key, &now().to_string()) } else { storage.remove_item(key) };
    }
}

/// Returns `true` if a page has found WebSockets blocked in the last [`SOCKET_BLOCKED_MS`].
pub fn is_socket_blocked() -> bool {
    let since = storage().and_then(|storage| storage.get_item(SOCKET_BLOCKED_KEY).ok()?);
    let since = since.and_then(|since| since.parse::<Millis>().ok());
    // If the clock was set back, the time is in the future and does not count.
    since.is_some_and(|since| now().checked_sub(since).is_some_and(|ago| ago < SOCKET_BLOCKED_MS))
}

thread_local! {
    /// Settings that the browser does not store: they hold as long as the page.
    static UNSTORED: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

/// Returns a setting of the user.
pub fn setting(key: &str) -> Option<String> {
    let stored = storage().and_then(|storage| storage.get_item(&setting_key(key)).ok()?);
    stored.or_else(|| {
        UNSTORED.with_borrow(|unstored| {
            let last = unstored.iter().rev().find(|(known, _)| known == key);
            last.map(|(_, value)| value.clone())
        })
    })
}

/// Stores a setting of the user.
pub fn set_setting(key: &str, value: &str) {
    let is_stored = storage().is_some_and(|storage| storage.set_item(&setting_key(key), value).is_ok());
    if !is_stored {
        UNSTORED.with_borrow_mut(|unstored| unstored.push((key.into(), value.into())));
    }
}

fn setting_key(key: &str) -> String {
    format!("hubbub/choice/{key}")
}

/// Returns the storage that all tabs share.
fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}
