//! Appending: what waits goes to the database as one call of `append_events`, in one round trip and one transaction.

use super::{
    cache::{Cache, RoomRef},
    durability::FLUSH,
    room_writes::{self, create_addressed_rooms, find_rooms},
    rows::{self, position},
    session::Session,
    shared::Shared,
};
use crate::store::{
    Appended, MAX_READ_MARKERS, NewEvent, StoreError, StoreResult, columns, postgres::session::WriteError,
    skeleton,
};
use app::wire::{CommandId, DisplayName, RoomName, UserId};
use futures_util::future::join;
use std::collections::{BTreeMap, HashMap, HashSet};
use tokio::time::Instant;
use tokio_postgres::{Error, Row};

/// Returns no row, and appends nothing, if the rights of users are of another generation than `$21`. The first parameter names
/// that row, so that it is looked at first.
const APPEND_EVENTS: &str = "SELECT a.* FROM log l CROSS JOIN LATERAL append_events(
    $1 AND l.singleton, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) a
    WHERE l.access_generation = $21";

/// The same for a batch that addresses users or changes messages, which may have done so.
const APPEND_EVENTS_WITH_MENTIONS: &str = "SELECT a.* FROM log l CROSS JOIN LATERAL append_events(
    $1 AND l.singleton, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $22) a
    WHERE l.access_generation = $21";

/// The same for a batch whose messages show files.
const APPEND_EVENTS_WITH_FILES: &str = "SELECT a.* FROM log l CROSS JOIN LATERAL append_events(
    $1 AND l.singleton, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $22, $23) a
    WHERE l.access_generation = $21";

const MOST_MARKERS: i32 = MAX_READ_MARKERS.cast_signed();

/// The operations of one call, as parallel arrays.
#[derive(Default)]
pub(super) struct Batch<'a> {
    /// The rooms in the order of their numbers.
    pub(super) rooms: Vec<i32>,
    active: Vec<i32>,
    /// For each operation: the index of its room, counted from 1, and its number among the operations there.
    place: Vec<i32>,
    k: Vec<i32>,
    ids: Vec<CommandId>,
    authors: Vec<i64>,
    kinds: Vec<i16>,
    texts: Vec<&'a str>,
    replies: Vec<Option<i64>>,
    targets: Vec<Option<i64>>,
    mentions: Vec<Option<String>>,
    files: Vec<Option<String>>,
    visits: Vec<bool>,
    users: Vec<i64>,
    names: Vec<String>,
    skeletons: Vec<String>,
    pub(super) active_names: Vec<RoomName>,
}

impl<'a> Batch<'a> {
    /// Collects operations whose rooms are known.
    pub(super) fn new(events: &'a [(NewEvent, RoomRef)], cache: &Cache) -> Self {
        let rooms: BTreeMap<i32, (&RoomName, RoomRef)> =
            events.iter().map(|(event, room)| (room.id, (&event.room, *room))).collect();
        let places: HashMap<i32, i32> = rooms.keys().copied().zip(1..).collect();
        let active = rooms.values().filter(|(_, room)| room.needs_activity());
        let (active, active_names) = active.map(|(name, room)| (room.id, (*name).clone())).unzip();
        let mut batch = Self { rooms: rooms.into_keys().collect(), active, active_names, ..Self::default() };
        let (mut numbers, mut visits, mut users) = (HashMap::new(), HashSet::new(), HashSet::new());
        for (event, room) in events {
            let number = numbers.entry(room.id).or_insert(0);
            *number += 1;
            batch.place.push(places[&room.id]);
            batch.k.push(*number);
            let is_first = visits.insert((event.author, room.id));
            batch.visits.push(is_first && !cache.has_visit(event.author, room.id));
            if cache.user(event.author).is_none() && users.insert(event.author) {
                batch.push_user(event.author);
            }
            batch.push_operation(event);
        }
        batch
    }

    fn push_operation(&mut self, event: &'a NewEvent) {
        let (kind, text, reply_to, target) = columns::of_operation(&event.operation);
        self.ids.push(event.id);
        self.authors.push(event.author.0.cast_signed());
        self.kinds.push(kind);
        self.texts.push(text);
        self.replies.push(reply_to.map(position));
        self.targets.push(target.map(position));
        self.mentions.push(columns::of_mentions(&event.mentions));
        self.files.push(columns::of_files(&event.files));
    }

