//! What a v1 command does, whichever way it came: in a frame of a socket or in the body of a request.

use crate::{
    http::identity::Identity,
    hub::{
        subscriber::Link,
        subscription::{Reader, Start},
    },
    limits::network::Use,
    redact::LoggableRoom,
    state::AppState,
    store::{Appended, Deed, NewEvent, Past, ReadMarker, StoreError, StoreResult, choose_name},
};
use app::wire::{
    ClientFrame, CommandId, ErrorCode, InvalidText, Limits, Malformed, Message, PROTOCOL_VERSION, PageBudget,
    RoomName, Seq, ServerFrame, User, UserId, limits, trim_message,
};
use futures_util::{FutureExt, future::BoxFuture};
use std::time::Duration;

/// An answer that comes when the log has committed; `None` if the command has none. The command is carried
/// out even if this is dropped.
pub(crate) type Pending = BoxFuture<'static, Option<ServerFrame>>;

/// What a client asks for when it joins a room.
#[derive(Debug, Clone, Default)]
pub(crate) struct Joining {
    /// What the client has already.
    pub past: Option<Past>,
    /// Messages on the newest page; 50 without it.
    pub limit: Option<u32>,
    /// Follow the room without being listed as present.
    pub quiet: bool,
}

/// Why a command was not carried out.
#[derive(Debug)]
pub(crate) struct Refusal {
    id: Option<String>,
    code: ErrorCode,
    message: String,
    retry: Option<Duration>,
}

/// Returns the first frame that a client receives.
pub(crate) fn welcome(state: &AppState, link: &Link) -> ServerFrame {
    ServerFrame::Welcome {
        protocol: PROTOCOL_VERSION,
        server: env!("CARGO_PKG_VERSION").into(),
        log: state.store.id().into(),
        you: link.author(),
        limits: Limits::CURRENT,
        heartbeat_ms: limits::HEARTBEAT_INTERVAL_MS,
    }
}

/// Where a reader begins: after what it has if the log continues that, else with the newest page.
async fn start(state: &AppState, room: &RoomName, past: Option<Past>, limit: u32) -> StoreResult<Start> {
    let Some(past) = past else { return Ok(Start::Page(limit)) };
    let after = past.after;
    Ok(if state.store.continues(room, past).await? { Start::After(after) } else { Start::Page(limit) })
}

/// Lets `reader` join `room`; its events follow the answer.
///
/// # Errors
/// A page of another size than the protocol allows, or a log that cannot be read; the room is not joined
/// then.
pub(crate) async fn join(
    state: &AppState,
    reader: &mut Reader,
    identity: Identity,
    room: RoomName,
    asked: Joining,
) -> Result<ServerFrame, Refusal> {
    let joins = state.networks.usage(identity.network).take(Use::Join);
    joins.map_err(|wait| too_fast(None, wait))?;
    let limit = asked.limit.unwrap_or(limits::DEFAULT_PAGE_SIZE);
    if !(1..=limits::MAX_PAGE_SIZE).contains(&limit) {
        let message = format!("A page has 1 to {} messages.", limits::MAX_PAGE_SIZE);
        return Err(Refusal::new(None, ErrorCode::BadRequest, message));
    }
    if !reader.may_join(&room) {
        let message =
            format!("A connection follows at most {} rooms. Leave one first.", limits::MAX_JOINED_ROOMS);
        return Err(Refusal::new(None, ErrorCode::BadRequest, message));
    }
    let start = start(state, &room, asked.past, limit).await.map_err(|error| not_done(None, &error))?;
    let read = state.store.read_up_to(identity.id, &room).await;
    let read = read.map_err(|error| not_done(None, &error))?.unwrap_or(0);
    let entrance = reader.join(&room, start, limit, asked.quiet).await;
    let entrance = entrance.map_err(|error| not_done(None, &error))?;
    let page = entrance.page.map(|mut page| {
        let members = entrance.members.list.iter().map(User::json_bytes).sum();
        page.keep(PageBudget::besides(members), None, Message::json_bytes);
        (page.messages, page.more)
    });
    let (messages, more) = page.unzip();
    Ok(ServerFrame::Joined {
        title: state.store.about(&room).title(&room),
        topic: state.store.about(&room).topic.to_string(),
        read,
        room,
        head: entrance.head,
        reset: messages.is_some(),
        members: entrance.members.list,
        member_count: entrance.members.count,
        messages,
        more,
    })
}

/// Carries out a command that needs no connection: any but `join`, `leave`, `typing` and `ping`.
pub(crate) fn carry_out(
    state: &AppState,
    identity: Identity,
    frame: ClientFrame,
) -> Result<Pending, Refusal> {
    match frame {
        ClientFrame::Post { id, room, text, reply_to } => {
            let text = trim_message(&text).map_err(|bad| bad_text(id, bad))?.into();
            append(state, identity, id, room_named(&room, Some(id))?, Deed::Post { text, reply_to })
        }
        ClientFrame::Edit { id, room, target, text } => {
            let text = trim_message(&text).map_err(|bad| bad_text(id, bad))?.into();
            append(state, identity, id, room_named(&room, Some(id))?, Deed::Edit { target, text })
        }
        ClientFrame::Delete { id, room, target } => {
            append(state, identity, id, room_named(&room, Some(id))?, Deed::Delete { target })
        }
        ClientFrame::Rename { id, name } => rename(state, identity, id, &name),
        ClientFrame::Read { room, seq } => read(state, identity.id, None, room_named(&room, None)?, seq),
        ClientFrame::Join { .. }
        | ClientFrame::Leave { .. }
        | ClientFrame::Typing { .. }
        | ClientFrame::Ping { .. } => {
            let message =
                "This needs a WebSocket. Without one there are post, edit, delete, rename and read.";
            Err(Refusal::new(None, ErrorCode::BadRequest, message))
        }
    }
}

