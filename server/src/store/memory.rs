//! The store of `--ephemeral`: it ends with the process.

use super::{
    Appended, ListedRoom, MAX_READ_MARKERS, MarkerUpdate, MessagePage, NOTIFICATION_CAPACITY, NewEvent,
    RoomInfo, Store, StoreError, StoreResult, StreamPosition, UNREAD_SCAN_EVENTS, Wake, guest, now,
    room_index::{RoomIndex, check_title},
    rules::{self, Target},
    skeleton, user,
};
use app::wire::{
    CommandId, DisplayName, Event, EventBody, Message, Millis, Operation, PageBudget, RoomName, RoomTitle,
    Seq, Topic, User, UserId, limits::MAX_UNREAD_COUNT,
};
use futures_util::future::{BoxFuture, FutureExt, ready};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, hash_map::Entry},
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::broadcast;
use uuid::Uuid;

/// A store in memory.
pub struct MemoryStore {
    id: String,
    /// Sections under this lock are short and never wait.
    state: Arc<Mutex<State>>,
    wakes: broadcast::Sender<Wake>,
}

#[derive(Default)]
struct State {
    rooms: BTreeMap<RoomName, Vec<StoredEvent>>,
    ids: HashMap<CommandId, (RoomName, Seq)>,
    changes: HashMap<(RoomName, Seq), Change>,
    people: HashMap<UserId, Person>,
    /// The users of each key by their numbers; no key without a user.
    keys: HashMap<String, BTreeMap<u64, UserId>>,
    catalogue: RoomIndex,
    /// Public rooms by the keys of their titles.
    titles: HashMap<String, BTreeSet<RoomName>>,
    /// Read markers, at most [`MAX_READ_MARKERS`] of each user.
    readings: HashMap<UserId, HashMap<RoomName, Marker>>,
}

/// A read marker, and when it was moved last.
struct Marker {
    seq: Seq,
    at: Millis,
}

/// The last change of a message.
struct Change {
    at: Millis,
    /// The present text; `None` if the message was deleted.
    text: Option<Arc<str>>,
    /// The edit that set the text. Only the newest edit of a message has one.
    edit: Option<Seq>,
}

/// A user who has chosen a name or posted.
struct Person {
    name: DisplayName,
    key: String,
    /// Unique among the users of the key.
    number: u64,
}

/// An event without its author's name, which may change.
struct StoredEvent {
    event: Arc<Event>,
    author: UserId,
}

impl MemoryStore {
    /// Returns an empty store with an identity of its own.
    pub fn new() -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            state: Arc::default(),
            wakes: broadcast::channel(NOTIFICATION_CAPACITY).0,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

/// An event, and the users who became ambiguous by it: the content of a [`Wake`].
type NewEventEffects = (Arc<Event>, Vec<User>);

impl State {
    fn append(&mut self, new: NewEvent) -> StoreResult<(Appended, Option<NewEventEffects>)> {
        if let Some((room, seq)) = self.ids.get(&new.id) {
            let first = &self.rooms[room][*seq as usize - 1];
            if first.author != new.author {
                return Err(StoreError::IdConflict);
            }
            return Ok((
                Appended { room: room.clone(), seq: *seq, at: first.event.at, is_duplicate: true },
                None,
            ));
        }
        self.may(&new)?;
        let at = now();
        self.change(&new, at);
        let mut ambiguous = Vec::new();
        if !self.people.contains_key(&new.author) {
            ambiguous = self.rename(new.author, DisplayName::generated(new.author));
            ambiguous.retain(|person| person.ambiguous);
        }
        let author = self.author(new.author);
        let event = Arc::new(Event {
            seq: self.head(&new.room) + 1,
            at,
            id: new.id,
            author,
            body: new.operation.into(),
        });
        self.ids.insert(new.id, (new.room.clone(), event.seq));
        self.insert_marker(new.author, &new.room, event.seq);
        if !self.catalogue.has(&new.room) {
            let is_taken = |key: &str| self.other_with_title(&new.room, key).map(|other| other.is_some());
            let Ok(about) = RoomInfo::of_first_event(&new.room, is_taken);
            self.store_about(&new.room, about, event.at);
        }
        self.catalogue.apply_events(&new.room, std::slice::from_ref(&event));
        let kept = StoredEvent { event: event.clone(), author: new.author };
        self.rooms.entry(new.room.clone()).or_default().push(kept);
        Ok((
            Appended { room: new.room, seq: event.seq, at: event.at, is_duplicate: false },
            Some((event, ambiguous)),
        ))
    }

