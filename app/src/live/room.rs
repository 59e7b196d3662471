//! A room on the screen: its feed, its outbox, its connection, as signals.

use super::{Feed, Outbox, Post, Shown};
use crate::{
    pages::RoomPage,
    wire::{Author, BadText, CommandId, PersonName, RoomName, limits, tidy},
};
use leptos::prelude::*;
use std::{collections::HashMap, sync::Arc};

/// How the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// There is no script yet, or never.
    Asleep,
    /// The first connection is being made.
    Connecting,
    /// The room is live.
    Open,
    /// The connection is lost and will be tried again.
    Offline,
}

/// A row that the screen shows, with what becomes of it.
pub type ShownLine = (CommandId, ArcRwSignal<Shown>);

/// A room on the screen. Copies are handles on the same.
#[derive(Clone, Copy)]
pub struct Live {
    /// The room.
    pub room: StoredValue<RoomName>,
    /// Its heading.
    pub title: StoredValue<String>,
    /// Who sits here.
    pub you: RwSignal<Author>,
    /// How the connection is.
    pub status: RwSignal<Status>,
    /// What is shown, in order; a row keeps its signal as long as it is shown.
    pub lines: RwSignal<Vec<ShownLine>>,
    /// Why the last name was not taken; empty where it was.
    pub name_problem: RwSignal<String>,
    feed: StoredValue<Feed>,
    outbox: StoredValue<Outbox>,
    /// A name that is to be told to the server.
    naming: StoredValue<Option<(CommandId, PersonName)>>,
    /// Raised when there is something for the server.
    pub(super) work: RwSignal<u64>,
}

impl Live {
    /// The room as the server rendered it; in the browser it comes alive by itself, where it shows
    /// the newest page.
    pub fn new(page: RoomPage) -> Self {
        #[cfg(feature = "hydrate")]
        let newest = page.place == crate::pages::Place::Newest;
        let feed = Feed::new(page.log, page.head, page.messages);
        let live = Self {
            room: StoredValue::new(page.room),
            title: StoredValue::new(page.title),
            you: RwSignal::new(page.you),
            status: RwSignal::new(Status::Asleep),
            lines: RwSignal::new(reconcile(&[], feed.shown())),
            name_problem: RwSignal::default(),
            feed: StoredValue::new(feed),
            outbox: StoredValue::default(),
            naming: StoredValue::default(),
            work: RwSignal::new(0),
        };
        #[cfg(feature = "hydrate")]
        Effect::new(move || super::socket::connect(live, newest));
        live
    }

    /// Posts what somebody has written. It is shown at once and sent as soon as may be.
    ///
    /// # Errors
    /// One sentence for the author, where the text cannot be a message; empty where there is none.
    pub fn post(&self, text: &str) -> Result<(), String> {
        let text: Arc<str> = match tidy(text) {
            Ok(text) => text.into(),
            Err(BadText::Blank) => return Err(String::new()),
            Err(BadText::TooLong) => return Err(too_long(text)),
        };
        let post = Post { id: new_id(), text };
        let you = self.you.get_untracked();
        self.change(|feed| feed.post(post.id, you, post.text.clone()));
        self.outbox.update_value(|outbox| outbox.push(post));
        self.work.update(|work| *work += 1);
        Ok(())
    }

    /// Asks for another name. Whether it can be one.
    pub fn rename(&self, name: &str) -> bool {
        match name.parse::<PersonName>() {
            Ok(name) => {
                self.name_problem.set(String::new());
                self.you.update(|you| you.name = name.clone());
                self.naming.set_value(Some((new_id(), name)));
                self.work.update(|work| *work += 1);
                true
            }
            Err(bad) => {
                self.name_problem.set(bad.to_string());
                false
            }
        }
    }

    /// Sends a failed message again, under the same id.
    pub fn retry(&self, id: CommandId) {
        let mut text = None;
        self.change(|feed| text = feed.retry(id));
        if let Some(text) = text {
            self.outbox.update_value(|outbox| outbox.push(Post { id, text }));
            self.work.update(|work| *work += 1);
        }
    }

    /// Gives a failed message up.
    pub fn forget(&self, id: CommandId) {
        self.change(|feed| feed.forget(id));
    }

    /// Changes the feed, then shows it.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Feed) -> T) -> T {
        let mut done = None;
        self.feed.update_value(|feed| done = Some(change(feed)));
        let shown = self.feed.with_value(Feed::shown);
        let lines = self.lines.with_untracked(|lines| reconcile(lines, shown));
        let same = self.lines.with_untracked(|old| {
            old.len() == lines.len() && old.iter().zip(&lines).all(|((old, _), (new, _))| old == new)
        });
        if !same {
            self.lines.set(lines);
        }
        done.expect("an update runs its change")
    }
}

/// What the socket needs of a room.
#[cfg(feature = "hydrate")]
impl Live {
    /// Somebody is called something else.
    pub(super) fn renamed(&self, person: crate::wire::PersonId, name: &PersonName) {
        self.change(|feed| feed.rename(person, name));
        if self.you.with_untracked(|you| you.id == person) {
            self.you.update(|you| you.name = name.clone());
        }
    }

    pub(super) fn with_feed<T>(&self, read: impl FnOnce(&Feed) -> T) -> T {
        self.feed.with_value(read)
    }

    pub(super) fn with_outbox<T>(&self, change: impl FnOnce(&mut Outbox) -> T) -> T {
        let mut done = None;
        self.outbox.update_value(|outbox| done = Some(change(outbox)));
        done.expect("an update runs its change")
    }

    pub(super) fn naming(&self) -> StoredValue<Option<(CommandId, PersonName)>> {
        self.naming
    }
}

/// The lines for what is to be shown: a row that is still there keeps its signal.
fn reconcile(old: &[ShownLine], shown: Vec<Shown>) -> Vec<ShownLine> {
    let known: HashMap<CommandId, &ArcRwSignal<Shown>> =
        old.iter().map(|(id, signal)| (*id, signal)).collect();
    let line = |shown: Shown| {
        let id = shown.row.id;
        match known.get(&id) {
            Some(&signal) => {
                if signal.with_untracked(|old| *old != shown) {
                    signal.set(shown);
                }
                (id, signal.clone())
            }
            None => (id, ArcRwSignal::new(shown)),
        }
    };
    shown.into_iter().map(line).collect()
}

fn too_long(text: &str) -> String {
    let over = text.trim().len() - limits::MESSAGE_BYTES;
    format!("This is {over} bytes too long for one message ({} at most).", limits::MESSAGE_BYTES)
}

/// A UUID of version 7 (RFC 9562, section 5.7): they grow with time, so the log's index stays cheap.
#[cfg(feature = "hydrate")]
fn new_id() -> CommandId {
    let mut random = [0; 10];
    if let Ok(crypto) = window().crypto() {
        let _ = crypto.get_random_values_with_u8_array(&mut random);
    }
    uuid::Builder::from_unix_timestamp_millis(js_sys::Date::now() as u64, &random).into_uuid()
}

/// The server renders; it never posts from a page.
#[cfg(not(feature = "hydrate"))]
fn new_id() -> CommandId {
    CommandId::nil()
}
