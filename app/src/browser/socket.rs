//! Drives the session of a page: opens its connections, passes inputs, and carries out effects.

use crate::{
    base::link,
    browser::{
        attention,
        carrier::{Carrier, Signal, probes},
        dom::listen,
        effects::{Connection, Disconnected, probe},
        storage,
    },
    client::{ConnectionEnd, Input, Session, Transport, TransportChoice},
    clock::steady,
    state::{RoomState, Status},
    wire::ServerFrame,
};
use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use futures_util::{StreamExt, future::select, stream};
use gloo_timers::future::{IntervalStream, sleep};
use leptos::{prelude::*, task::spawn_local};

/// Milliseconds between two ticks of the session's clock.
const TICK_MS: u32 = 1_000;

/// An event of a connection.
enum Event {
    Signal(Signal),
    Wakeup,
    Tick,
    Probe,
}

/// Keeps a room connected. Runs once, after hydration.
pub(super) fn connect(room: RoomState) {
    let RoomState { connection, timeline, .. } = room;
    let (wakeups, mut woken) = unbounded();
    let mut probes = probes();
    let waker = wakeups.clone();
    Effect::new(move || {
        connection.wakeups.track();
        // The receiver lives as long as the task below, and that as long as the page.
        let _ = waker.unbounded_send(());
    });
    connection.status.set(Status::Connecting);
    if storage::is_socket_blocked() {
        timeline.with_session(|session| session.transport = TransportChoice::blocked(steady()));
    }
    listen(&window(), "online", move || {
        timeline.with_session(|session| session.transport.on_network_change(steady()));
    });
    spawn_local(async move {
        loop {
            let transport = timeline.with_session(|session| {
                let transport = session.transport.next();
                session.open(transport);
                transport
            });
            let opened = match transport {
                Transport::WebSocket => Carrier::socket(),
                Transport::Http => {
                    let others = room.rooms.followed();
                    let path = timeline.session.with_value(|session| session.stream_path(&others));
                    Carrier::stream(&link(&path))
                }
            };
            let delay = match opened {
                Some((carrier, signals)) => {
                    let connection = Connection { room, carrier, wakeups: wakeups.clone() };
                    connection.run(signals, &mut woken, &mut probes).await
                }
                None => timeline.with_session(|session| session.fail(steady(), js_sys::Math::random()).1),
            };
            if connection.status.get_untracked() == Status::SignedOut {
                return;
            }
            connection.next_retry_at.set(Some(steady() + delay.as_millis() as u64));
            connection.status.set(Status::Offline);
            select(Box::pin(sleep(delay)), probes.next()).await;
            connection.next_retry_at.set(None);
        }
    });
}

impl Connection {
    /// Serves the connection until it is over, and returns the delay before the next one.
    async fn run(
        self,
        mut signals: UnboundedReceiver<Signal>,
        woken: &mut UnboundedReceiver<()>,
        probes: &mut UnboundedReceiver<()>,
    ) -> std::time::Duration {
        let ticks = IntervalStream::new(TICK_MS).map(|()| Event::Tick);
        let mut events = stream::select(
            signals.by_ref().map(Event::Signal),
            stream::select(
                stream::select(woken.map(|()| Event::Wakeup), probes.map(|()| Event::Probe)),
                ticks,
            ),
        );
        while let Some(event) = events.next().await {
            if self.handle_event(event).is_err() {
                break;
            }
        }
        drop(events);
        let (end, delay) =
            self.room.timeline.with_session(|session| session.close(steady(), js_sys::Math::random()));
        if end == ConnectionEnd::TimedOut && self.carrier.transport() == Transport::WebSocket {
            // On a slow network the server's welcome may still arrive.
            spawn_local(probe(self.room, (self.carrier, signals)));
        }
        delay
    }

    fn handle_event(&self, event: Event) -> Result<(), Disconnected> {
        let input = match event {
            Event::Signal(Signal::Frame(json)) => Input::Frame(parse(&json)),
            Event::Signal(Signal::Answer(json)) => Input::Reply(parse(&json)),
            Event::Signal(Signal::Lost) => return Err(Disconnected),
            Event::Signal(Signal::Unanswered) => Input::Unanswered,
            Event::Signal(Signal::Forbidden) => Input::OriginRejected,
            Event::Wakeup => Input::Wakeup,
            Event::Tick => {
                if self.room.timeline.session.with_value(Session::is_welcomed) {
                    attention::check(self.room);
                    self.room.timeline.announce_summary(self.room.info.strings, steady());
                }
                Input::Tick(TICK_MS.into())
            }
            Event::Probe => Input::Probe,
        };
        self.handle(input)
    }
}

/// Parses a frame. One that this version cannot read is skipped; a gap in the events shows itself.
fn parse(json: &str) -> ServerFrame {
    ServerFrame::parse(json).unwrap_or(ServerFrame::Unknown)
}
