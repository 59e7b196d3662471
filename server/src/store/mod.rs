//! Durable state: the event log of each room, rooms, users and read markers.
//!
//! Every subscriber asks one question: which events came after `seq`? The hub depends on [`Store`] alone, a trait for
//! each concern: [`EventStore`], [`RoomStore`], [`UserStore`], [`ReadMarkerStore`], [`DeviceLinkStore`],
//! [`DeviceStore`], [`RecoveryCodeStore`], [`PresenceStore`], [`AccessStore`], [`ModerationStore`], [`RetentionStore`],
//! [`ErasureStore`], [`RoomImportStore`], [`SearchStore`] and [`FileStore`]. Every read is bounded and answered from an
//! index, so that the state may be in a database that several servers share. [`SqliteStore`] keeps it in a file,
//! [`PostgresStore`] in such a database.

mod access;
mod action;
mod columns;
mod device_links;
mod devices;
mod erasure;
mod error;
mod events;
mod files;
mod moderation;
mod name_policy;
mod notification;
mod page;
mod position;
mod postgres;
mod presence;
mod reactions;
mod read_markers;
mod retention;
mod room_import;
mod rooms;
mod rules;
mod search;
mod settings;
mod skeleton;
mod snapshot;
mod sqlite;
mod transfer;
mod users;

pub use access::{
    AccessChange, AccessChanges, AccessStore, EntryRequest, MAX_ACCESS_CHANGES, MAX_RESTRICTIONS, MAX_ROLES,
    MAX_SLOW_SECONDS, RestrictionKind, Role, RoomMode, RoomStanding, Standing, Subject, Until,
};
pub use action::{Action, MAX_REASON_CHARS, Moderation};
pub use device_links::{DeviceLinkStore, LinkError, LinkHash, MAX_DEVICE_LINKS, TooManyLinks};
pub use devices::{
    CodeHash, Device, DeviceId, DeviceLabel, DeviceStore, InvalidDeviceId, MAX_DEVICES,
    MAX_USERS_PER_SIGN_OUT_READ, RecoveryCodeStore, SignIn, SignIns, SignOut,
};
pub use erasure::{
    Erasure, ErasureStore, MAX_ERASURES_PER_READ, MAX_EVENTS_PER_SCAN, MAX_RECORDS_PER_READ, ScanPosition,
    UserContent, UserRecord, UserRecords, UserRight,
};
pub use error::{StoreError, StoreResult};
pub use events::{Appended, EventStore, MAX_HEADS_PER_READ, NewEvent};
pub use files::{
    Content, ContentHash, ContentState, FileStore, MAX_REMOVED_PER_STEP, MAX_UNPOSTED_FILES,
    MAX_UNPOSTED_FILES_PER_NETWORK, NewFile, StoredFile, UNPOSTED_LIFETIME, UNPOSTED_SHARE_OF_NETWORK,
    UNPOSTED_SHARE_OF_USER,
};
pub use moderation::{
    Invitation, LogEntry, MAX_BLOCKED, MAX_ENTRIES_PER_READ, MAX_INVITATIONS, MAX_LOG_ENTRIES, MAX_REPORTS,
    MAX_REPORTS_PER_USER, ModerationStore, Report, Scope, StoredInvitation, StoredRestriction,
};
pub use name_policy::choose_name;
pub use notification::{EphemeralEvent, Notification, Notifier};
pub use page::{MessagePage, read_around};
pub use position::StreamPosition;
pub use postgres::{
    DatabaseUrl, Import, ImportError, ImportTarget, InvalidDatabaseUrl, PostgresError, PostgresStore,
    TargetState, replace_cookie_key,
};
pub use presence::{
    MAX_PRESENT_ELSEWHERE, MAX_RECENT_NETWORKS, PresenceStore, PresentElsewhere, RECENT_NETWORK_AGE,
    RoomPresence,
};
pub use reactions::{complete_reactions, known_emoji};
pub use read_markers::{
    JoinedRoom, JoinedRooms, MAX_READ_MARKERS, MarkerUpdate, ReadMarkerStore, UNREAD_SCAN_EVENTS,
};
pub use retention::{
    ABANDONED_AFTER, AgingRoom, MAX_ABANDONED_EVENTS, MAX_EXPIRED_PER_STEP, MAX_ROOMS_PER_SWEEP,
    RetentionStore, ServerRetention, Sweep, VISIT_INTERVAL,
};
pub use room_import::{ImportRefusal, MAX_IMPORT_AHEAD, MAX_IMPORTED_EVENTS, RoomImport, RoomImportStore};
pub use rooms::{MAX_ROOMS_PER_READ, RoomInfo, RoomOrder, RoomQuery, RoomRecord, RoomStore};
pub use rules::{
    may_enter_room, may_enter_server, may_read_file, may_see_log, may_upload_to, moderates, posting_rules,
};
pub use search::{
    ExcerptPart, Has, IndexLag, IndexStep, MAX_AUTHORS, MAX_EVENTS_SEARCHED, MAX_EXCERPT_CHARS,
    MAX_EXCLUDED_ROOMS, MAX_INDEXED_PER_STEP, MAX_PRIVATE_ROOMS, MAX_QUERY_BYTES, MAX_QUERY_FILTERS,
    MAX_QUERY_WORDS, MAX_RESULTS, MAX_TOKEN_CHARS, ParsedQuery, Phrase, QueryError, SearchHit, SearchPage,
    SearchQuery, SearchScope, SearchStore, WriterLoad, excerpt, has_phrases,
};
pub use settings::{ServerAccess, Setting, Settings};
pub use snapshot::RoomSnapshot;
pub use sqlite::{
    Export, OpenError, Options, SqliteStore, Summary, Synchronous, back_up, check, file_contents, restore,
};
pub use transfer::{Chunk, Position, Table};
pub use users::{MAX_FOUND_USERS, MAX_NAMES_PER_READ, MAX_NAMESAKES, UserStore};

