//! A room on the screen: its feed, its outbox, its connection, as signals.

#[cfg(feature = "hydrate")]
use crate::{
    browser::storage::RoomStorage,
    client::{Announcer, Attention},
    clock::steady,
};
use crate::{
    client::{EntryView, ReadMarker, Session, Timeline, TypingUser, Viewport},
    i18n::Strings,
    page_data::{RoomPage, RoomSummary},
    wire::{CommandId, Message, Millis, RoomName, Seq, User},
};
use leptos::prelude::*;

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
pub type EntrySignal = (CommandId, ArcRwSignal<EntryView>);

/// A room on the screen. Copies are handles on the same.
#[derive(Clone, Copy)]
pub struct Live {
    /// What the screen says, in the page's language.
    pub strings: &'static Strings,
    /// The room.
    pub room: StoredValue<RoomName>,
    /// Its heading.
    pub title: RwSignal<String>,
    /// Its topic; empty if it has none.
    pub topic: RwSignal<String>,
    /// The user owns it.
    pub is_owner: bool,
    /// It shows the newest messages and lives; an older page is as the server made it, and so are its forms.
    pub lives: bool,
    /// The first of the users present, by name.
    pub people: RwSignal<Vec<User>>,
    /// All users present, as the server last counted them.
    pub(crate) people_count: RwSignal<u32>,
    /// Who is writing.
    pub typing: RwSignal<Vec<TypingUser>>,
    /// The rooms of the user, and public ones of others.
    pub rooms: RwSignal<Vec<RoomSummary>>,
    /// Who sits here.
    pub you: RwSignal<User>,
    /// The day here, counted from 1970: what is today for one night is yesterday after it.
    pub today: RwSignal<u64>,
    /// How the connection is.
    pub status: RwSignal<Status>,
    /// When the connection is tried again, by the steady clock; only while offline.
    pub next_try: RwSignal<Option<Millis>>,
    /// What is shown, in order; a row keeps its signal as long as it is shown.
    pub lines: RwSignal<Vec<EntrySignal>>,
    /// The user reads the newest messages.
    pub at_end: RwSignal<bool>,
    /// There are older messages than the feed has.
    pub more: RwSignal<bool>,
    /// What this browser does not keep over a reload, in a sentence.
    pub unkept: RwSignal<Option<&'static str>>,
    /// The server takes no commands from this page's origin.
    pub foreign: RwSignal<bool>,
    /// Why the last name was not taken; empty where it was.
    pub name_problem: RwSignal<String>,
    /// There is something to be said about the new name: the card with it is to be opened.
    pub name_asks: RwSignal<bool>,
    /// A screen reader reads out each message that comes.
    pub reads_out: RwSignal<bool>,
    /// How many came while they were not read out, in a sentence.
    pub came: RwSignal<String>,
    /// Why what the user just did leads to nothing, in a sentence.
    pub notice: RwSignal<Option<&'static str>>,
    /// How many deletions can still be undone, and until when.
    pub deletions: RwSignal<Option<(usize, Millis)>>,
    /// What decides that.
    #[cfg(feature = "hydrate")]
    pub(crate) aloud: StoredValue<Announcer>,
    /// Older rows are being shown.
    #[cfg(feature = "hydrate")]
    pub(crate) going_back: StoredValue<bool>,
    /// The feed has changed since it was shown; until when that waits at most.
    #[cfg(feature = "hydrate")]
    pub(crate) stale: StoredValue<Option<TimeoutHandle>>,
    /// Whether a person attends to the page.
    #[cfg(feature = "hydrate")]
    pub(crate) attention: StoredValue<Attention>,
    /// The timeline, the outbox and the read marker, with the rules of the protocol.
    pub(crate) session: StoredValue<Session>,
    window: StoredValue<Viewport>,
    /// Raised when there is something for the server.
    pub(crate) work: RwSignal<u64>,
}

