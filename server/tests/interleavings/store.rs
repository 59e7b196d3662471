//! A store for a model checker: it never waits, so that the checker decides alone which thread runs.

use app::wire::{
    CommandId, DisplayName, Event, FileId, FileInfo, Files, Message, Millis, Retention, RoomName, RoomTitle,
    Seq, Topic, User, UserId,
};
use async_trait::async_trait;
use futures_util::{
    future::{FutureExt, ready},
    stream::BoxStream,
};
use server::limits::network::Network;
use server::store::{
    AccessChanges, AccessStore, AgingRoom, Appended, CodeHash, Content, ContentHash, ContentState,
    DeviceLabel, DeviceLinkStore, DeviceStore, EntryRequest, EphemeralEvent, Erasure, ErasureStore,
    EventStore, FileStore, ImportRefusal, IndexStep, JoinedRooms, LinkError, LinkHash, LogEntry,
    MarkerUpdate, MessagePage, Moderation, ModerationStore, NewEvent, NewFile, Notification, Notifier,
    PendingCommit, PresenceStore, PresentElsewhere, ReadMarkerStore, RecoveryCodeStore, Report,
    RetentionStore, Role, RoomImport, RoomImportStore, RoomInfo, RoomPresence, RoomQuery, RoomRecord,
    RoomSnapshot, RoomStore, ScanPosition, Scope, SearchPage, SearchQuery, SearchStore, Setting, Settings,
    SignIn, SignIns, SignOut, Standing, Store, StoreResult, StoredFile, StoredInvitation, StoredRestriction,
    StreamPosition, Sweep, TooManyLinks, UserRecords, UserRight, UserStore,
};
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

/// The events of one room.
pub struct SingleRoom {
    /// Sections under this lock never wait.
    events: Mutex<Vec<Arc<Event>>>,
    notifier: Notifier,
}

impl SingleRoom {
    /// Returns a store without events.
    pub fn shared() -> Arc<dyn Store> {
        Arc::new(Self { events: Mutex::default(), notifier: Notifier::default() })
    }

    fn events(&self) -> MutexGuard<'_, Vec<Arc<Event>>> {
        self.events.lock().expect("no thread panics")
    }
}

#[async_trait]
impl EventStore for SingleRoom {
    fn append(&self, new: NewEvent) -> PendingCommit<Appended> {
        let mut events = self.events();
        let (seq, author) =
            (events.len() as Seq + 1, User::new(new.author, DisplayName::generated(new.author)));
        let event = Arc::new(Event {
            seq,
            at: 0,
            id: new.id,
            author,
            body: new.operation.into_body(new.mentions, new.files),
        });
        events.push(event.clone());
        let (room, events) = (new.room.clone(), Some([event].into()));
        self.notifier.send(Notification::Appended { room, head: seq, events });
        ready(Ok(Appended { room: new.room, seq, at: 0, is_duplicate: false })).boxed()
    }

    async fn events_after(&self, _: &RoomName, after: Seq, limit: u32) -> StoreResult<Vec<Arc<Event>>> {
        Ok(self.events().iter().skip(after as usize).take(limit as usize).cloned().collect())
    }

    async fn messages_before(&self, _: &RoomName, _: Seq, _: u32) -> StoreResult<MessagePage> {
        unreachable!("the hub does not ask")
    }

    /// Lets other threads run before and after the read, as a database does.
    async fn snapshot(
        &self,
        room: &RoomName,
        _: UserId,
        past: Option<StreamPosition>,
        _: u32,
    ) -> StoreResult<RoomSnapshot> {
        shuttle::thread::yield_now();
        let events = self.events().clone();
        shuttle::thread::yield_now();
        let record = RoomRecord { room: room.clone(), head: events.len() as Seq, info: RoomInfo::default() };
        let messages = events.iter().filter_map(|event| Message::from_event(event)).collect();
        let page = past.is_none().then_some(MessagePage { messages, more: false });
        Ok(RoomSnapshot { record, read: None, page })
    }

    async fn has_reacted(&self, _: &RoomName, _: UserId, _: &[(Seq, Arc<str>)]) -> StoreResult<Vec<bool>> {
        unreachable!("nobody reacts here")
    }

    async fn heads(&self, rooms: &[RoomName]) -> StoreResult<Vec<Seq>> {
        Ok(vec![self.events().len() as Seq; rooms.len()])
    }

    async fn continues(&self, _: &RoomName, _: StreamPosition) -> StoreResult<bool> {
        unreachable!("the hub does not ask")
    }
}

#[async_trait]
impl RoomStore for SingleRoom {
    async fn rooms(&self, _: &[RoomName]) -> StoreResult<Vec<RoomRecord>> {
        unreachable!("no title changes here")
    }

