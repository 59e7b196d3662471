use super::*;
use proptest::prelude::*;

/// Writes a tree in one line: styles as tags, links as `<a ADDRESS>`.
fn written(text: &str) -> String {
    let blocks: Vec<String> = parse(text).iter().map(block).collect();
    blocks.join(" | ")
}

fn block(Block { quote_depth, content }: &Block) -> String {
    let content = match content {
        Content::Paragraph(found) => spans(found),
        Content::Code { language, text } => format!("```{language}:{text}"),
        Content::List(items) => items
            .iter()
            .map(|item| {
                let marker = item.number.as_deref().unwrap_or("-");
                format!("{}{marker} {}", "_".repeat(item.depth.into()), spans(&item.spans))
            })
            .collect::<Vec<_>>()
            .join(" / "),
    };
    ">".repeat((*quote_depth).into()) + &content
}

fn spans(spans: &[Span]) -> String {
    let written = |Span { text, style, href }: &Span| {
        let tags = [(style.bold, "b"), (style.italic, "i"), (style.struck, "s"), (style.code, "c")];
        let tags: String = tags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, tag)| tag).collect();
        match (&*tags, href) {
            ("", None) => text.clone(),
            (tags, None) => format!("<{tags}>{text}</>"),
            ("", Some(href)) => format!("<a {href}>{text}</>"),
            (tags, Some(href)) => format!("<{tags} a {href}>{text}</>"),
        }
    };
    spans.iter().map(written).collect()
}

#[track_caller]
fn assert_written(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(written(text), *expected, "{text:?}");
    }
}

#[track_caller]
fn assert_plain(texts: &[&str]) {
    for text in texts {
        let span = Span { text: (*text).into(), ..Span::default() };
        let paragraph = Block { quote_depth: 0, content: Content::Paragraph(vec![span]) };
        assert_eq!(parse(text), [paragraph], "{text:?}");
    }
}

#[test]
fn styles_stand_between_their_delimiters() {
    assert_written(&[
        ("a **bold** word", "a <b>bold</> word"),
        ("__bold__, *italic*, _italic_, ~~struck~~", "<b>bold</>, <i>italic</>, <i>italic</>, <s>struck</>"),
        ("***both*** and **bold *both***", "<bi>both</> and <b>bold </><bi>both</>"),
        ("*a **b** c*", "<i>a </><bi>b</><i> c</>"),
        ("**a ~~b~~** ~~**c**~~", "<b>a </><bs>b</> <bs>c</>"),
        ("(*a*), \"**b**\".", "(<i>a</>), \"<b>b</>\"."),
        ("你好**世界**你好", "你好<b>世界</>你好"),
        ("*two\nlines*", "<i>two\nlines</>"),
        ("_snake_case_", "<i>snake_case</>"),
        ("*a `*` b*", "<i>a </><ic>*</><i> b</>"),
        ("**a*", "*<i>a</>"),
        ("*a _b* c_", "<i>a _b</> c_"),
    ]);
}

#[test]
fn what_only_looks_like_a_style_is_text() {
    assert_plain(&[
        "2*3*4 and 2 * 3 * 4",
        "snake_case_name",
        "*args, **kwargs",
        "a ** b ** c",
        "****",
        "**",
        "~one~ and ~~~",
        "* ",
        "f(*a, *b)",
        "пере*нос*",
        "*one\n\ntwo*",
        "¯\\_(ツ)_/¯",
        "C:\\temp\\new \\\\server\\share \\d+\\.",
        "a * b\n c",
    ]);
}

#[test]
fn a_backslash_makes_a_mark_text() {
    assert_written(&[
        ("\\*not italic\\*", "*not italic*"),
        ("\\`not code\\`", "`not code`"),
        ("\\[a](https://a.example)", "[a](<a https://a.example>https://a.example</>)"),
        ("**a\\*\\* b**", "<b>a** b</>"),
    ]);
}

#[test]
fn code_is_between_runs_of_equal_length() {
    assert_written(&[
        ("`a`", "<c>a</>"),
        ("``a ` b``", "<c>a ` b</>"),
        ("`` ` ``", "<c>`</>"),
        ("` a `", "<c>a</>"),
        ("`  `", "<c>  </>"),
        ("```a``` b", "<c>a</> b"),
        ("`**a** https://a.example <b>`", "<c>**a** https://a.example <b></>"),
        ("a ` b", "a ` b"),
        ("``a` ` b", "``a<c> </> b"),
        ("`a\n\nb`", "`a\n\nb`"),
    ]);
}

#[test]
fn plain_text_is_one_line_without_marks() {
    assert_eq!(
        plain_text("**bold** and\n\n- an item\n- `code`\n> quoted", 60),
        "bold and an item code quoted"
    );
    assert_eq!(plain_text("one two three", 13), "one two three");
    assert_eq!(plain_text("one two three", 9), "one two…");
    assert_eq!(plain_text(&"é".repeat(9_000), 3), "éé…");
}

#[test]
fn empty_text_has_no_blocks() {
    assert_eq!(parse(""), []);
}

