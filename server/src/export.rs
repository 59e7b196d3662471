//! Everything of a user as JSON Lines (one JSON object in each line).

use crate::store::{
    Device, MAX_READ_MARKERS, Role, ScanPosition, Store, StoreResult, UserContent, UserRecord, UserRight,
};
use app::wire::{Files, Millis, RoomName, Seq, UserId};
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use serde::Serialize;
use std::sync::Arc;

/// Exports that are under way at the same time. Each reads all events, step by step.
pub const MAX_EXPORTS: usize = 2;

/// Read markers in one piece of an export.
const MARKERS_PER_PIECE: u32 = 500;

/// Roles, blocked users and reports in one piece of an export.
const RIGHTS_PER_PIECE: u32 = 500;

/// One line.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Profile {
        id: UserId,
        name: &'a str,
        exported_at: Millis,
    },
    ReadMarker {
        room: &'a RoomName,
        seq: Seq,
    },
    Message {
        room: &'a RoomName,
        seq: Seq,
        at: Millis,
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<Seq>,
        #[serde(skip_serializing_if = "Option::is_none")]
        edited_at: Option<Millis>,
        #[serde(skip_serializing_if = "Files::is_empty")]
        files: &'a Files,
    },
    Reaction {
        room: &'a RoomName,
        seq: Seq,
        at: Millis,
        target: Seq,
        emoji: &'a str,
    },
    Device {
        browser: &'a str,
        system: &'a str,
        added_at: Millis,
        seen_at: Millis,
    },
    RecoveryCode {
        created_at: Millis,
    },
    Role {
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<&'a RoomName>,
        role: &'static str,
    },
    Blocked {
        user: UserId,
    },
    Report {
        room: &'a RoomName,
        seq: Seq,
        at: Millis,
        reason: &'a str,
    },
    End,
}

/// The position of an export.
enum Position {
    Profile,
    ReadMarkers(u32),
    Devices,
    Rights(u32),
    Records(ScanPosition),
    End,
    Done,
}

/// Returns everything of `user` piece by piece: the profile, the read markers, the devices, the rights, the messages with room
/// and time, and the reactions; at the end a line of type `end`, without which the export is incomplete. Each piece is read when it is polled,
/// and is bounded: nothing waits in memory. Nothing of other users is in it.
pub fn export(
    store: Arc<dyn Store>,
    user: UserId,
) -> impl Stream<Item = StoreResult<Bytes>> + Send + 'static {
    let pieces = stream::unfold(Position::Profile, move |position| {
        let store = store.clone();
        async move {
            let piece = piece(&*store, user, position).await;
            match piece {
                Ok(Some((bytes, next))) => Some((Ok(bytes), next)),
                Ok(None) => None,
                Err(error) => Some((Err(error), Position::Done)),
            }
        }
    });
    // The layer that compresses polls it again after its end.
    pieces.fuse()
}

async fn piece(
    store: &dyn Store,
    user: UserId,
    position: Position,
) -> StoreResult<Option<(Bytes, Position)>> {
    let mut lines = String::new();
    let next = match position {
        Position::Profile => {
            let found = store.users(&[user]).await?;
            let name = found.first().map_or("", |user| user.name.as_str());
            push(&mut lines, &Line::Profile { id: user, name, exported_at: store.clock().await? });
            Position::ReadMarkers(0)
        }
        Position::ReadMarkers(skip) => {
            let markers = store.read_markers(user, skip, MARKERS_PER_PIECE).await?;
            markers.iter().for_each(|(room, seq)| push(&mut lines, &Line::ReadMarker { room, seq: *seq }));
            let skip = skip + MARKERS_PER_PIECE;
            if markers.len() < MARKERS_PER_PIECE as usize || skip >= MAX_READ_MARKERS {
                Position::Devices
            } else {
                Position::ReadMarkers(skip)
            }
        }
        Position::Devices => {
            for device in store.sign_ins(user).await?.devices {
                push(&mut lines, &device_line(&device));
            }
            if let Some(created_at) = store.recovery_code(user).await? {
                push(&mut lines, &Line::RecoveryCode { created_at });
            }
            Position::Rights(0)
        }
        Position::Rights(skip) => {
            let rights = store.user_rights(user, skip, RIGHTS_PER_PIECE).await?;
            rights.iter().for_each(|right| push(&mut lines, &right_line(right)));
            if rights.len() < RIGHTS_PER_PIECE as usize {
                Position::Records(ScanPosition::default())
            } else {
                Position::Rights(skip + RIGHTS_PER_PIECE)
            }
        }
        Position::Records(after) => {
            let found = store.user_records(user, after).await?;
            found.records.iter().for_each(|record| push(&mut lines, &line(record)));
            found.next.map_or(Position::End, Position::Records)
        }
        Position::End => {
            push(&mut lines, &Line::End);
            Position::Done
        }
        Position::Done => return Ok(None),
    };
    Ok(Some((lines.into(), next)))
}

fn line(UserRecord { room, seq, at, content, .. }: &UserRecord) -> Line<'_> {
    let (seq, at) = (*seq, *at);
    match content {
        UserContent::Message { text, reply_to, edited_at, files } => {
            Line::Message { room, seq, at, text, reply_to: *reply_to, edited_at: *edited_at, files }
        }
        UserContent::Reaction { target, emoji } => Line::Reaction { room, seq, at, target: *target, emoji },
    }
}

fn device_line(device: &Device) -> Line<'_> {
    let Device { label, added_at, seen_at, .. } = device;
    Line::Device { browser: &label.browser, system: &label.system, added_at: *added_at, seen_at: *seen_at }
}

fn right_line(right: &UserRight) -> Line<'_> {
    match right {
        UserRight::Role { room, role } => {
            let role = match role {
                Role::Member => "member",
                Role::Moderator => "moderator",
                Role::Admin => "administrator",
            };
            Line::Role { room: room.as_ref(), role }
        }
        UserRight::Blocked { user } => Line::Blocked { user: *user },
        UserRight::Report { room, seq, at, reason } => Line::Report { room, seq: *seq, at: *at, reason },
    }
}

fn push(lines: &mut String, line: &Line<'_>) {
    lines.push_str(&serde_json::to_string(line).expect("a line of strings and numbers is always JSON"));
    lines.push('\n');
}
