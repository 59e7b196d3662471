//! The text of a message with its markup.

use super::inert_tree::InertElement;
#[cfg(feature = "ssr")]
use crate::wire::sanitize_for_display;
use crate::{
    base::link,
    i18n::Strings,
    markup::{self, Block, Content, Item, Part, References, Span, Style, is_emoji_only, is_plain, shortened},
    wire::{Mention, Mentions, UserId},
};

/// Lines of code that are shown before a button shows the rest.
const FOLDED_LINES: usize = 14;

/// Returns the elements of a text that was sanitized for display, in which names mean `mentions`, as `you` sees it.
pub fn formatted_text(text: &str, mentions: &Mentions, you: UserId, strings: &Strings) -> InertElement {
    let blocks = markup::parse(text);
    let mut writer = Writer { references: References::new(mentions), you, strings };
    if let [Block { quote_depth: 0, content: Content::Paragraph(spans) }] = &blocks[..] {
        let class = if is_emoji_only(text) { "text large" } else { "text" };
        return writer.with_spans(InertElement::new("p").class(class).with("dir", "auto"), spans);
    }
    let mut root = InertElement::new("div").class("text");
    for blocks in blocks.chunk_by(|one, next| one.quote_depth == next.quote_depth) {
        let depth = blocks.first().map_or(0, |block| block.quote_depth);
        let elements = blocks.iter().map(|block| writer.block_element(&block.content));
        root = match depth {
            0 => root.children(elements),
            1 => root.child(InertElement::new("blockquote").children(elements)),
            _ => root.child(InertElement::new("blockquote").class("nested").children(elements)),
        };
    }
    root
}

/// Returns the bytes of a stored text in the HTML of a page.
#[cfg(feature = "ssr")]
pub fn formatted_bytes(text: &str, mentions: &Mentions, you: UserId, strings: &Strings) -> usize {
    formatted_text(&sanitize_for_display(text), mentions, you, strings).html_bytes()
}

/// Makes the elements of one message.
struct Writer<'a> {
    references: References<'a>,
    you: UserId,
    strings: &'a Strings,
}

impl<'a> Writer<'a> {
    fn block_element(&mut self, content: &'a Content) -> InertElement {
        match content {
            Content::Paragraph(spans) => self.with_spans(InertElement::new("p").with("dir", "auto"), spans),
            Content::Code { language, text } => code_element(language, text, self.strings),
            Content::List(items) => {
                InertElement::new("ul").children(items.iter().map(|item| self.item_element(item)))
            }
        }
    }

    /// The marker is text, so that it is copied and read with the item.
    fn item_element(&mut self, Item { depth, number, spans }: &'a Item) -> InertElement {
        let marker = number.as_deref().unwrap_or("•").to_owned() + " ";
        let item = InertElement::new("li").class(["", "depth-1", "depth-2", "depth-3"][usize::from(*depth)]);
        let marker = InertElement::new("span").class("marker").text(marker);
        self.with_spans(item.with("dir", "auto").child(marker), spans)
    }

    fn with_spans(&mut self, element: InertElement, spans: &'a [Span]) -> InertElement {
        spans.iter().enumerate().fold(element, |element, (at, span)| {
            let classes = classes(span.style);
            if !is_plain(span) {
                element.child(span_element(span).class(classes))
            } else if classes.is_empty() {
                self.with_references(element, spans, at)
            } else {
                let inner = InertElement::new("span").class(classes);
                element.child(self.with_references(inner, spans, at))
            }
        })
    }

    fn with_references(&mut self, element: InertElement, spans: &'a [Span], at: usize) -> InertElement {
        let you = self.you;
        self.references.parts(spans, at).into_iter().fold(element, |element, part| match part {
            Part::Text(text) => element.text(text),
            Part::Mention(Mention { user, .. }) => element.child(
                InertElement::new("span")
                    .class(if user.id == you { "mention you" } else { "mention" })
                    .with("data-user", user.id.to_string())
                    .text(format!("@{}", user.name)),
            ),
            Part::Room(name, room) => element.child(
                InertElement::new("a")
                    .class("room-link")
                    .with("href", link(&room.path()))
                    .text(format!("#{name}")),
            ),
        })
    }
}

/// Long code is folded by an element that works without script.
fn code_element(language: &str, text: &str, strings: &Strings) -> InertElement {
    let span = |class, text: String| InertElement::new("span").class(class).text(text);
    let mut block = InertElement::new("div").class("code-block").with("dir", "ltr");
    let lines = text.split('\n').count();
    if lines > FOLDED_LINES {
        let summary = InertElement::new("summary")
            .child(span("more", (strings.show_all_lines)(lines)))
            .child(span("less", strings.show_less.into()));
        block = block.child(InertElement::new("details").class("fold").child(summary));
    }
    let pre =
        InertElement::new("pre").with("tabindex", "0").with("role", "group").with("aria-label", strings.code);
    let copy = InertElement::new("button")
        .with("type", "button")
        .class("needs-script")
        .with("data-copy-code", "")
        .with("data-copied", strings.copied)
        .text(strings.copy_code);
    let tools =
        InertElement::new("div").class("code-tools").child(span("language", language.into())).child(copy);
    block.child(pre.child(InertElement::new("code").text(text))).child(tools)
}

/// Returns the element of code or of a link.
fn span_element(Span { text, style, href }: &Span) -> InertElement {
    let inner = match href {
        Some(href) => InertElement::new("a")
            .with("href", &**href)
            .with("title", &**href)
            .with("target", "_blank")
            .with("rel", "noopener noreferrer nofollow ugc"),
        None => InertElement::new(if style.code { "code" } else { "span" }),
    };
    let is_address = href.as_ref().is_some_and(|href| href.ends_with(&**text));
    let shown = if is_address { shortened(text) } else { (&**text).into() };
    inner.text(shown)
}

fn classes(style: Style) -> String {
    let names =
        [(style.bold, "bold"), (style.italic, "italic"), (style.struck, "struck"), (style.code, "code")];
    let set: Vec<&str> = names.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name).collect();
    set.join(" ")
}
