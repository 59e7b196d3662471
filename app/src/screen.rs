//! What is on the screen: a room, or a sentence that says why not.

use crate::pages::{Room, RoomPage, Sorry};
use leptos::{either::Either, prelude::*};
use serde::{Deserialize, Serialize};

/// What is on the screen. The server provides it as context before it renders; the page carries it
/// to the browser, which hydrates the very same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Screen {
    /// A room.
    Room(Box<RoomPage>),
    /// Nothing but a sentence.
    Sorry {
        /// What happened, in a few words.
        title: String,
        /// What it means and what to do.
        message: String,
    },
}

impl Screen {
    /// For a path that leads nowhere.
    pub fn nothing_here() -> Self {
        Self::Sorry {
            title: "There is nothing here".into(),
            message: "A room's name has up to 64 of a-z, 0-9 and -. The lobby is always open.".into(),
        }
    }

    /// For a failure that the visitor did not cause.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Sorry { title: "That did not work".into(), message: message.into() }
    }
}

/// The app, the same on both sides.
#[component]
pub fn App() -> impl IntoView {
    let screen =
        SharedValue::new(|| use_context::<Screen>().unwrap_or_else(Screen::nothing_here)).into_inner();
    match screen {
        Screen::Room(page) => Either::Left(view! { <Room page=*page /> }),
        Screen::Sorry { title, message } => Either::Right(view! { <Sorry title message /> }),
    }
}
