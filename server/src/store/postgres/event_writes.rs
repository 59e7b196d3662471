//! The events of a batch: their rooms, the call, the notifications and the answers.

use super::{
    append::{Batch, Output, with_rooms},
    cache::RoomRef,
    durability::make_durable,
    error::is_about_values,
    queue::Reply,
    room_writes::find_rooms,
    rows,
    session::WriteError,
    writer::{Writer, answer},
};
use crate::store::{Appended, NewEvent, Notification, StoreError, StoreResult};
use app::wire::{CommandId, DisplayName, Event, RoomName, Seq, User, UserId};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
};
use tokio::time::Instant;

const SELECT_EVENTS_BY_ID: &str = "
    SELECT e.id, e.author, (SELECT r.name FROM room r WHERE r.id = e.room), e.seq, e.at
    FROM unnest($1::uuid[]) AS i (id) JOIN event e ON e.id = i.id";

/// Attempts to append events while the rights of users change.
const MAX_STALE_ATTEMPTS: u32 = 10;

/// Rooms that one transaction creates, at most: each takes a round trip or two, and all others wait.
const MAX_NEW_ROOMS: usize = 64;

/// The results of events that need not be sent, by their index, and the rooms that the others create.
type RoomsFound<'a> = (HashMap<usize, StoreResult<Appended>>, Vec<&'a RoomName>);

/// When a batch was sent, and the generation of names then.
#[derive(Clone, Copy)]
struct Sent {
    at: Instant,
    names: u64,
}

impl Writer {
    /// Appends the events of a batch, notifies the subscribers, then answers.
    pub(super) async fn append(&mut self, appends: Vec<(NewEvent, Reply<Appended>)>) {
        let (events, replies): (Vec<_>, Vec<_>) = appends.into_iter().unzip();
        let results = self.append_events(events).await;
        for (reply, result) in replies.into_iter().zip(results) {
            answer(reply, result);
        }
    }

    /// Appends the events whose authors may write. Returns the result of each; of a refused one that was appended before, the
    /// first result.
    async fn append_events(&mut self, events: Vec<NewEvent>) -> Vec<StoreResult<Appended>> {
        for _ in 0..MAX_STALE_ATTEMPTS {
            let checked = self.check_access(&events).await;
            let mut refused = match self.result(checked) {
                Ok(refused) => refused,
                Err(error) => return vec![Err(error); events.len()],
            };
            let count = events.len();
            let allowed: Vec<NewEvent> = if refused.is_empty() {
                events.clone()
            } else {
                let is_allowed = |(n, _): &(usize, &NewEvent)| !refused.contains_key(n);
                events.iter().enumerate().filter(is_allowed).map(|(_, event)| event.clone()).collect()
            };
            let Some(results) = self.append_allowed(allowed).await else { continue };
            let mut results = results.into_iter();
            return (0..count).filter_map(|n| refused.remove(&n).or_else(|| results.next())).collect();
        }
        let error = self.result::<()>(Err(WriteError::Stale));
        events.iter().map(|_| error.clone().map(|()| unreachable!("it is an error"))).collect()
    }

    /// Appends events. Returns the results, or `None` if the rights of users have changed since they were read.
    async fn append_allowed(&mut self, events: Vec<NewEvent>) -> Option<Vec<StoreResult<Appended>>> {
        let written = self.try_append(&events).await;
        if let Err(WriteError::Refused(error)) = &written
            && is_about_values(error)
            && events.len() > 1
        {
            // One event is to blame; the others must not suffer.
            let mut results = Vec::with_capacity(events.len());
            for event in events {
                let written = self.try_append(&[event]).await;
                results.extend(self.result(written).unwrap_or_else(|error| vec![Err(error)]));
            }
            return Some(results);
        }
        if let Err(WriteError::Stale) = written {
            self.cache.forget_access();
            // Subscribers whose access has ended must not receive what comes next.
            self.shared.notifier.send(Notification::AccessChanged);
            return None;
        }
        let count = events.len();
        Some(self.result(written).unwrap_or_else(|error| vec![Err(error); count]))
    }

