//! No component is longer than a screen, and no other function beside them; functions of the server are not much longer.
//!
//! The check reads the sources, since Clippy does not measure a function that `#[component]` has rewritten.

use std::{fs, path::Path};

/// Lines of a function at most, from its signature to its last brace.
const MAX_LINES: usize = 60;

/// Lines of a function of the server, at most: a match with an arm for each command is longer than a screen.
const MAX_SERVER_LINES: usize = 80;

/// A function of a source file.
#[derive(Debug, PartialEq, Eq)]
struct Function {
    name: String,
    lines: usize,
    is_component: bool,
}

#[test]
fn components_and_functions_beside_them_are_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut components = 0;
    let mut long = Vec::new();
    for (path, source) in sources(&root) {
        // Everything in these is measured; elsewhere only components are.
        let draws = ["ui/", "pages/", "shell.rs", "app.rs"].iter().any(|place| path.starts_with(place));
        for function in functions(&source) {
            components += usize::from(function.is_component);
            if function.lines > MAX_LINES && (draws || function.is_component) {
                long.push(format!("{path}: {} has {} lines", function.name, function.lines));
            }
        }
    }
    assert!(components > 20, "the sources have components");
    assert!(long.is_empty(), "functions over {MAX_LINES} lines:\n{}", long.join("\n"));
}

#[test]
fn functions_of_the_server_are_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src");
    let mut long = Vec::new();
    for (path, source) in sources(&root) {
        // A file of statements is as long as its statements.
        if path.ends_with("sql.rs") {
            continue;
        }
        let functions = functions(&source).into_iter().filter(|function| function.lines > MAX_SERVER_LINES);
        long.extend(
            functions.map(|function| format!("{path}: {} has {} lines", function.name, function.lines)),
        );
    }
    assert!(long.is_empty(), "functions over {MAX_SERVER_LINES} lines:\n{}", long.join("\n"));
}

#[test]
fn functions_are_measured_with_their_signatures() {
    let source = "#[component]\npub fn Row(\n    live: Live,\n) -> impl IntoView {\n    fn inner() {}\n    view! {\n        <p />\n    }\n}\n\n\
        fn on_line() {}\n\ntrait T {\n    fn declared(&self);\n    fn too(\n        &self,\n    ) -> Self;\n}\n\nimpl A {\n    pub(crate) const fn b() {\n    }\n}\n";
    let function = |name: &str, lines, is_component| Function { name: name.into(), lines, is_component };
    assert_eq!(
        functions(source),
        [
            function("Row", 8, true),
            function("inner", 1, false),
            function("on_line", 1, false),
            function("b", 2, false)
        ]
    );
}

/// Returns every source below `root`, with its path from there.
fn sources(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

/// Returns the functions of a source that rustfmt has formatted: a function ends at the first line that is a brace with
/// the indentation of its signature.
fn functions(source: &str) -> Vec<Function> {
    let lines: Vec<&str> = source.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indentation = &line[..line.len() - line.trim_start().len()];
        let is_end = |rest: &str| rest == "}" || (rest.starts_with(')') && rest.ends_with(';'));
        let is_last = |line: &&str| line.strip_prefix(indentation).is_some_and(is_end);
        let end = lines[start..].iter().position(is_last);
        let length = match (line.chars().last(), end) {
            (Some(';'), _) => continue,
            (Some('}'), _) => 1,
            // The signature of a method that its trait only declares.
            (_, Some(end)) if lines[start + end].ends_with(';') => continue,
            (_, end) => end.map_or(lines.len() - start, |end| end + 1),
        };
        // Attributes are above the signature.
        let attributes = lines[..start].iter().rev().take_while(|line| line.trim_start().starts_with("#["));
        let is_component = { attributes }.any(|line| line.trim_start().starts_with("#[component"));
        found.push(Function { name: name.into(), lines: length, is_component });
    }
    found
}

/// Returns the name of the function whose signature starts on the line.
fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let qualifiers = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern"];
    if !before.split_whitespace().all(|word| qualifiers.contains(&word)) {
        return None;
    }
    let end = after.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    Some(&after[..end]).filter(|name| !name.is_empty())
}
