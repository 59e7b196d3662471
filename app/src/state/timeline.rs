//! The messages of the room.

use crate::{
    client::{Announcer, Attention, Entry, EntryView, Quote, Session, Timeline, Viewport},
    i18n::Strings,
    wire::{CommandId, Message, Messages, Millis, Seq, UserId},
};
use leptos::prelude::*;
use std::time::Duration;

/// The time after which changes are shown in a hidden tab, which has no frames.
const HIDDEN_FRAME: Duration = Duration::from_millis(250);

/// The distance from the end of the messages, in pixels, that counts as at the end.
pub const AT_END_PX: i32 = 8;

/// An entry that the page shows, and its id. The signal changes with the entry.
pub type EntrySignal = (CommandId, ArcRwSignal<EntryView>);

/// The messages of the room, as far as the page shows them.
#[derive(Debug, Clone, Copy)]
pub struct TimelineState {
    /// The entries in order. An entry keeps its signal as long as it is shown.
    pub entries: RwSignal<Vec<EntrySignal>>,
    /// The user reads the newest messages.
    pub at_end: RwSignal<bool>,
    /// There are older messages than the timeline has.
    pub has_older: RwSignal<bool>,
    /// A screen reader announces each message that arrives.
    pub announce_each: RwSignal<bool>,
    /// A sentence with the number of messages that arrived without an announcement.
    pub announcement: RwSignal<String>,
    /// A sentence that says why what the user has just done has no effect.
    pub notice: RwSignal<Option<&'static str>>,
    /// The message that the composer replies to.
    pub replying_to: RwSignal<Option<Quote>>,
    /// The number of deletions that the user can still undo, and the time until which they can.
    pub held_deletions: RwSignal<Option<(usize, Millis)>>,
    /// The present day in the browser's time zone, counted from 1970; 0 before the browser has hydrated the page.
    pub today: RwSignal<u64>,
    /// The timeline, the outbox and the read marker, with the rules of the protocol.
    pub session: StoredValue<Session>,
    /// The user's attention to the page.
    pub attention: StoredValue<Attention>,
    /// Entries are being loaded at an end of the timeline.
    pub is_loading: StoredValue<bool>,
    announcer: StoredValue<Announcer>,
    viewport: StoredValue<Viewport>,
    /// The timeout of the frame that is awaited to show changes.
    pending_frame: StoredValue<Option<TimeoutHandle>>,
}

impl TimelineState {
    pub(super) fn new(session: Session, has_older: bool, replying_to: Option<Quote>) -> Self {
        let viewport = Viewport::at_end(session.timeline.len());
        let entries = reconcile(&[], session.timeline.visible_entries(viewport.range()));
        Self {
            entries: RwSignal::new(entries),
            at_end: RwSignal::new(true),
            has_older: RwSignal::new(has_older),
            announce_each: RwSignal::new(true),
            announcement: RwSignal::default(),
            notice: RwSignal::new(None),
            replying_to: RwSignal::new(replying_to),
            held_deletions: RwSignal::new(None),
            today: RwSignal::new(0),
            session: StoredValue::new(session),
            attention: StoredValue::default(),
            is_loading: StoredValue::new(false),
            announcer: StoredValue::default(),
            viewport: StoredValue::new(viewport),
            pending_frame: StoredValue::new(None),
        }
    }

    /// Returns whether times are shown in the browser's time zone. The first render is the server's, in UTC. A caller is not
    /// subscribed to changes.
    pub fn is_local(self) -> bool {
        self.today.get_untracked() > 0
    }

    /// Renders the rows again, after the day or the id of the user has changed.
    ///
    /// The rows do not subscribe to either themselves: a signal keeps its subscribers until it changes, those that are gone too,
    /// and these two change about once a day.
    pub fn render_rows_again(self) {
        self.entries.with_untracked(|rows| rows.iter().for_each(|(_, entry)| entry.notify()));
    }

    /// Returns whether a message that gets its row now has just arrived at the end, where the reader is. Messages of a flood do not
    /// count, since they come one after the other, nor do those that the page was loaded with.
    pub fn has_arrived(self, message: &Entry) -> bool {
        let is_calm = self.announce_each.get_untracked() && self.at_end.get_untracked();
        let is_newest = |seq| seq == self.with_timeline(Timeline::last);
        is_calm && self.today.get_untracked() > 0 && message.delivery.seq().is_none_or(is_newest)
    }

    /// Reads the timeline.
    pub fn with_timeline<T>(self, read: impl FnOnce(&Timeline) -> T) -> T {
        self.session.with_value(|session| read(&session.timeline))
    }

