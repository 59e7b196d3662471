//! Checks whether the authors of events may write. The rights are of one generation of access, which the append compares.

use super::{
    access::select_standings, access_sql::SELECT_STANDINGS, rows, session::WriteError, writer::Writer,
};
use crate::store::{Appended, EntryRequest, NewEvent, Standing, StoreError, StoreResult, rules};
use app::wire::RoomName;
use std::{collections::HashMap, time::Duration};

/// Notes a post in a room in slow mode. Returns how long its author must wait; NULL if it is noted, or a repeat. A time in the
/// future comes from a wrong clock.
const KEEP_PACE: &str = "
    WITH noted AS (
        INSERT INTO pace AS p (user_id, room, at)
        SELECT $1, r.id, now_millis() FROM room r
        WHERE r.name = $2 AND NOT EXISTS (SELECT FROM event e WHERE e.id = $4)
        ON CONFLICT (user_id, room) DO UPDATE SET at = excluded.at
        WHERE p.at + $3 <= excluded.at OR p.at > excluded.at
        RETURNING p.at
    ), ended AS (
        DELETE FROM pace WHERE (user_id, room) IN (
            SELECT o.user_id, o.room FROM pace o WHERE o.at < now_millis() - 86400000 ORDER BY o.at LIMIT 2
        )
    )
    SELECT p.at + $3 - now_millis() FROM pace p JOIN room r ON r.id = p.room
    WHERE p.user_id = $1 AND r.name = $2 AND NOT EXISTS (SELECT FROM noted)
        AND NOT EXISTS (SELECT FROM event e WHERE e.id = $4)";

/// The results of events whose authors may not write, by their index.
type Refused = HashMap<usize, StoreResult<Appended>>;

impl Writer {
    /// Returns the results of the events whose authors may not write them. The rights of users without restrictions are read
    /// once in each generation of access.
    pub(super) async fn check_access(&mut self, events: &[NewEvent]) -> Result<Refused, WriteError> {
        let unknown: Vec<usize> = (0..events.len())
            .filter(|n| !self.cache.is_unrestricted(events[*n].author, &events[*n].room))
            .collect();
        if unknown.is_empty() {
            return Ok(Refused::new());
        }
        let standings = self.read_standings(events, &unknown).await?;
        let mut refused = HashMap::new();
        for (n, standing) in unknown.into_iter().zip(standings) {
            let NewEvent { room, operation, author, .. } = &events[n];
            let checked = match rules::may_write(room, &standing, operation) {
                Ok(()) => match rules::pace(room, &standing, operation) {
                    Some(interval) => self.keep_pace(&events[n], interval).await?,
                    None => Ok(()),
                },
                Err(error) => Err(error),
            };
            if let Err(error) = checked {
                refused.insert(n, error);
            } else if rules::is_unrestricted(room, &standing) {
                self.cache.add_unrestricted(self.cache.access, [(*author, room.clone())].into_iter());
            }
        }
        self.with_first_results(events, refused).await
    }

    /// Returns the rights of the authors of events, and notes their generation.
    async fn read_standings(
        &mut self,
        events: &[NewEvent],
        which: &[usize],
    ) -> Result<Vec<Standing>, WriteError> {
        let entry_request = |n: &usize| EntryRequest {
            user: events[*n].author,
            network: None,
            room: Some(events[*n].room.clone()),
        };
        let entry_requests: Vec<EntryRequest> = which.iter().map(entry_request).collect();
        let read = self.session.run(async |client| {
            let statement = client.prepare_cached(SELECT_STANDINGS).await?;
            select_standings(&**client, &statement, &entry_requests).await
        });
        let (access, standings) = read.await?;
        self.cache.add_unrestricted(access, std::iter::empty::<(app::wire::UserId, RoomName)>());
        Ok(standings)
    }

    async fn keep_pace(
        &mut self,
        event: &NewEvent,
        interval: Duration,
    ) -> Result<StoreResult<()>, WriteError> {
        let (user, interval) = (event.author.0.cast_signed(), interval.as_millis() as i64);
        let read = self.session.run(async |client| {
            let statement = client.prepare_cached(KEEP_PACE).await?;
            let row =
                client.query_opt(&statement, &[&user, &event.room.as_str(), &interval, &event.id]).await?;
            row.map(|row| row.try_get::<_, i64>(0)).transpose()
        });
        Ok(match read.await? {
            Some(wait) => Err(StoreError::TooFast(Duration::from_millis(rows::unsigned(wait).max(1)))),
            None => Ok(()),
        })
    }

    /// Returns the refused results, with the first one of each event that was appended before.
    async fn with_first_results(
        &mut self,
        events: &[NewEvent],
        refused: HashMap<usize, StoreError>,
    ) -> Result<Refused, WriteError> {
        if refused.is_empty() {
            return Ok(Refused::new());
        }
        let repeats = self.find_repeats(refused.keys().map(|n| events[*n].id).collect()).await?;
        let result = |(n, error): (usize, StoreError)| match repeats.get(&events[n].id) {
            Some((author, first)) if *author == events[n].author => (n, Ok(first.clone())),
            _ => (n, Err(error)),
        };
        Ok(refused.into_iter().map(result).collect())
    }
}