#[test]
fn a_text_has_at_most_forty_code_blocks() {
    let blocks = parse(&"> ```\n> a\n> ```\n```\na\n```\n".repeat(30));
    let is_code = |block: &&Block| matches!(block.content, Content::Code { .. });
    assert_eq!(blocks.iter().filter(is_code).count(), 40);
}

#[test]
fn code_blocks_stand_between_fences() {
    assert_written(&[
        ("```\na\n```", "```:a"),
        ("```rust\nfn a() {\n\n    b()\n}\n```", "```rust:fn a() {\n\n    b()\n}"),
        ("see\n```c++\n  a\n```\nend", "see | ```c++:  a | end"),
        ("```\nnot ended\n**a**", "```:not ended\n**a**"),
        ("````\n```\n````", "```:```"),
        ("```let a = 1;\nlet b = 2;```", "```:let a = 1;\nlet b = 2;"),
        ("```\n> a\n- b\n```", "```:> a\n- b"),
        ("```\n```", "```:"),
        ("```<script>alert(1)</script>\n```", "```:<script>alert(1)</script>"),
    ]);
}

#[test]
fn quotes_nest_up_to_a_bound() {
    assert_written(&[
        ("> a\n> b\nc", ">a\nb | c"),
        ("> a\n> > b\n> c", ">a | >>b | >c"),
        ("> > > > a", ">>>> a"),
        (">\n> a\n>", ">a"),
        ("> - a\n> ```\n> b\n> ```", ">- a | >```:b"),
    ]);
    assert_plain(&[">", "> \n>", ">_<", ">>> a", "a > b"]);
}

#[test]
fn lists_keep_their_numbers_and_their_depth() {
    assert_written(&[
        ("- a\n- b", "- a / - b"),
        ("* a\n+ b", "- a / - b"),
        ("3. a\n7) b", "3. a / 7. b"),
        ("- a\n  - b\n    - c\n          - d", "- a / _- b / __- c / ___- d"),
        ("- a\n  more\n- b", "- a\nmore / - b"),
        ("to do:\n- **a**\n\nend", "to do: | - <b>a</> | end"),
        ("- a\n```\nb\n```", "- a | ```:b"),
    ]);
    assert_plain(&["-", "- ", "-a", "1.5", "1.", "2026. A year", "--", "+1"]);
}

#[test]
fn blank_lines_and_indentation_stay_in_a_paragraph() {
    assert_plain(&["a\n\n\nb", "    if ready:\n        go()", "a\n \t\n  b", "a\tb"]);
    assert_written(&[("a\n\n**b**\n\n\nc", "a\n\n<b>b</>\n\n\nc")]);
}

#[test]
fn addresses_are_links() {
    assert_written(&[
        ("https://a.example", "<a https://a.example>https://a.example</>"),
        ("see HTTP://a.example/b?c=d#e.", "see <a HTTP://a.example/b?c=d#e>HTTP://a.example/b?c=d#e</>."),
        ("(https://a.example/b_(c))", "(<a https://a.example/b_(c)>https://a.example/b_(c)</>)"),
        ("**https://a.example/b_c_d**", "<b a https://a.example/b_c_d>https://a.example/b_c_d</>"),
        ("看https://a.example。好", "看<a https://a.example>https://a.example</>。好"),
        ("www.a.example/b", "<a https://www.a.example/b>www.a.example/b</>"),
        ("mailto:ann@a.example", "<a mailto:ann@a.example>mailto:ann@a.example</>"),
        ("<https://a.example/b>", "<a https://a.example/b>https://a.example/b</>"),
        ("http://127.0.0.1:8080/r/tea", "<a http://127.0.0.1:8080/r/tea>http://127.0.0.1:8080/r/tea</>"),
        ("http://[::1]/", "<a http://[::1]/>http://[::1]/</>"),
        ("\"https://a.example\"", "\"<a https://a.example>https://a.example</>\""),
    ]);
}

#[test]
fn a_name_in_brackets_leads_to_its_address() {
    assert_written(&[
        ("[the page](https://a.example/b)", "<a https://a.example/b>the page</>"),
        (
            "[a **b** `c`](https://a.example)!",
            "<a https://a.example>a </><b a https://a.example>b</><a https://a.example> </><c a https://a.example>c</>!",
        ),
        ("**[a](https://a.example)**", "<b a https://a.example>a</>"),
        ("[a](https://a.example/b_(c))", "<a https://a.example/b_(c)>a</>"),
        ("[[a]](https://a.example)", "<a https://a.example>[a]</>"),
        ("[a [b](https://a.example)", "[a <a https://a.example>b</>"),
        ("*a [b* c](https://a.example)", "*a <a https://a.example>b* c</>"),
        ("[x] and [y]: *z*", "[x] and [y]: <i>z</>"),
    ]);
}

