//! A room that does not exist.

use crate::{
    base::link,
    i18n::Strings,
    ui::inert_tree::InertElement,
    wire::{RoomName, limits::MAX_TITLE_CHARS},
};

/// Returns the notice for a room that does not exist: similar rooms by their titles and paths, and a button that creates it.
/// Its first message creates it too.
pub fn room_not_found(room: &RoomName, similar: &[(String, String)], strings: &Strings) -> InertElement {
    let mut notice = InertElement::new("div").class("empty-room");
    notice = notice.child(InertElement::new("p").text(strings.room_not_found));
    if !similar.is_empty() {
        let question = InertElement::new("p").text(strings.did_you_mean);
        let question = similar.iter().enumerate().fold(question, |question, (at, (title, path))| {
            let title = InertElement::new("b").text(&**title);
            let anchor = InertElement::new("a").with("href", link(path)).child(title);
            question.text(if at > 0 { ", " } else { "" }).child(anchor)
        });
        notice = notice.child(question.text(strings.question_mark));
    }
    // Private rooms get a generated address.
    if !room.is_private() {
        let title: String = room.title().chars().take(MAX_TITLE_CHARS).collect();
        let field =
            InertElement::new("input").with("type", "hidden").with("name", "title").with("value", title);
        let button = InertElement::new("button").with("type", "submit").text(strings.create_room);
        let form = InertElement::new("form").with("method", "post").with("action", link("/rooms"));
        notice = notice.child(form.child(field).child(button));
    }
    notice
}
