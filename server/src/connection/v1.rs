//! The protocol `hubbub.v1`: each command answered, each event in order.

use super::{
    Desk, OUTSTANDING,
    socket::{Ending, RESTARTING, Received, SILENT, Socket, TEXT_ONLY, ending, flushed},
};
use crate::{
    batch::Encoding,
    flow::Outlet,
    log::{Appended, Deed, LogError, LogResult, NewEvent, ReadMarker},
    reader::Start,
    websocket::{close, frame},
};
use app::wire::{
    Author, BadText, ClientFrame, CommandId, ErrorCode, Limits, Malformed, PROTOCOL_VERSION, PersonName,
    RoomName, Seq, ServerFrame, limits, tidy,
};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesOrdered};
use std::{pin::pin, time::Duration};
use tokio::time::{Instant, sleep_until};

/// How often a connection may tell that somebody types: a little oftener than clients do.
const TYPING_EVERY: Duration = Duration::from_millis(2_500);

/// A command that was not done: what to tell its author.
struct Refusal {
    id: Option<String>,
    code: ErrorCode,
    message: String,
    retry: Option<Duration>,
}

/// The answer to a command.
enum Answer {
    /// Can be given at once.
    Now(ServerFrame),
    /// Comes when the log has committed.
    Later(BoxFuture<'static, Option<ServerFrame>>),
    /// There is nothing to say.
    Silence,
}

struct V1 {
    desk: Desk,
    /// What waits for the log, in the order of the commands; some of it is answered with silence. While too
    /// much of it waits, nothing more is read.
    answers: FuturesOrdered<BoxFuture<'static, Option<ServerFrame>>>,
    malformed_in_a_row: u32,
    /// When this connection last told that somebody types.
    typed: Option<Instant>,
}

/// Serves one v1 connection until it ends.
pub(super) fn serve(mut socket: Socket, desk: Desk) -> impl Future<Output = ()> + Send {
    let mut v1 = V1 { desk, answers: FuturesOrdered::new(), malformed_in_a_row: 0, typed: None };
    socket.send([text(&v1.welcome())]);
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
                flushed = flushed(&stream), if !is_free => if let Err(stuck) = flushed { return ending(stuck) },
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
                () = &mut timer => {
                    if !socket.keep_alive() { return Some(SILENT) }
                    timer.as_mut().reset(socket.due());
                }
            }
        }
    }

    fn welcome(&self) -> ServerFrame {
        ServerFrame::Welcome {
            protocol: PROTOCOL_VERSION,
            server: env!("CARGO_PKG_VERSION").into(),
            log: self.desk.state.log.id().into(),
            you: self.desk.link.author(),
            limits: Limits::HERE,
            heartbeat_ms: limits::HEARTBEAT_MS,
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
        let Malformed { code, message, id } = malformed;
        self.malformed_in_a_row = if code == ErrorCode::BadRequest { self.malformed_in_a_row + 1 } else { 0 };
        if self.malformed_in_a_row >= limits::MALFORMED_IN_A_ROW {
            return Err((close::POLICY, "20 malformed messages in a row"));
        }
        Ok(Answer::Now(Refusal { id, code, message, retry: None }.into()))
    }

    async fn obey(&mut self, frame: ClientFrame) -> Result<Answer, Refusal> {
        match frame {
            ClientFrame::Join { room, after, log, limit, quiet } => {
                self.join(&room, after, log, limit, quiet).await.map(Answer::Now)
            }
            ClientFrame::Leave { room } => self.leave(&room).map(|()| Answer::Silence),
            ClientFrame::Post { id, room, text, reply_to } => {
                let text = tidy(&text).map_err(|bad| bad_text(id, bad))?.into();
                self.append(id, &room, Deed::Post { text, reply_to }).map(Answer::Later)
            }
            ClientFrame::Edit { id, room, target, text } => {
                let text = tidy(&text).map_err(|bad| bad_text(id, bad))?.into();
                self.append(id, &room, Deed::Edit { target, text }).map(Answer::Later)
            }
            ClientFrame::Delete { id, room, target } => {
                self.append(id, &room, Deed::Delete { target }).map(Answer::Later)
            }
            ClientFrame::Rename { id, name } => self.rename(id, &name).map(Answer::Later),
            ClientFrame::Typing { room } => self.types(&room).map(|()| Answer::Silence),
            ClientFrame::Read { room, seq } => self.read(&room, seq).map(Answer::Later),
            ClientFrame::Ping { n } => {
                Ok(Answer::Now(ServerFrame::Pong { n, heads: self.desk.reader.heads() }))
            }
        }
    }

    async fn join(
        &mut self,
        room: &str,
        after: Option<Seq>,
        log: Option<String>,
        limit: Option<u32>,
        quiet: bool,
    ) -> Result<ServerFrame, Refusal> {
        let room = room_named(room, None)?;
        let limit = limit.unwrap_or(limits::PAGE);
        if !(1..=limits::PAGE_MOST).contains(&limit) {
            let message = format!("A page has 1 to {} messages.", limits::PAGE_MOST);
            return Err(Refusal::new(None, ErrorCode::BadRequest, message));
        }
        let same_log = log.is_none_or(|log| log == self.desk.state.log.id());
        let start = after.filter(|_| same_log).map_or(Start::Page(limit), Start::After);
        let log = self.desk.state.log.clone();
        let read = log.read_up_to(self.desk.link.person, &room).await;
        let read = read.map_err(|error| not_done(None, &error))?.unwrap_or(0);
        let entrance = self.desk.reader.join(&room, start, limit, quiet).await;
        let entrance = entrance.map_err(|error| not_done(None, &error))?;
        let (messages, more) = entrance.page.map(|page| (page.messages, page.more)).unzip();
        Ok(ServerFrame::Joined {
            title: log.about(&room).title(&room),
            topic: log.about(&room).topic.to_string(),
            read,
            room,
            head: entrance.head,
            reset: messages.is_some(),
            members: entrance.members,
            messages,
            more,
        })
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

    /// Moves this user's read marker. Their other devices get it once it is durable; one that does not move is
    /// neither stored nor sent on.
    fn read(&self, room: &str, seq: Seq) -> Result<BoxFuture<'static, Option<ServerFrame>>, Refusal> {
        let room = room_named(room, None)?;
        if self.desk.reader.room(&room).is_none() {
            return Err(not_joined(None, &room));
        }
        let (hub, link) = (self.desk.state.hub.clone(), self.desk.link.clone());
        self.desk.state.posts.take(link.person).map_err(|wait| too_fast(None, wait))?;
        // Nobody has read what is not there yet.
        let seq = seq.min(self.desk.state.log.heads(std::slice::from_ref(&room))[0]);
        let stored = self.desk.state.log.read(link.person, room.clone(), seq);
        let read = async move {
            match stored.await {
                Ok(ReadMarker::Moved) => hub.has_read(&link, &room, seq),
                Ok(ReadMarker::Unchanged) => {}
                Err(error @ LogError::NoSuchRoom) => return Some(not_done(None, &error).into()),
                Err(error) => tracing::error!(%error, %room, "a read marker could not be stored"),
            }
            None
        };
        Ok(read.boxed())
    }

    /// Hands a deed to the log, which gives it its place now; the answer comes when it is durable.
    fn append(
        &mut self,
        id: CommandId,
        room: &str,
        deed: Deed,
    ) -> Result<BoxFuture<'static, Option<ServerFrame>>, Refusal> {
        let room = room_named(room, Some(id))?;
        if self.desk.reader.room(&room).is_none() {
            return Err(not_joined(Some(id), &room));
        }
        let author = self.desk.link.person;
        self.desk.state.posts.take(author).map_err(|wait| too_fast(Some(id), wait))?;
        let appended = self.desk.state.log.append(NewEvent { id, room, author, deed });
        Ok(async move { Some(acknowledged(id, appended.await)) }.boxed())
    }

    fn rename(
        &mut self,
        id: CommandId,
        name: &str,
    ) -> Result<BoxFuture<'static, Option<ServerFrame>>, Refusal> {
        let name: PersonName = name
            .parse()
            .map_err(|bad: app::wire::BadName| Refusal::new(Some(id), ErrorCode::BadName, bad.to_string()))?;
        let (state, user) = (&self.desk.state, self.desk.link.person);
        state
            .posts
            .take(user)
            .and_then(|()| state.renames.take(user))
            .map_err(|wait| too_fast(Some(id), wait))?;
        let renamed = self.desk.state.hub.rename(self.desk.link.person, name);
        let answer = move |renamed: LogResult<Author>| match renamed {
            Ok(_) => Some(ServerFrame::Ack { id, room: None, seq: None, dup: false }),
            Err(error) => Some(not_done(Some(id), &error).into()),
        };
        Ok(renamed.map(answer).boxed())
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

