//! The lines protocol: bare text both ways in one room, as the Go demo's page and short scripts speak it.

use super::{
    ConnectionContext,
    close::{
        ACCESS_ENDED, CloseReason, LINE_TOO_LONG, MAY_NOT_WRITE, NOT_STORED, READ_ONLY, REMOVED, SIGNED_OUT,
        SLOW_MODE, TOO_MANY_ROOMS,
    },
    in_order::InOrder,
    run::{self, Protocol},
    socket::Socket,
};
use crate::{
    access::is_refusal,
    hub::{batch::Encoding, subscriber::End},
    limits::network::Use,
    mentions,
    store::{Appended, NewEvent, PendingCommit, StoreError, StoreResult},
    websocket::ProtocolError,
};
use app::wire::{InvalidText, RoomName, trim_single_line};
use futures_util::{FutureExt, future::ready};
use tokio::time::Instant;
use uuid::Uuid;

struct Lines {
    room: RoomName,
    appends: InOrder<PendingCommit<Appended>>,
    /// The client posts too fast: its last post is counted at this time, and nothing is read before. The client is
    /// slowed down, not cut off.
    throttled_until: Option<Instant>,
}

/// Serves one lines connection, which has joined `room`, until it ends.
pub(super) fn serve(
    socket: Socket,
    context: ConnectionContext,
    room: RoomName,
) -> impl Future<Output = ()> + Send {
    context.permit.keep();
    run::serve(socket, context, Lines { room, appends: InOrder::new(), throttled_until: None })
}

impl Protocol for Lines {
    type Commit = StoreResult<Appended>;

    const ENCODING: Encoding = Encoding::Lines;

    fn in_flight(&self) -> usize {
        self.appends.len()
    }

    fn next_commit(&mut self) -> impl Future<Output = Option<Self::Commit>> + Send {
        self.appends.next()
    }

    fn on_commit(
        &mut self,
        context: &mut ConnectionContext,
        _socket: &Socket,
        commit: Self::Commit,
    ) -> Result<(), CloseReason> {
        match commit {
            Ok(appended) => {
                context.record_post(&appended.room, appended.seq);
                Ok(())
            }
            Err(StoreError::ReadOnly) => Err(READ_ONLY),
            Err(StoreError::TooFast(_)) => Err(SLOW_MODE),
            Err(error) if is_refusal(&error) => Err(MAY_NOT_WRITE),
            Err(error) => {
                if !error.is_logged() {
                    tracing::error!(%error, "storing a line failed");
                }
                Err(NOT_STORED)
            }
        }
    }

    async fn on_text(
        &mut self,
        context: &mut ConnectionContext,
        _socket: &Socket,
        text: &str,
    ) -> Result<(), CloseReason> {
        let text = match trim_single_line(text) {
            Ok(text) => text,
            Err(InvalidText::Blank) => return Ok(()),
            Err(InvalidText::TooLong { .. }) => return Err(LINE_TOO_LONG),
        };
        if context.state.admit_room(context.identity, &self.room).await.is_err() {
            return Err(TOO_MANY_ROOMS);
        }
        self.consume_rate_limit(context);
        let message = NewEvent::message(Uuid::now_v7(), self.room.clone(), context.subscriber.user_id, &text);
        match mentions::resolve(&context.state, message, Vec::new()).await {
            Ok(message) => self.appends.push(context.state.store.append(message)),
            Err(error) => self.appends.push(ready(Err(error)).boxed()),
        }
        Ok(())
    }

    fn throttled_until(&self) -> Option<Instant> {
        self.throttled_until
    }

    /// Counts the post that was throttled, if it is time.
    fn on_tick(&mut self, context: &mut ConnectionContext) {
        if self.throttled_until.is_some_and(|until| until <= Instant::now()) {
            self.consume_rate_limit(context);
        }
    }

    fn report_end(_: &Socket, end: &End) -> CloseReason {
        match end {
            End::Revoked => REMOVED,
            End::NoAccess(_) => ACCESS_ENDED,
            End::SignedOut => SIGNED_OUT,
        }
    }

    fn close_reason(error: ProtocolError) -> CloseReason {
        if error == ProtocolError::TooBig { LINE_TOO_LONG } else { error.into() }
    }
}

impl Lines {
    /// Counts a post against the limits, now or as soon as they have room for it.
    fn consume_rate_limit(&mut self, context: &ConnectionContext) {
        let counted = context.state.admit_write(context.identity, Use::Post);
        self.throttled_until = counted.err().map(|wait| Instant::now() + wait);
    }
}