    fn create(&mut self, room: RoomName, mut about: RoomInfo) -> StoreResult<()> {
        about.private |= room.is_private();
        if self.catalogue.has(&room) || room.is_lobby() {
            return Err(StoreError::RoomExists);
        }
        let Ok(checked) = check_title(&room, &about, |key| self.other_with_title(&room, key));
        checked?;
        if let Some(owner) = about.owner {
            self.insert_marker(owner, &room, 0);
        }
        self.store_about(&room, about, now());
        Ok(())
    }

    fn retitle(&mut self, room: RoomName, person: UserId, title: RoomTitle, topic: Topic) -> StoreResult<()> {
        if !self.catalogue.has(&room) && !room.is_lobby() {
            return Err(StoreError::RoomNotFound);
        }
        let before = self.catalogue.info(&room);
        let about = before.with_title(title, topic);
        rules::authorize_update(person, before.owner)?;
        if about.title_key(&room) != before.title_key(&room) {
            let Ok(checked) = check_title(&room, &about, |key| self.other_with_title(&room, key));
            checked?;
        }
        self.store_about(&room, about, now());
        Ok(())
    }

    /// A public room but `room` whose title has this key.
    fn other_with_title(&self, room: &RoomName, key: &str) -> Result<Option<RoomName>, Infallible> {
        Ok(self.titles.get(key).and_then(|called| called.iter().find(|other| *other != room)).cloned())
    }

    fn store_about(&mut self, room: &RoomName, about: RoomInfo, at: Millis) {
        let before = self.catalogue.has(room).then(|| self.catalogue.info(room).title_key(room)).flatten();
        if let Some(Entry::Occupied(mut called)) = before.map(|key| self.titles.entry(key)) {
            called.get_mut().remove(room);
            if called.get().is_empty() {
                called.remove();
            }
        }
        if let Some(key) = about.title_key(room) {
            self.titles.entry(key).or_default().insert(room.clone());
        }
        self.catalogue.upsert(room.clone(), about, at);
    }

    /// Checks that the target of the operation exists, and that the author may do this to it.
    fn may(&self, new: &NewEvent) -> StoreResult<()> {
        let target = new.operation.target().and_then(|target| self.author_of(&new.room, target).ok());
        let target = target.map(|author| Target { author });
        rules::authorize(&new.operation, new.author, target, || self.catalogue.info(&new.room).owner)
    }

    /// Who posted the message at that place, if there is one and it was not deleted.
    fn author_of(&self, room: &RoomName, seq: Seq) -> StoreResult<UserId> {
        let place = (seq as usize).checked_sub(1);
        let kept =
            place.and_then(|place| self.rooms.get(room)?.get(place)).ok_or(StoreError::MessageNotFound)?;
        let is_message = matches!(kept.event.body, EventBody::Message { .. });
        let is_deleted = matches!(self.changes.get(&(room.clone(), seq)), Some(Change { text: None, .. }));
        if is_message && !is_deleted { Ok(kept.author) } else { Err(StoreError::MessageNotFound) }
    }

    /// Brings the present state of a message up to its edit or delete. What it said before is gone, from past events
    /// too. Touches a constant number of events.
    fn change(&mut self, new: &NewEvent, at: Millis) {
        let (target, text) = match &new.operation {
            Operation::Post { .. } => return,
            Operation::Edit { target, text } => (*target, Some(text.clone())),
            Operation::Delete { target } => (*target, None),
        };
        let edit = text.is_some().then(|| self.head(&new.room) + 1);
        let change = Change { at, text: text.clone(), edit };
        let before = self.changes.insert((new.room.clone(), target), change);
        self.replace_text(&new.room, target, text.unwrap_or_default());
        if let Some(edit) = before.and_then(|before| before.edit) {
            self.replace_text(&new.room, edit, Arc::default());
        }
    }