impl Refusal {
    fn new(id: Option<CommandId>, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { id: id.map(|id| id.to_string()), code, message: message.into(), retry: None }
    }
}

impl From<Refusal> for ServerFrame {
    fn from(refusal: Refusal) -> Self {
        let Refusal { id, code, message, retry } = refusal;
        let retry_ms = retry.map(|wait| wait.as_millis().max(1) as u64);
        Self::Error { id, code, message, retry_ms }
    }
}

fn room_named(room: &str, id: Option<CommandId>) -> Result<RoomName, Refusal> {
    room.parse()
        .map_err(|bad: app::wire::BadRoomName| Refusal::new(id, ErrorCode::NoSuchRoom, bad.to_string()))
}

fn not_joined(id: Option<CommandId>, room: &RoomName) -> Refusal {
    Refusal::new(id, ErrorCode::NotJoined, format!("Join {room} first."))
}

fn bad_text(id: CommandId, bad: BadText) -> Refusal {
    match bad {
        BadText::Blank => Refusal::new(Some(id), ErrorCode::Blank, "There is nothing in this message."),
        BadText::TooLong { .. } => {
            let message = format!("A message has at most {} bytes.", limits::MESSAGE_BYTES);
            Refusal::new(Some(id), ErrorCode::TooLong, message)
        }
    }
}

