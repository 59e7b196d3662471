//! The lines mode: one room, bare text both ways; what the Go demo's page and a ten-line script
//! speak.

use super::{
    Desk, OUTSTANDING,
    socket::{Ending, RESTART, Received, Socket, TEXT_ONLY},
};
use crate::{
    log::{Appended, LogResult, NewEvent},
    reader::Delivery,
};
use app::wire::{BadText, RoomName, one_line, tidy};
use axum::extract::ws::{Utf8Bytes, close_code};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesOrdered};
use std::future::pending;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

struct Lines {
    desk: Desk,
    room: RoomName,
    posting: FuturesOrdered<BoxFuture<'static, LogResult<Appended>>>,
    /// Somebody posts too fast: the last post counts against the limit then, and nothing is read
    /// before. They are slowed down, not cut off.
    owed: Option<Instant>,
}

/// Serves one lines connection, which has joined `room`, until it ends.
pub(super) async fn serve(mut socket: Socket, desk: Desk, room: RoomName) {
    let mut lines = Lines { desk, room, posting: FuturesOrdered::new(), owed: None };
    let ending = lines.run(&mut socket).await;
    // Gone from the room at once, however long the goodbye takes.
    drop(lines);
    if let Some((code, reason)) = ending {
        socket.close(code, reason).await;
    }
}

impl Lines {
    /// How it ended; `None` where there is nobody left to tell.
    async fn run(&mut self, socket: &mut Socket) -> Option<Ending> {
        let draining = self.desk.state.draining.clone();
        loop {
            let may_read = self.posting.len() < OUTSTANDING && self.owed.is_none();
            let due = socket.due();
            tokio::select! {
                biased;
                () = draining.cancelled() => return self.drain(socket).await,
                Some(posted) = self.posting.next() => if let Err(ending) = posted_or_ending(posted) { return Some(ending) },
                () = self.desk.reader.ready() => if let Err(ending) = self.deliver(socket).await { return ending },
                received = socket.receive(), if may_read => match received {
                    Received::Text(text) => if let Err(ending) = self.post(&text) { return Some(ending) },
                    Received::Binary(_) => return Some(TEXT_ONLY),
                    Received::Life => {}
                    Received::Gone => return None,
                    Received::Refused(close_code::SIZE, _) => return Some(TOO_LONG),
                    Received::Refused(code, reason) => return Some((code, reason)),
                },
                () = until(self.owed) => self.count_post(),
                () = sleep_until(due) => match socket.keep_alive().await {
                    Ok(true) => {}
                    Ok(false) => return Some((close_code::AWAY, "silent for 60 s")),
                    Err(unsent) => return unsent.ending(),
                },
            }
        }
    }

    fn post(&mut self, text: &str) -> Result<(), Ending> {
        let text = one_line(text);
        let text = match tidy(&text) {
            Ok(text) => text,
            Err(BadText::Blank) => return Ok(()),
            Err(BadText::TooLong) => return Err(TOO_LONG),
        };
        self.count_post();
        let message = NewEvent::message(Uuid::now_v7(), self.room.clone(), self.desk.link.person, text);
        self.posting.push_back(self.desk.state.log.append(message));
        Ok(())
    }

    /// Counts a post against the limit, now or as soon as there is room for it.
    fn count_post(&mut self) {
        let counted = self.desk.state.posts.take(self.desk.link.person);
        self.owed = counted.err().map(|wait| Instant::now() + wait);
    }

    async fn deliver(&mut self, socket: &mut Socket) -> Result<(), Option<Ending>> {
        let lines = self.desk.reader.take().await.into_iter().filter_map(line);
        socket.send(lines).await.map_err(|unsent| unsent.ending())
    }

    /// What anybody posted is committed and told before the server goes: lines have no past to read it
    /// from afterwards, and the echo is its author's only acknowledgement.
    async fn drain(&mut self, socket: &mut Socket) -> Option<Ending> {
        while self.posting.next().await.is_some() {}
        self.desk.until_the_last_post().await;
        while self.desk.has_last_words().await && self.deliver(socket).await.is_ok() {}
        Some((RESTART, "restarting, come back"))
    }
}

/// The reason names the limit.
const TOO_LONG: Ending = (close_code::SIZE, "a message has at most 8192 bytes");

/// Resolves then; never, where there is no such time.
async fn until(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => pending().await,
    }
}

fn line(delivery: Delivery) -> Option<Utf8Bytes> {
    match delivery {
        Delivery::Events(batch) => batch.lines(),
        Delivery::Frame(_) => None,
    }
}

fn posted_or_ending(posted: LogResult<Appended>) -> Result<(), Ending> {
    posted.map(drop).map_err(|error| {
        tracing::error!(%error, "a line was not stored");
        (close_code::ERROR, "your last message could not be stored")
    })
}
