//! Carries out the effects of a session: frames to send, and what the page shows and stores.

use super::{
    attention,
    carrier::{Carrier, Signal},
    dom, notifications,
    outbox::storage as room_storage,
    service_worker, storage, typing,
};
use crate::{
    client::{Effect, Input, UnreadCount},
    clock::steady,
    page_data::NameError,
    state::{RoomState, Status, rename_error},
    wire::{ClientFrame, ErrorCode, Event, EventBody, RoomName, Seq, ServerFrame, User},
};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender};
use futures_util::{
    StreamExt,
    future::{Either, select},
};
use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};
use std::{sync::Arc, time::Duration};

/// The time for which a notice is shown.
const NOTICE_TIME: Duration = Duration::from_secs(8);

/// Milliseconds that a WebSocket beside HTTP may take up to the server's welcome.
const PROBE_TIMEOUT_MS: u32 = 10_000;

/// One open connection.
pub(super) struct Connection {
    pub(super) room: RoomState,
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
        self.room.timeline.with_session(|session| session.handle(input, steady(), &mut effects));
        effects.into_iter().try_for_each(|effect| self.run_effect(effect))
    }

    fn run_effect(&self, effect: Effect) -> Result<(), Disconnected> {
        let RoomState { timeline, info, profile, .. } = self.room;
        match effect {
            Effect::Send(frame) => self.send(&frame)?,
            Effect::Disconnect => return Err(Disconnected),
            Effect::RetryIn(ms) => self.retry_in(ms as u32),
            Effect::Show(frame) => self.show(frame)?,
            Effect::ShowOrigin { is_rejected } => self.room.connection.is_origin_rejected.set(is_rejected),
            Effect::StoreTransport { is_socket_blocked } => storage::set_socket_blocked(is_socket_blocked),
            Effect::Follow => self.follow()?,
            Effect::TimelineChanged => timeline.change(|_| ()),
            Effect::TimelineReset { count, has_older } => {
                timeline.on_messages(count, steady());
                timeline.on_reset(has_older);
            }
            Effect::Complete(id, _) => room_storage(self.room).remove_command(id),
            Effect::Reject(id, code) => room_storage(self.room).store_refusal(id, code),
            // A name that another user has is not accepted silently.
            Effect::Renamed => {
                profile.is_card_requested.set(profile.user.with_untracked(|user| user.ambiguous));
            }
            Effect::RenameRejected { previous, code } => {
                profile.rename_error.set(rename_error(info.strings, NameError::Command(code)));
                // First, so that the field is open and keeps its text when the name changes back.
                profile.is_card_requested.set(true);
                profile.user.update(|user| user.name = previous);
            }
            Effect::ReactionRejected(code) => {
                let notice = match code {
                    ErrorCode::NotAllowed => info.strings.too_many_reactions,
                    _ => info.strings.reaction_failed,
                };
                show_notice(self.room, notice);
            }
            Effect::Reload => dom::reload(),
            Effect::SignedOut => {
                self.room.connection.status.set(Status::SignedOut);
                dom::disable_composer();
                return Err(Disconnected);
            }
            Effect::ProbeSocket => {
                if let Some(socket) = Carrier::socket() {
                    spawn_local(probe(self.room, socket));
                }
            }
        }
        Ok(())
    }

    fn send(&self, frame: &ClientFrame) -> Result<(), Disconnected> {
        self.carrier.send(frame).ok_or(Disconnected)
    }

    fn retry_in(&self, ms: u32) {
        let (timeline, wakeups) = (self.room.timeline, self.wakeups.clone());
        spawn_local(async move {
            TimeoutFuture::new(ms).await;
            timeline.with_session(|session| session.outbox.reset_in_flight());
            let _ = wakeups.unbounded_send(());
        });
    }

    /// Joins the user's other rooms, where they are not listed as present.
    fn follow(&self) -> Result<(), Disconnected> {
        self.room.rooms.followed().into_iter().try_for_each(|(room, head)| {
            let join = self.room.timeline.session.with_value(|session| session.follow(&room, head));
            self.send(&join)
        })
    }

    /// Shows what a frame says.
    fn show(&self, frame: ServerFrame) -> Result<(), Disconnected> {
        let state = self.room;
        let is_here = |room| state.info.is_here(room);
        match frame {
            ServerFrame::Welcome { you, .. } => {
                let is_other = state.profile.user.with_untracked(|user| user.id != you.id);
                state.profile.user.set(you);
                if is_other {
                    state.timeline.render_rows_again();
                }
            }
            ServerFrame::Joined {
                room, title, topic, kept_hours, posting, members, member_count, ..
            } if is_here(&room) => {
                show_title(state, &room, title, topic);
                state.info.kept_hours.set(kept_hours);
                state.info.posting.set(posting);
                state.members.replace(members, member_count);
                state.connection.status.set(Status::Open);
                attention::show_moved_back(state);
                attention::look(state);
                // The read marker may have advanced.
                return self.handle(Input::Wakeup);
            }
            ServerFrame::Joined { room, head, reset, read, .. } => {
                if reset {
                    state.rooms.reset_head(&room, head);
                }
                notifications::withdraw(&room, read, false);
                state.rooms.on_join(&room, read);
            }
            ServerFrame::Events { room, events } => show_events(state, &room, &events),
            ServerFrame::Renamed { id, name, ambiguous, tag } => {
                show_user(state, User { id, name, ambiguous, tag });
            }
            ServerFrame::Presence { room, here, gone, count } if is_here(&room) => {
                let you = state.profile.user.with_untracked(|user| user.id);
                state.members.show_arrivals(you, &here, state.timeline.today.get_untracked());
                state.members.apply_presence(you, here, &gone, count);
            }
            ServerFrame::Typing { room, user } if is_here(&room) => typing::show(state.members, user),
            ServerFrame::Read { room, seq, head, unread, mentions, marked } => {
                let mentions = mentions.unwrap_or(0);
                let counted = head.zip(unread).map(|(head, unread)| UnreadCount { head, unread, mentions });
                if !marked {
                    show_read(state, &room, seq, counted);
                } else if is_here(&room) {
                    attention::show_position(state);
                } else {
                    state.rooms.mark_unread(&room, seq, counted);
                }
            }
            ServerFrame::Removed { room, .. } => state.rooms.remove(&room),
            ServerFrame::PostingChanged { room, posting } if is_here(&room) => {
                state.info.posting.set(posting);
            }
            ServerFrame::RoomUpdated { room, title, topic, kept_hours } => {
                show_title(state, &room, title, topic);
                if is_here(&room) {
                    state.info.kept_hours.set(kept_hours);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Shows the new title and topic of a room.
fn show_title(state: RoomState, room: &RoomName, title: String, topic: String) {
    let title = state.info.strings.title_of(room, title);
    state.rooms.set_title(room, &title);
    if state.info.is_here(room) {
        let topic = state.info.strings.topic_of(room, topic);
        // Only the server renders the room's dialog.
        dom::set_text("about-title", &title);
        dom::set_text("about-topic", &topic);
        state.info.title.set(title);
        state.info.topic.set(topic);
    }
}

/// Counts events of a room, and notifies the user of them if they do not attend to the page.
fn show_events(state: RoomState, room: &RoomName, events: &[Arc<Event>]) {
    let is_here = state.info.is_here(room);
    if is_here {
        events.iter().for_each(|event| state.members.clear_typing(event.author.id));
        let count = events.iter().filter(|event| event.is_message()).count();
        if count > 0 {
            state.members.clear_arrivals();
        }
        state.timeline.on_messages(count, steady());
    }
    let (you, is_attentive) = (state.profile.user.get_untracked(), attention::is_attentive(state));
    let is_blocked = |author| state.info.is_blocked(author);
    state.rooms.apply_events(room, events, you.id, is_blocked, |entry, event| {
        if !is_attentive {
            notifications::announce(entry, event, you.id);
        }
    });
    for event in events {
        match event.body {
            EventBody::Delete { target } => notifications::withdraw(room, target, true),
            EventBody::Expire { up_to } => {
                notifications::withdraw(room, up_to, false);
                service_worker::forget_copy(room);
            }
            _ => {}
        }
    }
    if is_here {
        attention::look(state);
    }
}

/// Shows that the user has read a room elsewhere. The server may have counted the rest.
fn show_read(state: RoomState, room: &RoomName, seq: Seq, counted: Option<UnreadCount>) {
    notifications::withdraw(room, seq, false);
    if state.info.is_here(room) {
        attention::count_unread(state);
    } else {
        state.rooms.mark_read(room, seq, counted);
    }
}

/// Shows a user's new name.
fn show_user(state: RoomState, user: User) {
    state.members.update_user(&user);
    if state.profile.user.with_untracked(|you| you.id == user.id) {
        state.profile.user.set(user);
    }
}

/// Switches to WebSockets if the server welcomes one that was opened beside HTTP.
pub(super) async fn probe(room: RoomState, (_carrier, mut signals): (Carrier, UnboundedReceiver<Signal>)) {
    let welcome = select(signals.next(), TimeoutFuture::new(PROBE_TIMEOUT_MS)).await;
    if let Either::Left((Some(Signal::Frame(_)), _)) = welcome {
        room.timeline.with_session(|session| session.transport.probe_succeeded());
    }
}

/// Shows for a while why what the user has just done has no effect.
fn show_notice(room: RoomState, sentence: &'static str) {
    let notice = room.timeline.notice;
    notice.set(Some(sentence));
    set_timeout(move || notice.set(None), NOTICE_TIME);
}
