//! The entries of the page that manages a room, or the server.

use crate::wire::{Millis, RoomName, Seq, User};

/// A user with a role.
#[derive(Debug, Clone)]
pub struct RoleRow {
    /// The user.
    pub user: User,
    /// A moderator, and not only a member.
    pub is_moderator: bool,
    /// The administrator of the server.
    pub is_admin: bool,
}

/// A restriction.
#[derive(Debug, Clone)]
pub struct RestrictionRow {
    /// The user; `None` for a network.
    pub user: Option<User>,
    /// The user or the network as text, for the form.
    pub subject: String,
    /// It forbids to enter, and not only to write.
    pub is_ban: bool,
    /// Its end, if it has one.
    pub until: Option<Millis>,
    /// The name of the moderator.
    pub by: String,
    /// The reason that the moderator gave.
    pub reason: String,
}

/// An open invitation.
#[derive(Debug, Clone)]
pub struct InvitationRow {
    /// Its hash, for the form.
    pub hash: String,
    /// The name of its creator.
    pub by: String,
    /// When it ends.
    pub expires_at: Millis,
    /// The number of times that it was used.
    pub uses: u32,
    /// The number of times that it can be used.
    pub most_uses: Option<u32>,
}

/// An open report.
#[derive(Debug, Clone)]
pub struct ReportRow {
    /// Its number.
    pub id: u64,
    /// When it was made.
    pub at: Millis,
    /// The name of the user who made it.
    pub by: String,
    /// The room of the message.
    pub room: RoomName,
    /// The title of the room, on the page of the server.
    pub room_title: Option<String>,
    /// The message.
    pub seq: Seq,
    /// Its author and text, if it was not deleted.
    pub message: Option<(User, String)>,
    /// The reason that the user gave.
    pub reason: String,
}

/// An entry of the log.
#[derive(Debug, Clone)]
pub struct LogRow {
    /// When it was done.
    pub at: Millis,
    /// The name of the actor.
    pub actor: String,
    /// The word for it.
    pub action: String,
    /// The name of the user, or the network.
    pub whom: String,
    /// Further details of the action.
    pub detail: String,
    /// The room with its title, on the page of the server.
    pub room: Option<(RoomName, String)>,
    /// Its end.
    pub until: Option<Millis>,
    /// The reason that the actor gave.
    pub reason: String,
}

/// The rules for posts in a room.
#[derive(Debug, Clone, Copy)]
pub struct Posting {
    /// 0 everyone, 1 moderators, 2 no user.
    pub mode: u8,
    /// Seconds between two posts; 0 for no limit.
    pub slow: u64,
}
