//! The frames of `hubbub.v1` without a WebSocket, for networks that block WebSockets: the server sends its frames as
//! Server-Sent Events, the client sends its commands in requests.

use crate::{
    commands::{JoinOptions, execute, join, reply::CommandError, welcome},
    http::{identity::Identity, problem::Problem},
    hub::{
        outbound::Delivery,
        subscriber::{End, Signal, Subscriber},
        subscription::SubscriberSession,
    },
    limits::connection_limit::ConnectionPermit,
    net::Activity,
    state::AppState,
    store::StreamPosition,
    websocket::frame,
};
use app::wire::{ClientFrame, CommandId, RoomName, Seq, ServerFrame};
use axum::{
    Extension,
    body::Bytes,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{self, Sse},
    },
};
use futures_util::{
    Stream,
    stream::{self, StreamExt},
};
use serde::Deserialize;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// Time between two `pong` frames of a stream. An `EventSource` hides comments from scripts, so only a frame lets the client
/// distinguish a quiet room from a dead connection.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);

/// Rooms that a stream may follow besides its own; more are ignored.
const MAX_OTHER_ROOMS: usize = 30;

/// Header that makes nginx forward each event without buffering it.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The position where the stream of a room begins, and the other rooms that it follows.
#[derive(Deserialize)]
pub struct StreamQuery {
    after: Option<Seq>,
    after_id: Option<CommandId>,
    log: Option<String>,
    /// Other rooms and the last `seq` that the client has of each: `tea.12,work.3`.
    also: Option<String>,
}

struct FrameStream {
    session: SubscriberSession,
    subscriber: Arc<Subscriber>,
    identity: Identity,
    state: AppState,
    heartbeat: Interval,
    _permit: ConnectionPermit,
}

/// `GET /api/rooms/{room}/frames`: the frames of a v1 connection that joins `room` and follows other rooms passively.
///
/// # Errors
/// [`Problem`] if the room's name or the query is invalid, if no connection is free, or if the store cannot be
/// read.
pub async fn stream(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Path(room): Path<String>,
    activity: Option<Extension<Arc<Activity>>>,
    query: Result<Query<StreamQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let room: RoomName = room.parse().map_err(Problem::invalid_room_name)?;
    let Query(query) = query.map_err(super::invalid_query)?;
    let permit = state.connection_limit.try_acquire(identity.network)?;
    permit.keep();
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT_INTERVAL, HEARTBEAT_INTERVAL);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let user = state.author_of(identity.id).await;
    let subscriber = Subscriber::signed_in(user, identity.network, identity.sign_in);
    let session = SubscriberSession::new(state.hub.clone(), state.store.clone(), subscriber.clone());
    state.note_connection(identity, &subscriber).await?;
    let mut stream =
        FrameStream { session, subscriber: subscriber.clone(), identity, state, heartbeat, _permit: permit };
    let first = if subscriber.ended().is_some() { Vec::new() } else { stream.join(room, query).await? };
    if let Some(Extension(activity)) = activity {
        subscriber.charge_to(activity.account().clone());
        activity.on_event_stream();
    }
    let first = stream::iter(first.into_iter().map(|frame| Ok(event(&frame.to_json()))));
    let mut response = Sse::new(first.chain(stream.frames())).into_response();
    response.headers_mut().insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

impl FrameStream {
    async fn join(&mut self, room: RoomName, query: StreamQuery) -> Result<Vec<ServerFrame>, Problem> {
        let mut frames = vec![welcome(&self.state, &self.subscriber)];
        let (after_id, log) = (query.after_id, query.log);
        let past = query.after.map(|after| StreamPosition { after, after_id, log: log.clone() });
        let own = JoinOptions { past, ..JoinOptions::default() };
        frames.push(self.join_one(room, own).await.map_err(|_| Problem::store_unavailable())?);
        for (room, after) in query.also.as_deref().map(other_rooms).into_iter().flatten() {
            let past = Some(StreamPosition { after, after_id: None, log: log.clone() });
            let other = JoinOptions { past, limit: Some(1), is_passive: true };
            // A room that cannot be joined does not end the stream of the client's own room.
            frames.extend(self.join_one(room, other).await);
        }
        Ok(frames)
    }

