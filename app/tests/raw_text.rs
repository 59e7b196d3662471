//! Checks the sources: no element whose children Leptos writes unescaped has a dynamic child without the function
//! that makes it safe.

use std::{fs, path::Path};

/// Elements that an HTML parser reads as raw text, RCDATA or script data (HTML, section 13.1.2), or that Leptos
/// does not escape; with the function through which a dynamic child goes. `<title>` is RCDATA too, but Leptos
/// escapes it.
const ELEMENTS: [(&str, Option<&str>); 9] = [
    ("textarea", Some("rcdata(")),
    ("script", Some("inline_script(")),
    ("style", None),
    ("noscript", None),
    ("iframe", None),
    ("xmp", None),
    ("noembed", None),
    ("noframes", None),
    ("plaintext", None),
];

/// Returns the faults of `source`, one line each.
fn faults(source: &str) -> Vec<String> {
    let source = without_comments(source);
    let mut faults = Vec::new();
    for (element, function) in ELEMENTS {
        for (at, _) in source.match_indices(&format!("<{element}")) {
            let tag = &source[at..];
            let after = tag[element.len() + 1..].chars().next();
            if after.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_') {
                continue;
            }
            let Some(child) = children(tag, element) else { continue };
            let is_unsafe = |code: &&str| {
                function.is_none_or(|function| !code.trim_start().starts_with(function))
                    && !in_tag(child, code)
            };
            let dynamic = blocks(child).into_iter().find(is_unsafe);
            if let Some(code) = dynamic {
                faults.push(format!("<{element}> has the child {{{}", code.trim()));
            }
        }
        let builder = format!("{element}()");
        if source.contains(&format!("html::{builder}")) || source.contains(&format!("element::{builder}")) {
            faults.push(format!("{builder} is built by hand, where this check sees no child"));
        }
        // An inert `<textarea>` is escaped like other elements, which suits RCDATA.
        if element != "textarea" && source.contains(&format!("InertElement::new(\"{element}\"")) {
            faults.push(format!("<{element}> is inert, whose texts are escaped as those of other elements"));
        }
    }
    // An inert element escapes every text in it.
    let is_inert = source.contains("InertElement");
    for (at, found) in source.match_indices(".child(").filter(|_| !is_inert) {
        let child = &source[at + found.len()..];
        if !child.starts_with("rcdata(") {
            faults.push(format!("a child is added outside of a view: {child:.40}"));
        }
    }
    let raw = source.match_indices("inner_html=").chain(source.match_indices(".inner_html("));
    for (at, found) in raw {
        let value = &source[at + found.len()..];
        if !value.starts_with("include_str!(") {
            faults.push(format!("inner_html is not a file of ours: {value:.40}"));
        }
    }
    faults
}

/// Returns the text between the tag at the start of `tag` and the end tag of the element; nothing for a void tag.
fn children<'a>(tag: &'a str, element: &str) -> Option<&'a str> {
    let mut depth = 0;
    let mut before = ' ';
    let end = tag.char_indices().find(|(_, c)| {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        let ends = *c == '>' && depth == 0 && !matches!(before, '=' | '-');
        before = *c;
        ends
    })?;
    if tag[..end.0].ends_with('/') {
        return None;
    }
    let children = &tag[end.0 + 1..];
    children.find(&format!("</{element}>")).map(|end| &children[..end])
}

/// Returns the blocks of code in `child`, without nested ones.
fn blocks(child: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, c) in child.char_indices() {
        match c {
            '{' if depth == 0 => (depth, start) = (1, at + 1),
            '{' => depth += 1,
            '}' if depth == 1 => {
                depth = 0;
                found.push(&child[start..at]);
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    found
}

/// Returns true if `code`, a part of `child`, is inside the tag of a nested element: an attribute, which is escaped.
fn in_tag(child: &str, code: &str) -> bool {
    let before = &child[..code.as_ptr() as usize - child.as_ptr() as usize];
    before.rfind('<') > before.rfind('>')
}

fn without_comments(source: &str) -> String {
    source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("a source is UTF-8");
            // The module of the functions tests what Leptos does without them.
            if !path.ends_with("app/src/raw_text.rs") {
                found.push((path.display().to_string(), source));
            }
        }
    }
}

#[test]
fn faults_are_found() {
    for (source, count) in [
        ("view! { <textarea>{text}</textarea> }", 1),
        ("view! { <textarea>{rcdata(text)}</textarea> }", 0),
        ("html::p().child(text)", 1),
        ("InertElement::new(\"p\").child(text)", 0),
        ("InertElement::new(\"textarea\").text(text)", 0),
        ("InertElement::new(\"style\").text(text)", 1),
        ("view! { <p inner_html=text></p> }", 1),
    ] {
        assert_eq!(faults(source).len(), count, "{source}");
    }
}

#[test]
fn every_dynamic_child_of_a_raw_text_element_is_escaped() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    let mut found = Vec::new();
    for folder in ["app/src", "server/src", "frontend/src"] {
        sources(&root.join(folder), &mut found);
    }
    assert!(found.len() > 80, "only {} sources were found", found.len());
    let helped = found.iter().filter(|(_, source)| source.contains("{rcdata(")).count();
    assert!(helped >= 2, "only {helped} files use rcdata");
    for (path, source) in found {
        assert_eq!(faults(&source), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn a_dynamic_child_without_the_function_is_reported() {
    for good in [
        "<textarea name=\"a\" on:input=move |_| { write() }>\n    {rcdata(&text)}\n</textarea>",
        "<textarea></textarea>",
        "<script nonce=use_nonce()>{inline_script(\"f({})\", &[&url])}</script>",
        "<script inner_html=include_str!(\"a.js\")></script>",
        "<noscript><img src={seen} /></noscript>",
        "<Style x={y}>{z}</Style><textareas>{x}</textareas>",
        "/// `<textarea>{text}</textarea>`",
    ] {
        assert_eq!(faults(good), Vec::<String>::new(), "{good}");
    }
    for bad in [
        "<textarea>{text}</textarea>",
        "<textarea on:input=move |_| { write() }>\n    {move || text.get()}\n</textarea>",
        "<textarea>{rcdata(a)}{b}</textarea>",
        "<script>{start}</script>",
        "<style>{css}</style>",
        "<noscript>\"a\"{b}</noscript>",
        "<iframe>{b}</iframe>",
        "<p inner_html=text></p>",
        "textarea.child(draft)",
        "html::textarea().name(\"x\").child(text)",
    ] {
        assert_ne!(faults(bad), Vec::<String>::new(), "{bad}");
    }
}
