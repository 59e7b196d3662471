//! Carries out the effects of a session: frames to send, and what the page shows and stores.

use super::{
    carrier::{Carrier, Signal},
    storage,
};
use crate::{
    client::{Effect, Input, UnreadCount, members::sorted},
    clock::steady,
    page_data::NameError,
    state::{Live, Status},
    wire::{ClientFrame, ServerFrame, User},
};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender};
use futures_util::{
    StreamExt,
    future::{Either, select},
};
use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};

/// Milliseconds that a WebSocket beside HTTP may take up to the server's welcome.
const PROBE_TIMEOUT_MS: u32 = 10_000;

/// One open connection.
pub(super) struct Connection {
    pub(super) live: Live,
    pub(super) carrier: Carrier,
    pub(super) wakeups: UnboundedSender<()>,
}

/// The connection is over.
pub(super) struct Disconnected;

impl Connection {
    /// Passes an input to the session, and carries out its effects.
    ///
    /// # Errors
    /// Returns an error if the connection is over.
    pub(super) fn handle(&self, input: Input) -> Result<(), Disconnected> {
        let mut effects = Vec::new();
        self.live.with_session(|session| session.handle(input, steady(), &mut effects));
        effects.into_iter().try_for_each(|effect| self.run_effect(effect))
    }

    fn run_effect(&self, effect: Effect) -> Result<(), Disconnected> {
        let live = self.live;
        match effect {
            Effect::Send(frame) => self.send(&frame)?,
            Effect::Disconnect => return Err(Disconnected),
            Effect::RetryIn(ms) => self.retry_in(ms as u32),
            Effect::Show(frame) => self.show(frame)?,
            Effect::ShowOrigin { is_rejected } => live.foreign.set(is_rejected),
            Effect::StoreTransport { is_socket_blocked } => storage::set_socket_blocked(is_socket_blocked),
            Effect::Follow => self.follow()?,
            Effect::TimelineChanged => live.change(|_| ()),
            Effect::TimelineReset { count, has_older } => {
                live.on_messages(count);
                live.more.set(has_older);
                live.to_end();
            }
            Effect::Complete(id, _) => live.storage().remove_command(id),
            Effect::Reject(id, code) => live.storage().store_refusal(id, code),
            // A name that another user has is not accepted silently.
            Effect::Renamed => live.name_asks.set(live.you.with_untracked(|you| you.ambiguous)),
            Effect::RenameRejected { previous, code } => {
                live.name_problem.set(live.rename_error(NameError::Command(code)));
                // First, so that the field is open and keeps its text when the name changes back.
                live.name_asks.set(true);
                live.you.update(|you| you.name = previous);
            }
            Effect::ProbeSocket => {
                if let Some(socket) = Carrier::socket() {
                    spawn_local(probe(live, socket));
                }
            }
        }
        Ok(())
    }

    fn send(&self, frame: &ClientFrame) -> Result<(), Disconnected> {
        self.carrier.send(frame).ok_or(Disconnected)
    }

    fn retry_in(&self, ms: u32) {
        let (live, wakeups) = (self.live, self.wakeups.clone());
        spawn_local(async move {
            TimeoutFuture::new(ms).await;
            live.with_session(|session| session.outbox.reset_in_flight());
            let _ = wakeups.unbounded_send(());
        });
    }

    /// Joins the user's other rooms, where they are not listed as present.
    fn follow(&self) -> Result<(), Disconnected> {
        self.live.followed().into_iter().try_for_each(|(room, head)| {
            let join = self.live.session.with_value(|session| session.follow(&room, head));
            self.send(&join)
        })
    }

    /// Shows what a frame says.
    fn show(&self, frame: ServerFrame) -> Result<(), Disconnected> {
        let live = self.live;
        let is_here = |room| live.room.with_value(|here| here == room);
        match frame {
            ServerFrame::Welcome { you, .. } => live.you.set(you),
            ServerFrame::Joined { room, title, topic, members, member_count, .. } if is_here(&room) => {
                live.titled(&room, title, topic);
                live.people.set(sorted(members));
                live.people_count.set(member_count);
                live.status.set(Status::Open);
                live.look();
                // The read marker may have advanced.
                return self.handle(Input::Wakeup);
            }
            ServerFrame::Joined { room, head, reset, read, .. } => {
                if reset {
                    live.reset_head(&room, head);
                }
                live.read_elsewhere(&room, read, None);
            }
            ServerFrame::Events { room, events } => {
                let is_here = is_here(&room);
                if is_here {
                    events.iter().for_each(|event| live.clear_typing(event.author.id));
                    live.on_messages(events.iter().filter(|event| event.is_message()).count());
                }
                live.apply_room_events(&room, &events);
                if is_here {
                    live.look();
                }
            }
            ServerFrame::Renamed { id, name, ambiguous, tag } => {
                live.renamed(User { id, name, ambiguous, tag });
            }
            ServerFrame::Presence { room, here, gone, count } if is_here(&room) => {
                live.apply_presence(here, &gone, count);
            }
            ServerFrame::Typing { room, user } if is_here(&room) => live.show_typing(user),
            ServerFrame::Read { room, seq, head, unread } => {
                let counted = head.zip(unread).map(|(head, unread)| UnreadCount { head, unread });
                live.read_elsewhere(&room, seq, counted);
            }
            ServerFrame::RoomUpdated { room, title, topic } => live.titled(&room, title, topic),
            _ => {}
        }
        Ok(())
    }
}

/// Switches to WebSockets if the server welcomes one that was opened beside HTTP.
pub(super) async fn probe(live: Live, (_carrier, mut signals): (Carrier, UnboundedReceiver<Signal>)) {
    let welcome = select(signals.next(), TimeoutFuture::new(PROBE_TIMEOUT_MS)).await;
    if let Either::Left((Some(Signal::Frame(_)), _)) = welcome {
        live.with_session(|session| session.transport.probe_succeeded());
    }
}