    /// Lets the event at `seq` have another text.
    fn replace_text(&mut self, room: &RoomName, seq: Seq, text: Arc<str>) {
        let kept = self.rooms.get_mut(room).and_then(|kept| kept.get_mut((seq as usize).checked_sub(1)?));
        let Some(kept) = kept else { return };
        let body = match kept.event.body {
            EventBody::Message { reply_to, .. } => EventBody::Message { text, reply_to },
            EventBody::Edit { target, .. } => EventBody::Edit { target, text },
            _ => return,
        };
        kept.event = Arc::new(Event { body, ..(*kept.event).clone() });
    }

    fn head(&self, room: &RoomName) -> Seq {
        self.rooms.get(room).map_or(0, |kept| kept.len() as Seq)
    }

    fn author(&self, id: UserId) -> User {
        let with = |key: &str| self.keys.get(key).map_or(0, BTreeMap::len);
        match self.people.get(&id) {
            Some(person) => user(id, person.name.clone(), with(&person.key) > 1, person.number),
            None => guest(id, with(&skeleton::name_key(DisplayName::generated(id).as_str())) > 0),
        }
    }

    /// Returns every user whose appearance has changed.
    fn rename(&mut self, id: UserId, name: DisplayName) -> Vec<User> {
        let key = skeleton::name_key(name.as_str());
        let mut changed = vec![id];
        if let Some(person) = self.people.get_mut(&id).filter(|person| person.key == key) {
            person.name = name;
        } else {
            let users = self.keys.entry(key.clone()).or_default();
            let number = users.last_key_value().map_or(1, |(highest, _)| highest + 1);
            if users.len() == 1 {
                changed.extend(users.values());
            }
            users.insert(number, id);
            if let Some(old) = self.people.insert(id, Person { name, key, number }) {
                changed.extend(self.alone_without(&old));
            }
        }
        changed.into_iter().map(|person| self.author(person)).collect()
    }

    /// Returns the user who is alone with a key now that `old` has left it.
    fn alone_without(&mut self, old: &Person) -> Option<UserId> {
        let users = self.keys.get_mut(&old.key)?;
        users.remove(&old.number);
        match users.len() {
            0 => drop(self.keys.remove(&old.key)),
            1 => return users.values().next().copied(),
            _ => {}
        }
        None
    }

    fn read(&mut self, person: UserId, room: &RoomName, seq: Seq) -> StoreResult<MarkerUpdate> {
        if !self.catalogue.has(room) && !room.is_lobby() {
            return Err(StoreError::RoomNotFound);
        }
        let head = self.head(room);
        let seq = seq.min(head);
        let moved = match self.readings.get_mut(&person).and_then(|markers| markers.get_mut(room)) {
            Some(marker) if marker.seq < seq => {
                *marker = Marker { seq, at: now() };
                true
            }
            Some(_) => false,
            None if seq == 0 && (head > 0 || !self.catalogue.has(room)) => false,
            None => {
                self.insert_marker(person, room, seq);
                true
            }
        };
        Ok(if moved { MarkerUpdate::Moved } else { MarkerUpdate::Unchanged })
    }

    /// Stores a user's first marker in a room. Past [`MAX_READ_MARKERS`] of them the oldest one goes.
    fn insert_marker(&mut self, person: UserId, room: &RoomName, seq: Seq) {
        let markers = self.readings.entry(person).or_default();
        if markers.contains_key(room) {
            return;
        }
        if markers.len() >= MAX_READ_MARKERS as usize {
            let oldest = markers.iter().min_by_key(|(room, marker)| (marker.at, *room));
            if let Some(oldest) = oldest.map(|(room, _)| room.clone()) {
                markers.remove(&oldest);
            }
        }
        markers.insert(room.clone(), Marker { seq, at: now() });
    }

