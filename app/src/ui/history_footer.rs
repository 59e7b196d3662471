//! The footer of a page of older messages.

use crate::{
    base::link,
    i18n::Strings,
    ui::inert_tree::InertElement,
    wire::{RoomName, Seq, limits},
};

/// Returns the links from a page of older messages, whose last one is `newer`, to newer ones and to the latest page.
pub fn history_footer(room: &RoomName, newer: Option<Seq>, strings: &Strings) -> InertElement {
    let path = link(&room.path());
    let anchor = |href: String, label: &'static str| InertElement::new("a").with("href", href).text(label);
    let footer = InertElement::new("div")
        .class("history-footer")
        .child(InertElement::new("p").text(strings.history_notice))
        .text(" ");
    let footer = match newer {
        Some(seq) => {
            let next = format!("{path}?before={}#top", seq + 1 + Seq::from(limits::DEFAULT_PAGE_SIZE));
            footer.child(anchor(next, strings.newer)).text(" ")
        }
        None => footer,
    };
    footer.child(anchor(path, strings.back_to_latest))
}