/// Hands an event to the log, which gives it its place now.
fn append(
    state: &AppState,
    identity: Identity,
    id: CommandId,
    room: RoomName,
    deed: Deed,
) -> Result<Pending, Refusal> {
    state.admit_post(identity, &room).map_err(|wait| too_fast(Some(id), wait))?;
    let appended = state.store.append(NewEvent { id, room, author: identity.id, deed });
    Ok(async move { Some(acknowledged(id, appended.await)) }.boxed())
}

/// Gives a person another display name.
fn rename(state: &AppState, identity: Identity, id: CommandId, name: &str) -> Result<Pending, Refusal> {
    // The name is compared with reserved ones, which costs more than to refuse a request.
    state.admit_write(identity, Use::Rename).map_err(|wait| too_fast(Some(id), wait))?;
    let name =
        choose_name(name).map_err(|bad| Refusal::new(Some(id), ErrorCode::InvalidName, bad.to_string()))?;
    let renamed = state.hub.rename(identity.id, name);
    let answer = move |renamed: StoreResult<User>| match renamed {
        Ok(_) => Some(ServerFrame::Ack { id, room: None, seq: None, dup: false }),
        Err(error) => Some(not_done(Some(id), &error).into()),
    };
    Ok(renamed.map(answer).boxed())
}

/// Moves the read marker of `person`, then informs their other connections; `link` is the id of the one that said so.
/// A marker that does not move is neither stored nor sent on.
pub(crate) fn read(
    state: &AppState,
    person: UserId,
    link: Option<u64>,
    room: RoomName,
    seq: Seq,
) -> Result<Pending, Refusal> {
    state.posts.take(person).map_err(|wait| too_fast(None, wait))?;
    let hub = state.hub.clone();
    // A position beyond the room's end is none.
    let seq = seq.min(state.store.heads(std::slice::from_ref(&room))[0]);
    let stored = state.store.read(person, room.clone(), seq);
    let read = async move {
        match stored.await {
            Ok(ReadMarker::Moved) => hub.has_read(person, link, &room, seq).await,
            Ok(ReadMarker::Unchanged) => {}
            Err(error @ StoreError::NoSuchRoom) => return Some(not_done(None, &error).into()),
            Err(error) => {
                tracing::error!(%error, room = %LoggableRoom(&room), "a read marker could not be stored");
            }
        }
        None
    };
    Ok(read.boxed())
}

impl Refusal {
    pub(crate) fn new(id: Option<CommandId>, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { id: id.map(|id| id.to_string()), code, message: message.into(), retry: None }
    }
}

impl From<Malformed> for Refusal {
    fn from(Malformed { code, message, id }: Malformed) -> Self {
        Self { id, code, message, retry: None }
    }
}

impl From<Refusal> for ServerFrame {
    fn from(refusal: Refusal) -> Self {
        let Refusal { id, code, message, retry } = refusal;
        let retry_ms = retry.map(|wait| wait.as_millis().max(1) as u64);
        Self::Error { id, code, message, retry_ms }
    }
}

pub(crate) fn room_named(room: &str, id: Option<CommandId>) -> Result<RoomName, Refusal> {
    room.parse()
        .map_err(|bad: app::wire::InvalidRoomName| Refusal::new(id, ErrorCode::NoSuchRoom, bad.to_string()))
}

pub(crate) fn not_joined(id: Option<CommandId>, room: &RoomName) -> Refusal {
    Refusal::new(id, ErrorCode::NotJoined, format!("Join {room} first."))
}

fn bad_text(id: CommandId, bad: InvalidText) -> Refusal {
    match bad {
        InvalidText::Blank => Refusal::new(Some(id), ErrorCode::Blank, "There is nothing in this message."),
        InvalidText::TooLong { .. } => {
            let message = format!("A message has at most {} bytes.", limits::MAX_MESSAGE_BYTES);
            Refusal::new(Some(id), ErrorCode::TooLong, message)
        }
    }
}

pub(crate) fn too_fast(id: Option<CommandId>, wait: Duration) -> Refusal {
    let refusal = Refusal::new(id, ErrorCode::RateLimited, "That was too fast. Wait a moment.");
    Refusal { retry: Some(wait), ..refusal }
}

fn not_done(id: Option<CommandId>, error: &StoreError) -> Refusal {
    match error {
        StoreError::IdTaken => Refusal::new(id, ErrorCode::BadRequest, "Somebody else has used this id."),
        StoreError::NoSuchMessage => {
            Refusal::new(id, ErrorCode::NoSuchMessage, "That message does not exist, or no longer.")
        }
        StoreError::RoomExists | StoreError::TitleTaken(_) => {
            Refusal::new(id, ErrorCode::BadRequest, error.to_string())
        }
        StoreError::NoSuchRoom => Refusal::new(id, ErrorCode::NoSuchRoom, "There is no such room."),
        StoreError::NotAllowed => Refusal::new(id, ErrorCode::NotAllowed, "That message is somebody else's."),
        StoreError::ReadOnly => {
            let message = "The server has no room for more. Deleting messages makes some.";
            Refusal::new(id, ErrorCode::ReadOnly, message)
        }
        StoreError::Storage(_) => {
            tracing::error!(%error, "a command was not done");
            Refusal::new(id, ErrorCode::Internal, "The server could not store or read this now.")
        }
    }
}

fn acknowledged(id: CommandId, appended: StoreResult<Appended>) -> ServerFrame {
    match appended {
        Ok(Appended { room, seq, dup, .. }) => ServerFrame::Ack { id, room: Some(room), seq: Some(seq), dup },
        Err(error) => not_done(Some(id), &error).into(),
    }
}
