//! The lines mode: one room, bare text both ways; what the Go demo's page and a ten-line script
//! speak.

use super::{
    Desk, OUTSTANDING,
    socket::{Ending, RESTARTING, Received, SILENT, Socket, TEXT_ONLY, ending, flushed},
};
use crate::{
    hub::{batch::Encoding, outbound::Outlet},
    limits::network::Use,
    store::{Appended, NewEvent, StoreError, StoreResult},
    websocket::{Violation, close},
};
use app::wire::{InvalidText, RoomName, trim_single_line};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesOrdered};
use std::pin::pin;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

struct Lines {
    desk: Desk,
    room: RoomName,
    posting: FuturesOrdered<BoxFuture<'static, StoreResult<Appended>>>,
    /// Somebody posts too fast: the last post counts against the limit then, and nothing is read
    /// before. They are slowed down, not cut off.
    owed: Option<Instant>,
}

/// Serves one lines connection, which has joined `room`, until it ends.
pub(super) fn serve(mut socket: Socket, desk: Desk, room: RoomName) -> impl Future<Output = ()> + Send {
    desk.attach(&socket, Encoding::Lines);
    desk.place.keep();
    let mut lines = Lines { desk, room, posting: FuturesOrdered::new(), owed: None };
    async move {
        let ending = lines.run(&mut socket).await;
        // Gone from the room at once, however long the goodbye takes.
        drop(lines);
        if let Some(ending) = ending {
            Box::pin(socket.close(ending)).await;
        }
    }
}

impl Lines {
    /// How it ended; `None` where there is nobody left to tell.
    async fn run(&mut self, socket: &mut Socket) -> Option<Ending> {
        let (draining, stream) = (self.desk.state.draining.clone(), socket.stream());
        let mut draining = pin!(draining.cancelled());
        let mut timer = pin!(sleep_until(socket.due()));
        loop {
            let (is_free, is_ahead) = (stream.is_free(), self.desk.is_ahead());
            if let Some(owed) = self.owed.filter(|owed| *owed < timer.deadline()) {
                timer.as_mut().reset(owed);
            }
            let may_read =
                self.posting.len() < OUTSTANDING && self.owed.is_none() && !is_ahead && socket.may_receive();
            tokio::select! {
                biased;
                () = &mut draining => return Box::pin(self.drain(socket)).await,
                Some(posted) = self.posting.next() => if let Err(ending) = self.posted(posted) { return Some(ending) },
                flushed = flushed(&stream), if !is_free => if let Err(stuck) = flushed && !self.desk.relieve(&stream, stuck) { return ending(stuck) },
                () = self.desk.reader.ready(), if is_free => drop(self.desk.reader.take().await),
                received = socket.receive(), if may_read => match received {
                    Received::Text(text) => if let Err(ending) = self.post(&text) { return Some(ending) },
                    Received::Binary(_) => return Some(TEXT_ONLY),
                    Received::Life => {}
                    Received::Gone => return None,
                    Received::Refused(Violation::TooBig) => return Some(TOO_LONG),
                    Received::Refused(violation) => return Some(violation.ending()),
                },
                () = self.desk.caught_up(), if is_ahead => {}
                () = &mut timer => {
                    self.pay();
                    if !socket.keep_alive() { return Some(SILENT) }
                    timer.as_mut().reset(socket.due());
                }
            }
        }
    }

    fn post(&mut self, text: &str) -> Result<(), Ending> {
        let text = match trim_single_line(text) {
            Ok(text) => text,
            Err(InvalidText::Blank) => return Ok(()),
            Err(InvalidText::TooLong { .. }) => return Err(TOO_LONG),
        };
        if self.desk.state.admit_room(self.desk.identity, &self.room).is_err() {
            return Err(TOO_MANY_ROOMS);
        }
        self.count_post();
        let message = NewEvent::message(Uuid::now_v7(), self.room.clone(), self.desk.link.person, &text);
        self.posting.push_back(self.desk.state.store.append(message));
        Ok(())
    }

    /// Counts the post that is owed, where it is time.
    fn pay(&mut self) {
        if self.owed.is_some_and(|owed| owed <= Instant::now()) {
            self.count_post();
        }
    }

    /// Counts a post against the limit, now or as soon as there is room for it.
    fn count_post(&mut self) {
        let counted = self.desk.state.admit_write(self.desk.identity, Use::Post);
        self.owed = counted.err().map(|wait| Instant::now() + wait);
    }

    fn posted(&mut self, posted: StoreResult<Appended>) -> Result<(), Ending> {
        match posted {
            Ok(posted) => {
                self.desk.has_posted(&posted.room, posted.seq);
                Ok(())
            }
            Err(StoreError::ReadOnly) => Err(READ_ONLY),
            Err(error) => {
                tracing::error!(%error, "a line was not stored");
                Err((close::ERROR, "your last message could not be stored"))
            }
        }
    }

    /// What anybody posted is committed and told before the server goes: lines have no past to read it
    /// from afterwards, and the echo is its author's only acknowledgement.
    async fn drain(&mut self, socket: &mut Socket) -> Option<Ending> {
        while self.posting.next().await.is_some() {}
        self.desk.until_the_last_post().await;
        while self.desk.has_last_words().await && self.desk.deliver(socket, Encoding::Lines).await {}
        Some(RESTARTING)
    }
}

/// A line has no other way to be refused. RFC 6455 has no code for a full store; 1013 asks to come back later.
const READ_ONLY: Ending = (close::LATER, "your last message was not stored: the server has no room for more");

/// The client's network has brought too many rooms into being.
const TOO_MANY_ROOMS: Ending = (close::LATER, "too many new rooms, come back later");

/// The reason names the limit.
const TOO_LONG: Ending = (close::SIZE, "a message has at most 8192 bytes");
