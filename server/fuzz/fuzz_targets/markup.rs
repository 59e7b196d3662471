//! Any text as markup: the tree shows every letter of the text in its order, the plain text is one line, and its links lead
//! only to addresses of three schemes, which no quotation mark or white space can leave.

#![no_main]

#[allow(dead_code, unused_imports, reason = "the app uses the rest")]
#[path = "../../../app/src/markup/mod.rs"]
mod markup;
#[allow(dead_code, unused_imports, reason = "the app uses the rest")]
#[path = "../../../app/src/wire/mod.rs"]
mod wire;

use libfuzzer_sys::fuzz_target;
use markup::{
    Block, Content, MAX_LIST_DEPTH, MAX_QUOTE_DEPTH, Span, is_emoji_only, parse, plain_text, shortened,
};

const MAX_PLAIN_CHARS: usize = 40;

fn check(span: &Span) {
    assert!(!span.text.is_empty());
    let Some(href) = &span.href else { return };
    let lower = href.to_ascii_lowercase();
    assert!(["http://", "https://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme)), "{href}");
    assert!(!href.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"`\\".contains(c)), "{href}");
    assert!(shortened(href).chars().count() <= href.chars().count());
}

/// Adds the letters that a block shows.
fn add_letters(Block { quote_depth, content }: &Block, shown: &mut String) {
    assert!(*quote_depth <= MAX_QUOTE_DEPTH);
    let mut add = |spans: &[Span]| {
        for span in spans {
            check(span);
            shown.push_str(&span.text);
        }
    };
    match content {
        Content::Paragraph(spans) => add(spans),
        Content::List(items) => items.iter().for_each(|item| {
            assert!(item.depth <= MAX_LIST_DEPTH);
            add(&item.spans);
        }),
        Content::Code { language, text } => {
            assert!(language.is_ascii());
            shown.push_str(language);
            shown.push_str(text);
        }
    }
}

fuzz_target!(|text: &str| {
    let blocks = parse(text);
    assert_eq!(blocks.is_empty(), text.is_empty());
    let plain = plain_text(text, MAX_PLAIN_CHARS);
    assert!(plain.chars().count() <= MAX_PLAIN_CHARS && !plain.contains('\n'), "{plain:?}");
    let mut shown = String::new();
    blocks.iter().for_each(|block| add_letters(block, &mut shown));
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
    // The address behind a name is not shown.
    if !text.contains("](") {
        assert_eq!(letters(&shown), letters(text));
    }
    assert!(!is_emoji_only(text) || !text.contains(|c: char| c.is_ascii_alphabetic()));
});