use app::wire::Millis;
use async_trait::async_trait;
use futures_util::{future::BoxFuture, stream::BoxStream};
use std::time::{SystemTime, UNIX_EPOCH};

/// A write that was queued when the method was called, not when the future is first polled: writes of one caller are
/// carried out in the order of the calls. Resolves once the write is durable; if it is dropped, the write is carried
/// out all the same.
pub type PendingCommit<T> = BoxFuture<'static, StoreResult<T>>;

/// The durable state of one installation.
#[async_trait]
pub trait Store:
    EventStore
    + RoomStore
    + UserStore
    + ReadMarkerStore
    + DeviceLinkStore
    + DeviceStore
    + RecoveryCodeStore
    + PresenceStore
    + AccessStore
    + ModerationStore
    + RetentionStore
    + ErasureStore
    + RoomImportStore
    + SearchStore
    + FileStore
{
    /// Returns the identity of the event log. It changes when a backup is restored, or when the file may have been
    /// replaced by an older copy.
    fn log_id(&self) -> &str;

    /// Returns the notifications from now on, of all processes that share the store. Each is sent after its commit and
    /// before the commit is acknowledged by this process.
    fn subscribe(&self) -> BoxStream<'static, Notification>;

    /// Notifies every subscriber of what is not stored, at most once.
    fn publish(&self, event: EphemeralEvent);

    /// Resolves if the last commit succeeded, or if a probe succeeds now. Probes at most once a second.
    ///
    /// # Errors
    /// [`StoreError::Backend`] if nothing can be stored.
    async fn ready(&self) -> StoreResult<()>;

    /// Resolves when the store has another past than this process has shown, so that its [identity](Self::log_id) is not
    /// true any more: nothing is read or written from now on, and the store must be opened again.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    async fn superseded(&self) {
        std::future::pending::<()>().await;
    }

    /// Returns the bytes that the store uses on the disk.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn used_bytes(&self) -> StoreResult<u64>;

    /// Commits what is queued, then rejects further writes.
    async fn close(&self);
}

/// Returns the time, in milliseconds since 1970: 0 if the clock is before that.
pub fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}