#[test]
fn what_is_no_safe_address_is_text() {
    assert_plain(&[
        "javascript:alert(1)",
        "[a](javascript:alert(1))",
        "[a](data:text/html,x)",
        "[a](//b.example)",
        "[a](/r/tea)",
        "[a](vbscript:x)",
        "ftp://a.example",
        "https://",
        "http://?",
        "www.",
        "www.a",
        "mailto:",
        "mailto:@a",
        "xhttps://a.example",
        "https://bank.example@b.example/",
        "https://a.example\\b",
        "<javascript:alert(1)>",
        "<b>bold</b>",
        "[](http:)",
        "https:/a.example",
    ]);
}

#[test]
fn a_name_that_looks_like_an_address_leads_nowhere_else() {
    for name in [
        "https://bank.example",
        "bank.example",
        "www.bank.example",
        "bank．example",
        "ann@bank.example",
        "log in at bank.example now",
    ] {
        let text = format!("[{name}](https://evil.example)");
        let all: String = match &parse(&text)[..] {
            [Block { content: Content::Paragraph(spans), .. }] => {
                spans.iter().map(|span| &*span.text).collect()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(all, text, "everything is shown as it was written");
    }
}

#[test]
fn an_address_ends_before_characters_that_hide_or_reorder() {
    for c in ["\u{202e}", "\u{200b}", "\u{2066}", "\u{feff}", "\u{e0041}", "\u{3000}", "\u{2028}"] {
        let text = format!("https://a.example/{c}b");
        assert_eq!(written(&text), format!("<a https://a.example/>https://a.example/</>{c}b"), "{c:?}");
    }
}

#[test]
fn a_long_address_loses_its_middle_but_nothing_of_its_host() {
    let path = "b".repeat(80);
    let long = format!("https://a.example/{path}end");
    assert_eq!(shortened(&long), format!("https://a.example/{}…{}end", "b".repeat(26), "b".repeat(12)));
    let hidden = format!("https://{}.evil.example/x", "bank.example.".repeat(8).trim_end_matches('.'));
    assert_eq!(shortened(&hidden), hidden);
    assert_eq!(shortened("https://a.example/short"), "https://a.example/short");
}

#[test]
fn one_to_six_emoji_alone_are_large() {
    for text in [
        "👍",
        "❤️",
        "👩‍🚀",
        "🏳️‍🌈",
        "🇩🇪 🇨🇳",
        "👍🏽",
        "1️⃣",
        "😀😀😀\n😀😀😀",
        "☕",
        "🏴\u{e0067}\u{e0062}\u{e007f}",
        "™️",
    ] {
        assert!(is_emoji_only(text), "{text}");
    }
    for text in ["", " ", "a", "1", "👍 ok", "😀😀😀😀😀😀😀", "™", "#", "\u{200d}", "🙂\u{200d}", "🇩", "→"]
    {
        assert!(!is_emoji_only(text), "{text}");
    }
}

/// The texts of a tree, in order.
fn shown(blocks: &[Block]) -> String {
    let texts = |spans: &[Span]| spans.iter().map(|span| &*span.text).collect::<String>();
    let block = |block: &Block| match &block.content {
        Content::Paragraph(spans) => texts(spans),
        Content::Code { language, text } => format!("{language}{text}"),
        Content::List(items) => {
            items.iter().map(|item| item.number.clone().unwrap_or_default() + &texts(&item.spans)).collect()
        }
    };
    blocks.iter().map(block).collect()
}

proptest! {
    #[test]
    fn every_text_has_a_tree_that_shows_all_of_its_letters(
        text in "([a-c*_~`\\[\\]()<>\\\\ \n.:/@>-]|https://|www\\.|mailto:|```|\n> |\n- |\n1\\. |[你。\u{202e}👍\u{200d}é]){1,60}"
    ) {
        let blocks = parse(&text);
        prop_assert!(!blocks.is_empty());
        // Addresses of named links are not shown.
        if !text.contains("](") {
            let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
            prop_assert_eq!(letters(&shown(&blocks)), letters(&text));
        }
        for block in &blocks {
            prop_assert!(block.quote_depth <= MAX_QUOTE_DEPTH);
            if let Content::Paragraph(spans) = &block.content {
                prop_assert!(spans.iter().all(|span| !span.text.is_empty()));
                for href in spans.iter().filter_map(|span| span.href.as_deref()) {
                    prop_assert!(["http://", "https://", "mailto:"].iter().any(|scheme| href.to_ascii_lowercase().starts_with(scheme)));
                    prop_assert!(!href.contains(['<', '>', '"', ' ', '\n']));
                }
            }
        }
    }

    #[test]
    fn words_and_spaces_stay_as_they_are(text in "[a-zA-Z0-9äé你 ,.!?'\n]{0,40}[a-zä你!]") {
        let lines_are_plain = !text.lines().any(|line| line.trim_start().starts_with(|c: char| c.is_ascii_digit()));
        prop_assume!(lines_are_plain && !text.contains("www."));
        let expected = text.trim_start_matches('\n');
        let first = expected.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let start = expected.find(first).unwrap_or(0);
        prop_assert_eq!(written(&text), &expected[start..]);
    }
}
