//! No two modules of a crate import each other, directly or through others, and none imports from a higher layer.
//!
//! The checks read the sources. For cycles each folder is checked by itself: its modules, each with everything below it, must
//! form a graph without a cycle. A module and its own parent may use each other. The layers of the modules of a crate are the
//! rows of the tables in ARCHITECTURE.md, bottom-up. Test modules do not count.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The folders of the crates whose imports are checked.
const CRATES: [&str; 2] = ["app/src", "server/src"];

/// A module's path from the crate's root, as `["wire", "frame"]`.
type ModulePath = Vec<String>;

/// The modules of a crate, each with the modules that it imports.
type Imports = BTreeMap<ModulePath, BTreeSet<ModulePath>>;

#[test]
fn modules_form_no_import_cycle() {
    for source in CRATES {
        let cycles = find_cycles(&imports_of(source));
        assert!(cycles.is_empty(), "import cycles in {source}:\n{}", cycles.join("\n"));
    }
}

#[test]
fn modules_import_only_from_their_layer_and_lower_ones() {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for source in CRATES {
        let faults = find_upward_imports(&imports_of(source), &layers(&architecture, source));
        assert!(faults.is_empty(), "ARCHITECTURE.md says otherwise of {source}:\n{}", faults.join("\n"));
    }
}

#[test]
fn an_upward_import_and_a_module_without_a_layer_are_reported() {
    let table = "| `x/src/` | |\n| --- | --- |\n| `a.rs` `b/` | low |\n| `c/` | high, as `d.rs` |\n\n| `e.rs` | of another |";
    let layers = layers(table, "x/src");
    assert_eq!(layers, BTreeMap::from([("a", 0), ("b", 0), ("c", 1)]));
    let modules = [("a", "use crate::b::B;"), ("b::x", "use crate::c;"), ("c", "use crate::a;"), ("d", "")];
    let imports = imports(&crate_of(&modules));
    assert_eq!(find_upward_imports(&imports, &layers), ["b imports c", "d has no layer"]);
}

#[test]
fn a_cycle_is_reported() {
    let cycle = [
        ("a", "use crate::b::B;"),
        ("b", "use crate::{c::{self, C}, d};"),
        ("c", "fn f() { super::a::g() }"),
    ];
    assert_eq!(find_cycles(&imports(&crate_of(&cycle))), ["a → b → c → a"]);
}

#[test]
fn a_cycle_between_folders_is_reported() {
    let cycle = [("a::x", "use crate::b::y;"), ("a::z", ""), ("b::y", ""), ("b::w", "use crate::a::z;")];
    assert_eq!(find_cycles(&imports(&crate_of(&cycle))), ["a → b → a"]);
}

#[test]
fn parents_tests_and_comments_form_no_cycle() {
    let tree = [
        ("a", "pub use x::X;"),
        ("a::x", "use super::A; // crate::b"),
        ("b", "use crate::a::X;"),
        ("a::y", "use crate::a::x;\n#[cfg(test)]\nmod tests { use crate::b; }"),
    ];
    assert_eq!(find_cycles(&imports(&crate_of(&tree))), Vec::<String>::new());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn imports_of(source: &str) -> Imports {
    let mut files = BTreeMap::new();
    collect_files(&root().join(source), &Vec::new(), &mut files);
    assert!(files.len() > 20, "{source} has modules");
    imports(&files)
}

/// Returns the layer of each module: the row of the table whose head names `source`.
fn layers<'a>(architecture: &'a str, source: &str) -> BTreeMap<&'a str, usize> {
    let head = format!("| `{source}/` |");
    let rows = architecture.lines().skip_while(|line| !line.starts_with(&head)).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let names = |row: &'a str| row.split('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2);
    rows.enumerate()
        .flat_map(|(layer, row)| {
            names(row).map(move |name| (name.trim_end_matches(".rs").trim_end_matches('/'), layer))
        })
        .collect()
}

/// Returns the modules of a crate that have no layer, and those that import from a higher one.
fn find_upward_imports(imports: &Imports, layers: &BTreeMap<&str, usize>) -> Vec<String> {
    let mut faults = Vec::new();
    for (module, imported) in siblings(imports, &[]) {
        let Some(layer) = layers.get(module) else {
            faults.push(format!("{module} has no layer"));
            continue;
        };
        let higher = imported.into_iter().filter(|name| layers.get(name).is_some_and(|other| other > layer));
        faults.extend(higher.map(|name| format!("{module} imports {name}")));
    }
    faults
}