    async fn join_one(&mut self, room: RoomName, joining: JoinOptions) -> Result<ServerFrame, CommandError> {
        join(&self.state, &mut self.session, self.identity, room, joining).await
    }

    fn frames(self) -> impl Stream<Item = Result<sse::Event, Infallible>> {
        stream::unfold(Some(self), |stream| async move {
            let mut stream = stream?;
            let next = tokio::select! {
                biased;
                () = stream.state.draining.cancelled() => return None,
                signal = stream.session.signal() => match signal {
                    Signal::End(end) => return last_event(&end).map(|last| (stream::iter(vec![Ok(last)]), None)),
                    Signal::Flush => stream.session.flush().await.into_iter().map(|item| event(&json(item))).collect(),
                },
                _ = stream.heartbeat.tick() => {
                    vec![event(&ServerFrame::Pong { n: 0, heads: stream.session.changed_heads() }.to_json())]
                }
            };
            let next: Vec<_> = next.into_iter().map(Ok).collect();
            Some((stream::iter(next), Some(stream)))
        })
        .flatten()
    }
}

/// Returns the last event of a stream, with the reason for its end; `None` if the client should come back.
fn last_event(end: &End) -> Option<sse::Event> {
    let last = match end {
        End::SignedOut => CommandError::signed_out(),
        End::NoAccess(why) => CommandError::store(None, why),
        End::Revoked => return None,
    };
    Some(event(&ServerFrame::from(last).to_json()))
}

/// Parses a list such as `tea.12,work.3`, up to [`MAX_OTHER_ROOMS`]. Malformed entries are skipped.
fn other_rooms(list: &str) -> impl Iterator<Item = (RoomName, Seq)> {
    let entry = |entry: &str| {
        let (room, after) = entry.split_once('.')?;
        Some((room.parse().ok()?, after.parse().ok()?))
    };
    list.split(',').take(MAX_OTHER_ROOMS).filter_map(entry)
}

fn event(json: &str) -> sse::Event {
    sse::Event::default().data(json)
}

fn json(item: Delivery) -> String {
    match item {
        Delivery::Events(batch) => {
            ServerFrame::Events { room: batch.room().clone(), events: batch.events().to_vec() }.to_json()
        }
        Delivery::Control(frame) | Delivery::Ephemeral(frame) => frame::payload(&frame).to_owned(),
    }
}

/// `POST /api/commands`: executes the command in the body, a v1 frame, and returns the frame that replies to it; 204 if
/// it has no reply.
///
/// # Errors
/// [`Problem`] if the body is not UTF-8. Every other error is a frame of the response.
pub async fn command(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    body: Bytes,
) -> Result<Response, Problem> {
    let _writer = state.writers.token();
    let json = std::str::from_utf8(&body).map_err(|_| Problem::bad_request("The body must be UTF-8."))?;
    let pending = match ClientFrame::parse(json) {
        _ if identity.is_signed_out => Err(CommandError::signed_out()),
        Ok(frame) => execute(&state, identity, frame).await,
        Err(malformed) => Err(malformed.into()),
    };
    let reply = match pending {
        Ok(pending) => pending.await,
        Err(error) => Some(error.into()),
    };
    let Some(reply) = reply else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, reply.to_json()).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_rooms_is_bounded_and_malformed_entries_are_skipped() {
        let rooms: Vec<(RoomName, Seq)> = other_rooms("tea.12,,no permit,work.x,UP PER.1,work.3").collect();
        let names: Vec<(&str, Seq)> = rooms.iter().map(|(room, after)| (room.as_str(), *after)).collect();
        assert_eq!(names, [("tea", 12), ("work", 3)]);
        let many = (0..100).map(|n| format!("r{n}.0")).collect::<Vec<_>>().join(",");
        assert_eq!(other_rooms(&many).count(), MAX_OTHER_ROOMS);
    }
}