    /// Markers of a user, those moved most recently first.
    fn visits(&self, person: UserId, skip: u32, most: u32) -> Vec<(RoomName, Seq)> {
        let mut markers: Vec<_> = self.readings.get(&person).into_iter().flatten().collect();
        markers.sort_by_key(|(room, marker)| std::cmp::Reverse((marker.at, *room)));
        let page = markers.into_iter().skip(skip as usize).take(most as usize);
        page.map(|(room, marker)| (room.clone(), marker.seq)).collect()
    }

    fn unread(&self, person: UserId, room: &RoomName, after: Seq) -> u32 {
        let kept = self.rooms.get(room).map_or(&[][..], Vec::as_slice);
        let from = after.max((kept.len() as Seq).saturating_sub(UNREAD_SCAN_EVENTS)) as usize;
        let is_unread = |kept: &&StoredEvent| {
            kept.author != person
                && matches!(&kept.event.body, EventBody::Message { text, .. } if !text.is_empty())
        };
        kept.iter().skip(from).filter(is_unread).take(MAX_UNREAD_COUNT as usize).count() as u32
    }

    /// The event with its author's present name.
    fn named(&self, kept: &StoredEvent) -> Arc<Event> {
        let author = self.author(kept.author);
        if kept.event.author == author {
            return kept.event.clone();
        }
        Arc::new(Event { author, ..(*kept.event).clone() })
    }

    /// Returns the event as it is read now: a superseded edit has the present text of the message.
    fn as_read_now(&self, room: &RoomName, kept: &StoredEvent) -> Arc<Event> {
        let named = self.named(kept);
        let EventBody::Edit { target, text } = &named.body else { return named };
        if !text.is_empty() {
            return named;
        }
        let change = self.changes.get(&(room.clone(), *target));
        let text = change.and_then(|change| change.text.clone()).unwrap_or_default();
        Arc::new(Event { body: EventBody::Edit { target: *target, text }, ..(*named).clone() })
    }

    fn events_after(&self, room: &RoomName, after: Seq, limit: u32) -> Vec<Arc<Event>> {
        let kept = self.rooms.get(room).map_or(&[][..], Vec::as_slice);
        let mut page = PageBudget::default();
        let events =
            kept.iter().skip(after as usize).take(limit as usize).map(|kept| self.as_read_now(room, kept));
        events.take_while(|event| page.take(event.json_bytes())).collect()
    }

    fn messages_before(&self, room: &RoomName, before: Seq, limit: u32) -> MessagePage {
        let kept = self.rooms.get(room).map_or(&[][..], Vec::as_slice);
        let end = kept.len().min(before.saturating_sub(1) as usize);
        let newest_first = kept[..end].iter().rev().filter_map(|kept| self.message(room, kept));
        MessagePage::collect(newest_first.map(Ok::<_, Infallible>), limit).unwrap_or_default()
    }

    /// The message in its present state, if it is one.
    fn message(&self, room: &RoomName, kept: &StoredEvent) -> Option<Message> {
        let mut message = Message::from_event(&self.named(kept))?;
        match self.changes.get(&(room.clone(), message.seq)) {
            Some(Change { at, text: Some(text), .. }) => message.edit(text.clone(), *at),
            Some(Change { text: None, .. }) => message.delete(),
            None => {}
        }
        Some(message)
    }
}

impl Store for MemoryStore {
    fn log_id(&self) -> &str {
        &self.id
    }

    fn continues(&self, room: &RoomName, past: StreamPosition) -> BoxFuture<'static, StoreResult<bool>> {
        let StreamPosition { after, after_id, log } = past;
        let is_this = log.is_none_or(|log| log == self.id);
        let state = self.state();
        let place = (after as usize).checked_sub(1);
        let has = |id: CommandId| {
            let kept = place.and_then(|place| state.rooms.get(room)?.get(place));
            kept.is_some_and(|kept| kept.event.id == id)
        };
        ready(Ok(is_this && (after == 0 || after_id.is_none_or(has)))).boxed()
    }