fn crate_of(modules: &[(&str, &str)]) -> BTreeMap<ModulePath, String> {
    modules
        .iter()
        .map(|(name, source)| (name.split("::").map(Into::into).collect(), (*source).into()))
        .collect()
}

/// Reads every module below `folder`, except tests.
fn collect_files(folder: &Path, parent: &ModulePath, files: &mut BTreeMap<ModulePath, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let child = || [parent.as_slice(), std::slice::from_ref(&name)].concat();
        if name == "tests" || name.ends_with("_tests") || name == "lib" || name == "main" {
            continue;
        } else if path.is_dir() {
            collect_files(&path, &child(), files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = if name == "mod" { parent.clone() } else { child() };
            files.insert(module, fs::read_to_string(&path).unwrap());
        }
    }
}

fn imports(files: &BTreeMap<ModulePath, String>) -> Imports {
    let module_of = |path: &[String]| {
        (1..=path.len())
            .rev()
            .map(|length| &path[..length])
            .find(|path| files.contains_key(*path))
            .map(<[_]>::to_vec)
    };
    let of_file = |(module, source): (&ModulePath, &String)| {
        let paths = paths(&code(source), module);
        (module.clone(), paths.iter().filter_map(|path| module_of(path)).collect())
    };
    files.iter().map(of_file).collect()
}

/// Returns the source without comments and without the tests at its end.
fn code(source: &str) -> String {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Returns all paths that start with `crate` or `super`, from the root.
fn paths(code: &str, module: &ModulePath) -> Vec<ModulePath> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':') {
            continue;
        }
        let mut rest = &code[at..];
        let mut start = module.clone();
        if let Some(after) = rest.strip_prefix("crate::") {
            (rest, start) = (after, Vec::new());
        }
        while let Some(after) = rest.strip_prefix("super::") {
            start.pop();
            rest = after;
        }
        tree(rest, &start, &mut found);
    }
    found
}

/// Reads a path or a tree in braces. Returns the rest of the code.
fn tree<'a>(code: &'a str, start: &ModulePath, found: &mut Vec<ModulePath>) -> &'a str {
    let code = code.trim_start();
    if let Some(mut rest) = code.strip_prefix('{') {
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            let after = tree(rest, start, found);
            match after.trim_start().strip_prefix('}') {
                Some(after) => return after,
                None if after.len() < rest.len() => rest = after,
                None => return after,
            }
        }
    }
    let end = code.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(code.len());
    let path = [start.as_slice(), &[code[..end].to_owned()]].concat();
    match code[end..].strip_prefix("::") {
        Some(rest) => tree(rest, &path, found),
        None => {
            found.push(path);
            let rest = &code[end..];
            rest.trim_start().strip_prefix("as ").map_or(rest, |rest| {
                rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_' || c == ' ')
            })
        }
    }
}

/// Returns the cycles between the modules of each folder.
fn find_cycles(imports: &Imports) -> Vec<String> {
    let folders: BTreeSet<&[String]> =
        imports.keys().flat_map(|module| (0..module.len()).map(|length| &module[..length])).collect();
    folders.into_iter().flat_map(|folder| cycles(&siblings(imports, folder))).collect()
}

/// Returns the imports between the children of `folder`, each with everything below it.
fn siblings<'a>(imports: &'a Imports, folder: &[String]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let child = |module: &'a ModulePath| module.strip_prefix(folder)?.first().map(String::as_str);
    let mut edges = BTreeMap::<_, BTreeSet<_>>::new();
    for (module, imported) in imports {
        if let Some(from) = child(module) {
            edges.entry(from).or_default().extend(imported.iter().filter_map(child).filter(|to| *to != from));
        }
    }
    edges
}

/// Returns the shortest cycle through each module that is in one; the same modules are named once.
fn cycles(edges: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let mut known = BTreeSet::new();
    let new =
        |way: &Vec<&str>| known.insert(way.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>());
    edges.keys().filter_map(|start| cycle(edges, start)).filter(new).map(|way| way.join(" → ")).collect()
}

fn cycle<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>, start: &&'a str) -> Option<Vec<&'a str>> {
    {
        let mut ways = vec![vec![*start]];
        let mut seen = BTreeSet::new();
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                for next in edges.get(way[way.len() - 1]).into_iter().flatten() {
                    let way = [way.as_slice(), &[*next]].concat();
                    if next == start {
                        return Some(way);
                    }
                    if seen.insert(*next) {
                        longer.push(way);
                    }
                }
            }
            ways = longer;
        }
        None
    }
}
