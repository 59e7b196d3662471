//! A room that does not exist.

use crate::{
    base::link,
    state::{RoomInfoState, use_state},
    wire::{RoomName, limits::MAX_TITLE_CHARS},
};
use leptos::{either::Either, prelude::*};

/// The notice for a room that does not exist: similar rooms, and a button that creates it. Its first message creates it
/// too.
#[component]
pub fn RoomNotFound(
    /// The titles and paths of similar rooms.
    similar: Vec<(String, String)>,
) -> impl IntoView {
    let info = use_state::<RoomInfoState>();
    let strings = info.strings;
    let suggestion = |(at, (title, path)): (usize, (String, String))| {
        let comma = (at > 0).then_some(", ");
        view! { {comma}<a href=link(&path)><b>{title}</b></a> }
    };
    let links = if similar.is_empty() {
        Either::Left(())
    } else {
        let links = similar.into_iter().enumerate().map(suggestion).collect::<Vec<_>>();
        Either::Right(view! { <p>{strings.did_you_mean}{links}{strings.question_mark}</p> })
    };
    let title: String = info.name.with_value(RoomName::title).chars().take(MAX_TITLE_CHARS).collect();
    // Private rooms get a generated address.
    let create = (!info.name.with_value(RoomName::is_private)).then(|| {
        view! {
            <form method="post" action=link("/rooms")>
                <input type="hidden" name="title" value=title />
                <button type="submit">{strings.create_room}</button>
            </form>
        }
    });
    view! { <div class="empty-room"><p>{strings.room_not_found}</p>{links}{create}</div> }
}
