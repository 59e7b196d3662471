//! A room: its messages, and the place to write.

use crate::{
    live::Live,
    ui::{Composer, Header, History, State, Transcript},
    wire::{Author, Message, RoomName, Seq},
};
use leptos::{either::Either, prelude::*};
use serde::{Deserialize, Serialize};

/// Everything that the server knows of a room when it renders it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomPage {
    /// Who looks.
    pub you: Author,
    /// The identity of the log.
    pub log: String,
    /// The room.
    pub room: RoomName,
    /// Its heading.
    pub title: String,
    /// Its newest `seq` when the page was made.
    pub head: Seq,
    /// Which page this is.
    pub place: Place,
    /// The page's messages, oldest first.
    pub messages: Vec<Message>,
    /// Whether there are older ones.
    pub more: bool,
    /// What a plain form asked for and did not get.
    pub refused: Option<Refused>,
}

/// What a plain form asked for and did not get. It stays in its field, so that it is not lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    /// A message.
    Text {
        /// What was written.
        text: String,
        /// One sentence for its author.
        why: String,
    },
    /// Another name.
    Name {
        /// What was written.
        name: String,
        /// One sentence for its author.
        why: String,
    },
}

/// Which page of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// The newest messages, and live.
    Newest,
    /// The messages before a `seq`.
    Before(Seq),
    /// The messages around a `seq`.
    Around(Seq),
}

/// A room on the screen.
#[component]
pub fn Room(
    /// What the server knew.
    page: RoomPage,
) -> impl IntoView {
    let place = page.place;
    let older = page.messages.first().filter(|_| page.more).map(|first| first.seq);
    let room = page.room.clone();
    let refused = page.refused.clone();
    let live = Live::new(page);
    let now = place == Place::Newest;
    let header = view! { <Header live refused=refused.clone() /> };
    let below = if now {
        Either::Left(view! {
            <footer class="below">
                <State live />
                <Composer live refused />
            </footer>
        })
    } else {
        Either::Right(view! { <History room /> })
    };
    view! {
        <div class="room">
            {header}
            <Transcript live older place />
            {below}
        </div>
    }
}
