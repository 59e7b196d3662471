//! The protocol `hubbub.v1`: each command answered, each event in order.

use super::{
    Desk, OUTSTANDING,
    commands::{Joining, Pending, Refusal, carry_out, join, not_joined, read, room_named, too_fast, welcome},
    socket::{Ending, RESTARTING, Received, SILENT, Socket, TEXT_ONLY, ending, flushed},
};
use crate::{
    hub::{batch::Encoding, outbound::Outlet},
    store::Past,
    websocket::{close, frame},
};
use app::wire::{ClientFrame, CommandId, ErrorCode, Malformed, RoomName, ServerFrame, limits};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream::FuturesOrdered};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock};
use std::{num::NonZeroU32, pin::pin, time::Duration};
use tokio::time::{Instant, sleep_until};

/// How often a connection may tell that somebody types: a little oftener than clients do.
const TYPING_EVERY: Duration = Duration::from_millis(2_500);

/// Another client needs the permit of a connection that is in no room.
const CROWDED: Ending = (close::LATER, "too many connections, come back");

/// Joins of one connection: 20 a second, 200 at once. A page follows 31 rooms.
const JOINS: Quota =
    Quota::per_second(NonZeroU32::new(20).unwrap()).allow_burst(NonZeroU32::new(200).unwrap());

/// The answer to a command.
enum Answer {
    /// Can be given at once.
    Now(ServerFrame),
    /// Comes when the log has committed.
    Later(Pending),
    /// There is nothing to say.
    Silence,
}

struct V1 {
    desk: Desk,
    /// What waits for the log, in the order of the commands; some of it is answered with silence. While too
    /// much of it waits, nothing more is read.
    answers: FuturesOrdered<Pending>,
    malformed_in_a_row: u32,
    /// How fast this connection may join rooms.
    joins: DefaultDirectRateLimiter,
    /// When this connection last told that somebody types.
    typed: Option<Instant>,
}

/// Serves one v1 connection until it ends.
pub(super) fn serve(mut socket: Socket, desk: Desk) -> impl Future<Output = ()> + Send {
    let mut v1 = V1 {
        desk,
        answers: FuturesOrdered::new(),
        malformed_in_a_row: 0,
        joins: RateLimiter::direct(JOINS),
        typed: None,
    };
    socket.send([text(&welcome(&v1.desk.state, &v1.desk.link))]);
    v1.desk.attach(&socket, Encoding::V1);
    async move {
        let ending = v1.run(&mut socket).await;
        // Gone from its rooms at once, however long the goodbye takes.
        drop(v1);
        if let Some(ending) = ending {
            Box::pin(socket.close(ending)).await;
        }
    }
}

impl V1 {
    /// How it ended; `None` where there is nobody left to tell.
    async fn run(&mut self, socket: &mut Socket) -> Option<Ending> {
        let (draining, stream) = (self.desk.state.draining.clone(), socket.stream());
        let mut draining = pin!(draining.cancelled());
        let mut timer = pin!(sleep_until(socket.due()));
        loop {
            let (is_free, is_ahead) = (stream.is_free(), self.desk.is_ahead());
            let may_read = self.answers.len() < OUTSTANDING && !is_ahead && socket.may_receive();
            tokio::select! {
                biased;
                () = &mut draining => return Box::pin(self.drain(socket)).await,
                Some(answer) = self.answers.next() => self.acknowledge(socket, answer),
                flushed = flushed(&stream), if !is_free => if let Err(stuck) = flushed && !self.desk.relieve(&stream, stuck) { return ending(stuck) },
                () = self.desk.reader.ready(), if is_free => drop(self.desk.reader.take().await),
                received = socket.receive(), if may_read => match received {
                    Received::Text(json) => match Box::pin(self.hear(&json)).await {
                        Ok(answer) => self.answer(socket, answer),
                        Err(ending) => return Some(ending),
                    },
                    Received::Binary(_) => return Some(TEXT_ONLY),
                    Received::Life => {}
                    Received::Gone => return None,
                    Received::Refused(violation) => return Some(violation.ending()),
                },
                () = self.desk.caught_up(), if is_ahead => {}
                () = self.desk.place.revoked() => return Some(CROWDED),
                () = &mut timer => {
                    if !socket.keep_alive() { return Some(SILENT) }
                    timer.as_mut().reset(socket.due());
                }
            }
        }
    }

    /// Does what a frame says.
    async fn hear(&mut self, json: &str) -> Result<Answer, Ending> {
        match ClientFrame::parse(json) {
            Ok(frame) => {
                self.malformed_in_a_row = 0;
                Ok(self.obey(frame).await.unwrap_or_else(|refusal| Answer::Now(refusal.into())))
            }
            Err(malformed) => self.count_malformed(malformed),
        }
    }

