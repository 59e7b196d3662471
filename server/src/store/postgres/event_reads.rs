//! The event logs of a [`PostgresStore`].

use super::{
    PostgresStore,
    queue::Request,
    rows::{self, ROOM_COLUMNS, position},
    sql,
    user_names::set_names,
};
use crate::store::{
    Appended, EventStore, MAX_HEADS_PER_READ, MessagePage, NewEvent, PendingCommit, RoomRecord, RoomSnapshot,
    StoreResult, StreamPosition,
};
use app::wire::{
    CommandId, Event, Message, PageBudget, RoomName, Seq, UserId,
    limits::{MAX_CATCH_UP_EVENTS, MAX_PAGE_BYTES},
};
use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use std::sync::Arc;
use tokio_postgres::Row;

/// Rows that one read returns. An event takes at least 64 bytes of a page.
const MAX_ROWS_PER_READ: u32 = (MAX_PAGE_BYTES / 64) as u32;

/// Bytes of text that one read returns, besides those of the last row.
const MAX_TEXT_BYTES: i64 = MAX_PAGE_BYTES as i64;

/// Columns of a snapshot before those of a message.
const SNAPSHOT_COLUMNS: usize = ROOM_COLUMNS + 2;

#[async_trait]
impl EventStore for PostgresStore {
    fn append(&self, event: NewEvent) -> PendingCommit<Appended> {
        self.queue.request(|reply| Request::Append(event, reply))
    }

    async fn events_after(&self, room: &RoomName, after: Seq, limit: u32) -> StoreResult<Vec<Arc<Event>>> {
        self.readers.read_durable(async |client| select_events(client, room, after, limit).await).await
    }

    async fn events_up_to(
        &self,
        room: &RoomName,
        after: Seq,
        head: Seq,
        limit: u32,
    ) -> StoreResult<Vec<Arc<Event>>> {
        let limit = u32::try_from(head.saturating_sub(after)).map_or(limit, |events| events.min(limit));
        // It ends at a durable head, so nothing has to be waited for.
        self.readers.read(async |client| select_events(client, room, after, limit).await).await
    }

    async fn messages_before(&self, room: &RoomName, before: Seq, limit: u32) -> StoreResult<MessagePage> {
        let limit = limit.min(MAX_ROWS_PER_READ);
        let one_more = i64::from(limit) + 1;
        let read = self.readers.read_durable(async |client| {
            let statement = client.prepare_cached(sql::SELECT_MESSAGES_BEFORE).await?;
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
                [&room.as_str(), &position(before), &one_more, &MAX_TEXT_BYTES];
            let rows = client.query(&statement, &parameters).await?;
            messages(client, &rows, 0, limit).await
        });
        read.await
    }

    async fn snapshot(
        &self,
        room: &RoomName,
        user: UserId,
        past: Option<StreamPosition>,
        limit: u32,
    ) -> StoreResult<RoomSnapshot> {
        let limit = limit.min(MAX_ROWS_PER_READ);
        let after = past.as_ref().map(|past| position(past.after));
        let continuity = past.map_or(Continuity::Known(false), |past| self.continuity(past));
        let (known, expected) = match continuity {
            Continuity::Known(is_given) => (Some(is_given), None),
            Continuity::SameId(_, id) => (None, Some(id)),
        };
        let read = self.readers.read_durable(async |client| {
            let statement = client.prepare_cached(sql::SELECT_SNAPSHOT).await?;
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 8] = [
                &room.as_str(),
                &user.0.cast_signed(),
                &(i64::from(limit) + 1),
                &MAX_TEXT_BYTES,
                &after,
                &known,
                &expected,
                &position(MAX_CATCH_UP_EVENTS),
            ];
            let rows = client.query(&statement, &parameters).await?;
            match rows.first() {
                Some(first) => snapshot(client, first, &rows, limit).await.map(Some),
                None => Ok(None),
            }
        });
        let found = read.await?;
        Ok(found.unwrap_or_else(|| {
            let resumes = after == Some(0) && known == Some(true);
            let page = (!resumes).then(MessagePage::default);
            RoomSnapshot { record: RoomRecord::missing(room.clone()), read: None, page }
        }))
    }

    async fn has_reacted(
        &self,
        room: &RoomName,
        user: UserId,
        reactions: &[(Seq, Arc<str>)],
    ) -> StoreResult<Vec<bool>> {
        let (targets, emoji): (Vec<i64>, Vec<&str>) =
            reactions.iter().map(|(target, emoji)| (position(*target), &**emoji)).unzip();
        let read = self.readers.read(async |client| {
            let statement = client.prepare_cached(sql::SELECT_HAS_REACTED).await?;
            let user = user.0.cast_signed();
            let rows = client.query(&statement, &[&room.as_str(), &user, &targets, &emoji]).await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        });
        read.await
    }

    async fn heads(&self, rooms: &[RoomName]) -> StoreResult<Vec<Seq>> {
        let names = names(&rooms[..rooms.len().min(MAX_HEADS_PER_READ)]);
        let read = self.readers.read_durable(async |client| {
            let statement = client.prepare_cached(sql::SELECT_HEADS).await?;
            let rows = client.query(&statement, &[&names]).await?;
            rows.iter().map(|row| rows::number(row, 0)).collect()
        });
        read.await
    }

    async fn continues(&self, room: &RoomName, position: StreamPosition) -> StoreResult<bool> {
        let (at, expected) = match self.continuity(position) {
            Continuity::Known(is_given) => return Ok(is_given),
            Continuity::SameId(at, expected) => (rows::position(at), expected),
        };
        let read = self.readers.read_durable(async |client| {
            let statement = client.prepare_cached(sql::SELECT_EVENT_ID).await?;
            let row = client.query_opt(&statement, &[&room.as_str(), &at]).await?;
            let found: Option<CommandId> = row.map(|row| row.try_get(0)).transpose()?;
            Ok(found == Some(expected))
        });
        read.await
    }
}