    async fn list_rooms(&self, _: RoomQuery) -> StoreResult<Vec<RoomRecord>> {
        unreachable!("the hub lists no rooms")
    }

    fn create_room(&self, _: RoomName, _: RoomInfo) -> PendingCommit<()> {
        unreachable!("the hub creates no room")
    }

    fn update_room(&self, _: RoomName, _: UserId, _: RoomTitle, _: Topic) -> PendingCommit<()> {
        unreachable!("no room is updated here")
    }
}

#[async_trait]
impl UserStore for SingleRoom {
    async fn users(&self, _: &[UserId]) -> StoreResult<Vec<User>> {
        unreachable!("no name changes here")
    }

    async fn users_named(
        &self,
        _: &RoomName,
        _: &[UserId],
        _: &[String],
    ) -> StoreResult<Vec<Option<UserId>>> {
        unreachable!("no text is resolved here")
    }

    async fn known_users(&self, _: &RoomName, _: &[UserId]) -> StoreResult<Vec<UserId>> {
        unreachable!("no text is resolved here")
    }

    async fn find_users(&self, _: &str, _: Option<UserId>, _: u32) -> StoreResult<Vec<User>> {
        unreachable!("no page lists users here")
    }

    fn names_generation(&self) -> u64 {
        unreachable!("no name changes here")
    }

    fn set_display_name(&self, _: UserId, _: DisplayName) -> PendingCommit<Vec<User>> {
        unreachable!("no name changes here")
    }
}

#[async_trait]
impl ReadMarkerStore for SingleRoom {
    fn set_read_marker(&self, _: UserId, _: RoomName, _: Seq) -> PendingCommit<MarkerUpdate> {
        unreachable!("no test reads these")
    }

    fn mark_unread(&self, _: UserId, _: RoomName, _: Seq) -> PendingCommit<MarkerUpdate> {
        unreachable!("no test reads these")
    }

    fn remove_read_marker(&self, _: UserId, _: RoomName) -> PendingCommit<()> {
        unreachable!("no test reads these")
    }

    async fn read_markers(&self, _: UserId, _: u32, _: u32) -> StoreResult<Vec<(RoomName, Seq)>> {
        unreachable!("no test reads these")
    }

    async fn joined_rooms(&self, _: UserId, _: u32, _: u32, _: &[RoomName]) -> StoreResult<JoinedRooms> {
        unreachable!("no test reads these")
    }

    async fn unread_counts(&self, _: UserId, _: &[(RoomName, Seq)]) -> StoreResult<Vec<u32>> {
        unreachable!("no test reads these")
    }

    async fn mention_counts(&self, _: UserId, _: &[(RoomName, Seq)]) -> StoreResult<Vec<u32>> {
        unreachable!("no test reads these")
    }
}

#[async_trait]
impl DeviceLinkStore for SingleRoom {
    fn create_device_link(
        &self,
        _: LinkHash,
        _: UserId,
        _: Duration,
    ) -> PendingCommit<Result<(), TooManyLinks>> {
        unreachable!("no test uses device links")
    }

    async fn device_link(&self, _: LinkHash) -> StoreResult<Result<UserId, LinkError>> {
        unreachable!("no test uses device links")
    }

    fn redeem_device_link(&self, _: LinkHash) -> PendingCommit<Result<UserId, LinkError>> {
        unreachable!("no test uses device links")
    }
}

#[async_trait]
impl DeviceStore for SingleRoom {
    async fn sign_ins(&self, _: UserId) -> StoreResult<SignIns> {
        unreachable!("the hub signs nobody in")
    }

    async fn signed_out_users(&self, _: &[UserId]) -> StoreResult<Vec<UserId>> {
        unreachable!("the hub signs nobody out")
    }

    fn record_device(&self, _: UserId, _: SignIn, _: Option<DeviceLabel>) -> PendingCommit<()> {
        unreachable!("the hub records no device")
    }

    fn sign_out(&self, _: UserId, _: SignOut) -> PendingCommit<u64> {
        unreachable!("the hub signs nobody out")
    }
}

#[async_trait]
impl RecoveryCodeStore for SingleRoom {
    async fn recovery_code(&self, _: UserId) -> StoreResult<Option<Millis>> {
        unreachable!("no test uses recovery codes")
    }

    fn set_recovery_code(&self, _: UserId, _: CodeHash) -> PendingCommit<bool> {
        unreachable!("no test uses recovery codes")
    }

    fn revoke_recovery_code(&self, _: UserId) -> PendingCommit<()> {
        unreachable!("no test uses recovery codes")
    }

