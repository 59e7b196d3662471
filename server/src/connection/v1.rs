//! The protocol `hubbub.v1`: every command is answered, every event arrives in order.

use super::{
    ConnectionContext,
    close::{ACCESS_ENDED, CloseReason, MALFORMED, REMOVED, SIGNED_OUT},
    in_order::InOrder,
    run::{self, Protocol},
    socket::Socket,
};
use crate::{
    commands::{
        JoinOptions, execute, join, parse_room_name,
        reply::{CommandError, PendingReply},
        set_read_marker, welcome,
    },
    hub::{batch::Encoding, subscriber::End},
    store::{EphemeralEvent, StreamPosition},
    websocket::frame,
};
use app::wire::{ClientFrame, CommandId, ErrorCode, Malformed, RoomName, ServerFrame, limits};
use bytes::Bytes;
use futures_util::FutureExt;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock};
use std::{num::NonZeroU32, time::Duration};
use tokio::time::Instant;

/// Time between two typing signals of one connection: a little less than clients leave.
const TYPING_INTERVAL: Duration = Duration::from_millis(2_500);

/// Joins of one connection: 20 a second, 200 at once. A page follows 31 rooms.
const JOINS: Quota =
    Quota::per_second(NonZeroU32::new(20).unwrap()).allow_burst(NonZeroU32::new(200).unwrap());

/// The reply to a command.
enum Reply {
    /// The reply is ready.
    Immediate(ServerFrame),
    /// The reply comes once the store has committed.
    Pending(PendingReply),
    /// The command has no reply.
    None,
}

struct V1 {
    /// The replies that wait for the store, in the order of the commands.
    replies: InOrder<PendingReply>,
    malformed_in_a_row: u32,
    joins: DefaultDirectRateLimiter,
    /// When this connection last sent a typing signal.
    last_typing: Option<Instant>,
}

/// Serves one v1 connection until it ends.
pub(super) fn serve(socket: Socket, context: ConnectionContext) -> impl Future<Output = ()> + Send {
    if context.subscriber.ended().is_none() {
        socket.send([text(&welcome(&context.state, &context.subscriber))]);
    }
    let v1 = V1 {
        replies: InOrder::new(),
        malformed_in_a_row: 0,
        joins: RateLimiter::direct(JOINS),
        last_typing: None,
    };
    run::serve(socket, context, v1)
}

impl Protocol for V1 {
    /// The reply, or `None` if the command has none.
    type Commit = Option<ServerFrame>;

    const ENCODING: Encoding = Encoding::V1;

    fn in_flight(&self) -> usize {
        self.replies.len()
    }

    fn next_commit(&mut self) -> impl Future<Output = Option<Self::Commit>> + Send {
        self.replies.next()
    }

    /// Sends the reply, together with those that are ready by now, and with the events of the same commit if they come at once.
    fn on_commit(
        &mut self,
        context: &mut ConnectionContext,
        socket: &Socket,
        first: Self::Commit,
    ) -> Result<(), CloseReason> {
        let mut replies = Vec::from_iter(first);
        while let Some(Some(next)) = self.replies.next().now_or_never() {
            replies.extend(next);
        }
        for reply in &replies {
            if let ServerFrame::Ack { room: Some(room), seq: Some(seq), .. } = reply {
                context.record_post(room, *seq);
            }
        }
        socket.send_with_next(replies.iter().map(text));
        Ok(())
    }

    fn report_end(socket: &Socket, end: &End) -> CloseReason {
        let (error, reason) = match end {
            End::Revoked => return REMOVED,
            End::NoAccess(why) => (CommandError::store(None, why), ACCESS_ENDED),
            End::SignedOut => (CommandError::signed_out(), SIGNED_OUT),
        };
        socket.send([text(&error.into())]);
        reason
    }

    async fn on_text(
        &mut self,
        context: &mut ConnectionContext,
        socket: &Socket,
        json: &str,
    ) -> Result<(), CloseReason> {
        let reply = match ClientFrame::parse(json) {
            Ok(frame) => {
                self.malformed_in_a_row = 0;
                let reply = self.handle_command(context, frame).await;
                reply.unwrap_or_else(|error| Reply::Immediate(error.into()))
            }
            Err(malformed) => self.count_malformed(malformed)?,
        };
        match reply {
            Reply::Immediate(frame) => socket.send([text(&frame)]),
            Reply::Pending(reply) => self.replies.push(reply),
            Reply::None => {}
        }
        Ok(())
    }
}