async fn select_events(
    client: &ClientWrapper,
    room: &RoomName,
    after: Seq,
    limit: u32,
) -> StoreResult<Vec<Arc<Event>>> {
    let limit = i64::from(limit.min(MAX_ROWS_PER_READ));
    let statement = client.prepare_cached(sql::SELECT_EVENTS_AFTER).await?;
    let rows = client.query(&statement, &[&room.as_str(), &position(after), &limit, &MAX_TEXT_BYTES]).await?;
    let mut page = PageBudget::default();
    let mut events = rows.iter().map(rows::event).collect::<StoreResult<Vec<Event>>>()?;
    set_names(client, events.iter_mut().filter_map(|event| event.body.mentions_mut()).collect()).await?;
    let fits = |event: &Event| page.take(event.json_bytes());
    Ok(events.into_iter().take_while(fits).map(Arc::new).collect())
}

/// Returns the names of rooms as parameters of a statement.
pub(super) fn names(rooms: &[RoomName]) -> Vec<&str> {
    rooms.iter().map(RoomName::as_str).collect()
}

/// Returns the page of the messages that begin at the column `first` of the rows.
async fn messages(
    client: &ClientWrapper,
    rows: &[Row],
    first: usize,
    limit: u32,
) -> StoreResult<MessagePage> {
    let read = rows.iter().map(|row| rows::message(row, first));
    let mut messages = read.collect::<StoreResult<Vec<Message>>>()?;
    set_names(client, messages.iter_mut().map(|message| &mut message.mentions).collect()).await?;
    MessagePage::collect(messages.into_iter().map(Ok), limit)
}

async fn snapshot(
    client: &ClientWrapper,
    first: &Row,
    rows: &[Row],
    limit: u32,
) -> StoreResult<RoomSnapshot> {
    let record = rows::room_record(first)?;
    let read = first.try_get::<_, Option<i64>>(ROOM_COLUMNS)?.map(rows::unsigned);
    if first.try_get(ROOM_COLUMNS + 1)? {
        return Ok(RoomSnapshot { record, read, page: None });
    }
    // A room without messages has one row without a message.
    let has_message = first.try_get::<_, Option<i64>>(SNAPSHOT_COLUMNS)?.is_some();
    let rows = if has_message { rows } else { &[] };
    let page = messages(client, rows, SNAPSHOT_COLUMNS, limit).await?;
    Ok(RoomSnapshot { record, read, page: Some(page) })
}

/// The condition under which the events after a position continue what a client has.
enum Continuity {
    /// The identity of the log says it.
    Known(bool),
    /// If the event at this position has this id.
    SameId(Seq, CommandId),
}

impl PostgresStore {
    fn continuity(&self, position: StreamPosition) -> Continuity {
        let own = self.identity.log_id.as_str();
        if !position.may_be_of_log(own) {
            return Continuity::Known(false);
        }
        let StreamPosition { after, after_id, log } = position;
        // Another epoch may have lost events that the client has.
        let is_same_epoch = log.is_none_or(|log| log == own);
        match (after, after_id) {
            (0, _) => Continuity::Known(true),
            (_, None) => Continuity::Known(is_same_epoch),
            (_, Some(id)) => Continuity::SameId(after, id),
        }
    }
}
