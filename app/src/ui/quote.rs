//! The message that another one replies to, in one line.

use super::inert_tree::InertElement;
use crate::{client::Quote, i18n::Strings, page_data::QuotedMessage};

/// Returns the author and the beginning of the text, as children of `element`.
pub fn quoted_line(element: InertElement, quote: &Quote, strings: &Strings) -> InertElement {
    let note = |text: &'static str| InertElement::new("i").text(text);
    match &quote.source {
        None => element.child(note(strings.earlier_message)),
        Some(QuotedMessage { author, excerpt }) => {
            let author = InertElement::new("b").class(author.id.color_class()).text(author.name.to_string());
            let text = match excerpt {
                Some(excerpt) => InertElement::new("span").with("dir", "auto").text(&**excerpt),
                None => note(strings.message_deleted),
            };
            element.child(author).text(" ").child(text)
        }
    }
}

/// Returns the line above a reply, a link to the message that it replies to. `path` is that of the room.
pub fn quote_link(quote: &Quote, path: &str, strings: &Strings) -> InertElement {
    let seq = quote.seq;
    let link = InertElement::new("a")
        .class("quote")
        .with("href", format!("{path}?around={seq}#m{seq}"))
        .with("data-message", seq.to_string())
        .child(InertElement::new("span").class("visually-hidden").text(strings.in_reply_to))
        .text(" ");
    quoted_line(link, quote, strings)
}
