//! The commands of `hubbub.v1`, which arrive in a frame of a WebSocket or in the body of a request.

pub mod reply;

use crate::{
    attachments::{append_with_files, message_text},
    http::identity::Identity,
    hub::{subscriber::Subscriber, subscription::SubscriberSession},
    limits::network::Use,
    mentions,
    redact::RedactedRoom,
    state::AppState,
    store::{
        MarkerUpdate, NewEvent, PendingCommit, StoreError, StoreResult, StreamPosition, choose_name,
        known_emoji, now, posting_rules,
    },
};
use app::wire::{
    ClientFrame, CommandId, ErrorCode, FileId, Limits, MentionHint, Message, Operation, PROTOCOL_VERSION,
    PageBudget, RoomName, Seq, ServerFrame, User, UserId, limits, trim_message,
};
use futures_util::FutureExt;
use reply::{CommandError, PendingReply, acknowledge};

/// The options of a client that joins a room.
#[derive(Debug, Clone, Default)]
pub struct JoinOptions {
    /// The events that the client has already.
    pub past: Option<StreamPosition>,
    /// Messages on the newest page; 50 by default.
    pub limit: Option<u32>,
    /// The client follows the room without being listed as present.
    pub is_passive: bool,
}

/// Returns the first frame that a client receives.
pub fn welcome(state: &AppState, subscriber: &Subscriber) -> ServerFrame {
    ServerFrame::Welcome {
        protocol: PROTOCOL_VERSION,
        server: env!("CARGO_PKG_VERSION").into(),
        log: state.store.log_id().into(),
        you: subscriber.user(),
        limits: Limits::CURRENT,
        heartbeat_ms: limits::HEARTBEAT_INTERVAL_MS,
    }
}

/// Joins a room and returns the reply. The room's events follow the reply.
///
/// # Errors
/// [`CommandError`], if the client asks for more than the protocol allows or the store cannot be read. The room is not
/// joined then.
pub async fn join(
    state: &AppState,
    session: &mut SubscriberSession,
    identity: Identity,
    room: RoomName,
    options: JoinOptions,
) -> Result<ServerFrame, CommandError> {
    let joins = state.networks.usage(identity.network).take(Use::Join);
    joins.map_err(|wait| CommandError::rate_limited(None, wait))?;
    let limit = options.limit.unwrap_or(limits::DEFAULT_PAGE_SIZE);
    if !(1..=limits::MAX_PAGE_SIZE).contains(&limit) {
        let message = format!("A page has 1 to {} messages.", limits::MAX_PAGE_SIZE);
        return Err(CommandError::new(None, ErrorCode::BadRequest, message));
    }
    if !session.can_join(&room) {
        let message =
            format!("A connection follows at most {} rooms. Leave one first.", limits::MAX_JOINED_ROOMS);
        return Err(CommandError::new(None, ErrorCode::BadRequest, message));
    }
    let failed = |error: StoreError| CommandError::store(None, &error);
    let admission = state.enter(identity, Some(&room)).await.map_err(failed)?;
    let joined = session.join(&room, options.past, limit, options.is_passive).await.map_err(failed)?;
    // The user's access may have ended before what was read was posted.
    let admission = match state.renew(identity, admission).await {
        Ok(admission) => admission,
        Err(refused) => {
            session.leave(&room);
            return Err(failed(refused));
        }
    };
    let page = joined.page.map(|mut page| {
        let members = joined.members.list.iter().map(User::json_bytes).sum();
        page.keep(PageBudget::besides(members), None, Message::json_bytes);
        (page.messages, page.more)
    });
    let (messages, more) = page.unzip();
    Ok(ServerFrame::Joined {
        title: joined.info.title(&room),
        topic: joined.info.topic.to_string(),
        kept_hours: state.hub.kept_hours(&joined.info),
        posting: posting_rules(&room, &admission.standing, now()),
        read: joined.read.unwrap_or(0),
        room,
        head: joined.head,
        reset: messages.is_some(),
        members: joined.members.list,
        member_count: joined.members.count,
        messages,
        more,
    })
}

