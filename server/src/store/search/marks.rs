//! The marks of a message, which the index has beside its words: tokens that no text has, because they have a colon.

use super::{
    SearchHit, SearchQuery,
    query::{Has, Phrase},
    tokens::indexed_words,
};
use app::{
    markup::{Content, Span, parse},
    wire::{RoomName, UserId},
};
use std::collections::BTreeSet;

/// A message of a public room.
const PUBLIC: &str = "v:public";

/// A message on its way into the index.
#[derive(Debug, Clone)]
pub(in super::super) struct Indexed<'a> {
    /// Its room.
    pub(in super::super) room: &'a str,
    /// The room is on no list.
    pub(in super::super) is_private: bool,
    /// Its author.
    pub(in super::super) author: UserId,
    /// Its text.
    pub(in super::super) text: &'a str,
    /// It shows files.
    pub(in super::super) has_files: bool,
}

impl Indexed<'_> {
    /// Returns the words of the text with their positions, from 1 on.
    pub(in super::super) fn words(&self) -> Vec<String> {
        indexed_words(self.text)
    }

    /// Returns the marks: room, author, and what the message has.
    pub(in super::super) fn marks(&self) -> Vec<String> {
        let mut marks = vec![format!("r:{}", self.room), author_mark(self.author)];
        marks.extend(self.is_public().then(|| PUBLIC.to_owned()));
        marks.extend(contents(self.text).into_iter().map(has_mark));
        marks.extend(self.has_files.then(|| has_mark(Has::File)));
        marks
    }

    /// Returns `true` if every user may find the message. A room whose name cannot be guessed is on no list, whatever its column
    /// says.
    fn is_public(&self) -> bool {
        let may_be_private = self.room.starts_with("p-") || self.room.starts_with("m-");
        let is_unlisted = || self.room.parse().is_ok_and(|room: RoomName| room.is_private());
        !self.is_private && (!may_be_private || !is_unlisted())
    }

    /// Returns everything that SQLite indexes of a message, separated by spaces.
    pub(in super::super) fn document(&self) -> String {
        let mut all = self.marks();
        all.extend(self.words());
        all.join(" ")
    }
}

/// A requirement on the entry of a message in the index: one of the alternatives, each of which is a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Requirement {
    /// One of these.
    pub(in super::super) any_of: Vec<Phrase>,
    /// Turned around: none of these.
    pub(in super::super) is_excluded: bool,
}

/// Returns what the index must have of the messages that a query finds; `None` if it cannot find any.
pub(in super::super) fn requirements(query: &SearchQuery) -> Option<Vec<Requirement>> {
    let any_of = |marks: Vec<String>| Requirement {
        any_of: marks.into_iter().map(|mark| vec![mark]).collect(),
        is_excluded: false,
    };
    let room = |room: &RoomName| format!("r:{room}");
    let mut scope: Vec<String> = query.scope.rooms.iter().map(room).collect();
    scope.extend(query.scope.is_public.then(|| PUBLIC.to_owned()));
    let mut all = vec![any_of(scope)];
    if let Some(authors) = &query.authors {
        all.push(any_of(authors.iter().copied().map(author_mark).collect()));
    }
    all.extend(query.has.iter().map(|has| any_of(vec![has_mark(*has)])));
    all.extend(
        query.phrases.iter().map(|phrase| Requirement { any_of: vec![phrase.clone()], is_excluded: false }),
    );
    if all.iter().any(|requirement| requirement.any_of.is_empty()) {
        return None;
    }
    if !query.scope.excluded.is_empty() {
        let excluded = query.scope.excluded.iter().map(room).collect();
        all.push(Requirement { is_excluded: true, ..any_of(excluded) });
    }
    Some(all)
}

/// Returns `true` if a message has all of these contents.
pub(super) fn has_contents(hit: &SearchHit, all: &BTreeSet<Has>) -> bool {
    let mut in_text = all.clone();
    let needs_files = in_text.remove(&Has::File);
    (hit.has_files || !needs_files) && (in_text.is_empty() || in_text.is_subset(&contents(&hit.text)))
}

/// Returns what a text has: as it is shown, so that a link within code is none.
fn contents(text: &str) -> BTreeSet<Has> {
    let mut found = BTreeSet::new();
    if !text.contains(['`', '~', ':', '@', '[']) {
        return found;
    }
    let mut add = |spans: &[Span]| {
        found.extend(spans.iter().any(|span| span.href.is_some()).then_some(Has::Link));
        found.extend(spans.iter().any(|span| span.style.code).then_some(Has::Code));
    };
    let mut has_block = false;
    for block in parse(text) {
        match block.content {
            Content::Paragraph(spans) => add(&spans),
            Content::Code { .. } => has_block = true,
            Content::List(items) => items.iter().for_each(|item| add(&item.spans)),
        }
    }
    found.extend(has_block.then_some(Has::Code));
    found
}

fn author_mark(author: UserId) -> String {
    format!("a:{author}")
}

fn has_mark(has: Has) -> String {
    format!("h:{}", has.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indexed(text: &str) -> Indexed<'_> {
        Indexed { room: "tea-house", is_private: false, author: UserId(10), text, has_files: false }
    }

    #[test]
    fn marks_say_what_a_message_has() {
        let marks = |text| indexed(text).marks().split_off(2);
        assert_eq!(marks("tea"), ["v:public"]);
        assert_eq!(marks("see https://tea.example/ and [this](https://x.example)"), ["v:public", "h:link"]);
        assert_eq!(marks("`tea`"), ["v:public", "h:code"]);
        assert_eq!(marks("```\nhttps://tea.example\n```"), ["v:public", "h:code"]);
        assert_eq!(Indexed { has_files: true, ..indexed("tea") }.marks()[3], "h:file");
        assert_eq!(Indexed { is_private: true, ..indexed("x") }.marks().len(), 2);
        let unlisted = format!("m-{}", "0".repeat(32));
        assert_eq!(Indexed { room: &unlisted, ..indexed("x") }.marks().len(), 2);
        assert_eq!(Indexed { room: "p-tea", ..indexed("x") }.marks().len(), 3);
        assert_eq!(
            indexed("Tea r:lobby").document(),
            format!("r:tea-house a:{} v:public tea r lobby", UserId(10))
        );
    }

    #[test]
    fn a_query_without_rooms_finds_nothing() {
        assert_eq!(requirements(&SearchQuery::default()), None);
        let scope = super::super::SearchScope { is_public: true, ..Default::default() };
        let query = SearchQuery { scope, ..SearchQuery::default() };
        assert_eq!(requirements(&query).unwrap().len(), 1);
        assert_eq!(requirements(&SearchQuery { authors: Some(Vec::new()), ..query }), None);
    }
}