    /// Changes the session.
    ///
    /// # Panics
    /// Panics if the page is gone.
    pub fn with_session<T>(self, change: impl FnOnce(&mut Session) -> T) -> T {
        self.session.try_update_value(change).expect("the session lives as long as the page")
    }

    /// Changes the timeline, in the browser only. The page shows it with the next frame of the screen, however often it
    /// changes until then.
    pub fn change<T>(self, change: impl FnOnce(&mut Timeline) -> T) -> T {
        let changed = self.with_session(|session| change(&mut session.timeline));
        self.trim();
        self.request_frame();
        changed
    }

    /// Shows the newest entries. Returns `false` if the timeline has dropped them, so that they have to be fetched first.
    #[must_use]
    pub fn show_end(self) -> bool {
        let is_attached = !self.is_detached();
        if is_attached {
            self.viewport.set_value(Viewport::at_end(self.len()));
            self.at_end.set(true);
            self.show();
        }
        is_attached
    }

    /// Extends the shown entries to newer ones, without showing them yet. Returns `false` if the timeline has dropped what
    /// follows, so that it has to be fetched.
    #[must_use]
    pub fn extend_forward(self) -> bool {
        let len = self.len();
        self.viewport.update_value(|viewport| viewport.extend_forward(len));
        !self.is_detached() || self.viewport.with_value(Viewport::range).end < len
    }

    /// Shows one older entry. Returns `false` if the timeline has none.
    pub fn show_one_older(self) -> bool {
        let can = !self.shows_oldest();
        if can {
            self.viewport.update_value(Viewport::extend_back);
            self.show();
        }
        can
    }

    /// Shows the entries around the message `seq`. Returns `false` if the timeline does not have it.
    pub fn show_around(self, seq: Seq) -> bool {
        let found = self.with_timeline(|timeline| timeline.index_of(seq).map(|at| (at, timeline.len())));
        if let Some((at, len)) = found {
            self.viewport.set_value(Viewport::around(at, len));
            self.at_end.set(false);
            self.show();
        }
        found.is_some()
    }

    fn request_frame(self) {
        if self.pending_frame.with_value(Option::is_none) {
            let timeout = set_timeout_with_handle(move || self.show_next(), HIDDEN_FRAME);
            self.pending_frame.set_value(timeout.ok());
            request_animation_frame(move || self.show_next());
        }
    }

    /// Shows what has arrived, once for each frame.
    fn show_next(self) {
        // The page may be about to end.
        if let Some(timeout) = self.pending_frame.try_update_value(Option::take).flatten() {
            timeout.clear();
            let (len, at_end) = (self.len(), self.at_end.get_untracked());
            let has_more = self.viewport.try_update_value(|viewport| viewport.on_append(len, at_end));
            self.show();
            self.update_reply();
            if has_more == Some(true) {
                self.request_frame();
            }
        }
    }

    /// Shows the entries of the viewport.
    pub fn show(self) {
        let range = self.viewport.with_value(Viewport::range);
        let visible = self.with_timeline(|timeline| timeline.visible_entries(range));
        let entries = self.entries.with_untracked(|entries| reconcile(entries, visible));
        let is_same = self.entries.with_untracked(|old| {
            old.len() == entries.len() && old.iter().zip(&entries).all(|((old, _), (new, _))| old == new)
        });
        if !is_same {
            self.entries.set(entries);
        }
    }

    /// Lets the composer reply to a message that the timeline has.
    pub fn start_reply(self, seq: Seq) {
        self.replying_to.set(Some(self.with_timeline(|timeline| timeline.quote(seq))));
    }

    /// Returns the message that the composer replies to.
    pub fn reply_target(self) -> Option<Seq> {
        self.replying_to.with_untracked(|quote| quote.as_ref().map(|quote| quote.seq))
    }

    /// Returns the message that the composer replies to, which then replies to none.
    pub fn take_reply(self) -> Option<Seq> {
        let target = self.reply_target();
        if target.is_some() {
            self.replying_to.set(None);
        }
        target
    }

    /// Shows what has become of the message that the composer replies to.
    fn update_reply(self) {
        let Some(seq) = self.reply_target() else { return };
        let quote = Some(self.with_timeline(|timeline| timeline.quote(seq)));
        let is_news = quote.as_ref().is_some_and(|quote| quote.source.is_some());
        if is_news && self.replying_to.with_untracked(|shown| *shown != quote) {
            self.replying_to.set(quote);
        }
    }

    /// Returns the newest message that is quoted by a shown entry, or by the composer, and that the timeline does not know.
    pub fn unknown_source(self) -> Option<Seq> {
        let range = self.viewport.with_value(Viewport::range);
        let replying_to = self.reply_target();
        self.with_timeline(|timeline| {
            let is_unknown = |seq: &Seq| timeline.quote(*seq).source.is_none();
            timeline.unknown_source(range).or_else(|| replying_to.filter(is_unknown))
        })
    }

