//! Notifications are hints: a lost, repeated or late one only delays delivery.

use crate::{
    heartbeat::{advance_time, flush_sockets},
    support::{Lines, TestServer, V1, room, within_timeout},
};
use app::wire::{
    ClientFrame, CommandId, DisplayName, Event, FileId, FileInfo, Files, Millis, Retention, RoomName,
    RoomTitle, Seq, ServerFrame, Topic, User, UserId,
};
use async_trait::async_trait;
use futures_util::stream::{BoxStream, StreamExt};
use server::limits::network::Network;
use server::store::{
    AccessChanges, AccessStore, AgingRoom, Appended, CodeHash, Content, ContentHash, ContentState,
    DeviceLabel, DeviceLinkStore, DeviceStore, EntryRequest, EphemeralEvent, Erasure, ErasureStore,
    EventStore, FileStore, ImportRefusal, IndexStep, JoinedRooms, LinkError, LinkHash, LogEntry,
    MarkerUpdate, MessagePage, Moderation, ModerationStore, NewEvent, NewFile, Notification, Notifier,
    PendingCommit, PresenceStore, PresentElsewhere, ReadMarkerStore, RecoveryCodeStore, Report,
    RetentionStore, Role, RoomImport, RoomImportStore, RoomInfo, RoomPresence, RoomQuery, RoomRecord,
    RoomSnapshot, RoomStore, ScanPosition, Scope, SearchPage, SearchQuery, SearchStore, Setting, Settings,
    SignIn, SignIns, SignOut, SqliteStore, Standing, Store, StoreResult, StoredFile, StoredInvitation,
    StoredRestriction, StreamPosition, Sweep, TooManyLinks, UserRecords, UserRight, UserStore,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;
use uuid::Uuid;

/// A real store whose notifications are changed on the way, and whose every third read of the visited rooms is slow.
pub struct FaultyNotifications {
    store: SqliteStore,
    notifier: Notifier,
    read_count: AtomicU32,
    readings: Arc<Readings>,
}

/// Read markers that wait to be stored: the number now, and the peak.
#[derive(Default)]
struct Readings {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl FaultyNotifications {
    /// Replaces each notification by those that `with` returns.
    pub fn new(with: fn(u64, Notification) -> Vec<Notification>) -> Arc<Self> {
        let store = SqliteStore::ephemeral().unwrap();
        let (notifier, mut received) = (Notifier::default(), store.subscribe());
        let forwarder = notifier.clone();
        tokio::spawn(async move {
            let mut n = 0;
            while let Some(notification) = received.next().await {
                n += 1;
                for notification in with(n, notification) {
                    forwarder.send(notification);
                }
            }
        });
        Arc::new(Self { store, notifier, read_count: AtomicU32::new(0), readings: Arc::default() })
    }
}

#[async_trait]
impl SearchStore for FaultyNotifications {
    async fn search(&self, query: SearchQuery) -> StoreResult<SearchPage> {
        self.store.search(query).await
    }
    async fn authors_named(&self, name: &str) -> StoreResult<Vec<UserId>> {
        self.store.authors_named(name).await
    }
    async fn public_room_titled(&self, title: &str) -> StoreResult<Option<RoomName>> {
        self.store.public_room_titled(title).await
    }
    async fn removed_from(&self, user: UserId, network: Option<Network>) -> StoreResult<Vec<RoomName>> {
        self.store.removed_from(user, network).await
    }
    async fn index(&self, grown: &[RoomName]) -> StoreResult<IndexStep> {
        self.store.index(grown).await
    }
}

#[async_trait]
impl FileStore for FaultyNotifications {
    fn create_file(&self, file: NewFile, quota: u64) -> PendingCommit<()> {
        self.store.create_file(file, quota)
    }
    async fn file(&self, id: FileId) -> StoreResult<Option<StoredFile>> {
        self.store.file(id).await
    }
    fn note_part(&self, id: FileId, from: u64, to: u64, quota: u64) -> PendingCommit<u64> {
        self.store.note_part(id, from, to, quota)
    }
    fn shrink_file(&self, id: FileId, owner: UserId, size: u64) -> PendingCommit<()> {
        self.store.shrink_file(id, owner, size)
    }
    fn reserve_content(
        &self,
        id: FileId,
        content: Content,
        info: FileInfo,
        quota: u64,
    ) -> PendingCommit<ContentState> {
        self.store.reserve_content(id, content, info, quota)
    }
    fn release_content(&self, content: Content) -> PendingCommit<ContentState> {
        self.store.release_content(content)
    }
    fn note_ready(&self, id: FileId) -> PendingCommit<()> {
        self.store.note_ready(id)
    }
    fn describe_file(&self, id: FileId, owner: UserId, alt: Arc<str>) -> PendingCommit<()> {
        self.store.describe_file(id, owner, alt)
    }
    fn claim_files(
        &self,
        owner: UserId,
        room: RoomName,
        message: CommandId,
        files: Vec<FileId>,
    ) -> PendingCommit<Files> {
        self.store.claim_files(owner, room, message, files)
    }
    fn release_files(&self, owner: UserId, message: CommandId) -> PendingCommit<()> {
        self.store.release_files(owner, message)
    }
    async fn abandoned_files(&self) -> StoreResult<Vec<FileId>> {
        self.store.abandoned_files().await
    }
    fn forget_file(&self, id: FileId, owner: Option<UserId>) -> PendingCommit<bool> {
        self.store.forget_file(id, owner)
    }
    fn take_unused_contents(&self) -> PendingCommit<Vec<ContentHash>> {
        self.store.take_unused_contents()
    }
    fn forget_contents(&self, hashes: Vec<ContentHash>) -> PendingCommit<()> {
        self.store.forget_contents(hashes)
    }
    async fn file_bytes(&self) -> StoreResult<u64> {
        self.store.file_bytes().await
    }
}

#[async_trait]
impl Store for FaultyNotifications {
    fn log_id(&self) -> &str {
        self.store.log_id()
    }
    fn subscribe(&self) -> BoxStream<'static, Notification> {
        self.notifier.subscribe()
    }
    fn publish(&self, event: EphemeralEvent) {
        self.store.publish(event);
    }
    async fn ready(&self) -> StoreResult<()> {
        self.store.ready().await
    }
    async fn used_bytes(&self) -> StoreResult<u64> {
        self.store.used_bytes().await
    }
    async fn close(&self) {
        self.store.close().await;
    }
}

#[async_trait]
impl EventStore for FaultyNotifications {
    fn append(&self, event: NewEvent) -> PendingCommit<Appended> {
        self.store.append(event)
    }
    async fn events_after(&self, room: &RoomName, after: Seq, limit: u32) -> StoreResult<Vec<Arc<Event>>> {
        self.store.events_after(room, after, limit).await
    }
    async fn messages_before(&self, room: &RoomName, before: Seq, limit: u32) -> StoreResult<MessagePage> {
        self.store.messages_before(room, before, limit).await
    }
    async fn snapshot(
        &self,
        room: &RoomName,
        user: UserId,
        past: Option<StreamPosition>,
        limit: u32,
    ) -> StoreResult<RoomSnapshot> {
        self.store.snapshot(room, user, past, limit).await
    }
    async fn has_reacted(
        &self,
        room: &RoomName,
        user: UserId,
        reactions: &[(Seq, Arc<str>)],
    ) -> StoreResult<Vec<bool>> {
        self.store.has_reacted(room, user, reactions).await
    }
    async fn heads(&self, rooms: &[RoomName]) -> StoreResult<Vec<Seq>> {
        self.store.heads(rooms).await
    }
    async fn continues(&self, room: &RoomName, past: StreamPosition) -> StoreResult<bool> {
        self.store.continues(room, past).await
    }
}

#[async_trait]
impl RoomStore for FaultyNotifications {
    async fn rooms(&self, names: &[RoomName]) -> StoreResult<Vec<RoomRecord>> {
        self.store.rooms(names).await
    }
    async fn list_rooms(&self, query: RoomQuery) -> StoreResult<Vec<RoomRecord>> {
        self.store.list_rooms(query).await
    }
    fn create_room(&self, room: RoomName, info: RoomInfo) -> PendingCommit<()> {
        self.store.create_room(room, info)
    }
    fn update_room(&self, room: RoomName, user: UserId, title: RoomTitle, topic: Topic) -> PendingCommit<()> {
        self.store.update_room(room, user, title, topic)
    }
}

#[async_trait]
impl UserStore for FaultyNotifications {
    async fn users(&self, ids: &[UserId]) -> StoreResult<Vec<User>> {
        self.store.users(ids).await
    }
    async fn users_named(
        &self,
        room: &RoomName,
        present: &[UserId],
        names: &[String],
    ) -> StoreResult<Vec<Option<UserId>>> {
        self.store.users_named(room, present, names).await
    }
    async fn known_users(&self, room: &RoomName, ids: &[UserId]) -> StoreResult<Vec<UserId>> {
        self.store.known_users(room, ids).await
    }
    async fn find_users(&self, prefix: &str, after: Option<UserId>, limit: u32) -> StoreResult<Vec<User>> {
        self.store.find_users(prefix, after, limit).await
    }

    fn names_generation(&self) -> u64 {
        self.store.names_generation()
    }
    fn set_display_name(&self, user: UserId, name: DisplayName) -> PendingCommit<Vec<User>> {
        self.store.set_display_name(user, name)
    }
}

#[async_trait]
impl ReadMarkerStore for FaultyNotifications {
    fn set_read_marker(&self, user: UserId, room: RoomName, seq: Seq) -> PendingCommit<MarkerUpdate> {
        let (read, readings) = (self.store.set_read_marker(user, room, seq), self.readings.clone());
        readings.most.fetch_max(readings.now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        Box::pin(async move {
            sleep(Duration::from_millis(5)).await;
            readings.now.fetch_sub(1, Ordering::Relaxed);
            read.await
        })
    }
    fn mark_unread(&self, user: UserId, room: RoomName, seq: Seq) -> PendingCommit<MarkerUpdate> {
        self.store.mark_unread(user, room, seq)
    }

    fn remove_read_marker(&self, user: UserId, room: RoomName) -> PendingCommit<()> {
        self.store.remove_read_marker(user, room)
    }
    async fn read_markers(&self, user: UserId, skip: u32, limit: u32) -> StoreResult<Vec<(RoomName, Seq)>> {
        let is_slow = self.read_count.fetch_add(1, Ordering::Relaxed).is_multiple_of(3);
        if is_slow {
            sleep(Duration::from_millis(30)).await;
        }
        self.store.read_markers(user, skip, limit).await
    }
    async fn joined_rooms(
        &self,
        user: UserId,
        skip: u32,
        limit: u32,
        also: &[RoomName],
    ) -> StoreResult<JoinedRooms> {
        self.store.joined_rooms(user, skip, limit, also).await
    }
    async fn unread_counts(&self, user: UserId, rooms: &[(RoomName, Seq)]) -> StoreResult<Vec<u32>> {
        self.store.unread_counts(user, rooms).await
    }
    async fn mention_counts(&self, user: UserId, rooms: &[(RoomName, Seq)]) -> StoreResult<Vec<u32>> {
        self.store.mention_counts(user, rooms).await
    }
}

#[async_trait]
impl PresenceStore for FaultyNotifications {
    fn shares_presence(&self) -> bool {
        self.store.shares_presence()
    }
    async fn has_others(&self) -> StoreResult<bool> {
        self.store.has_others().await
    }
    async fn record_presence(&self, changes: &[RoomPresence]) -> StoreResult<()> {
        self.store.record_presence(changes).await
    }
    async fn present_elsewhere(&self, room: &RoomName) -> StoreResult<PresentElsewhere> {
        self.store.present_elsewhere(room).await
    }
    async fn record_networks(&self, seen: &[(UserId, Network)]) -> StoreResult<()> {
        self.store.record_networks(seen).await
    }
    async fn remove_old_networks(&self) -> StoreResult<()> {
        self.store.remove_old_networks().await
    }
    async fn recent_network(&self, user: UserId) -> StoreResult<Option<Network>> {
        self.store.recent_network(user).await
    }
}

#[async_trait]
impl RetentionStore for FaultyNotifications {
    fn set_retention(&self, room: RoomName, user: UserId, retention: Option<Retention>) -> PendingCommit<()> {
        self.store.set_retention(room, user, retention)
    }
    async fn aging_rooms(&self, after: Option<&RoomName>, limit: u32) -> StoreResult<Vec<AgingRoom>> {
        self.store.aging_rooms(after, limit).await
    }
    fn expire(&self, room: RoomName, sweep: Sweep) -> PendingCommit<u32> {
        self.store.expire(room, sweep)
    }
    fn remove_if_abandoned(&self, room: RoomName, now: Millis) -> PendingCommit<bool> {
        self.store.remove_if_abandoned(room, now)
    }
    fn record_room_visit(&self, room: RoomName, now: Millis) -> PendingCommit<()> {
        self.store.record_room_visit(room, now)
    }
    async fn take_lease(&self, task: &'static str, lifetime: Duration) -> StoreResult<bool> {
        self.store.take_lease(task, lifetime).await
    }
    async fn clock(&self) -> StoreResult<Millis> {
        self.store.clock().await
    }
}

#[async_trait]
impl ErasureStore for FaultyNotifications {
    async fn user_records(&self, user: UserId, after: ScanPosition) -> StoreResult<UserRecords> {
        self.store.user_records(user, after).await
    }
    async fn user_rights(&self, user: UserId, skip: u32, limit: u32) -> StoreResult<Vec<UserRight>> {
        self.store.user_rights(user, skip, limit).await
    }
    fn begin_erasure(&self, user: UserId) -> PendingCommit<()> {
        self.store.begin_erasure(user)
    }
    async fn erasure(&self, user: UserId) -> StoreResult<Option<Erasure>> {
        self.store.erasure(user).await
    }
    async fn unfinished_erasures(&self) -> StoreResult<Vec<UserId>> {
        self.store.unfinished_erasures().await
    }
    fn note_erased(&self, user: UserId, erased: u64, position: Option<ScanPosition>) -> PendingCommit<()> {
        self.store.note_erased(user, erased, position)
    }
}

#[async_trait]
impl DeviceLinkStore for FaultyNotifications {
    fn create_device_link(
        &self,
        hash: LinkHash,
        user: UserId,
        lifetime: Duration,
    ) -> PendingCommit<Result<(), TooManyLinks>> {
        self.store.create_device_link(hash, user, lifetime)
    }
    async fn device_link(&self, hash: LinkHash) -> StoreResult<Result<UserId, LinkError>> {
        self.store.device_link(hash).await
    }
    fn redeem_device_link(&self, hash: LinkHash) -> PendingCommit<Result<UserId, LinkError>> {
        self.store.redeem_device_link(hash)
    }
}

#[async_trait]
impl AccessStore for FaultyNotifications {
    async fn settings(&self) -> StoreResult<Settings> {
        self.store.settings().await
    }
    async fn standings(&self, entry_requests: &[EntryRequest]) -> StoreResult<Vec<Standing>> {
        self.store.standings(entry_requests).await
    }
    fn moderate(&self, moderation: Moderation) -> PendingCommit<()> {
        self.store.moderate(moderation)
    }
    fn set(&self, setting: Setting, value: Option<Arc<str>>) -> PendingCommit<()> {
        self.store.set(setting, value)
    }
    fn redeem_admin_link(&self, secret: LinkHash, user: UserId) -> PendingCommit<bool> {
        self.store.redeem_admin_link(secret, user)
    }
    fn admit(&self, user: UserId) -> PendingCommit<()> {
        self.store.admit(user)
    }
    async fn access_changes(&self, since: u64) -> StoreResult<AccessChanges> {
        self.store.access_changes(since).await
    }
}

#[async_trait]
impl DeviceStore for FaultyNotifications {
    async fn sign_ins(&self, user: UserId) -> StoreResult<SignIns> {
        self.store.sign_ins(user).await
    }
    async fn signed_out_users(&self, users: &[UserId]) -> StoreResult<Vec<UserId>> {
        self.store.signed_out_users(users).await
    }
    fn record_device(&self, user: UserId, sign_in: SignIn, label: Option<DeviceLabel>) -> PendingCommit<()> {
        self.store.record_device(user, sign_in, label)
    }
    fn sign_out(&self, user: UserId, what: SignOut) -> PendingCommit<u64> {
        self.store.sign_out(user, what)
    }
}

#[async_trait]
impl ModerationStore for FaultyNotifications {
    async fn roles(&self, scope: &Scope, at_least: Role, after: UserId) -> StoreResult<Vec<(UserId, Role)>> {
        self.store.roles(scope, at_least, after).await
    }
    async fn restrictions(&self, scope: &Scope) -> StoreResult<Vec<StoredRestriction>> {
        self.store.restrictions(scope).await
    }
    async fn invitations(&self, scope: &Scope) -> StoreResult<Vec<StoredInvitation>> {
        self.store.invitations(scope).await
    }
    async fn invitation(&self, hash: LinkHash) -> StoreResult<Result<StoredInvitation, LinkError>> {
        self.store.invitation(hash).await
    }
    fn redeem_invitation(
        &self,
        hash: LinkHash,
        user: UserId,
    ) -> PendingCommit<Result<Option<RoomName>, LinkError>> {
        self.store.redeem_invitation(hash, user)
    }
    async fn log(&self, scope: &Scope, before: Option<u64>) -> StoreResult<Vec<LogEntry>> {
        self.store.log(scope, before).await
    }
    fn report(&self, user: UserId, room: RoomName, seq: Seq, reason: String) -> PendingCommit<()> {
        self.store.report(user, room, seq, reason)
    }
    async fn reports(&self, scope: &Scope) -> StoreResult<Vec<Report>> {
        self.store.reports(scope).await
    }
    fn set_blocked(&self, user: UserId, other: UserId, is_blocked: bool) -> PendingCommit<()> {
        self.store.set_blocked(user, other, is_blocked)
    }
    async fn blocked(&self, user: UserId) -> StoreResult<Vec<UserId>> {
        self.store.blocked(user).await
    }
}

impl RoomImportStore for FaultyNotifications {
    fn import_events(&self, import: RoomImport) -> PendingCommit<Result<u32, ImportRefusal>> {
        self.store.import_events(import)
    }
}

#[async_trait]
impl RecoveryCodeStore for FaultyNotifications {
    async fn recovery_code(&self, user: UserId) -> StoreResult<Option<Millis>> {
        self.store.recovery_code(user).await
    }
    fn set_recovery_code(&self, user: UserId, hash: CodeHash) -> PendingCommit<bool> {
        self.store.set_recovery_code(user, hash)
    }
    fn revoke_recovery_code(&self, user: UserId) -> PendingCommit<()> {
        self.store.revoke_recovery_code(user)
    }
    fn redeem_recovery_code(&self, hash: CodeHash) -> PendingCommit<Option<UserId>> {
        self.store.redeem_recovery_code(hash)
    }
}

async fn assert_all_delivered_with(change: fn(u64, Notification) -> Vec<Notification>) {
    let server = TestServer::with_store(FaultyNotifications::new(change)).await;
    let (mut ann, mut bob) =
        (V1::connect_and_join(&server, "tea").await, V1::connect_and_join(&server, "tea").await);
    for n in 0..101_u32 {
        let message = NewEvent::message(Uuid::now_v7(), room("tea"), UserId(7), &n.to_string());
        server.store().append(message).await.unwrap();
        tokio::task::yield_now().await;
    }
    for client in [&mut ann, &mut bob] {
        let received = within_timeout(client.events(101)).await;
        assert!((1..=101).eq(received.iter().map(|event| event.seq)), "each once, in order");
    }
}

#[tokio::test]
async fn losing_half_the_notifications_costs_a_second_and_no_message() {
    assert_all_delivered_with(|n, notification| if n % 2 == 0 { vec![notification] } else { vec![] }).await;
}

#[tokio::test]
async fn losing_all_notifications_costs_a_second_and_no_message() {
    assert_all_delivered_with(|_, _| vec![]).await;
}

#[tokio::test]
async fn repeated_notifications_repeat_no_event() {
    assert_all_delivered_with(|_, notification| {
        vec![notification.clone(), notification.clone(), notification]
    })
    .await;
}

#[tokio::test]
async fn names_and_titles_whose_notifications_were_lost_are_announced() {
    let server = TestServer::with_store(FaultyNotifications::new(|_, wake| match wake {
        Notification::UsersChanged(_) | Notification::RoomChanged(_) => vec![Notification::Missed],
        other => vec![other],
    }))
    .await;
    const OWNER: UserId = UserId(7);
    let info = RoomInfo { owner: Some(OWNER), title: Some("Tea".parse().unwrap()), ..RoomInfo::default() };
    server.store().create_room(room("tea"), info).await.unwrap();
    let (mut ann, mut bob) =
        (V1::connect_and_join(&server, "tea").await, V1::connect_and_join(&server, "tea").await);
    ann.send(&ClientFrame::Rename { id: Uuid::now_v7(), name: "Ann".into() }).await;
    within_timeout(async {
        while !matches!(bob.next_frame().await, ServerFrame::Renamed { name, .. } if name.as_str() == "Ann") {
        }
    })
    .await;
    let title = "Tea and cake";
    let update = server.store().update_room(
        room("tea"),
        OWNER,
        title.parse::<RoomTitle>().unwrap(),
        "".parse::<Topic>().unwrap(),
    );
    update.await.unwrap();
    within_timeout(async {
        while !matches!(bob.next_frame().await, ServerFrame::RoomUpdated { title: shown, .. } if shown == title)
        {}
    })
    .await;
}

/// The room broadcasts nothing here before the hub polls the heads.
#[tokio::test]
async fn client_is_slowed_if_its_posts_outpace_the_broadcast() {
    const POSTS: u64 = 1_000;
    let server = TestServer::with_store(FaultyNotifications::new(|_, _| vec![])).await;
    let (mut ann, mut bob) = (Lines::join(&server, "tea").await, Lines::join(&server, "tea").await);
    for n in 0..POSTS {
        ann.send_line(&n.to_string()).await;
    }
    let head = async || server.store().head(&room("tea")).await.unwrap();
    within_timeout(async {
        while head().await <= 512 {
            flush_sockets().await;
        }
    })
    .await;
    flush_sockets().await;
    let taken = head().await;
    assert!(taken <= 512 + 64 + 1, "{taken} were taken");
    for _ in 0..3 {
        advance_time(1).await;
    }
    for n in 0..POSTS {
        assert_eq!(bob.expect_line().await, n.to_string());
    }
}

#[tokio::test]
async fn client_is_slowed_if_its_read_markers_outpace_the_store() {
    let store = FaultyNotifications::new(|_, notification| vec![notification]);
    let readings = store.readings.clone();
    let server = TestServer::with_store(store).await;
    let mut ann = V1::connect_and_join(&server, "tea").await;
    ann.post("tea", "one").await;
    for _ in 0..1_000 {
        ann.send(&ClientFrame::Read { room: "tea".into(), seq: 1 }).await;
    }
    ann.frames_until_pong().await;
    let most = readings.most.load(Ordering::Relaxed);
    assert!((1..=64).contains(&most), "{most} at once");
}
