//! The loop of one connection, the same for both protocols.

use super::{
    ConnectionContext, MAX_IN_FLIGHT_POSTS,
    close::{CROWDED, CloseReason, IDLE_TIMEOUT, RESTART, TEXT_ONLY},
    socket::{Incoming, MAX_UNSENT_BYTES, Socket},
    writer::{SocketWriter, WriteError},
};
use crate::{
    hub::{
        batch::Encoding,
        subscriber::{End, Signal},
    },
    websocket::ProtocolError,
};
use std::pin::pin;
use tokio::{
    task::yield_now,
    time::{Instant, sleep_until},
};

/// The handling of a client's messages by a protocol.
pub(super) trait Protocol: Send {
    /// The result of an operation of the store.
    type Commit: Send;

    /// The encoding of deliveries.
    const ENCODING: Encoding;

    /// Returns how many operations wait for the store.
    fn in_flight(&self) -> usize;

    /// Resolves with the result of the oldest operation, or with `None` if none is in flight.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    fn next_commit(&mut self) -> impl Future<Output = Option<Self::Commit>> + Send;

    /// Handles the result of an operation.
    fn on_commit(
        &mut self,
        context: &mut ConnectionContext,
        socket: &Socket,
        commit: Self::Commit,
    ) -> Result<(), CloseReason>;

    /// Handles a text message.
    fn on_text(
        &mut self,
        context: &mut ConnectionContext,
        socket: &Socket,
        text: &str,
    ) -> impl Future<Output = Result<(), CloseReason>> + Send;

    /// Returns the time before which no message is read, if the client is throttled.
    fn throttled_until(&self) -> Option<Instant> {
        None
    }

    /// Handles a tick of the connection's timer.
    fn on_tick(&mut self, _context: &mut ConnectionContext) {}

    /// Sends the client the error that ends its connection. Returns the close reason.
    fn report_end(socket: &Socket, end: &End) -> CloseReason;

    /// Returns the reason to close with after a protocol error.
    fn close_reason(error: ProtocolError) -> CloseReason {
        error.into()
    }
}

/// Runs a connection until it ends, then closes the socket.
///
/// Not an `async fn`: its future would hold each argument twice.
pub(super) fn serve<P: Protocol>(
    mut socket: Socket,
    mut context: ConnectionContext,
    mut protocol: P,
) -> impl Future<Output = ()> + Send {
    context.attach(&socket, P::ENCODING);
    async move {
        let reason = run(&mut socket, &mut context, &mut protocol).await;
        // The client leaves its rooms at once, however long the close takes.
        drop((context, protocol));
        if let Some(reason) = reason {
            Box::pin(socket.close(reason)).await;
        }
    }
}

/// Runs a connection until it ends. Returns the reason to close with, or `None` if the client can no longer receive one.
async fn run<P: Protocol>(
    socket: &mut Socket,
    context: &mut ConnectionContext,
    protocol: &mut P,
) -> Option<CloseReason> {
    let (draining, writer) = (context.state.draining.clone(), socket.writer());
    let mut draining = pin!(draining.cancelled());
    let mut revoked = pin!(context.permit.revoked());
    let mut close_at: Option<Instant> = None;
    let mut timer = pin!(sleep_until(socket.next_deadline()));
    loop {
        if let Some(at) = close_at {
            if at <= Instant::now() {
                return Some(Box::pin(drain(socket, context, protocol)).await);
            }
            let wake_at = timer.deadline().min(at);
            timer.as_mut().reset(wake_at);
        }
        let throttled_until = protocol.throttled_until();
        if let Some(until) = throttled_until.filter(|until| *until < timer.deadline()) {
            timer.as_mut().reset(until);
        }
        let mut written = writer.state();
        if written.holds_frames {
            // The room writes them with its events, if it is its turn now.
            yield_now().await;
            writer.release_held();
            written = writer.state();
        }
        if let Some(end) = context.subscriber.ended() {
            writer.drop_unsent();
            return Some(P::report_end(socket, &end));
        }
        let (is_writable, is_backpressured) = (written.is_writable, context.is_backpressured());
        let can_receive = protocol.in_flight() < MAX_IN_FLIGHT_POSTS
            && throttled_until.is_none()
            && !is_backpressured
            && written.unsent_bytes < MAX_UNSENT_BYTES;
        tokio::select! {
            biased;
            () = &mut draining, if close_at.is_none() => {
                close_at = Some(Instant::now() + Box::pin(context.state.close_delay()).await);
            }
            Some(commit) = protocol.next_commit() => {
                if let Err(reason) = protocol.on_commit(context, socket, commit) { return Some(reason) }
            }
            flushed = flush(&writer), if !is_writable => {
                if let Err(error) = flushed && !context.recover(&writer, error) { return error.close_reason() }
            }
            signal = context.subscriber.signal(is_writable) => match signal {
                // The next round ends the connection.
                Signal::End(_) => {}
                Signal::Flush => drop(context.session.flush().await),
            },
            incoming = socket.receive(), if can_receive => match incoming {
                Incoming::Text(text) => {
                    if let Err(reason) = Box::pin(protocol.on_text(context, socket, &text)).await {
                        return Some(reason);
                    }
                }
                Incoming::Binary(_) => return Some(TEXT_ONLY),
                Incoming::Heartbeat => {}
                Incoming::Closed => return None,
                Incoming::ProtocolError(error) => return Some(P::close_reason(error)),
            },
            () = context.backpressure_released(), if is_backpressured => {}
            () = &mut revoked => return Some(CROWDED),
            () = &mut timer => {
                protocol.on_tick(context);
                context.record_device();
                if !socket.keep_alive() { return Some(IDLE_TIMEOUT) }
                timer.as_mut().reset(socket.next_deadline());
            }
        }
    }
}

/// Waits until the client has taken all bytes. Boxed, because idle connections never need the room for it.
async fn flush(writer: &SocketWriter) -> Result<(), WriteError> {
    Box::pin(writer.flush()).await
}

/// Commits what the connection has accepted, and delivers the final events, before the server stops. A client in lines has
/// no history to read them from later, and the echo is its only acknowledgement.
async fn drain<P: Protocol>(
    socket: &Socket,
    context: &mut ConnectionContext,
    protocol: &mut P,
) -> CloseReason {
    while let Some(commit) = protocol.next_commit().await {
        // The connection ends anyway.
        let _ = protocol.on_commit(context, socket, commit);
    }
    context.stop_accepting_and_wait().await;
    while context.has_final_deliveries().await && context.flush_final(socket, P::ENCODING).await {}
    RESTART
}
