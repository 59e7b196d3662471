//! Who people are: their names, which of those are alike, and how far each has read.

use super::{Batch, queries, sql};
use crate::store::{MAX_VISITS, ReadMarker, StoreError, StoreResult, skeleton};
use app::wire::{DisplayName, RoomName, Seq, User, UserId};
use rusqlite::Connection;

/// People whose names are remembered; past that many it begins afresh.
const NAMES_MOST: usize = 10_000;

/// Visits that are remembered; past that many it begins afresh.
const VISITORS_MOST: usize = 10_000;

impl Batch<'_> {
    /// Who `person` is. Whoever has said nothing before is known from now on, under their given name.
    pub(super) fn author(&mut self, person: UserId) -> rusqlite::Result<User> {
        if let Some(author) = self.people.get(&person) {
            return Ok(author.clone());
        }
        if self.people.len() >= NAMES_MOST {
            self.people.clear();
        }
        if queries::person(&self.transaction, person)?.is_none() {
            let changed = self.rename(person, DisplayName::generated(person))?;
            self.ambiguous.extend(changed.into_iter().filter(|person| person.ambiguous));
        }
        let known = queries::person(&self.transaction, person)?.map(|(author, _)| author);
        let author = known.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        self.people.insert(person, author.clone());
        Ok(author)
    }

    /// Gives `person` another name, and returns the users whose appearance changed: `person`, and at most one
    /// other at each of the two keys. Only the second user of a key makes the first one ambiguous, and only the
    /// last but one to leave it makes the remaining one unambiguous, so that no rename reads more than two users
    /// of a key.
    pub(super) fn rename(&mut self, person: UserId, name: DisplayName) -> rusqlite::Result<Vec<User>> {
        let key = skeleton::name_key(name.as_str());
        let old_key = queries::person(&self.transaction, person)?.and_then(|(_, key)| key);
        let mut changed = vec![person];
        if old_key.as_ref() == Some(&key) {
            let mut respell = self.transaction.prepare_cached(sql::RESPELL)?;
            respell.execute((person.0.cast_signed(), name.as_str()))?;
        } else {
            let others = queries::two_by_key(&self.transaction, &key)?;
            let number = others.first().map_or(1, |(_, highest)| highest + 1);
            let mut rename = self.transaction.prepare_cached(sql::RENAME)?;
            rename.execute((person.0.cast_signed(), name.as_str(), &key, !others.is_empty(), number))?;
            if let [(only, _)] = others[..] {
                changed.push(self.set_ambiguous(only, true)?);
            }
            if let Some(old_key) = old_key
                && let [(alone, _)] = queries::two_by_key(&self.transaction, &old_key)?[..]
            {
                changed.push(self.set_ambiguous(alone, false)?);
            }
        }
        changed.iter().for_each(|changed| drop(self.people.remove(changed)));
        queries::people(&self.transaction, &changed)
    }

    fn set_ambiguous(&self, person: UserId, ambiguous: bool) -> rusqlite::Result<UserId> {
        self.transaction.prepare_cached(sql::SET_AMBIGUOUS)?.execute((person.0.cast_signed(), ambiguous))?;
        Ok(person)
    }

    /// `person` did what stands at `seq` in `room`: from now on they have been there. How far they have read
    /// stays as it is where that is known.
    pub(super) fn visited(&mut self, person: UserId, room: &RoomName, seq: Seq) -> rusqlite::Result<()> {
        let visit = (person, room.clone());
        if self.visitors.contains(&visit) {
            return Ok(());
        }
        if self.visitors.len() >= VISITORS_MOST {
            self.visitors.clear();
        }
        self.insert_marker(person, room, seq)?;
        self.visitors.insert(visit);
        Ok(())
    }

    /// Moves the read marker of `person` in `room` forward to `seq`.
    pub(super) fn read(
        &mut self,
        person: UserId,
        room: &RoomName,
        seq: Seq,
    ) -> rusqlite::Result<StoreResult<ReadMarker>> {
        if !self.is_made(room) {
            return Ok(Err(StoreError::NoSuchRoom));
        }
        let head = self.head(room);
        let seq = seq.min(head);
        let can_begin = seq > 0 || head == 0 && self.has(room);
        // Past the quota a marker moves forward, but none is added.
        let moved = (seq > 0 && self.move_marker(person, room, seq)?)
            || (can_begin && self.takes(0) && self.insert_marker(person, room, seq)?);
        Ok(Ok(if moved { ReadMarker::Moved } else { ReadMarker::Unchanged }))
    }

    /// Removes the read marker of `person` in `room`.
    pub(super) fn leave(&mut self, person: UserId, room: RoomName) -> rusqlite::Result<()> {
        let user = person.0.cast_signed();
        let mut remove = self.transaction.prepare_cached(sql::REMOVE_MARKER)?;
        if remove.execute((user, room.as_str()))? > 0 {
            self.transaction.prepare_cached(sql::UNCOUNT_MARKER)?.execute([user])?;
        }
        self.visitors.remove(&(person, room));
        Ok(())
    }

    fn move_marker(&self, person: UserId, room: &RoomName, seq: Seq) -> rusqlite::Result<bool> {
        let mut statement = self.transaction.prepare_cached(sql::MOVE_MARKER)?;
        let moved = statement.execute((person.0.cast_signed(), room.as_str(), seq, self.at))?;
        Ok(moved > 0)
    }

    /// Returns whether the user had no marker in the room. Past [`MAX_VISITS`] of them the oldest one goes.
    fn insert_marker(&mut self, person: UserId, room: &RoomName, seq: Seq) -> rusqlite::Result<bool> {
        let user = person.0.cast_signed();
        let mut insert = self.transaction.prepare_cached(sql::INSERT_MARKER)?;
        if insert.execute((user, room.as_str(), seq, self.at))? == 0 {
            return Ok(false);
        }
        let mut count = self.transaction.prepare_cached(sql::COUNT_MARKER)?;
        let visits: u32 = count.query_row([user], |row| row.get(0))?;
        if visits > MAX_VISITS {
            let mut evict = self.transaction.prepare_cached(sql::EVICT_MARKER)?;
            let evicted = evict.query_row((user, room.as_str()), |row| queries::room_name(row, 0))?;
            self.visitors.remove(&(person, evicted));
            self.transaction.prepare_cached(sql::UNCOUNT_MARKER)?.execute([user])?;
        }
        Ok(true)
    }
}

/// Gives names their key where they have none: those of an older file.
pub(in crate::store::sqlite) fn fill_in_keys(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let keyless: Vec<(i64, String)> = transaction
        .prepare(sql::KEYLESS)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    if keyless.is_empty() {
        return Ok(());
    }
    for (person, name) in keyless {
        transaction.execute(sql::SET_KEY, (person, skeleton::name_key(&name)))?;
    }
    transaction.execute(sql::NUMBER_ALL, [])?;
    transaction.commit()
}
