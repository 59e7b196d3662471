//! What can go wrong with a page or a form, for a sentence of its own.

use crate::wire::{ErrorCode, InvalidName};

/// What can go wrong with a whole page, for a sentence of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The path leads nowhere.
    NothingHere,
    /// A command was refused.
    Refused(ErrorCode),
    /// The form came from a page of another site.
    Foreign,
    /// What came is not one of our forms.
    NotOurs,
    /// A place in a room is a number.
    NoPlace,
    /// The link to another device was used before.
    UsedLink,
    /// The link to another device is too old, or none of ours.
    StaleLink,
    /// A room was not called something else.
    Room(RoomTrouble),
    /// The browser keeps no cookies, so what was asked for would be forgotten at once.
    NoCookies,
    /// There is no network, and no copy of the page.
    Offline,
    /// The server failed.
    Failed,
}

/// What was wrong with a room that somebody wanted to make or to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomTrouble {
    /// The title breaks the rule.
    Title(InvalidName),
    /// The topic breaks the rule.
    Topic(InvalidName),
    /// The browser keeps no cookies: nobody would have made it.
    NoCookies,
    /// Another room is called that, or nearly so: its title and its path.
    Taken(String, String),
    /// Something else.
    Refused(ErrorCode),
}
