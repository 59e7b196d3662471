//! The text of a message with its markup, the same on the server and in the browser.

use crate::{
    i18n::Strings,
    markup::{self, Block, Content, Item, Span, Style, is_emoji_only, shortened},
};
use leptos::{
    either::{Either, EitherOf3, EitherOf4},
    prelude::*,
};

/// Lines of code that are shown before a button shows the rest.
const FOLDED_LINES: usize = 14;

/// Renders a text that was sanitized for display.
pub fn formatted_text(text: &str, strings: &'static Strings) -> impl IntoView + use<> {
    let mut blocks = markup::parse(text);
    let is_paragraph =
        |block: &Block| block.quote_depth == 0 && matches!(block.content, Content::Paragraph(_));
    if blocks.len() == 1
        && let Some(Block { content: Content::Paragraph(spans), .. }) =
            blocks.pop_if(|block| is_paragraph(block))
    {
        return Either::Left(view! {
            <p class="text" class:large=is_emoji_only(text) dir="auto">{spans_view(spans)}</p>
        });
    }
    let parts: Vec<_> = blocks
        .chunk_by(|one, next| one.quote_depth == next.quote_depth)
        .map(|blocks| {
            let depth = blocks.first().map_or(0, |block| block.quote_depth);
            let blocks: Vec<_> =
                blocks.iter().map(|block| block_view(block.content.clone(), strings)).collect();
            match depth {
                0 => Either::Left(blocks),
                _ => Either::Right(view! { <blockquote class:nested={depth > 1}>{blocks}</blockquote> }),
            }
        })
        .collect();
    Either::Right(view! { <div class="text">{parts}</div> })
}

fn block_view(content: Content, strings: &'static Strings) -> impl IntoView + use<> {
    match content {
        Content::Paragraph(spans) => EitherOf3::A(view! { <p dir="auto">{spans_view(spans)}</p> }),
        Content::Code { language, text } => EitherOf3::B(code_view(language, text, strings)),
        Content::List(items) => {
            EitherOf3::C(view! { <ul>{items.into_iter().map(item_view).collect::<Vec<_>>()}</ul> })
        }
    }
}

/// The marker is text, so that it is copied and read with the item.
fn item_view(Item { depth, number, spans }: Item) -> impl IntoView {
    let marker = number.map_or_else(|| "• ".to_owned(), |number| format!("{number} "));
    view! { <li class=format!("depth-{depth}") dir="auto"><span class="marker">{marker}</span>{spans_view(spans)}</li> }
}

/// Long code is folded by an element that works without script.
fn code_view(language: String, text: String, strings: &'static Strings) -> impl IntoView {
    let lines = text.split('\n').count();
    let fold = (lines > FOLDED_LINES).then(|| {
        view! {
            <details class="fold">
                <summary>
                    <span class="more">{(strings.show_all_lines)(lines)}</span>
                    <span class="less">{strings.show_less}</span>
                </summary>
            </details>
        }
    });
    let language = (!language.is_empty()).then(|| view! { <small class="language">{language}</small> });
    view! {
        <div class="code-block" dir="ltr">
            {fold}
            <pre tabindex="0" role="group" aria-label=strings.code><code>{text}</code></pre>
            <div class="code-tools">
                {language}
                <button type="button" class="needs-script" data-copy-code data-copied=strings.copied>{strings.copy_code}</button>
            </div>
        </div>
    }
}

fn spans_view(spans: Vec<Span>) -> Vec<impl IntoView> {
    spans.into_iter().map(span_view).collect()
}

fn span_view(Span { text, style, href }: Span) -> impl IntoView {
    let class = class_of(style);
    match href {
        Some(href) => {
            let shown = if href.ends_with(&*text) { shortened(&text).into_owned() } else { text };
            EitherOf4::A(view! {
                <a class=class title=href.clone() href=href target="_blank" rel="noopener noreferrer nofollow ugc">{shown}</a>
            })
        }
        None if style == Style::default() => EitherOf4::B(text),
        None if style.code => EitherOf4::C(view! { <code class=class>{text}</code> }),
        None => EitherOf4::D(view! { <span class=class>{text}</span> }),
    }
}

fn class_of(style: Style) -> String {
    let names =
        [(style.bold, "bold"), (style.italic, "italic"), (style.struck, "struck"), (style.code, "code")];
    let set: Vec<&str> = names.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name).collect();
    set.join(" ")
}
