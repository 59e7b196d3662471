//! The reactions below a message, with who gave them.

use super::inert_tree::InertElement;
use crate::{
    i18n::Strings,
    wire::{Reaction, Reactions, Seq, UserId},
};

/// Emoji that are offered first. `message-actions.js` reads them from the menu.
pub const QUICK_REACTIONS: [&str; 6] = ["👍", "❤️", "😂", "🎉", "👀", "✅"];

/// The message of a form of reactions, and its reader.
#[derive(Debug, Clone, Copy)]
pub struct ReactionContext<'a> {
    /// The path of the room's forms.
    pub path: &'a str,
    /// The message.
    pub seq: Seq,
    /// The reader.
    pub you: UserId,
    /// Buttons for the first emoji are offered too, for a page without script.
    pub offers: bool,
    /// The page's language.
    pub strings: &'static Strings,
}

/// Returns a form with a button for each reaction, which gives it or takes it back; `None` if there is no button. Without
/// script the form is submitted.
pub fn reactions_form(reactions: &Reactions, context: &ReactionContext<'_>) -> Option<InertElement> {
    let ReactionContext { path, seq, you, offers, strings } = *context;
    let pills = reactions.list.iter().map(|reaction| pill(reaction, you, strings));
    let is_new = |emoji: &&str| offers && reactions.get(emoji).is_none();
    let offered = QUICK_REACTIONS.into_iter().filter(is_new).map(|emoji| {
        button(emoji, false)
            .class("reaction offered")
            .with("aria-label", format!("{} {emoji}", strings.react))
    });
    let offered: Vec<_> = offered.collect();
    if reactions.list.is_empty() && offered.is_empty() {
        return None;
    }
    let form = InertElement::new("form").class("reactions").with("method", "post");
    let form = form.with("action", format!("{path}/{seq}/react")).with("data-seq", seq.to_string());
    Some(form.children(pills).children(offered))
}

/// Returns an upper bound of the bytes of the reactions to a message in the HTML and JSON of a page.
#[cfg(feature = "ssr")]
pub fn reaction_bytes(reactions: &Reactions, you: UserId, strings: &'static Strings) -> usize {
    // The names of the fields, and in a JSON string of a script an id and the marks around a name.
    const REACTION_BYTES: usize = 120;
    const LISTED_BYTES: usize = 32;
    let context = ReactionContext { path: "", seq: 0, you, offers: false, strings };
    // The path of a room is some 70 bytes long, with that of the site.
    const PATH_BYTES: usize = 200;
    let html = reactions_form(reactions, &context).map_or(0, |form| form.html_bytes() + PATH_BYTES);
    // A letter of a name is escaped with at most seven bytes.
    let names =
        |reaction: &Reaction| reaction.names.iter().map(|name| name.len() * 7 + LISTED_BYTES).sum::<usize>();
    html + reactions.list.iter().map(|reaction| REACTION_BYTES + names(reaction)).sum::<usize>()
}

fn pill(reaction: &Reaction, you: UserId, strings: &Strings) -> InertElement {
    let Reaction { emoji, count, names, .. } = reaction;
    let is_yours = reaction.is_by(you);
    let who = (strings.reacted)(names, *count as usize);
    button(emoji, is_yours)
        .class("reaction")
        .with("aria-pressed", if is_yours { "true" } else { "false" })
        .with("aria-label", format!("{emoji} {count}: {who}"))
        .with("title", who)
        .text(format!(" {count}"))
}

fn button(emoji: &str, is_yours: bool) -> InertElement {
    let name = if is_yours { "take_back" } else { "give" };
    InertElement::new("button")
        .with("name", name)
        .with("value", emoji)
        .with("data-react", emoji)
        .child(InertElement::new("span").class("emoji").text(emoji))
}
