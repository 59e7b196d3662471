//! Events that come from another installation: a transaction of several round trips for each import.

mod sql;
mod work;
mod writes;

use super::{
    PostgresStore,
    access_writes::ACCESS_LOCK,
    cache::Cache,
    files::lock_files,
    queue::Request,
    room_writes::{begin, insert_room, other_with_title},
    rows::{position, unsigned, user_id},
    shared::Shared,
    writer::Writer,
};
use crate::store::{
    ImportRefusal, MAX_IMPORTED_EVENTS, Notification, PendingCommit, RoomImport, RoomImportStore,
    StoreResult, rules,
};
use app::wire::{Seq, UserId};
use async_trait::async_trait;
use deadpool_postgres::{ClientWrapper, Transaction};
use sql::{ERASURE_LOCK, LOCK_ROOM, SELECT_ERASED, SELECT_HEAD, UPDATE_ACTIVITY};
use std::collections::HashSet;
use tokio_postgres::Error;
use work::Work;

#[async_trait]
impl RoomImportStore for PostgresStore {
    fn import_events(&self, import: RoomImport) -> PendingCommit<Result<u32, ImportRefusal>> {
        self.queue.request(|reply| Request::ImportEvents(Box::new(import), reply))
    }
}

/// The result of an import.
struct Done {
    added: u32,
    head: Seq,
    /// Users who are ambiguous now.
    changed: Vec<i64>,
    has_closed: bool,
}

impl Writer {
    pub(super) async fn import_events(
        &mut self,
        mut import: RoomImport,
    ) -> StoreResult<Result<u32, ImportRefusal>> {
        import.events.truncate(MAX_IMPORTED_EVENTS);
        let shared = self.shared.clone();
        let imported = self.session.run(async |client| import_events(client, &import, &shared).await).await;
        let done = match self.result(imported)? {
            Ok(done) => done,
            Err(refused) => return Ok(Err(refused)),
        };
        // What it knows of users and rooms may be out of date.
        self.cache = Cache::default();
        if done.has_closed {
            self.note_access_change();
        }
        if done.added > 0 {
            let (room, head) = (import.room, done.head);
            self.shared.send(|outgoing| outgoing.add_head(room.clone(), head));
            self.shared.notifier.send(Notification::Appended { room, head, events: None });
        }
        if !done.changed.is_empty() {
            self.shared.publish_users(done.changed.into_iter().map(user_id).collect());
        }
        Ok(Ok(done.added))
    }
}

async fn import_events(
    client: &mut ClientWrapper,
    import: &RoomImport,
    shared: &Shared,
) -> Result<Result<Done, ImportRefusal>, Error> {
    let exists =
        client.query_opt("SELECT FROM room WHERE name = $1", &[&import.room.as_str()]).await?.is_some();
    // Rooms are created one after the other.
    let transaction = if exists { client.transaction().await? } else { begin(client).await? };
    let mut is_new = false;
    let (number, expired) = match lock_room(&transaction, import).await? {
        Some(found) => found,
        None if import.room.is_lobby() && import.events.is_empty() => {
            return Ok(Ok(Done { added: 0, head: 0, changed: Vec::new(), has_closed: false }));
        }
        None => {
            is_new = true;
            create_room(&transaction, import, shared).await?;
            // It was created by this transaction.
            lock_room(&transaction, import).await?.unwrap_or_default()
        }
    };
    let work = Work { transaction: &transaction, room: number };
    let head: i64 = work.rows(SELECT_HEAD, &[]).await?[0].try_get(0)?;
    let known = match import.known(unsigned(head)) {
        Ok(known) => known,
        Err(gap) => return Ok(Err(gap)),
    };
    if let Err(refused) = work.check_ids(import, known).await? {
        return Ok(Err(refused));
    }
    let (new, users) = (&import.events[known..], import.users(known));
    let found = work.imported_room(new, &users, expired).await?;
    let erased = found.erased.clone();
    let mut plan = match rules::plan_import(found, &import.events, known) {
        Ok(plan) => plan,
        Err(refused) => return Ok(Err(refused)),
    };
    let files = lock_files(&transaction, plan.files().collect()).await?;
    if let Err(refused) = plan.attach_files(&import.room, &files) {
        return Ok(Err(refused));
    }
    work.store(&plan, expired).await?;
    work.record_visits(&plan, &erased).await?;
    if let Some(last) = plan.rows.last() {
        work.execute(UPDATE_ACTIVITY, &[&position(last.at), &is_new]).await?;
    }
    let changed = work.introduce(&users, &erased, shared).await?;
    transaction.commit().await?;
    let head = plan.rows.last().map_or(0, |last| last.seq);
    Ok(Ok(Done { added: plan.rows.len() as u32, head, changed, has_closed: is_new && import.members_only }))
}

async fn lock_room(transaction: &Transaction<'_>, import: &RoomImport) -> Result<Option<(i32, i64)>, Error> {
    let row = transaction.query_opt(LOCK_ROOM, &[&import.room.as_str()]).await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
}

async fn create_room(
    transaction: &Transaction<'_>,
    import: &RoomImport,
    shared: &Shared,
) -> Result<(), Error> {
    if import.members_only {
        transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&ACCESS_LOCK]).await?;
    }
    let owner: Vec<UserId> = import.info.owner.into_iter().collect();
    let erased = erased(transaction, &owner).await?;
    let mut key = None;
    let _ = import.new_room::<std::convert::Infallible>(&erased, |skeleton| {
        key = Some(skeleton.to_owned());
        Ok(false)
    });
    let is_taken = match key {
        Some(key) => other_with_title(transaction, &import.room, &key).await?.is_some(),
        None => false,
    };
    let Ok(info) = import.new_room::<std::convert::Infallible>(&erased, |_| Ok(is_taken));
    insert_room(transaction, &import.room, &info).await?;
    if import.members_only {
        let name = import.room.as_str();
        transaction.execute("UPDATE room SET members_only = true WHERE name = $1", &[&name]).await?;
        let note = "SELECT note_access_change(NULL, $1, $2, $3)";
        transaction.execute(note, &[&name, &shared.channel, &shared.node]).await?;
    }
    Ok(())
}

/// Returns those of `users` who erase or have erased everything. None of them begins to do so before the end of the transaction.
async fn erased(transaction: &Transaction<'_>, users: &[UserId]) -> Result<HashSet<UserId>, Error> {
    transaction.execute("SELECT pg_advisory_xact_lock_shared($1)", &[&ERASURE_LOCK]).await?;
    let users: Vec<i64> = users.iter().map(|user| user.0.cast_signed()).collect();
    let rows = transaction.query(SELECT_ERASED, &[&users]).await?;
    rows.iter().map(|row| Ok(user_id(row.try_get(0)?))).collect()
}