    async fn try_append(&mut self, events: &[NewEvent]) -> Result<Vec<StoreResult<Appended>>, WriteError> {
        self.cache.make_space();
        let (mut refused, new_rooms) = self.find_rooms(events).await?;
        if new_rooms.len() > MAX_NEW_ROOMS {
            let (first, second) = events.split_at(events.len() / 2);
            let mut results = Box::pin(self.try_append(first)).await?;
            results.extend(Box::pin(self.try_append(second)).await?);
            return Ok(results);
        }
        let results = if new_rooms.is_empty() {
            let sent = with_rooms(events, |room| self.cache.room(room));
            if sent.is_empty() { Vec::new() } else { self.send(&sent).await? }
        } else {
            self.create_and_send(events, &new_rooms).await?
        };
        if refused.is_empty() {
            return Ok(results);
        }
        let mut results = results.into_iter();
        let result = |(n, _)| refused.remove(&n).or_else(|| results.next());
        Ok(events.iter().enumerate().filter_map(result).collect())
    }

    /// Finds the rooms of events. Returns the results of events whose rooms do not exist and are not created, because they
    /// are repeats or operations on messages that cannot exist; and the rooms that the others create.
    async fn find_rooms<'a>(&mut self, events: &'a [NewEvent]) -> Result<RoomsFound<'a>, WriteError> {
        let unknown: HashSet<&RoomName> =
            events.iter().map(|event| &event.room).filter(|room| self.cache.room(room).is_none()).collect();
        if unknown.is_empty() {
            return Ok(RoomsFound::default());
        }
        self.load_rooms(&unknown).await?;
        let is_missing = |(_, event): &(usize, &NewEvent)| self.cache.room(&event.room).is_none();
        let missing: Vec<_> = events.iter().enumerate().filter(is_missing).collect();
        if missing.is_empty() {
            return Ok(RoomsFound::default());
        }
        let repeats = self.find_repeats(missing.iter().map(|(_, event)| event.id).collect()).await?;
        let (mut refused, mut new_rooms) = (HashMap::new(), BTreeSet::new());
        for (n, event) in missing {
            match repeats.get(&event.id) {
                Some((author, first)) if *author == event.author => {
                    drop(refused.insert(n, Ok(first.clone())));
                }
                Some(_) => drop(refused.insert(n, Err(StoreError::IdConflict))),
                None if event.operation.target().is_none() => drop(new_rooms.insert(&event.room)),
                None => drop(refused.insert(n, Err(StoreError::MessageNotFound))),
            }
        }
        // The database decides about events of rooms that others of the batch create.
        refused.retain(|n, _| !new_rooms.contains(&events[*n].room));
        Ok((refused, new_rooms.into_iter().collect()))
    }

    async fn load_rooms(&mut self, rooms: &HashSet<&RoomName>) -> Result<(), WriteError> {
        let names: Vec<&RoomName> = rooms.iter().copied().collect();
        let found = self.session.run(async |client| find_rooms(&**client, &names).await).await?;
        found.into_iter().for_each(|(name, room)| self.cache.add_room(name, room));
        Ok(())
    }

    pub(super) async fn find_repeats(
        &mut self,
        ids: Vec<CommandId>,
    ) -> Result<HashMap<CommandId, (UserId, Appended)>, WriteError> {
        let found = self.session.run(async |client| {
            let statement = client.prepare_cached(SELECT_EVENTS_BY_ID).await?;
            let rows = client.query(&statement, &[&ids]).await?;
            let mut found = HashMap::new();
            for row in rows {
                let name: &str = row.try_get(2)?;
                let Ok(room) = name.parse() else { continue };
                let (seq, at) = (rows::unsigned(row.try_get(3)?), rows::unsigned(row.try_get(4)?));
                let first = Appended { room, seq, at, is_duplicate: true };
                found.insert(row.try_get(0)?, (rows::user_id(row.try_get(1)?), first));
            }
            make_durable(client).await?;
            Ok(found)
        });
        found.await
    }

    async fn send(
        &mut self,
        events: &[(NewEvent, RoomRef)],
    ) -> Result<Vec<StoreResult<Appended>>, WriteError> {
        let sent = Sent { at: Instant::now(), names: self.shared.names.load(Ordering::Acquire) };
        let batch = Batch::new(events, &self.cache);
        let output = batch.send(&mut self.session, &self.cache, &self.shared).await?;
        Ok(self.finish(events, &batch, &output, sent))
    }

    /// Appends the first events of rooms, with others.
    async fn create_and_send(
        &mut self,
        events: &[NewEvent],
        new_rooms: &[&RoomName],
    ) -> Result<Vec<StoreResult<Appended>>, WriteError> {
        let sent = Sent { at: Instant::now(), names: self.shared.names.load(Ordering::Acquire) };
        let Self { session, cache, shared } = &mut *self;
        let (rooms, row) = Batch::create_and_send(events, new_rooms, session, cache, shared).await?;
        let output = Output::read(&row).map_err(WriteError::Refused)?;
        rooms.into_iter().for_each(|(name, room)| self.cache.add_room(name, room));
        let events = with_rooms(events, |room| self.cache.room(room));
        let batch = Batch::new(&events, &self.cache);
        Ok(self.finish(&events, &batch, &output, sent))
    }

    /// Updates the cache and notifies the subscribers. Returns the results.
    fn finish(
        &mut self,
        events: &[(NewEvent, RoomRef)],
        batch: &Batch<'_>,
        output: &Output,
        sent: Sent,
    ) -> Vec<StoreResult<Appended>> {
        let results = output.results(batch, events);
        output.update(&mut self.cache, batch, &results, sent.at);
        if !output.changed.is_empty() {
            self.shared.note_names_announced(output.names + 1);
            self.shared.publish_users(output.changed.clone());
        }
        self.publish(events, &results);
        if self.shared.names.load(Ordering::Acquire) != sent.names {
            // A name may have changed between the batch and its broadcast: the announcement must come last.
            let authors: HashSet<UserId> = events.iter().map(|(event, _)| event.author).collect();
            self.shared.publish_users(authors.into_iter().collect());
        }
        self.announce_mentioned(events);
        results
    }

    /// Announces the users whose names may have changed since those of mentions were read.
    fn announce_mentioned(&self, events: &[(NewEvent, RoomRef)]) {
        let names = self.shared.names.load(Ordering::Acquire);
        let stale = events.iter().filter(|(event, _)| !event.mentions.is_empty() && event.names != names);
        let users: HashSet<UserId> = stale.flat_map(|(event, _)| event.mentions.user_ids()).collect();
        if !users.is_empty() {
            self.shared.publish_users(users.into_iter().collect());
        }
    }

    /// Notifies the subscribers of this process of the events, and the other servers of the heads. A repeat may be of an
    /// event whose first answer was lost, so that its notification was never sent.
    fn publish(&self, events: &[(NewEvent, RoomRef)], results: &[StoreResult<Appended>]) {
        let mut rooms: BTreeMap<&RoomName, Vec<Arc<Event>>> = BTreeMap::new();
        let mut repeats: BTreeMap<&RoomName, Seq> = BTreeMap::new();
        for ((new, _), result) in events.iter().zip(results) {
            if let Ok(Appended { room, seq, is_duplicate: true, .. }) = result {
                let head = repeats.entry(room).or_default();
                *head = (*head).max(*seq);
            }
            if let Ok(Appended { seq, at, is_duplicate: false, .. }) = result {
                let event = Event {
                    seq: *seq,
                    at: *at,
                    id: new.id,
                    author: self.author(new.author),
                    body: new.body(),
                };
                rooms.entry(&new.room).or_default().push(Arc::new(event));
            }
        }
        let head = |events: &[Arc<Event>]| -> Seq { events.last().map_or(0, |last| last.seq) };
        self.shared.send(|outgoing| {
            rooms.iter().for_each(|(room, events)| outgoing.add_head((*room).clone(), head(events)));
            repeats.iter().for_each(|(room, head)| outgoing.add_head((*room).clone(), *head));
        });
        for (room, head) in repeats {
            self.shared.notifier.send(Notification::Appended { room: room.clone(), head, events: None });
        }
        for (room, events) in rooms {
            let head = head(&events);
            let (room, events) = (room.clone(), Some(events.into()));
            self.shared.notifier.send(Notification::Appended { room, head, events });
        }
    }

    fn author(&self, id: UserId) -> User {
        let generated = || User::new(id, DisplayName::generated(id));
        self.cache.user(id).cloned().unwrap_or_else(generated)
    }
}