impl Live {
    /// The room as the server rendered it; in the browser it comes alive by itself, where it shows
    /// the newest page.
    pub fn new(page: RoomPage) -> Self {
        let lives = page.kind == crate::page_data::PageKind::Latest;
        let mut feed = Timeline::new(page.log, page.head, page.messages);
        feed.set_has_oldest(!page.more);
        if let Some(read) = page.read {
            feed.set_unread_after(read, page.you.id);
        }
        let window = Viewport::at_end(feed.len());
        let lines = reconcile(&[], feed.visible_entries(window.range()));
        let session = Session::new(page.room.clone(), feed, ReadMarker::new(page.read.unwrap_or(0)));
        let live = Self {
            strings: page.lang.strings(),
            room: StoredValue::new(page.room),
            title: RwSignal::new(page.title),
            topic: RwSignal::new(page.topic),
            is_owner: page.is_owner,
            lives,
            people: RwSignal::new(crate::client::members::sorted(page.members)),
            people_count: RwSignal::new(page.member_count),
            typing: RwSignal::default(),
            rooms: RwSignal::new(page.rooms),
            you: RwSignal::new(page.you),
            today: RwSignal::new(0),
            status: RwSignal::new(Status::Asleep),
            next_try: RwSignal::new(None),
            lines: RwSignal::new(lines),
            at_end: RwSignal::new(true),
            more: RwSignal::new(page.more),
            unkept: RwSignal::new(None),
            foreign: RwSignal::new(false),
            name_problem: RwSignal::default(),
            name_asks: RwSignal::new(false),
            reads_out: RwSignal::new(true),
            came: RwSignal::default(),
            notice: RwSignal::new(None),
            deletions: RwSignal::new(None),
            #[cfg(feature = "hydrate")]
            aloud: StoredValue::default(),
            #[cfg(feature = "hydrate")]
            going_back: StoredValue::new(false),
            #[cfg(feature = "hydrate")]
            stale: StoredValue::new(None),
            #[cfg(feature = "hydrate")]
            attention: StoredValue::new(Attention::new(steady())),
            session: StoredValue::new(session),
            window: StoredValue::new(window),
            work: RwSignal::new(0),
        };
        #[cfg(feature = "hydrate")]
        Effect::new(move || crate::browser::start(live));
        live
    }

    /// Comes to the newest rows, which are fetched first if they were dropped.
    pub fn to_end(&self) {
        #[cfg(feature = "hydrate")]
        if self.is_detached() {
            return self.fetch_newest();
        }
        let len = self.with_feed(Timeline::len);
        self.window.set_value(Viewport::at_end(len));
        self.at_end.set(true);
        self.show();
    }

    /// The reader comes near the newest row shown: shows newer ones.
    pub fn forth(&self) {
        if !self.has_newest() {
            let len = self.with_feed(Timeline::len);
            self.window.update_value(|window| window.extend_forward(len));
            #[cfg(feature = "hydrate")]
            self.show_in_place();
            #[cfg(not(feature = "hydrate"))]
            self.show();
            #[cfg(feature = "hydrate")]
            if self.is_detached() && self.window.with_value(Viewport::range).end == len {
                self.fetch_newer();
            }
        }
    }

    /// Whether the newest row is shown.
    pub fn has_newest(&self) -> bool {
        self.window.with_value(Viewport::has_newest) && !self.is_detached()
    }

    fn is_detached(&self) -> bool {
        self.with_feed(|feed| feed.detached_at().is_some())
    }

    /// Drops rows that are too many.
    fn bound(&self) {
        let (window, follows) =
            (self.window.with_value(Viewport::range), self.at_end.get_untracked() && self.has_newest());
        let dropped = self.with_session(|session| session.timeline.trim(window, follows));
        if dropped > 0 {
            self.window.update_value(|window| window.on_trim(dropped));
            self.more.set(true);
        }
    }

    /// The place of the oldest message that the feed has.
    pub fn first(&self) -> Option<Seq> {
        self.with_feed(Timeline::first)
    }

    /// Whether the oldest row of the feed is shown.
    #[cfg(feature = "hydrate")]
    pub(crate) fn at_oldest(&self) -> bool {
        self.window.with_value(Viewport::has_oldest)
    }

    /// One row further back, if the feed has one.
    #[cfg(feature = "hydrate")]
    pub(crate) fn step_back(&self) -> bool {
        let can = !self.at_oldest();
        if can {
            self.window.update_value(Viewport::extend_back);
            self.show();
        }
        can
    }

    /// A page of older messages has come; whether there are still older ones.
    pub fn prepend(&self, messages: Vec<Message>, more: bool) {
        let before = self.with_feed(Timeline::len);
        self.with_session(|session| {
            session.timeline.prepend(messages);
            session.timeline.set_has_oldest(!more);
        });
        let older = self.with_feed(Timeline::len) - before;
        self.window.update_value(|window| window.on_prepend(older));
        self.more.set(more);
        self.bound();
    }

    /// Returns the newest message of the user that can still be changed.
    pub fn newest_of_yours(&self) -> Option<Seq> {
        let you = self.you.with_untracked(|you| you.id);
        self.with_feed(|feed| feed.newest_message_of(you))
    }