fn too_fast(id: Option<CommandId>, wait: Duration) -> Refusal {
    let refusal = Refusal::new(id, ErrorCode::RateLimited, "That was too fast. Wait a moment.");
    Refusal { retry: Some(wait), ..refusal }
}

fn not_done(id: Option<CommandId>, error: &LogError) -> Refusal {
    match error {
        LogError::IdTaken => Refusal::new(id, ErrorCode::BadRequest, "Somebody else has used this id."),
        LogError::NoSuchMessage => {
            Refusal::new(id, ErrorCode::NoSuchMessage, "That message does not exist, or no longer.")
        }
        LogError::RoomExists | LogError::TitleTaken(_) => {
            Refusal::new(id, ErrorCode::BadRequest, error.to_string())
        }
        LogError::NoSuchRoom => Refusal::new(id, ErrorCode::NoSuchRoom, "There is no such room."),
        LogError::NotAllowed => Refusal::new(id, ErrorCode::NotAllowed, "That message is somebody else's."),
        LogError::Storage(_) => {
            tracing::error!(%error, "a command was not done");
            Refusal::new(id, ErrorCode::Internal, "The server could not store or read this now.")
        }
    }
}

fn acknowledged(id: CommandId, appended: LogResult<Appended>) -> ServerFrame {
    match appended {
        Ok(Appended { room, seq, dup, .. }) => ServerFrame::Ack { id, room: Some(room), seq: Some(seq), dup },
        Err(error) => not_done(Some(id), &error).into(),
    }
}

fn text(frame: &ServerFrame) -> Bytes {
    frame::text(&frame.to_json())
}
