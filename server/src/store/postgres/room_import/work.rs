//! The reads and the checks of an import in a room.

use super::{
    erased,
    sql::{SELECT_GIVEN, SELECT_IDS, SELECT_PLACES, SELECT_TAKEN_IDS},
};
use crate::store::{
    ImportRefusal, RoomImport,
    postgres::rows::{position, unsigned, user_id},
    reactions::Summary,
    rules::{self, EventState, ImportedRoom},
};
use app::wire::{CommandId, DisplayName, Event, EventBody, Seq, UserId};
use deadpool_postgres::Transaction;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};
use tokio_postgres::{Error, Row, types::ToSql};

/// A transaction that has locked the room with this number, the first parameter of each statement.
pub(super) struct Work<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) room: i32,
}

impl Work<'_> {
    pub(super) async fn rows(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let statement = self.transaction.prepare_cached(sql).await?;
        let mut all: Vec<&(dyn ToSql + Sync)> = vec![&self.room];
        all.extend(parameters);
        self.transaction.query(&statement, &all).await
    }

    pub(super) async fn execute(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<(), Error> {
        self.rows(sql, parameters).await.map(drop)
    }

    /// Checks that the room has the first `known` events of an import, and that nothing has the ids of the others.
    pub(super) async fn check_ids(
        &self,
        import: &RoomImport,
        known: usize,
    ) -> Result<Result<(), ImportRefusal>, Error> {
        let (stored, new) = import.events.split_at(known);
        if let (Some(first), Some(last)) = (stored.first(), stored.last()) {
            let rows = self.rows(SELECT_IDS, &[&position(first.seq), &position(last.seq)]).await?;
            let found = rows.iter().map(|row| Ok((unsigned(row.try_get(0)?), row.try_get(1)?)));
            let found: HashMap<Seq, CommandId> = found.collect::<Result<_, Error>>()?;
            let other = stored.iter().find(|event| found.get(&event.seq) != Some(&event.id));
            if let Some(event) = other {
                return Ok(Err(ImportRefusal::OtherEvent(event.seq)));
            }
        }
        let ids: Vec<CommandId> = new.iter().map(|event| event.id).collect();
        let rows = self.transaction.query(SELECT_TAKEN_IDS, &[&ids]).await?;
        let taken = rows.iter().map(|row| row.try_get(0)).collect::<Result<HashSet<CommandId>, _>>()?;
        let mut seen = taken;
        let refused = new.iter().find(|event| !seen.insert(event.id));
        Ok(refused.map_or(Ok(()), |event| Err(ImportRefusal::IdTaken(event.seq))))
    }

    /// Reads what the room has where new events refer to it.
    pub(super) async fn imported_room(
        &self,
        new: &[Event],
        users: &BTreeMap<UserId, DisplayName>,
        expired: i64,
    ) -> Result<ImportedRoom, Error> {
        let users: Vec<UserId> = users.keys().copied().collect();
        let mut room = ImportedRoom {
            expired: unsigned(expired),
            erased: erased(self.transaction, &users).await?,
            ..ImportedRoom::default()
        };
        let referred: Vec<i64> = rules::referred(new).into_iter().map(position).collect();
        for row in self.rows(SELECT_PLACES, &[&referred]).await? {
            let seq = unsigned(row.try_get(0)?);
            room.states
                .insert(seq, EventState::new(row.try_get(1)?, user_id(row.try_get(2)?), row.try_get(3)?));
            let summary: Option<&str> = row.try_get(4)?;
            room.reactions.extend(summary.map(|json| (seq, Summary::parse(json))));
        }
        let (mut targets, mut authors, mut emoji_given) = (Vec::new(), Vec::new(), Vec::new());
        for event in new {
            if let EventBody::React { target, emoji, .. } = &event.body {
                targets.push(position(*target));
                authors.push(event.author.id.0.cast_signed());
                emoji_given.push(&**emoji);
            }
        }
        for row in self.rows(SELECT_GIVEN, &[&targets, &authors, &emoji_given]).await? {
            let emoji: &str = row.try_get(2)?;
            let key = (unsigned(row.try_get(0)?), user_id(row.try_get(1)?), Arc::from(emoji));
            room.given.insert(key, row.try_get(3)?);
        }
        Ok(room)
    }
}
