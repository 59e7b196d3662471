//! Writing: one thread carries out everything that is queued. What waits while one batch is under way goes into the next one,
//! so that one round trip and one disk sync serve many commands. No timer is on this path.

use super::{
    cache::Cache,
    durability::FLUSH,
    error::{PostgresError, away},
    queue::{MAX_COMMANDS_PER_BATCH, Reply, Request},
    room_writes::{RoomUpdate, create_room, update_room},
    rows,
    session::{Session, WriteError},
    shared::Shared,
    user_reads::link_user,
};
use crate::store::{
    Appended, LinkHash, MAX_DEVICE_LINKS, MAX_READ_MARKERS, MarkerUpdate, NewEvent, Notification, RoomInfo,
    StoreError, StoreResult, TooManyLinks, skeleton,
};
use app::wire::{DisplayName, RoomName, Seq, User, UserId, limits::MAX_MESSAGE_BYTES};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::{runtime::Builder, sync::mpsc, task::yield_now, time::sleep};

/// Bytes of text in one batch, at most.
const MAX_BATCH_BYTES: usize = 256 * 1_024;

/// Time between two probes while the database is away and nothing waits.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// A read marker that waits to be moved.
type WaitingMarker = ((UserId, RoomName, Seq), Reply<MarkerUpdate>);

/// The thread that writes.
pub(super) struct Writer {
    pub(super) session: Session,
    pub(super) cache: Cache,
    pub(super) shared: Arc<Shared>,
}

impl Writer {
    pub(super) fn new(session: Session, shared: Arc<Shared>) -> Self {
        Self { session, cache: Cache::default(), shared }
    }

    /// Starts the thread. It has a runtime of its own, so that writes do not wait for other tasks.
    ///
    /// # Errors
    /// [`PostgresError::Database`] if the thread cannot be started.
    pub(super) fn spawn(self, requests: mpsc::UnboundedReceiver<Request>) -> Result<(), PostgresError> {
        let failed =
            |error: std::io::Error| PostgresError::Database(format!("cannot start a thread: {error}"));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let run = move || runtime.block_on(self.run(requests));
        thread::Builder::new().name("store".into()).spawn(run).map(drop).map_err(failed)
    }

    /// Carries out requests until the store is closed or dropped.
    async fn run(mut self, mut requests: mpsc::UnboundedReceiver<Request>) {
        while let Some(first) = self.next(&mut requests).await {
            // Tasks that are about to queue a command can join this batch.
            yield_now().await;
            let mut bytes = first.text_bytes();
            let mut batch = vec![first];
            while batch.len() < MAX_COMMANDS_PER_BATCH && bytes + MAX_MESSAGE_BYTES <= MAX_BATCH_BYTES {
                let Ok(next) = requests.try_recv() else { break };
                bytes += next.text_bytes();
                batch.push(next);
            }
            if let Some(closed) = self.execute(batch).await {
                requests.close();
                let _ = closed.send(Ok(()));
                return;
            }
        }
    }

    /// Waits for a request. While the database is away, finds out whether it is back.
    async fn next(&mut self, requests: &mut mpsc::UnboundedReceiver<Request>) -> Option<Request> {
        loop {
            if !self.shared.writes.is_away() {
                return requests.recv().await;
            }
            tokio::select! {
                request = requests.recv() => return request,
                () = sleep(PROBE_INTERVAL) => drop(self.probe().await),
            }
        }
    }

    /// Carries out a batch in the order of its requests; only read markers may come after later events. Returns the reply
    /// to a request to close.
    async fn execute(&mut self, batch: Vec<Request>) -> Option<Reply<()>> {
        let (mut appends, mut markers) = (Vec::new(), Vec::new());
        for request in batch {
            match request {
                Request::Append(event, reply) => appends.push((event, reply)),
                Request::SetReadMarker(user, room, seq, reply) => markers.push(((user, room, seq), reply)),
                other => {
                    self.flush(&mut appends, &mut markers).await;
                    if let Some(closed) = self.execute_alone(other).await {
                        return Some(closed);
                    }
                }
            }
        }
        self.flush(&mut appends, &mut markers).await;
        None
    }

    async fn flush(
        &mut self,
        appends: &mut Vec<(NewEvent, Reply<Appended>)>,
        markers: &mut Vec<WaitingMarker>,
    ) {
        if !appends.is_empty() {
            self.append(std::mem::take(appends)).await;
        }
        if !markers.is_empty() {
            self.set_read_markers(std::mem::take(markers)).await;
        }
    }