    fn push_user(&mut self, user: UserId) {
        let name = DisplayName::generated(user);
        self.users.push(user.0.cast_signed());
        self.skeletons.push(skeleton::name_key(name.as_str()));
        self.names.push(name.as_str().into());
    }

    /// Returns `true` if the batch may be visible before it is durable: it has only new messages. An edit would change
    /// what readers see below the durable head, and a new user the names of others.
    fn may_be_early(&self) -> bool {
        self.users.is_empty() && self.kinds.iter().all(|kind| *kind == columns::kind::MESSAGE)
    }

    /// Returns `true` if the batch addresses users, or changes messages that may have done so.
    fn may_change_mentions(&self) -> bool {
        self.mentions.iter().any(Option::is_some)
            || self.kinds.iter().any(|kind| matches!(*kind, columns::kind::EDIT | columns::kind::DELETE))
    }

    fn has_files(&self) -> bool {
        self.files.iter().any(Option::is_some)
    }

    fn statement(&self) -> &'static str {
        if self.has_files() {
            APPEND_EVENTS_WITH_FILES
        } else if self.may_change_mentions() {
            APPEND_EVENTS_WITH_MENTIONS
        } else {
            APPEND_EVENTS
        }
    }

    /// Sends the batch. Everything in it, also what a repeat has found, is durable afterwards.
    pub(super) async fn send(
        &self,
        session: &mut Session,
        cache: &Cache,
        shared: &Shared,
    ) -> Result<Output, WriteError> {
        let is_early = self.may_be_early() && shared.writing_servers.are_many(Instant::now());
        let row = session.run(async |client| {
            let statement = client.prepare_cached(self.statement()).await?;
            let parameters = self.parameters(&is_early, cache, shared);
            let append = client.query_opt(&statement, &parameters);
            if !is_early {
                return append.await;
            }
            // On the same connection, right behind the append: the first poll sends, and `join` polls in this order.
            let flush = client.prepare_cached(FLUSH).await?;
            let (row, flushed) = join(append, client.query_one(&flush, &[])).await;
            flushed?;
            row
        });
        let row = row.await?.ok_or(WriteError::Stale)?;
        Output::read(&row).map_err(WriteError::Refused)
    }

    /// Creates rooms and sends the events, for which they are created, in one transaction: a room never stays without its
    /// first message. Returns the rooms, too.
    pub(super) async fn create_and_send(
        events: &[NewEvent],
        new_rooms: &[&RoomName],
        session: &mut Session,
        cache: &Cache,
        shared: &Shared,
    ) -> Result<(Vec<(RoomName, RoomRef)>, Row), WriteError> {
        let sent = session.run(async |client| {
            let transaction = room_writes::begin(client).await?;
            create_addressed_rooms(&transaction, new_rooms).await?;
            let created = find_rooms(&*transaction, new_rooms).await?;
            let with_rooms = with_rooms(events, |name| {
                let found = created.iter().find(|(created, _)| created == name).map(|(_, room)| *room);
                found.or_else(|| cache.room(name))
            });
            let batch = Batch::new(&with_rooms, cache);
            let statement = transaction.prepare_cached(batch.statement()).await?;
            let row = transaction.query_opt(&statement, &batch.parameters(&false, cache, shared)).await?;
            if row.is_some() {
                transaction.commit().await?;
            }
            Ok((created, row))
        });
        let (created, row) = sent.await?;
        Ok((created, row.ok_or(WriteError::Stale)?))
    }

    fn parameters<'p>(
        &'p self,
        is_early: &'p bool,
        cache: &'p Cache,
        shared: &'p Shared,
    ) -> Vec<&'p (dyn tokio_postgres::types::ToSql + Sync)> {
        let mut parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = vec![
            is_early,
            &self.rooms,
            &self.active,
            &self.place,
            &self.k,
            &self.ids,
            &self.authors,
            &self.kinds,
            &self.texts,
            &self.replies,
            &self.targets,
            &self.visits,
            &self.users,
            &self.names,
            &self.skeletons,
            &cache.names,
            &cache.markers,
            &shared.channel,
            &shared.node,
            &MOST_MARKERS,
            &cache.access,
        ];
        if self.has_files() {
            parameters.extend(
                [&self.mentions, &self.files].map(|it| it as &(dyn tokio_postgres::types::ToSql + Sync)),
            );
        } else if self.may_change_mentions() {
            parameters.push(&self.mentions);
        }
        parameters
    }
}

