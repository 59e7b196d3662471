//! The changes that the server's frames make to a session.

use super::{Connection, Effect, MAX_RETRY_DELAY_MS, PendingRename, RETRY_DELAY_MS, Session};
use crate::{
    client::ApplyResult,
    wire::{CommandId, ErrorCode, Millis, Seq, ServerFrame, User},
};

impl Session {
    pub(super) fn handle_frame(&mut self, frame: ServerFrame, now: Millis, effects: &mut Vec<Effect>) {
        match frame {
            ServerFrame::Welcome { ref log, heartbeat_ms, ref you, .. } => {
                self.connection.welcomed_at = Some(now);
                self.connection.user = Some(you.clone());
                self.connection.log.clone_from(log);
                self.timeline.log().clone_into(&mut self.connection.former_log);
                self.connection.heartbeat.set_interval(heartbeat_ms);
                effects.push(Effect::Show(frame));
                self.join(effects);
            }
            ServerFrame::Joined { ref room, .. } if *room == self.room => self.handle_joined(frame, effects),
            ServerFrame::Events { ref room, ref events } if *room == self.room => {
                let result = self.timeline.apply_events(events);
                effects.push(Effect::TimelineChanged);
                match result {
                    ApplyResult::Applied => effects.push(Effect::Show(frame)),
                    ApplyResult::Gap => self.join(effects),
                }
            }
            ServerFrame::Ack { id, seq, .. } => self.handle_ack(id, seq, now, effects),
            ServerFrame::Error { id, code, retry_ms, .. } => {
                self.handle_error(id, code, retry_ms, now, effects);
            }
            ServerFrame::Pong { heads, .. } => {
                self.read_marker.confirm_report();
                let head = heads.get(&self.room).copied().unwrap_or(0);
                self.check_head(head, effects);
            }
            ServerFrame::Read { ref room, seq, marked, .. } => {
                if *room == self.room {
                    self.read_marker.apply_remote(seq, marked);
                }
                effects.push(Effect::Show(frame));
            }
            ServerFrame::Renamed { id, ref name, ambiguous, ref tag } => {
                let user = User { id, name: name.clone(), ambiguous, tag: tag.clone() };
                self.timeline.update_user(&user);
                effects.push(Effect::TimelineChanged);
                effects.push(Effect::Show(frame));
                self.handle_renamed(user, effects);
            }
            ServerFrame::Removed { ref room, .. } if *room == self.room => effects.push(Effect::Reload),
            // A frame of a later version is skipped; a gap in the events shows itself.
            ServerFrame::Unknown => {}
            _ => effects.push(Effect::Show(frame)),
        }
    }

    fn handle_joined(&mut self, mut frame: ServerFrame, effects: &mut Vec<Effect>) {
        let ServerFrame::Joined { head, reset, messages, more, read, .. } = &mut frame else { return };
        self.read_marker.on_join(*read);
        if *reset {
            let (log, messages) = (self.connection.log.clone(), messages.take().unwrap_or_default());
            let (count, has_older) = (messages.len(), more.unwrap_or(false));
            if self.timeline.log() != log {
                self.read_marker.reset();
            }
            self.timeline.reset(log, *head, messages);
            self.timeline.set_has_oldest(!has_older);
            effects.push(Effect::TimelineReset { count, has_older });
        } else {
            self.timeline.set_log(&self.connection.log);
            effects.push(Effect::TimelineChanged);
        }
        if !std::mem::replace(&mut self.connection.is_joined, true) {
            self.backoff.reset();
            let is_http = self.connection.is_http;
            effects.push(Effect::StoreTransport { is_socket_blocked: is_http });
            if !is_http {
                effects.push(Effect::Follow);
            }
        }
        effects.push(Effect::Show(frame));
    }

    fn handle_ack(&mut self, id: CommandId, seq: Option<Seq>, now: Millis, effects: &mut Vec<Effect>) {
        if let Some(PendingRename { name, .. }) = self.take_rename(id) {
            if self.connection.user.as_ref().is_some_and(|user| user.name == name) {
                effects.push(Effect::Renamed);
            } else {
                self.connection.taken_name = Some(name);
            }
        } else {
            self.complete(id, seq, effects);
            if seq.is_some_and(|seq| seq <= self.timeline.last()) {
                // The command was stored before, so that its event does not arrive again.
                self.timeline.remove_pending(id);
                effects.push(Effect::TimelineChanged);
            }
        }
        self.send_pending(now, effects);
    }

    /// Takes the new name of the user themselves. It may arrive before or after the server's reply to their rename.
    fn handle_renamed(&mut self, user: User, effects: &mut Vec<Effect>) {
        let Connection { user: known, taken_name, .. } = &mut self.connection;
        if known.as_ref().is_none_or(|known| known.id != user.id) {
            return;
        }
        if taken_name.take_if(|name| *name == user.name).is_some() {
            effects.push(Effect::Renamed);
        }
        *known = Some(user);
    }

    fn handle_error(
        &mut self,
        id: Option<String>,
        code: ErrorCode,
        retry_ms: Option<u64>,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        if code == ErrorCode::SignedOut {
            // Commands that wait in the outbox stay there.
            effects.push(Effect::SignedOut);
            return;
        }
        let Some(id) = id.and_then(|id| id.parse().ok()) else {
            // The first message creates a room. Until then the server answers a read marker of a page that has joined the room
            // with this code.
            let is_yet_to_be = code == ErrorCode::NoSuchRoom && self.is_joined();
            if code.ends_access() && !is_yet_to_be {
                effects.push(Effect::Reload);
                return;
            }
            // Without a command's id it is the join that has failed, which the next connection tries again.
            if !self.is_joined() {
                effects.push(Effect::Disconnect);
            }
            return;
        };
        if let Some(rename) = self.take_rename(id) {
            effects.push(Effect::RenameRejected { previous: rename.previous, code });
            return;
        }
        if !self.outbox.is_in_flight(id) {
            return;
        }
        if matches!(code, ErrorCode::RateLimited | ErrorCode::Internal) {
            let delay = retry_ms.map_or(RETRY_DELAY_MS, |ms| ms.min(MAX_RETRY_DELAY_MS));
            effects.push(Effect::RetryIn(delay));
            return;
        }
        if self.outbox.is_reaction(id) {
            // Nothing of it is worth another attempt of the user.
            self.complete(id, None, effects);
            self.timeline.remove_pending(id);
            effects.push(Effect::ReactionRejected(code));
        } else if code == ErrorCode::NoSuchMessage && self.outbox.is_deletion(id) {
            // Another page or device has deleted the message, as this command was to do.
            self.complete(id, None, effects);
            self.timeline.remove_pending(id);
        } else {
            self.outbox.complete(id);
            self.timeline.fail(id, code);
            effects.push(Effect::Reject(id, code));
        }
        effects.push(Effect::TimelineChanged);
        self.send_pending(now, effects);
    }

    fn complete(&mut self, id: CommandId, seq: Option<Seq>, effects: &mut Vec<Effect>) {
        self.outbox.complete(id);
        effects.push(Effect::Complete(id, seq));
    }

    /// Takes the pending rename if `id` is its command.
    fn take_rename(&mut self, id: CommandId) -> Option<PendingRename> {
        self.pending_rename.take_if(|rename| rename.id == id)
    }

    /// Rejoins if the head of the previous pong has still not been reached: an event was lost in transit.
    fn check_head(&mut self, head: Seq, effects: &mut Vec<Effect>) {
        let is_lost = self.connection.expected_head > self.timeline.last();
        self.connection.expected_head = head;
        if is_lost {
            self.join(effects);
        }
    }
}