    async fn execute_alone(&mut self, request: Request) -> Option<Reply<()>> {
        match request {
            Request::MarkUnread(user, room, seq, reply) => {
                answer(reply, self.mark_unread(user, room, seq).await);
            }
            Request::RemoveReadMarker(user, room, reply) => {
                answer(reply, self.remove_read_marker(user, &room).await);
            }
            Request::SetDisplayName(user, name, reply) => {
                answer(reply, self.set_display_name(user, &name).await);
            }
            Request::CreateRoom(room, info, reply) => answer(reply, self.create_room(&room, &info).await),
            Request::UpdateRoom { room, user, title, topic, reply } => {
                let update = RoomUpdate { room: &room, user, title: &title, topic: &topic };
                answer(reply, self.update_room(&update).await);
            }
            Request::CreateDeviceLink(hash, user, lifetime, reply) => {
                answer(reply, self.create_device_link(&hash, user, lifetime).await);
            }
            Request::RedeemDeviceLink(hash, reply) => {
                let found = self.one_row("SELECT * FROM redeem_device_link($1)", &[&hash.as_slice()]).await;
                let user = found.and_then(|row| {
                    let found: Option<i64> = row.try_get(0)?;
                    Ok(link_user(found.zip(row.try_get(1)?)))
                });
                answer(reply, user);
            }
            Request::Moderate(moderation, reply) => self.moderate(&moderation, reply).await,
            Request::Set(setting, value, reply) => {
                answer(reply, self.change_setting(setting, value.as_deref()).await);
            }
            Request::RedeemAdminLink(secret, user, reply) => {
                answer(reply, self.redeem_admin_link(&secret, user).await);
            }
            Request::Admit(user, reply) => answer(reply, self.admit(user).await),
            Request::RedeemInvitation(hash, user, reply) => {
                answer(reply, self.redeem_invitation(&hash, user).await);
            }
            Request::Report { user, room, seq, reason, reply } => {
                answer(reply, self.report(user, (&room, seq), &reason).await);
            }
            Request::SetBlocked { user, other, is_blocked, reply } => {
                answer(reply, self.set_blocked(user, other, is_blocked).await);
            }
            Request::RecordDevice(user, sign_in, label, reply) => {
                answer(reply, self.record_device(user, sign_in, label.as_ref()).await);
            }
            Request::SignOut(user, what, reply) => answer(reply, self.sign_out(user, what).await),
            Request::SetRecoveryCode(user, hash, reply) => {
                answer(reply, self.set_recovery_code(user, &hash).await);
            }
            Request::RevokeRecoveryCode(user, reply) => answer(reply, self.revoke_recovery_code(user).await),
            Request::RedeemRecoveryCode(hash, reply) => answer(reply, self.redeem_recovery_code(&hash).await),
            Request::SetRetention(room, user, retention, reply) => {
                answer(reply, self.set_retention(&room, user, retention).await);
            }
            Request::Expire(room, sweep, reply) => answer(reply, self.expire(&room, sweep).await),
            Request::RemoveIfAbandoned(room, now, reply) => {
                answer(reply, self.remove_if_abandoned(&room, now).await);
            }
            Request::RecordRoomVisit(room, now, reply) => {
                answer(reply, self.record_room_visit(&room, now).await);
            }
            Request::BeginErasure(user, reply) => answer(reply, self.begin_erasure(user).await),
            Request::NoteErased(user, erased, position, reply) => {
                answer(reply, self.note_erased(user, erased, position).await);
            }
            Request::ChangeFile(command, reply) => answer(reply, self.change_file(&command).await),
            Request::ImportEvents(import, reply) => answer(reply, self.import_events(*import).await),
            Request::Probe(reply) => answer(reply, self.probe().await),
            Request::Close(reply) => return Some(reply),
            Request::Append(..) | Request::SetReadMarker(..) => {}
        }
        None
    }

