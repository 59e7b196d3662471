//! A room's events as Server-Sent Events (HTML, section 9.2): `id` is `seq`, so that a browser's
//! `EventSource` resumes by itself.

use crate::{
    http::problem::Problem,
    hub::{outbound::Delivery, subscriber::Subscriber, subscription::SubscriberSession},
    limits::{connection_limit::ConnectionPermit, network::Network},
    net::Activity,
    state::AppState,
    store::StreamPosition,
};
use app::wire::{Event, RoomName};
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
    reader: SubscriberSession,
    state: AppState,
    ids: StreamIds,
    _permit: ConnectionPermit,
}

/// What stands in the field `id`, which a browser sends back as `Last-Event-ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StreamIds {
    /// The event's `seq`.
    Seq,
    /// Its `seq` and its id, so that another past is told apart: for a client that says what past it has.
    SeqAndId,
}

/// Everything after `past`, or after the header `Last-Event-ID`, then what happens from now on.
pub(super) async fn events(
    state: AppState,
    room: RoomName,
    past: StreamPosition,
    headers: &HeaderMap,
    activity: Option<&Activity>,
    network: Network,
) -> Result<Response, Problem> {
    let permit = state.connection_limit.try_acquire(network)?;
    permit.keep();
    let says_its_past = past.after_id.is_some() || past.log.is_some();
    let ids = if says_its_past { StreamIds::SeqAndId } else { StreamIds::Seq };
    let past = last_event_id(headers)?.unwrap_or(past);
    let after = past.after;
    let head = state.store.heads(std::slice::from_ref(&room))[0];
    let reset = after > head || !state.store.continues(&room, past).await?;
    let link = Subscriber::anonymous();
    let mut reader = SubscriberSession::new(state.hub.clone(), state.store.clone(), link.clone());
    reader.join_from(&room, if reset { 0 } else { after });
    if let Some(activity) = activity {
        link.charge_to(activity.account().clone());
        activity.on_event_stream();
    }
    let hello = sse::Event::default().retry(RETRY);
    // What the client has is of another past.
    let hello =
        if reset { hello.event("reset").data(state.store.log_id()) } else { hello.comment(room.as_str()) };
    let following = Following { reader, state, ids, _permit: permit };
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
        let (items, ids) = (following.reader.flush().await, following.ids);
        Some((stream::iter(items.into_iter().flat_map(move |item| told(item, ids)).map(Ok)), following))
    })
    .flatten()
}

fn told(item: Delivery, ids: StreamIds) -> Vec<sse::Event> {
    match item {
        Delivery::Events(batch) => batch.events().iter().map(|event| one(event, ids)).collect(),
        Delivery::Control(_) | Delivery::Ephemeral(_) => Vec::new(),
    }
}

fn one(event: &Arc<Event>, ids: StreamIds) -> sse::Event {
    let json = serde_json::to_string(event).expect("a struct of strings and numbers is always JSON");
    let id = match ids {
        StreamIds::Seq => event.seq.to_string(),
        StreamIds::SeqAndId => format!("{}/{}", event.seq, event.id),
    };
    sse::Event::default().id(id).data(json)
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<StreamPosition>, Problem> {
    let Some(id) = headers.get("last-event-id").filter(|id| !id.is_empty()) else { return Ok(None) };
    let past = id.to_str().ok().and_then(parse_event_id);
    past.map(Some).ok_or_else(|| Problem::bad_request("Last-Event-ID must be a seq, or seq/id."))
}

fn parse_event_id(text: &str) -> Option<StreamPosition> {
    let (seq, id) = text.split_once('/').map_or((text, None), |(seq, id)| (seq, Some(id)));
    let after_id = id.map(str::parse).transpose().ok()?;
    Some(StreamPosition { after: seq.parse().ok()?, after_id, log: None })
}