    fn ready(&self) -> BoxFuture<'static, StoreResult<()>> {
        ready(Ok(())).boxed()
    }

    fn append(&self, event: NewEvent) -> BoxFuture<'static, StoreResult<Appended>> {
        let mut state = self.state();
        let appended = state.append(event).map(|(appended, event)| {
            if let Some((event, ambiguous)) = event {
                // Sent under the lock, so that wakes keep the order. Without subscribers there is nothing to do.
                let _ =
                    self.wakes.send(Wake { room: appended.room.clone(), events: [event].into(), ambiguous });
            }
            appended
        });
        ready(appended).boxed()
    }

    fn events_after(
        &self,
        room: &RoomName,
        after: Seq,
        limit: u32,
    ) -> BoxFuture<'static, StoreResult<Vec<Arc<Event>>>> {
        ready(Ok(self.state().events_after(room, after, limit))).boxed()
    }

    fn messages_before(
        &self,
        room: &RoomName,
        before: Seq,
        limit: u32,
    ) -> BoxFuture<'static, StoreResult<MessagePage>> {
        ready(Ok(self.state().messages_before(room, before, limit))).boxed()
    }

    fn heads(&self, rooms: &[RoomName]) -> Vec<Seq> {
        let state = self.state();
        rooms.iter().map(|room| state.head(room)).collect()
    }

    fn list_rooms(&self, after: Option<&RoomName>, most: usize) -> Vec<ListedRoom> {
        self.state().catalogue.list(after, most)
    }

    fn recent_rooms(&self, but: &HashSet<RoomName>, most: usize) -> Vec<RoomName> {
        self.state().catalogue.recent(but, most)
    }

    fn rooms_by_title(
        &self,
        after: Option<&RoomName>,
        but: &HashSet<RoomName>,
        most: usize,
    ) -> Vec<RoomName> {
        self.state().catalogue.by_title(after, but, most)
    }

    fn subscribe(&self) -> broadcast::Receiver<Wake> {
        self.wakes.subscribe()
    }

    fn room(&self, room: &RoomName) -> Arc<RoomInfo> {
        self.state().catalogue.info(room)
    }

    fn create_room(&self, room: RoomName, about: RoomInfo) -> BoxFuture<'static, StoreResult<()>> {
        ready(self.state().create(room, about)).boxed()
    }

    fn update_room(
        &self,
        room: RoomName,
        person: UserId,
        title: RoomTitle,
        topic: Topic,
    ) -> BoxFuture<'static, StoreResult<()>> {
        ready(self.state().retitle(room, person, title, topic)).boxed()
    }

    fn users(&self, people: &[UserId]) -> BoxFuture<'static, StoreResult<Vec<User>>> {
        let state = self.state();
        ready(Ok(people.iter().map(|person| state.author(*person)).collect())).boxed()
    }

    fn set_display_name(
        &self,
        person: UserId,
        name: DisplayName,
    ) -> BoxFuture<'static, StoreResult<Vec<User>>> {
        ready(Ok(self.state().rename(person, name))).boxed()
    }

    fn set_read_marker(
        &self,
        person: UserId,
        room: RoomName,
        seq: Seq,
    ) -> BoxFuture<'static, StoreResult<MarkerUpdate>> {
        ready(self.state().read(person, &room, seq)).boxed()
    }

    fn remove_read_marker(&self, person: UserId, room: RoomName) -> BoxFuture<'static, StoreResult<()>> {
        if let Some(markers) = self.state().readings.get_mut(&person) {
            markers.remove(&room);
        }
        ready(Ok(())).boxed()
    }

    fn read_markers(
        &self,
        person: UserId,
        skip: u32,
        most: u32,
    ) -> BoxFuture<'static, StoreResult<Vec<(RoomName, Seq)>>> {
        ready(Ok(self.state().visits(person, skip, most))).boxed()
    }

    fn read_marker(&self, person: UserId, room: &RoomName) -> BoxFuture<'static, StoreResult<Option<Seq>>> {
        let state = self.state();
        ready(Ok(state.readings.get(&person).and_then(|markers| markers.get(room)).map(|marker| marker.seq)))
            .boxed()
    }

    fn unread_counts(
        &self,
        person: UserId,
        rooms: Vec<(RoomName, Seq)>,
    ) -> BoxFuture<'static, StoreResult<Vec<u32>>> {
        let state = self.state();
        ready(Ok(rooms.iter().map(|(room, after)| state.unread(person, room, *after)).collect())).boxed()
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}