    fn count_malformed(&mut self, malformed: Malformed) -> Result<Answer, Ending> {
        let code = malformed.code;
        self.malformed_in_a_row = if code == ErrorCode::BadRequest { self.malformed_in_a_row + 1 } else { 0 };
        if self.malformed_in_a_row >= limits::MAX_CONSECUTIVE_MALFORMED {
            return Err((close::POLICY, "20 malformed messages in a row"));
        }
        Ok(Answer::Now(Refusal::from(malformed).into()))
    }

    async fn obey(&mut self, frame: ClientFrame) -> Result<Answer, Refusal> {
        match frame {
            ClientFrame::Join { room, after, after_id, log, limit, quiet } => {
                let past = after.map(|after| Past { after, after_id, log });
                let (room, asked) = (room_named(&room, None)?, Joining { past, limit, quiet });
                let limited =
                    self.joins.check().map_err(|wait| wait.wait_time_from(self.joins.clock().now()));
                limited.map_err(|wait| too_fast(None, wait))?;
                let Desk { state, reader, identity, .. } = &mut self.desk;
                let joined = join(state, reader, *identity, room, asked).await?;
                self.desk.place.keep();
                Ok(Answer::Now(joined))
            }
            ClientFrame::Leave { room } => self.leave(&room).map(|()| Answer::Silence),
            ClientFrame::Post { id, ref room, .. }
            | ClientFrame::Edit { id, ref room, .. }
            | ClientFrame::Delete { id, ref room, .. } => {
                self.joined(room, Some(id))?;
                carry_out(&self.desk.state, self.desk.identity, frame).map(Answer::Later)
            }
            ClientFrame::Rename { .. } => {
                carry_out(&self.desk.state, self.desk.identity, frame).map(Answer::Later)
            }
            ClientFrame::Typing { room } => self.types(&room).map(|()| Answer::Silence),
            ClientFrame::Read { room, seq } => {
                let (room, link) = (self.joined(&room, None)?, &self.desk.link);
                read(&self.desk.state, link.person, Some(link.id), room, seq).map(Answer::Later)
            }
            ClientFrame::Ping { n } => {
                Ok(Answer::Now(ServerFrame::Pong { n, heads: self.desk.reader.changed_heads() }))
            }
        }
    }

    fn leave(&mut self, room: &str) -> Result<(), Refusal> {
        let room = room_named(room, None)?;
        if self.desk.reader.leave(&room) { Ok(()) } else { Err(not_joined(None, &room)) }
    }

    /// Somebody writes: the others in the room are told, at once or never.
    fn types(&mut self, room: &str) -> Result<(), Refusal> {
        let name = room_named(room, None)?;
        let room = self.desk.reader.room(&name).ok_or_else(|| not_joined(None, &name))?;
        if self.typed.is_none_or(|typed| typed.elapsed() >= TYPING_EVERY) {
            self.typed = Some(Instant::now());
            room.tell_typing(self.desk.link.author());
        }
        Ok(())
    }

    /// The room of that name, if this connection has joined it.
    fn joined(&self, room: &str, id: Option<CommandId>) -> Result<RoomName, Refusal> {
        let room = room_named(room, id)?;
        if self.desk.reader.room(&room).is_some() { Ok(room) } else { Err(not_joined(id, &room)) }
    }

    fn answer(&mut self, socket: &Socket, answer: Answer) {
        match answer {
            Answer::Now(frame) => socket.send([text(&frame)]),
            Answer::Later(answer) => self.answers.push_back(answer),
            Answer::Silence => {}
        }
    }

    /// Sends an answer that the log has given, and the others that are there by now.
    fn acknowledge(&mut self, socket: &Socket, first: Option<ServerFrame>) {
        let mut answers = Vec::from_iter(first);
        while let Some(Some(next)) = self.answers.next().now_or_never() {
            answers.extend(next);
        }
        for answer in &answers {
            if let ServerFrame::Ack { room: Some(room), seq: Some(seq), .. } = answer {
                self.desk.has_posted(room, *seq);
            }
        }
        socket.send(answers.iter().map(text));
    }

    /// What was accepted is committed, acknowledged and told before the server goes.
    async fn drain(&mut self, socket: &Socket) -> Option<Ending> {
        while let Some(answer) = self.answers.next().await {
            self.acknowledge(socket, answer);
        }
        self.desk.until_the_last_post().await;
        while self.desk.has_last_words().await && self.desk.deliver(socket, Encoding::V1).await {}
        Some(RESTARTING)
    }
}

fn text(frame: &ServerFrame) -> Bytes {
    frame::text(&frame.to_json())
}