    /// Changes the feed; it is shown with the next frame of the screen, however often it changes until
    /// then.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Timeline) -> T) -> T {
        let changed = self.with_session(|session| change(&mut session.timeline));
        self.bound();
        #[cfg(feature = "hydrate")]
        self.show_soon();
        changed
    }

    /// Shows rows around the message `seq`, if it is here, and returns whether it is.
    #[cfg(feature = "hydrate")]
    pub(crate) fn show_around(&self, seq: Seq) -> bool {
        let found = self.with_feed(|feed| feed.index_of(seq).map(|index| (index, feed.len())));
        if let Some((index, len)) = found {
            self.window.set_value(Viewport::around(index, len));
            self.at_end.set(false);
            self.show();
        }
        found.is_some()
    }

    /// Takes the messages that follow those that were kept, up to the event `to`.
    #[cfg(feature = "hydrate")]
    pub(crate) fn append(&self, messages: Vec<Message>, to: Seq) {
        self.with_session(|session| session.timeline.append_page(messages, to));
        self.bound();
        let len = self.with_feed(Timeline::len);
        self.window.update_value(|window| window.extend_forward(len));
        self.show_in_place();
    }

    /// Begins again with the newest page of the same log, at its end.
    #[cfg(feature = "hydrate")]
    pub(crate) fn restart_at_end(&self, page: crate::wire::Messages) {
        self.with_session(|session| {
            session.timeline.reset(page.log, page.head, page.messages);
            session.timeline.set_has_oldest(!page.more);
        });
        self.more.set(page.more);
        self.go_to_end();
    }

    /// Shows what has come. Whether there is more to show.
    #[cfg(feature = "hydrate")]
    pub(crate) fn show_on(&self) -> bool {
        let (len, at_end) = (self.with_feed(Timeline::len), self.at_end.get_untracked());
        let more = self.window.try_update_value(|window| window.on_append(len, at_end));
        self.show();
        more.unwrap_or_default()
    }

    pub(crate) fn show(&self) {
        let window = self.window.with_value(Viewport::range);
        let shown = self.with_feed(|feed| feed.visible_entries(window));
        let lines = self.lines.with_untracked(|lines| reconcile(lines, shown));
        let same = self.lines.with_untracked(|old| {
            old.len() == lines.len() && old.iter().zip(&lines).all(|((old, _), (new, _))| old == new)
        });
        if !same {
            self.lines.set(lines);
        }
    }
}

/// What the socket needs of a room.
#[cfg(feature = "hydrate")]
impl Live {
    /// Shows the newest rows.
    pub fn go_to_end(&self) {
        self.to_end();
        if let Some(scroller) = crate::browser::dom::scroller() {
            scroller.set_scroll_top(0);
        }
    }

    /// Shows a user's new name.
    pub(crate) fn renamed(&self, person: User) {
        self.update_member(&person);
        if self.you.with_untracked(|you| you.id == person.id) {
            self.you.set(person);
        }
    }

    /// So many messages come onto the screen.
    pub(crate) fn on_messages(&self, count: usize) {
        let now = steady();
        let reads = self.aloud.try_update_value(|aloud| aloud.on_messages(count, now)).unwrap_or(true);
        self.set_announce_each(reads);
    }

    /// After a flood: how many have come, in one sentence.
    pub(crate) fn announce_summary(&self) {
        let now = steady();
        if let Some(count) = self.aloud.try_update_value(|aloud| aloud.take_summary(now)).flatten() {
            self.came.set((self.strings.new_messages)(count));
        }
        if !self.going_back.get_value() {
            self.set_announce_each(self.aloud.with_value(Announcer::announces_each));
        }
    }

    pub(crate) fn set_announce_each(&self, reads: bool) {
        if self.reads_out.get_untracked() != reads {
            self.reads_out.set(reads);
        }
    }

    pub(crate) fn storage(&self) -> RoomStorage {
        self.room.with_value(RoomStorage::new)
    }
}

impl Live {
    pub(crate) fn with_feed<T>(&self, read: impl FnOnce(&Timeline) -> T) -> T {
        self.session.with_value(|session| read(&session.timeline))
    }

    pub(crate) fn with_session<T>(&self, change: impl FnOnce(&mut Session) -> T) -> T {
        self.session.try_update_value(change).expect("the session lives as long as the page")
    }
}

/// The lines for what is to be shown: a row that is still there keeps its signal.
fn reconcile(old: &[EntrySignal], shown: Vec<EntryView>) -> Vec<EntrySignal> {
    // A sorted list and not a `HashMap`, whose code would weigh more in the page than it saves time here.
    let mut known: Vec<&EntrySignal> = old.iter().collect();
    known.sort_unstable_by_key(|(id, _)| *id);
    let line = |shown: EntryView| {
        let id = shown.entry.id;
        match known.binary_search_by_key(&id, |(id, _)| *id) {
            Ok(at) => {
                let (_, signal) = known[at];
                if signal.with_untracked(|old| *old != shown) {
                    signal.set(shown);
                }
                (id, signal.clone())
            }
            Err(_) => (id, ArcRwSignal::new(shown)),
        }
    };
    shown.into_iter().map(line).collect()
}