    fn redeem_recovery_code(&self, _: CodeHash) -> PendingCommit<Option<UserId>> {
        unreachable!("no test uses recovery codes")
    }
}

#[async_trait]
impl PresenceStore for SingleRoom {
    fn shares_presence(&self) -> bool {
        false
    }

    async fn has_others(&self) -> StoreResult<bool> {
        Ok(false)
    }

    async fn record_presence(&self, _: &[RoomPresence]) -> StoreResult<()> {
        unreachable!("there is one process")
    }

    async fn present_elsewhere(&self, _: &RoomName) -> StoreResult<PresentElsewhere> {
        unreachable!("there is one process")
    }

    async fn record_networks(&self, _: &[(UserId, Network)]) -> StoreResult<()> {
        unreachable!("there is one process")
    }

    async fn remove_old_networks(&self) -> StoreResult<()> {
        unreachable!("there is one process")
    }

    async fn recent_network(&self, _: UserId) -> StoreResult<Option<Network>> {
        unreachable!("no test moderates")
    }
}

impl RoomImportStore for SingleRoom {
    fn import_events(&self, _: RoomImport) -> PendingCommit<Result<u32, ImportRefusal>> {
        unreachable!("no test imports")
    }
}

#[async_trait]
impl AccessStore for SingleRoom {
    async fn settings(&self) -> StoreResult<Settings> {
        unreachable!("no test moderates")
    }
    async fn standings(&self, _: &[EntryRequest]) -> StoreResult<Vec<Standing>> {
        unreachable!("no test moderates")
    }
    fn moderate(&self, _: Moderation) -> PendingCommit<()> {
        unreachable!("no test moderates")
    }
    fn set(&self, _: Setting, _: Option<Arc<str>>) -> PendingCommit<()> {
        unreachable!("no test moderates")
    }
    fn redeem_admin_link(&self, _: LinkHash, _: UserId) -> PendingCommit<bool> {
        unreachable!("no test moderates")
    }
    fn admit(&self, _: UserId) -> PendingCommit<()> {
        unreachable!("no test moderates")
    }
    async fn access_changes(&self, _: u64) -> StoreResult<AccessChanges> {
        Ok(AccessChanges { generation: 0, changes: Some(Vec::new()) })
    }
}

#[async_trait]
impl ModerationStore for SingleRoom {
    async fn roles(&self, _: &Scope, _: Role, _: UserId) -> StoreResult<Vec<(UserId, Role)>> {
        unreachable!("no test moderates")
    }
    async fn restrictions(&self, _: &Scope) -> StoreResult<Vec<StoredRestriction>> {
        unreachable!("no test moderates")
    }
    async fn invitations(&self, _: &Scope) -> StoreResult<Vec<StoredInvitation>> {
        unreachable!("no test moderates")
    }
    async fn invitation(&self, _: LinkHash) -> StoreResult<Result<StoredInvitation, LinkError>> {
        unreachable!("no test moderates")
    }
    fn redeem_invitation(
        &self,
        _: LinkHash,
        _: UserId,
    ) -> PendingCommit<Result<Option<RoomName>, LinkError>> {
        unreachable!("no test moderates")
    }
    async fn log(&self, _: &Scope, _: Option<u64>) -> StoreResult<Vec<LogEntry>> {
        unreachable!("no test moderates")
    }
    fn report(&self, _: UserId, _: RoomName, _: Seq, _: String) -> PendingCommit<()> {
        unreachable!("no test moderates")
    }
    async fn reports(&self, _: &Scope) -> StoreResult<Vec<Report>> {
        unreachable!("no test moderates")
    }
    fn set_blocked(&self, _: UserId, _: UserId, _: bool) -> PendingCommit<()> {
        unreachable!("no test moderates")
    }
    async fn blocked(&self, _: UserId) -> StoreResult<Vec<UserId>> {
        unreachable!("no test moderates")
    }
}

#[async_trait]
impl RetentionStore for SingleRoom {
    fn set_retention(&self, _: RoomName, _: UserId, _: Option<Retention>) -> PendingCommit<()> {
        unreachable!("no test keeps messages for a time")
    }

    async fn aging_rooms(&self, _: Option<&RoomName>, _: u32) -> StoreResult<Vec<AgingRoom>> {
        unreachable!("no test sweeps")
    }

    fn expire(&self, _: RoomName, _: Sweep) -> PendingCommit<u32> {
        unreachable!("no test sweeps")
    }

    fn remove_if_abandoned(&self, _: RoomName, _: Millis) -> PendingCommit<bool> {
        unreachable!("no test sweeps")
    }

    fn record_room_visit(&self, _: RoomName, _: Millis) -> PendingCommit<()> {
        ready(Ok(())).boxed()
    }

