//! The source of library and gateway as data: files, what each imports, and the words of its code.
//!
//! Tests inside the source are left out: they may look where they like.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Attribute, File, Item, UseTree, Visibility,
    visit::{self, Visit},
};

/// A module by its path below the crate, such as `["grant", "rotation"]`; the crate itself is empty.
pub(crate) type Module = Vec<String>;

/// One file.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// Lines, without the tests at the end.
    pub(crate) lines: usize,
    /// Every `crate::…`, `super::…` or `self::…` of the code, as a path below the crate.
    pub(crate) paths: BTreeSet<Module>,
    /// Paths into other crates, and all else that is not of this one.
    pub(crate) foreign: BTreeSet<String>,
    /// What `pub use` names here: the name, and where it leads.
    pub(crate) exports: BTreeMap<String, Module>,
    /// Names and string literals of the code.
    pub(crate) words: BTreeSet<String>,
}

/// All files of the library, by their module.
pub(crate) fn read() -> BTreeMap<Module, Source> {
    below("src")
}

/// All files of the gateway, by their module.
pub(crate) fn gateway() -> BTreeMap<Module, Source> {
    below("gateway/src")
}

fn below(folder: &str) -> BTreeMap<Module, Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut sources = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && !is_test(&path) {
                let module = module_of(path.strip_prefix(&root).unwrap());
                let source = source(&path, &module);
                sources.insert(module, source);
            }
        }
    }
    sources
}

fn is_test(path: &Path) -> bool {
    path.components()
        .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
}

fn module_of(file: &Path) -> Module {
    let file = file.with_extension("");
    let mut module: Module = file
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if matches!(
        module.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        module.pop();
    }
    module
}

fn source(path: &Path, module: &Module) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let mut reader = Reader {
        module,
        ..Reader::new(module)
    };
    reader.visit_file(&parsed);
    let before_tests = text.lines().position(|line| line == "#[cfg(test)]");
    let has_tests_inside = text.contains("#[cfg(test)]\nmod tests {");
    Source {
        path: path.to_owned(),
        lines: match has_tests_inside {
            true => before_tests.unwrap_or_default(),
            false => text.lines().count(),
        },
        paths: reader.paths,
        foreign: reader.foreign,
        exports: exports(&parsed, module),
        words: reader.words,
    }
}

/// Where a path really leads: `pub use` is followed to the module that defines the name.
pub(crate) fn definition(sources: &BTreeMap<Module, Source>, path: &[String]) -> Option<Module> {
    let mut path = path.to_vec();
    // As many steps as the deepest chain of re-exports has.
    for _ in 0..8 {
        let depth = (0..=path.len()).rev();
        let depth = depth
            .into_iter()
            .find(|depth| sources.contains_key(&path[..*depth]))?;
        let (module, rest) = (path[..depth].to_vec(), &path[depth..]);
        let Some(target) = rest
            .first()
            .and_then(|name| sources[&module].exports.get(name))
        else {
            return Some(module);
        };
        let next = [target.as_slice(), &rest[1..]].concat();
        if next == path {
            return Some(module);
        }
        path = next;
    }
    None
}

fn exports(file: &File, module: &Module) -> BTreeMap<String, Module> {
    let mut exports = BTreeMap::new();
    for item in &file.items {
        if let Item::Use(item) = item
            && !matches!(item.vis, Visibility::Inherited)
            && !is_for_tests(&item.attrs)
        {
            for (path, name) in leaves(&item.tree, Vec::new()) {
                // Without `crate` or `super` it is a child's.
                let own = || [module.as_slice(), path.as_slice()].concat();
                exports.insert(name, absolute(&path, module).unwrap_or_else(own));
            }
        }
    }
    exports
}

/// The paths of one `use`, each with the name that it has here.
fn leaves(tree: &UseTree, before: Module) -> Vec<(Module, String)> {
    let with = |name: String| [before.as_slice(), &[name]].concat();
    match tree {
        UseTree::Path(path) => leaves(&path.tree, with(path.ident.to_string())),
        UseTree::Name(name) if name.ident == "self" => {
            let own = before.last().cloned().unwrap_or_default();
            vec![(before, own)]
        }
        UseTree::Name(name) => vec![(with(name.ident.to_string()), name.ident.to_string())],
        UseTree::Rename(name) => vec![(with(name.ident.to_string()), name.rename.to_string())],
        UseTree::Glob(_) => vec![(before, "*".to_owned())],
        UseTree::Group(group) => group
            .items
            .iter()
            .flat_map(|tree| leaves(tree, before.clone()))
            .collect(),
    }
}

/// The same path, counted from the crate; `None` for one of another crate.
fn absolute(path: &[String], module: &Module) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([module.as_slice(), rest].concat()),
        "super" => {
            let (_, parent) = module.split_last()?;
            let ups = [vec!["self".to_owned()], rest.to_vec()].concat();
            match rest.first().is_some_and(|next| next == "super") {
                true => absolute(rest, &parent.to_vec()),
                false => absolute(&ups, &parent.to_vec()),
            }
        }
        _ => None,
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute
                    .meta
                    .require_list()
                    .is_ok_and(|list| list.tokens.to_string().starts_with("test"))
    })
}

struct Reader<'a> {
    module: &'a Module,
    paths: BTreeSet<Module>,
    foreign: BTreeSet<String>,
    words: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn new(module: &'a Module) -> Self {
        Self {
            module,
            paths: BTreeSet::new(),
            foreign: BTreeSet::new(),
            words: BTreeSet::new(),
        }
    }

    fn path(&mut self, path: &[String]) {
        match absolute(path, self.module) {
            Some(path) => self.paths.insert(path),
            None => self.foreign.insert(path.join("::")),
        };
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Const(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if is_for_tests(attributes) {
            return;
        }
        if let Item::Use(item) = item {
            // A name that is handed on is no import: `definition` follows it.
            if matches!(item.vis, Visibility::Inherited) {
                for (path, _) in leaves(&item.tree, Vec::new()) {
                    self.path(&path);
                }
            }
            return;
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Module = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        if names.len() > 1 {
            self.path(&names);
        }
        visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {
        // Documentation may name what it likes.
    }

    fn visit_ident(&mut self, ident: &'ast proc_macro2::Ident) {
        self.words.insert(ident.to_string());
    }

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.words.insert(text.value());
    }
}
