//! The requests to the writer, in the order of the calls.

use crate::store::{
    Appended, CodeHash, DeviceLabel, ImportRefusal, LinkError, LinkHash, MarkerUpdate, Moderation, NewEvent,
    PendingCommit, RoomImport, RoomInfo, ScanPosition, Setting, SignIn, SignOut, StoreError, StoreResult,
    Sweep, TooManyLinks,
    files::{FileCommand, FileOutput},
};
use app::wire::{DisplayName, Millis, Retention, RoomName, RoomTitle, Seq, Topic, User, UserId};
use futures_util::FutureExt;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    task::unconstrained,
};

/// Commands in one batch, at most.
pub(super) const MAX_COMMANDS_PER_BATCH: usize = 1_024;

/// The sender of the result of a request.
pub(super) type Reply<T> = oneshot::Sender<StoreResult<T>>;

/// A request to the writer.
pub(super) enum Request {
    Append(NewEvent, Reply<Appended>),
    SetReadMarker(UserId, RoomName, Seq, Reply<MarkerUpdate>),
    MarkUnread(UserId, RoomName, Seq, Reply<MarkerUpdate>),
    RemoveReadMarker(UserId, RoomName, Reply<()>),
    SetDisplayName(UserId, DisplayName, Reply<Vec<User>>),
    CreateRoom(RoomName, RoomInfo, Reply<()>),
    UpdateRoom {
        room: RoomName,
        user: UserId,
        title: RoomTitle,
        topic: Topic,
        reply: Reply<()>,
    },
    CreateDeviceLink(LinkHash, UserId, Duration, Reply<Result<(), TooManyLinks>>),
    RedeemDeviceLink(LinkHash, Reply<Result<UserId, LinkError>>),
    Moderate(Box<Moderation>, Reply<()>),
    Set(Setting, Option<Arc<str>>, Reply<()>),
    RedeemAdminLink(LinkHash, UserId, Reply<bool>),
    Admit(UserId, Reply<()>),
    RedeemInvitation(LinkHash, UserId, Reply<Result<Option<RoomName>, LinkError>>),
    Report {
        user: UserId,
        room: RoomName,
        seq: Seq,
        reason: String,
        reply: Reply<()>,
    },
    SetBlocked {
        user: UserId,
        other: UserId,
        is_blocked: bool,
        reply: Reply<()>,
    },
    RecordDevice(UserId, SignIn, Option<DeviceLabel>, Reply<()>),
    SignOut(UserId, SignOut, Reply<u64>),
    SetRecoveryCode(UserId, CodeHash, Reply<bool>),
    RevokeRecoveryCode(UserId, Reply<()>),
    RedeemRecoveryCode(CodeHash, Reply<Option<UserId>>),
    SetRetention(RoomName, UserId, Option<Retention>, Reply<()>),
    Expire(RoomName, Sweep, Reply<u32>),
    RemoveIfAbandoned(RoomName, Millis, Reply<bool>),
    RecordRoomVisit(RoomName, Millis, Reply<()>),
    BeginErasure(UserId, Reply<()>),
    NoteErased(UserId, u64, Option<ScanPosition>, Reply<()>),
    ChangeFile(Box<FileCommand>, Reply<FileOutput>),
    ImportEvents(Box<RoomImport>, Reply<Result<u32, ImportRefusal>>),
    /// Writes something, to find out whether the database accepts it.
    Probe(Reply<()>),
    /// Carries out what was requested before it, then ends the writer.
    Close(Reply<()>),
}

impl Request {
    /// Returns the bytes of its text.
    pub(super) fn text_bytes(&self) -> usize {
        match self {
            Self::Append(event, _) => event.operation.text_bytes(),
            _ => 0,
        }
    }
}

/// The queue of the writer. The callers bound it: a connection has a bounded number of requests in flight.
pub(super) struct Queue(pub(super) mpsc::UnboundedSender<Request>);

impl Queue {
    /// Queues a request now; the future resolves when it is carried out.
    pub(super) fn request<T: Send + 'static>(
        &self,
        request: impl FnOnce(Reply<T>) -> Request,
    ) -> PendingCommit<T> {
        let (reply, replied) = oneshot::channel();
        // A failed send drops the sender, which the receiver reports.
        let _ = self.0.send(request(reply));
        // A batch answers many requests at once. They must not use up the budget of the task that waits for all of them.
        let replied = unconstrained(replied);
        async { replied.await.unwrap_or_else(|_| Err(StoreError::backend("the store is closed"))) }.boxed()
    }
}