    async fn take_lease(&self, _: &'static str, _: Duration) -> StoreResult<bool> {
        unreachable!("no test sweeps")
    }

    async fn clock(&self) -> StoreResult<Millis> {
        Ok(0)
    }
}

#[async_trait]
impl ErasureStore for SingleRoom {
    async fn user_records(&self, _: UserId, _: ScanPosition) -> StoreResult<UserRecords> {
        unreachable!("no test erases")
    }

    async fn user_rights(&self, _: UserId, _: u32, _: u32) -> StoreResult<Vec<UserRight>> {
        unreachable!("no test exports")
    }

    fn begin_erasure(&self, _: UserId) -> PendingCommit<()> {
        unreachable!("no test erases")
    }

    async fn erasure(&self, _: UserId) -> StoreResult<Option<Erasure>> {
        unreachable!("no test erases")
    }

    async fn unfinished_erasures(&self) -> StoreResult<Vec<UserId>> {
        unreachable!("no test erases")
    }

    fn note_erased(&self, _: UserId, _: u64, _: Option<ScanPosition>) -> PendingCommit<()> {
        unreachable!("no test erases")
    }
}

#[async_trait]
impl SearchStore for SingleRoom {
    async fn search(&self, _: SearchQuery) -> StoreResult<SearchPage> {
        unreachable!("no test searches")
    }
    async fn authors_named(&self, _: &str) -> StoreResult<Vec<UserId>> {
        unreachable!("no test searches")
    }
    async fn public_room_titled(&self, _: &str) -> StoreResult<Option<RoomName>> {
        unreachable!("no test searches")
    }
    async fn removed_from(&self, _: UserId, _: Option<Network>) -> StoreResult<Vec<RoomName>> {
        unreachable!("no test searches")
    }
    async fn index(&self, _: &[RoomName]) -> StoreResult<IndexStep> {
        unreachable!("no test searches")
    }
}

#[async_trait]
impl FileStore for SingleRoom {
    fn create_file(&self, _: NewFile, _: u64) -> PendingCommit<()> {
        unreachable!("no test has files")
    }
    async fn file(&self, _: FileId) -> StoreResult<Option<StoredFile>> {
        unreachable!("no test has files")
    }
    fn note_part(&self, _: FileId, _: u64, _: u64, _: u64) -> PendingCommit<u64> {
        unreachable!("no test has files")
    }
    fn shrink_file(&self, _: FileId, _: UserId, _: u64) -> PendingCommit<()> {
        unreachable!("no test has files")
    }
    fn reserve_content(&self, _: FileId, _: Content, _: FileInfo, _: u64) -> PendingCommit<ContentState> {
        unreachable!("no test has files")
    }
    fn release_content(&self, _: Content) -> PendingCommit<ContentState> {
        unreachable!("no test has files")
    }
    fn note_ready(&self, _: FileId) -> PendingCommit<()> {
        unreachable!("no test has files")
    }
    fn describe_file(&self, _: FileId, _: UserId, _: Arc<str>) -> PendingCommit<()> {
        unreachable!("no test has files")
    }
    fn claim_files(&self, _: UserId, _: RoomName, _: CommandId, _: Vec<FileId>) -> PendingCommit<Files> {
        unreachable!("no test has files")
    }
    fn release_files(&self, _: UserId, _: CommandId) -> PendingCommit<()> {
        unreachable!("no test has files")
    }
    async fn abandoned_files(&self) -> StoreResult<Vec<FileId>> {
        unreachable!("no test has files")
    }
    fn forget_file(&self, _: FileId, _: Option<UserId>) -> PendingCommit<bool> {
        unreachable!("no test has files")
    }
    fn take_unused_contents(&self) -> PendingCommit<Vec<ContentHash>> {
        unreachable!("no test has files")
    }
    fn forget_contents(&self, _: Vec<ContentHash>) -> PendingCommit<()> {
        unreachable!("no test has files")
    }
    async fn file_bytes(&self) -> StoreResult<u64> {
        unreachable!("no test has files")
    }
}

#[async_trait]
impl Store for SingleRoom {
    fn log_id(&self) -> &str {
        unreachable!("the hub needs no identity")
    }

    fn subscribe(&self) -> BoxStream<'static, Notification> {
        self.notifier.subscribe()
    }

    fn publish(&self, _: EphemeralEvent) {
        unreachable!("no test publishes")
    }

    async fn ready(&self) -> StoreResult<()> {
        unreachable!("no test calls this")
    }

    async fn used_bytes(&self) -> StoreResult<u64> {
        unreachable!("no page shows it here")
    }

    async fn close(&self) {
        unreachable!("it ends with the test")
    }
}