    /// Runs a statement that returns one row.
    pub(super) async fn one_row(
        &mut self,
        sql: &str,
        parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> StoreResult<tokio_postgres::Row> {
        let written = self.session.run(async |client| {
            let statement = client.prepare_cached(sql).await?;
            client.query_one(&statement, parameters).await
        });
        let written = written.await;
        self.result(written)
    }

    /// Returns the result of a write; forgets what is known of the database if it failed.
    pub(super) fn result<T>(&mut self, written: Result<T, WriteError>) -> StoreResult<T> {
        written.map_err(|error| {
            self.cache = Cache::default();
            match error {
                WriteError::Away(error) => away(error),
                WriteError::Refused(error) => {
                    let error = StoreError::from(error);
                    if !matches!(error, StoreError::FileNotFound) {
                        tracing::error!(%error, "write failed");
                    }
                    error
                }
                WriteError::Stale => StoreError::backend("the rights of users change too fast"),
            }
        })
    }

    async fn probe(&mut self) -> StoreResult<()> {
        self.one_row(FLUSH, &[]).await.map(drop)
    }

    async fn set_display_name(&mut self, user: UserId, name: &DisplayName) -> StoreResult<Vec<User>> {
        let (id, skeleton) = (user.0.cast_signed(), skeleton::name_key(name.as_str()));
        let shared = self.shared.clone();
        let rename = "SELECT r.names, r.changed FROM set_display_name($1, $2, $3, $4, $5) r";
        let row =
            self.one_row(rename, &[&id, &name.as_str(), &skeleton, &shared.channel, &shared.node]).await?;
        let Some(names) = row.try_get(0)? else { return Err(StoreError::Erased) };
        let changed: Vec<i64> = row.try_get(1)?;
        shared.note_names_announced(names);
        shared.publish_users(changed.iter().copied().map(rows::user_id).collect());
        let select = "
            SELECT array_agg(u.id), array_agg(u.name), array_agg(u.ambiguous), array_agg(u.number)
            FROM user_account u WHERE u.id = ANY ($1)";
        let row = self.one_row(select, &[&changed]).await?;
        let (ids, names): (Vec<i64>, Vec<String>) = (row.try_get(0)?, row.try_get(1)?);
        let (ambiguous, numbers): (Vec<bool>, Vec<i64>) = (row.try_get(2)?, row.try_get(3)?);
        let users = ids.into_iter().zip(names).zip(ambiguous).zip(numbers);
        let users = users.map(|(((id, name), ambiguous), number)| {
            rows::named_user(rows::user_id(id), &name, ambiguous, number)
        });
        Ok(users.collect())
    }

    /// Moves read markers in the order of users and rooms, so that two servers never wait for each other.
    async fn set_read_markers(&mut self, mut markers: Vec<WaitingMarker>) {
        markers.sort_by(|((one, in_one, _), _), ((other, in_other, _), _)| {
            (one, in_one).cmp(&(other, in_other))
        });
        let users: Vec<i64> = markers.iter().map(|((user, ..), _)| user.0.cast_signed()).collect();
        let rooms: Vec<&str> = markers.iter().map(|((_, room, _), _)| room.as_str()).collect();
        let seqs: Vec<i64> = markers.iter().map(|((.., seq), _)| rows::position(*seq)).collect();
        let most = MAX_READ_MARKERS.cast_signed();
        let row =
            self.one_row("SELECT set_read_markers($1, $2, $3, $4)", &[&users, &rooms, &seqs, &most]).await;
        let moved = row.and_then(|row| Ok(row.try_get::<_, Vec<Option<i64>>>(0)?));
        let moved = match moved {
            Ok(moved) => moved,
            Err(error) => {
                return markers.into_iter().for_each(|(_, reply)| answer(reply, Err(error.clone())));
            }
        };
        for (((user, room, _), reply), moved) in markers.into_iter().zip(moved) {
            let result = marker_update(moved);
            if let Ok(MarkerUpdate::Moved(seq)) = result {
                self.shared.publish_marker(user, room, seq);
            }
            answer(reply, result);
        }
    }

    async fn mark_unread(&mut self, user: UserId, room: RoomName, seq: Seq) -> StoreResult<MarkerUpdate> {
        let (id, seq, most) = (user.0.cast_signed(), rows::position(seq), MAX_READ_MARKERS.cast_signed());
        let mark = "SELECT mark_unread($1, $2, $3, $4)";
        let row = self.one_row(mark, &[&id, &room.as_str(), &seq, &most]).await?;
        let update = marker_update(row.try_get(0)?)?;
        self.shared.publish_unread(user, room);
        Ok(update)
    }

    async fn remove_read_marker(&mut self, user: UserId, room: &RoomName) -> StoreResult<()> {
        let remove = "SELECT remove_read_marker($1, $2)::text";
        self.one_row(remove, &[&user.0.cast_signed(), &room.as_str()]).await.map(drop)
    }

    async fn create_device_link(
        &mut self,
        hash: &LinkHash,
        user: UserId,
        lifetime: Duration,
    ) -> StoreResult<Result<(), TooManyLinks>> {
        let lifetime = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
        let most = MAX_DEVICE_LINKS.cast_signed();
        let create = "SELECT create_device_link($1, $2, $3, $4)";
        let row = self.one_row(create, &[&hash.as_slice(), &user.0.cast_signed(), &lifetime, &most]).await?;
        Ok(if row.try_get(0)? { Ok(()) } else { Err(TooManyLinks) })
    }

    async fn create_room(&mut self, room: &RoomName, info: &RoomInfo) -> StoreResult<()> {
        let has_tried = AtomicBool::new(false);
        let created = self.session.run(async |client| {
            let is_retry = has_tried.swap(true, Ordering::Relaxed);
            create_room(client, room, info, is_retry).await
        });
        let created = created.await;
        self.result(created)?
    }

    async fn update_room(&mut self, update: &RoomUpdate<'_>) -> StoreResult<()> {
        let shared = self.shared.clone();
        let updated = self
            .session
            .run(async |client| update_room(client, update, (&shared.channel, &shared.node)).await)
            .await;
        self.result(updated)??;
        shared.notifier.send(Notification::RoomChanged(update.room.clone()));
        Ok(())
    }
}

/// Returns what a function of the schema says about a read marker.
fn marker_update(moved: Option<i64>) -> StoreResult<MarkerUpdate> {
    match moved {
        None => Ok(MarkerUpdate::Unchanged),
        Some(..0) => Err(StoreError::RoomNotFound),
        Some(seq) => Ok(MarkerUpdate::Moved(rows::unsigned(seq))),
    }
}

/// Answers a request, unless its caller is gone.
pub(super) fn answer<T>(reply: Reply<T>, result: StoreResult<T>) {
    let _ = reply.send(result);
}
