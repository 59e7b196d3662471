//! Errors that a page or a form explains to the user.

use crate::wire::{ErrorCode, InvalidName};

/// An error that replaces a whole page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageError {
    /// No page has this path.
    NotFound,
    /// The server rejected a command.
    Command(ErrorCode),
    /// The form was submitted from a page of another origin.
    ForeignOrigin,
    /// The request body is not a form of this server.
    InvalidForm,
    /// The `seq` in the address is not a number.
    InvalidSeq,
    /// The device link was used before.
    LinkUsed,
    /// The device link is too old, or this server did not create it.
    LinkExpired,
    /// The title or the topic of a room could not be changed.
    Room(RoomFormError),
    /// The browser stores no cookies, so that the change would be lost at once.
    CookiesDisabled,
    /// The browser is offline and has no copy of the page.
    Offline,
    /// The data that the system shares has reached the server, since no service worker has taken it.
    NotShared,
    /// The server failed.
    Internal,
}

/// The reason why a room was not created or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomFormError {
    /// The title is invalid.
    Title(InvalidName),
    /// The topic is invalid.
    Topic(InvalidName),
    /// The browser stores no cookies, so that the room would have no owner.
    CookiesDisabled,
    /// Another room has the same title, or a confusable one: its title and its path.
    TitleTaken(String, String),
    /// The server rejected the command for another reason.
    Command(ErrorCode),
}