/// The output of `append_events`.
pub(super) struct Output {
    at: i64,
    /// The position before the first operation in each room, if all were appended.
    base: Option<Vec<i64>>,
    seqs: Vec<Option<i64>>,
    ats: Vec<Option<i64>>,
    rooms: Vec<Option<String>>,
    outcomes: Vec<i16>,
    pub(super) names: i64,
    pub(super) markers: i64,
    users: (Vec<i64>, Vec<String>, Vec<bool>, Vec<i64>),
    /// Users who are ambiguous now.
    pub(super) changed: Vec<UserId>,
}

/// Returns the events whose rooms are known, with those.
pub(super) fn with_rooms(
    events: &[NewEvent],
    room: impl Fn(&RoomName) -> Option<RoomRef>,
) -> Vec<(NewEvent, RoomRef)> {
    events.iter().filter_map(|event| Some((event.clone(), room(&event.room)?))).collect()
}

impl Output {
    pub(super) fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            at: row.try_get(0)?,
            base: row.try_get(1)?,
            seqs: row.try_get::<_, Option<_>>(2)?.unwrap_or_default(),
            ats: row.try_get::<_, Option<_>>(3)?.unwrap_or_default(),
            rooms: row.try_get::<_, Option<_>>(4)?.unwrap_or_default(),
            outcomes: row.try_get::<_, Option<_>>(5)?.unwrap_or_default(),
            names: row.try_get(6)?,
            markers: row.try_get(7)?,
            users: (
                row.try_get::<_, Option<_>>(8)?.unwrap_or_default(),
                row.try_get::<_, Option<_>>(9)?.unwrap_or_default(),
                row.try_get::<_, Option<_>>(10)?.unwrap_or_default(),
                row.try_get::<_, Option<_>>(11)?.unwrap_or_default(),
            ),
            changed: row
                .try_get::<_, Option<Vec<i64>>>(12)?
                .unwrap_or_default()
                .into_iter()
                .map(rows::user_id)
                .collect(),
        })
    }

    /// Updates the cache with what the batch has shown and changed. `sent` is the time before the batch was sent.
    pub(super) fn update(
        &self,
        cache: &mut Cache,
        batch: &Batch<'_>,
        results: &[StoreResult<Appended>],
        sent: Instant,
    ) {
        cache.set_generations(self.names, self.markers);
        let (ids, names, ambiguous, numbers) = &self.users;
        for (((id, name), ambiguous), number) in ids.iter().zip(names).zip(ambiguous).zip(numbers) {
            cache.add_user(rows::named_user(rows::user_id(*id), name, *ambiguous, *number));
        }
        for (n, result) in results.iter().enumerate() {
            if matches!(result, Ok(appended) if !appended.is_duplicate) {
                let room = batch.rooms[batch.place[n] as usize - 1];
                cache.add_visit(rows::user_id(batch.authors[n]), room);
            }
        }
        batch.active_names.iter().for_each(|room| cache.note_activity(room, sent));
    }

    /// Returns the result of each operation.
    pub(super) fn results(
        &self,
        batch: &Batch<'_>,
        events: &[(NewEvent, RoomRef)],
    ) -> Vec<StoreResult<Appended>> {
        let result = |(n, (event, _)): (usize, &(NewEvent, RoomRef))| {
            let appended = |room: RoomName, seq: i64, at: i64, is_duplicate| {
                Ok(Appended { room, seq: rows::unsigned(seq), at: rows::unsigned(at), is_duplicate })
            };
            if let Some(base) = &self.base {
                let seq = base[batch.place[n] as usize - 1] + i64::from(batch.k[n]);
                return appended(event.room.clone(), seq, self.at, false);
            }
            let position = || self.seqs.get(n).copied().flatten().zip(self.ats.get(n).copied().flatten());
            match (self.outcomes.get(n), position()) {
                (Some(0), Some((seq, at))) => appended(event.room.clone(), seq, at, false),
                (Some(1), Some((seq, at))) => {
                    appended(rows::room_name(self.rooms[n].as_deref().unwrap_or_default())?, seq, at, true)
                }
                (Some(2), _) => Err(StoreError::IdConflict),
                (Some(3), _) => Err(StoreError::MessageNotFound),
                (Some(4), _) => Err(StoreError::Forbidden),
                (Some(5), _) => Err(StoreError::TooManyReactions),
                (Some(6), _) => Err(StoreError::Erased),
                _ => Err(StoreError::backend("the database has returned an unknown outcome")),
            }
        };
        events.iter().enumerate().map(result).collect()
    }
}