/// Executes a command that needs no connection: any but `join`, `leave`, `typing` and `ping`.
pub async fn execute(
    state: &AppState,
    identity: Identity,
    frame: ClientFrame,
) -> Result<PendingReply, CommandError> {
    match frame {
        ClientFrame::Post { id, room, text, reply_to, mentions, files } => {
            let text = message_text(&text, files.len());
            let text = text.map_err(|invalid| CommandError::invalid_text(id, invalid))?.into();
            let operation = Operation::Post { text, reply_to };
            let room = parse_room_name(&room, Some(id))?;
            append(state, identity, id, room, operation, (mentions, files)).await
        }
        ClientFrame::Edit { id, room, target, text, mentions } => {
            let text = trim_message(&text).map_err(|invalid| CommandError::invalid_text(id, invalid))?.into();
            let operation = Operation::Edit { target, text };
            let room = parse_room_name(&room, Some(id))?;
            append(state, identity, id, room, operation, (mentions, Vec::new())).await
        }
        ClientFrame::Delete { id, room, target } => {
            let operation = Operation::Delete { target };
            append(state, identity, id, parse_room_name(&room, Some(id))?, operation, Default::default())
                .await
        }
        ClientFrame::React { id, room, target, emoji, on } => {
            let emoji = known_emoji(&emoji).ok_or_else(|| CommandError::unknown_emoji(id))?.into();
            let operation = Operation::React { target, emoji, on };
            append(state, identity, id, parse_room_name(&room, Some(id))?, operation, Default::default())
                .await
        }
        ClientFrame::Rename { id, name } => set_display_name(state, identity, id, &name),
        ClientFrame::Read { room, seq } => {
            set_read_marker(state, identity.id, Box::pin(enter(state, identity, &room)).await?, seq)
        }
        ClientFrame::Unread { room, seq } => {
            mark_unread(state, identity.id, Box::pin(enter(state, identity, &room)).await?, seq)
        }
        ClientFrame::Join { .. }
        | ClientFrame::Leave { .. }
        | ClientFrame::Typing { .. }
        | ClientFrame::Ping { .. } => {
            let message = "This command needs a WebSocket. Without one, use post, edit, delete, react, rename, read or unread.";
            Err(CommandError::new(None, ErrorCode::BadRequest, message))
        }
    }
}

/// Returns the room of a command that the store does not check, if the user may enter it.
async fn enter(state: &AppState, identity: Identity, room: &str) -> Result<RoomName, CommandError> {
    let room = parse_room_name(room, None)?;
    let entered = state.enter(identity, Some(&room)).await;
    entered.map(|_| room).map_err(|error| CommandError::store(None, &error))
}

/// Appends an event. The store reserves its position before this resolves.
async fn append(
    state: &AppState,
    identity: Identity,
    id: CommandId,
    room: RoomName,
    operation: Operation,
    (hints, files): (Vec<MentionHint>, Vec<FileId>),
) -> Result<PendingReply, CommandError> {
    state.admit_post(identity, &room).await.map_err(|wait| CommandError::rate_limited(Some(id), wait))?;
    let event = NewEvent::new(id, room, identity.id, operation);
    let failed = |error| CommandError::store(Some(id), &error);
    let event = mentions::resolve(state, event, hints).await.map_err(failed)?;
    let appended = append_with_files(state, event, files).await.map_err(failed)?;
    Ok(async move { Some(acknowledge(id, appended.await)) }.boxed())
}

/// Sets a user's display name.
fn set_display_name(
    state: &AppState,
    identity: Identity,
    id: CommandId,
    name: &str,
) -> Result<PendingReply, CommandError> {
    // Counted first: comparing the name with the reserved ones costs more than rejecting the request.
    state.admit_write(identity, Use::Rename).map_err(|wait| CommandError::rate_limited(Some(id), wait))?;
    let name = choose_name(name)
        .map_err(|invalid| CommandError::new(Some(id), ErrorCode::InvalidName, invalid.to_string()))?;
    let renamed = state.store.set_display_name(identity.id, name);
    let reply = move |renamed: StoreResult<Vec<User>>| match renamed {
        Ok(_) => Some(ServerFrame::Ack { id, room: None, seq: None, dup: false }),
        Err(error) => Some(CommandError::store(Some(id), &error).into()),
    };
    Ok(renamed.map(reply).boxed())
}

/// Moves a user's read marker. A marker that does not move is neither stored nor announced.
pub fn set_read_marker(
    state: &AppState,
    user: UserId,
    room: RoomName,
    seq: Seq,
) -> Result<PendingReply, CommandError> {
    state.posts.check(user).map_err(|wait| CommandError::rate_limited(None, wait))?;
    Ok(marker_reply(state.store.set_read_marker(user, room.clone(), seq), room))
}

/// Marks the message `seq` and all later ones as unread by a user.
fn mark_unread(
    state: &AppState,
    user: UserId,
    room: RoomName,
    seq: Seq,
) -> Result<PendingReply, CommandError> {
    state.posts.check(user).map_err(|wait| CommandError::rate_limited(None, wait))?;
    Ok(marker_reply(state.store.mark_unread(user, room.clone(), seq), room))
}

/// Returns the reply to a change of a read marker: an error if the room does not exist.
fn marker_reply(stored: PendingCommit<MarkerUpdate>, room: RoomName) -> PendingReply {
    let reply = async move {
        match stored.await {
            Ok(_) => {}
            Err(error @ StoreError::RoomNotFound) => return Some(CommandError::store(None, &error).into()),
            Err(error) if error.is_logged() => {}
            Err(error) => {
                tracing::error!(%error, room = %RedactedRoom(&room), "storing read marker failed");
            }
        }
        None
    };
    reply.boxed()
}

/// Parses the name of a room in a command.
pub fn parse_room_name(room: &str, id: Option<CommandId>) -> Result<RoomName, CommandError> {
    room.parse().map_err(|invalid| CommandError::invalid_room_name(id, invalid))
}