    /// Returns `true` if the newest entry is shown.
    pub fn shows_newest(self) -> bool {
        self.viewport.with_value(Viewport::has_newest) && !self.is_detached()
    }

    /// Returns `true` if the oldest entry of the timeline is shown.
    pub fn shows_oldest(self) -> bool {
        self.viewport.with_value(Viewport::has_oldest)
    }

    /// Returns the `seq` of the oldest message of the timeline.
    pub fn first(self) -> Option<Seq> {
        self.with_timeline(Timeline::first)
    }

    /// Returns the newest message of `user` that can still be changed.
    pub fn newest_message_of(self, user: UserId) -> Option<Seq> {
        self.with_timeline(|timeline| timeline.newest_message_of(user))
    }

    /// Adds a page of older messages. `has_older` says whether there are still older ones.
    pub fn prepend(self, messages: Vec<Message>, has_older: bool) {
        let before = self.len();
        self.with_session(|session| {
            session.timeline.prepend(messages);
            session.timeline.set_has_oldest(!has_older);
        });
        let older = self.len() - before;
        self.viewport.update_value(|viewport| viewport.on_prepend(older));
        self.has_older.set(has_older);
        self.trim();
    }

    /// Adds the messages that follow in a detached timeline, up to the event `to`, without showing them yet.
    pub fn append(self, messages: Vec<Message>, to: Seq) {
        self.with_session(|session| session.timeline.append_page(messages, to));
        self.trim();
        let len = self.len();
        self.viewport.update_value(|viewport| viewport.extend_forward(len));
    }

    /// Begins again with the newest page of the same log, and shows its end.
    pub fn restart(self, page: Messages) {
        self.with_session(|session| {
            session.timeline.reset(page.log, page.head, page.messages);
            session.timeline.set_has_oldest(!page.more);
        });
        self.on_reset(page.more);
    }

    /// Shows the end of a timeline that has begun again. `has_older` says whether there are older messages.
    pub fn on_reset(self, has_older: bool) {
        self.has_older.set(has_older);
        // A timeline that has begun again is never detached.
        let _ = self.show_end();
    }

    /// Counts messages that are shown from now on, for the screen reader.
    pub fn on_messages(self, count: usize, now: Millis) {
        let announces =
            self.announcer.try_update_value(|announcer| announcer.on_messages(count, now)).unwrap_or(true);
        self.set_announce_each(announces);
    }

    /// Announces how many messages have arrived in a flood, once it is over.
    pub fn announce_summary(self, strings: &Strings, now: Millis) {
        let count = self.announcer.try_update_value(|announcer| announcer.take_summary(now)).flatten();
        if let Some(count) = count {
            self.announcement.set((strings.new_messages)(count));
        }
        if !self.is_loading.get_value() {
            self.set_announce_each(self.announcer.with_value(Announcer::announces_each));
        }
    }

    /// Sets whether a screen reader announces each message.
    pub fn set_announce_each(self, announces: bool) {
        if self.announce_each.get_untracked() != announces {
            self.announce_each.set(announces);
        }
    }

    fn len(self) -> usize {
        self.with_timeline(Timeline::len)
    }

    fn is_detached(self) -> bool {
        self.with_timeline(|timeline| timeline.detached_at().is_some())
    }

    /// Drops entries beyond the bound of the timeline.
    fn trim(self) {
        let range = self.viewport.with_value(Viewport::range);
        let follows_end = self.at_end.get_untracked() && self.shows_newest();
        let dropped = self.with_session(|session| session.timeline.trim(range, follows_end));
        if dropped > 0 {
            self.viewport.update_value(|viewport| viewport.on_trim(dropped));
            self.has_older.set(!self.with_timeline(Timeline::has_oldest));
        }
    }
}

/// Returns the signals of the entries to show. An entry that is shown already keeps its signal.
fn reconcile(old: &[EntrySignal], visible: Vec<EntryView>) -> Vec<EntrySignal> {
    // A sorted list instead of a `HashMap`, whose code would weigh more in the page than it saves time here.
    let mut known: Vec<&EntrySignal> = old.iter().collect();
    known.sort_unstable_by_key(|(id, _)| *id);
    let signal = |view: EntryView| {
        let id = view.entry.id;
        match known.binary_search_by_key(&id, |(id, _)| *id) {
            Ok(at) => {
                let (_, signal) = known[at];
                if signal.with_untracked(|old| *old != view) {
                    signal.set(view);
                }
                (id, signal.clone())
            }
            Err(_) => (id, ArcRwSignal::new(view)),
        }
    };
    visible.into_iter().map(signal).collect()
}
