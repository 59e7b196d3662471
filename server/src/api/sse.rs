//! A room's events as Server-Sent Events (HTML, section 9.2). The `id` of an event is its `seq`, so a browser's
//! `EventSource` resumes on its own.

use crate::{
    http::{identity::Identity, problem::Problem},
    hub::{
        outbound::Delivery,
        subscriber::{Signal, Subscriber},
        subscription::SubscriberSession,
    },
    limits::connection_limit::ConnectionPermit,
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

/// The time that a browser waits before it reconnects.
const RECONNECT_DELAY: Duration = Duration::from_secs(1);

/// Header that makes nginx forward each event without buffering it.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

struct SseStream {
    session: SubscriberSession,
    subscriber: Arc<Subscriber>,
    state: AppState,
    ids: StreamIds,
    _permit: ConnectionPermit,
}

/// The format of the field `id`, which a browser sends back as `Last-Event-ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StreamIds {
    /// The event's `seq`.
    Seq,
    /// The event's `seq` and id, which identify the history that a client has. Only clients that send theirs get it.
    SeqAndId,
}

/// Streams the events after `past`, or after the header `Last-Event-ID`, and then new ones as they happen.
pub(super) async fn events(
    state: AppState,
    room: RoomName,
    past: StreamPosition,
    headers: &HeaderMap,
    activity: Option<&Activity>,
    identity: Identity,
) -> Result<Response, Problem> {
    let permit = state.connection_limit.try_acquire(identity.network)?;
    permit.keep();
    let sends_past = past.after_id.is_some() || past.log.is_some();
    let ids = if sends_past { StreamIds::SeqAndId } else { StreamIds::Seq };
    let past = last_event_id(headers)?.unwrap_or(past);
    let after = past.after;
    let head = state.store.head(&room).await?;
    let reset = after > head || !state.store.continues(&room, past).await?;
    state.recent_networks.note(identity);
    let subscriber = Subscriber::invisible(identity.id, Some(identity.network), Some(identity.sign_in));
    let mut session = SubscriberSession::new(state.hub.clone(), state.store.clone(), subscriber.clone());
    session.join_from(&room, if reset { 0 } else { after }).await?;
    if let Some(activity) = activity {
        subscriber.charge_to(activity.account().clone());
        activity.on_event_stream();
    }
    let opening = sse::Event::default().retry(RECONNECT_DELAY);
    // After a reset the client discards its events: they belong to another history.
    let opening = if reset {
        opening.event("reset").data(state.store.log_id())
    } else {
        opening.comment(room.as_str())
    };
    let stream = SseStream { session, subscriber, state, ids, _permit: permit };
    let stream = stream::once(async { Ok(opening) }).chain(live(stream));
    // nginx would delay events until its buffer is full; other proxies would compress them.
    let headers = [(X_ACCEL_BUFFERING, "no"), (header::CACHE_CONTROL, "no-store, no-transform")];
    Ok((headers, Sse::new(stream).keep_alive(KeepAlive::default())).into_response())
}

fn live(stream: SseStream) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    stream::unfold(stream, |mut stream| async move {
        tokio::select! {
            () = stream.state.draining.cancelled() => return None,
            signal = stream.session.signal() => match signal {
                Signal::End(_) => return None,
                Signal::Flush => {}
            },
        }
        let (items, ids) = (stream.session.flush().await, stream.ids);
        if stream.subscriber.rooms().is_empty() {
            // The user may not enter the room any more.
            return None;
        }
        Some((stream::iter(items.into_iter().flat_map(move |item| to_sse_events(item, ids)).map(Ok)), stream))
    })
    .flatten()
}

fn to_sse_events(item: Delivery, ids: StreamIds) -> Vec<sse::Event> {
    match item {
        Delivery::Events(batch) => batch.events().iter().map(|event| to_sse_event(event, ids)).collect(),
        Delivery::Control(_) | Delivery::Ephemeral(_) => Vec::new(),
    }
}

fn to_sse_event(event: &Arc<Event>, ids: StreamIds) -> sse::Event {
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
    past.map(Some).ok_or_else(|| Problem::bad_request("`Last-Event-ID` must be a `seq`, or `seq/id`."))
}

fn parse_event_id(text: &str) -> Option<StreamPosition> {
    let (seq, id) = text.split_once('/').map_or((text, None), |(seq, id)| (seq, Some(id)));
    let after_id = id.map(str::parse).transpose().ok()?;
    Some(StreamPosition { after: seq.parse().ok()?, after_id, log: None })
}