impl V1 {
    fn count_malformed(&mut self, malformed: Malformed) -> Result<Reply, CloseReason> {
        let code = malformed.code;
        self.malformed_in_a_row = if code == ErrorCode::BadRequest { self.malformed_in_a_row + 1 } else { 0 };
        if self.malformed_in_a_row >= limits::MAX_CONSECUTIVE_MALFORMED {
            return Err(MALFORMED);
        }
        Ok(Reply::Immediate(CommandError::from(malformed).into()))
    }

    async fn handle_command(
        &mut self,
        context: &mut ConnectionContext,
        frame: ClientFrame,
    ) -> Result<Reply, CommandError> {
        match frame {
            ClientFrame::Join { room, after, after_id, log, limit, presence } => {
                let past = after.map(|after| StreamPosition { after, after_id, log });
                let options = JoinOptions { past, limit, is_passive: !presence };
                Box::pin(self.handle_join(context, &room, options)).await
            }
            ClientFrame::Leave { room } => handle_leave(context, &room),
            ClientFrame::Post { id, ref room, .. }
            | ClientFrame::Edit { id, ref room, .. }
            | ClientFrame::Delete { id, ref room, .. }
            | ClientFrame::React { id, ref room, .. } => {
                joined_room(context, room, Some(id))?;
                execute(&context.state, context.identity, frame).await.map(Reply::Pending)
            }
            ClientFrame::Rename { .. } => {
                context.has_acted = true;
                execute(&context.state, context.identity, frame).await.map(Reply::Pending)
            }
            ClientFrame::Typing { room } => self.handle_typing(context, &room),
            ClientFrame::Read { room, seq } => {
                let (room, subscriber) = (joined_room(context, &room, None)?, &context.subscriber);
                // A position beyond the room's end does not exist.
                let head = context.session.room(&room).and_then(|room| room.head());
                subscriber.note_read(&room, seq.min(head.unwrap_or(0)));
                set_read_marker(&context.state, subscriber.user_id, room, seq).map(Reply::Pending)
            }
            ClientFrame::Unread { ref room, .. } => {
                joined_room(context, room, None)?;
                execute(&context.state, context.identity, frame).await.map(Reply::Pending)
            }
            ClientFrame::Ping { n } => {
                Ok(Reply::Immediate(ServerFrame::Pong { n, heads: context.session.changed_heads() }))
            }
        }
    }

    async fn handle_join(
        &mut self,
        context: &mut ConnectionContext,
        room: &str,
        options: JoinOptions,
    ) -> Result<Reply, CommandError> {
        let room = parse_room_name(room, None)?;
        let limited = self.joins.check().map_err(|wait| wait.wait_time_from(self.joins.clock().now()));
        limited.map_err(|wait| CommandError::rate_limited(None, wait))?;
        let ConnectionContext { state, session, identity, .. } = &mut *context;
        let joined = join(state, session, *identity, room, options).await?;
        context.permit.keep();
        Ok(Reply::Immediate(joined))
    }

    /// Broadcasts a typing signal, unless the last one was sent within [`TYPING_INTERVAL`].
    fn handle_typing(&mut self, context: &ConnectionContext, room: &str) -> Result<Reply, CommandError> {
        let name = parse_room_name(room, None)?;
        context.session.room(&name).ok_or_else(|| CommandError::not_joined(None, &name))?;
        if self.last_typing.is_none_or(|last| last.elapsed() >= TYPING_INTERVAL) {
            self.last_typing = Some(Instant::now());
            let user = context.subscriber.user();
            context.state.store.publish(EphemeralEvent::Typing { room: name, user });
        }
        Ok(Reply::None)
    }
}

fn handle_leave(context: &mut ConnectionContext, room: &str) -> Result<Reply, CommandError> {
    let room = parse_room_name(room, None)?;
    if context.session.leave(&room) { Ok(Reply::None) } else { Err(CommandError::not_joined(None, &room)) }
}

/// Returns the room of that name if this connection has joined it.
fn joined_room(
    context: &ConnectionContext,
    room: &str,
    id: Option<CommandId>,
) -> Result<RoomName, CommandError> {
    let room = parse_room_name(room, id)?;
    if context.session.room(&room).is_some() { Ok(room) } else { Err(CommandError::not_joined(id, &room)) }
}

fn text(frame: &ServerFrame) -> Bytes {
    frame::text(&frame.to_json())
}
