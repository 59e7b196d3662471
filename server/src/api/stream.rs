//! A room's events as Server-Sent Events (HTML, section 9.2): `id` is `seq`, so that a browser's
//! `EventSource` resumes by itself.

use crate::{
    error::Problem,
    flow::Item,
    link::Link,
    net::Activity,
    reader::Reader,
    state::{AppState, Place},
};
use app::wire::{Event, RoomName, Seq};
use axum::{
    http::{HeaderMap, HeaderName, header},
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use futures_util::{
    Stream,
    stream::{self, StreamExt},
};
use std::{convert::Infallible, sync::Arc, time::Duration};

/// How long a browser waits before it comes back.
const RETRY: Duration = Duration::from_secs(1);

/// Asks nginx to pass each piece of the answer on at once.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

struct Following {
    reader: Reader,
    state: AppState,
    _place: Place,
}

/// Everything after `after`, or after the header `Last-Event-ID`, then what happens from now on.
pub(super) fn events(
    state: AppState,
    room: RoomName,
    after: Option<Seq>,
    headers: &HeaderMap,
    activity: Option<&Activity>,
) -> Result<Response, Problem> {
    let place = state.places.take().ok_or_else(Problem::full)?;
    let after = last_event_id(headers)?.or(after).unwrap_or(0);
    let head = state.log.heads(std::slice::from_ref(&room))[0];
    let mut reader = Reader::new(state.hub.clone(), state.log.clone(), Link::onlooker());
    reader.join_after(&room, if after > head { 0 } else { after });
    if let Some(activity) = activity {
        activity.on_event_stream();
    }
    let hello = sse::Event::default().retry(RETRY);
    // Beyond the end: what the asker has is of another log.
    let hello =
        if after > head { hello.event("reset").data(state.log.id()) } else { hello.comment(room.as_str()) };
    let following = Following { reader, state, _place: place };
    let stream = stream::once(async { Ok(hello) }).chain(live(following));
    // nginx would keep the events back until its buffer is full, others would compress them.
    let headers = [(X_ACCEL_BUFFERING, "no"), (header::CACHE_CONTROL, "no-store, no-transform")];
    Ok((headers, Sse::new(stream).keep_alive(KeepAlive::default())).into_response())
}

fn live(following: Following) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    stream::unfold(following, |mut following| async move {
        tokio::select! {
            () = following.state.draining.cancelled() => return None,
            () = following.reader.ready() => {}
        }
        let items = following.reader.take().await;
        Some((stream::iter(items.into_iter().flat_map(told).map(Ok)), following))
    })
    .flatten()
}

fn told(item: Item) -> Vec<sse::Event> {
    match item {
        Item::Events(batch) => batch.events().iter().map(one).collect(),
        Item::Frame(_) | Item::Passing(_) => Vec::new(),
    }
}

fn one(event: &Arc<Event>) -> sse::Event {
    let json = serde_json::to_string(event).expect("a struct of strings and numbers is always JSON");
    sse::Event::default().id(event.seq.to_string()).data(json)
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<Seq>, Problem> {
    let Some(id) = headers.get("last-event-id").filter(|id| !id.is_empty()) else { return Ok(None) };
    let seq = id.to_str().ok().and_then(|id| id.parse().ok());
    seq.map(Some).ok_or_else(|| Problem::bad_request("Last-Event-ID must be a seq."))
}
