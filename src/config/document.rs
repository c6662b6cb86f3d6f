//! The file as tables with places, overlaid with the environment; gathers mistakes instead of
//! stopping at the first.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::{Environment, PREFIX};
use super::mistake::{Mistake, Mistakes, Place};
use super::setting::{Raw, Setting};
use super::suggest::did_you_mean;
use super::{Secrets, suggest};

/// A configuration that is being read.
pub struct Document<'t> {
    name: String,
    text: &'t str,
    root: DeTable<'t>,
    pub environment: &'t Environment,
    pub secrets: Secrets,
    base: PathBuf,
    mistakes: RefCell<Vec<Mistake>>,
    sections: RefCell<BTreeSet<&'static str>>,
    /// Variables that somebody asked for, whether they are set or not.
    variables: RefCell<BTreeSet<String>>,
}

/// One table of the document.
pub struct Section<'d> {
    pub document: &'d Document<'d>,
    /// As it is called in mistakes: `azure`, `facade.key`.
    name: String,
    table: Option<&'d DeTable<'d>>,
    span: Range<usize>,
    /// What the variables of this section begin with; none for the members of a list.
    variables: Option<String>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'t> Document<'t> {
    pub fn parse(text: &'t str, name: &str, base: PathBuf, environment: &'t Environment, secrets: Secrets) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Self {
            name: name.to_owned(),
            text,
            root: root.into_inner(),
            environment,
            secrets,
            base,
            mistakes: RefCell::default(),
            sections: RefCell::default(),
            variables: RefCell::new(BTreeSet::from([format!("{PREFIX}CONFIG")])),
        };
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            document.mistake(document.place(at), error.message().replace('\n', " "));
        }
        document
    }

    /// The table of this name; empty if there is none.
    pub fn section<'d>(&'d self, name: &'static str) -> Section<'d>
    where
        't: 'd,
    {
        self.sections.borrow_mut().insert(name);
        let variables = Some(format!("{PREFIX}{}_", name.to_ascii_uppercase()));
        let found = find(&self.root, name);
        Section::new(self, name.to_owned(), found.and_then(|value| self.table(name, value)), variables)
    }

    /// The tables of a list `[[name]]`.
    pub fn list<'d>(&'d self, name: &'static str) -> Vec<Section<'d>>
    where
        't: 'd,
    {
        self.sections.borrow_mut().insert(name);
        find(&self.root, name).map_or_else(Vec::new, |value| self.tables(name, value))
    }

    /// Whether `name` is written as a list of tables.
    pub fn is_list(&self, name: &str) -> bool {
        find(&self.root, name).is_some_and(|value| value.get_ref().is_array())
    }

    /// Notes a mistake.
    pub fn mistake(&self, place: Place, message: impl Into<String>) {
        self.mistakes.borrow_mut().push(Mistake { place, message: message.into() });
    }

    /// A path as the file means it: relative ones begin beside the file.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }

    /// Notes that a variable has a meaning.
    pub fn knows_variable(&self, name: &str) {
        self.variables.borrow_mut().insert(name.to_owned());
    }

    /// Looks for what nobody asked for.
    ///
    /// # Errors
    /// All mistakes that were noted.
    pub fn finish(self) -> Result<(), Mistakes> {
        let known = self.sections.borrow().clone();
        for (key, _) in self.root.iter().filter(|(key, _)| !known.contains(key.get_ref().as_ref())) {
            let hint = did_you_mean(key.get_ref(), known.iter().copied());
            self.mistake(self.place(key.span().start), format!("{}: unknown section{hint}", key.get_ref()));
        }
        let variables = self.variables.borrow().clone();
        for name in self.environment.overrides().filter(|name| !variables.contains(*name)) {
            let hint = did_you_mean(name, variables.iter().map(String::as_str));
            self.mistake(Place::Environment(name.to_owned()), format!("means nothing to this program{hint}"));
        }
        Mistakes::check(self.mistakes.into_inner())
    }

    fn table<'d>(&'d self, name: &str, value: &'d Spanned<DeValue<'t>>) -> Option<(&'d DeTable<'d>, Range<usize>)> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.mistake(self.place(value.span().start), format!("{name}: must be a table [{name}]"));
        }
        table.map(|table| (table, value.span()))
    }

    fn tables<'d>(&'d self, name: &str, value: &'d Spanned<DeValue<'t>>) -> Vec<Section<'d>> {
        let Some(list) = value.get_ref().as_array() else {
            self.mistake(self.place(value.span().start), format!("{name}: must be a list of tables [[{name}]]"));
            return Vec::new();
        };
        let found = list.iter().filter_map(|value| self.table(name, value));
        found.map(|table| Section::new(self, name.to_owned(), Some(table), None)).collect()
    }

    fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
        Place::File { name: self.name.clone(), line, column }
    }
}

impl<'d> Section<'d> {
    fn new(
        document: &'d Document<'d>,
        name: String,
        found: Option<(&'d DeTable<'d>, Range<usize>)>,
        variables: Option<String>,
    ) -> Self {
        let (table, span) = found.map_or((None, 0..0), |(table, span)| (Some(table), span));
        Self { document, name, table, span, variables, asked: RefCell::default() }
    }

    /// Whether the table is in the file, or a variable stands in for it.
    pub fn exists(&self) -> bool {
        let overridden = |prefix: &String| self.document.environment.overrides().any(|name| name.starts_with(prefix));
        self.table.is_some() || self.variables.as_ref().is_some_and(overridden)
    }

    /// A table within this one.
    pub fn section(&self, key: &'static str) -> Section<'d> {
        self.asked.borrow_mut().insert(key);
        let name = format!("{}.{key}", self.name);
        let variables = self.variables.as_ref().map(|prefix| format!("{prefix}{}_", key.to_ascii_uppercase()));
        let found = self.table.and_then(|table| find(table, key));
        let table = found.and_then(|value| self.document.table(&name, value));
        Section::new(self.document, name, table, variables)
    }

    /// The tables of a list within this one.
    pub fn list(&self, key: &'static str) -> Vec<Section<'d>> {
        self.asked.borrow_mut().insert(key);
        let name = format!("{}.{key}", self.name);
        let found = self.table.and_then(|table| find(table, key));
        found.map_or_else(Vec::new, |value| self.document.tables(&name, value))
    }

    /// The value of a key, if it is there and makes sense; a mistake is noted if it makes none.
    pub fn get<T: Setting>(&self, key: &'static str) -> Option<T> {
        self.get_with(key, T::read)
    }

    /// The value of a key that is one of a few words.
    pub fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        self.get_with(key, |raw| super::setting::one_of(raw, words))
    }

    fn get_with<T>(&self, key: &'static str, read: impl FnOnce(&Raw<'_>) -> Result<T, String>) -> Option<T> {
        let raw = self.raw(key)?;
        read(&raw).map_err(|message| self.mistake(key, message)).ok()
    }

    /// The value of a key that has to be there.
    pub fn required<T: Setting>(&self, key: &'static str) -> Option<T> {
        if !self.has(key) {
            self.mistake(key, "is missing");
            return None;
        }
        self.get(key)
    }

    /// Whether a key is there, right or wrong.
    pub fn has(&self, key: &'static str) -> bool {
        self.raw(key).is_some()
    }

    /// Notes a mistake at a key, or at the table if the key is not there.
    pub fn mistake(&self, key: &'static str, message: impl AsRef<str>) {
        self.document.mistake(self.place(key), format!("{}.{key}: {}", self.name, message.as_ref()));
    }

    /// Says what no key of the table is for.
    pub fn finish(self) {
        let asked = self.asked.borrow();
        for (key, _) in self.table.into_iter().flatten().filter(|(key, _)| !asked.contains(key.get_ref().as_ref())) {
            let name = key.get_ref();
            let hint = if looks_secret(name) && suggest::suggest(name, asked.iter().copied()).is_none() {
                "; secrets do not belong in this file, see secrets_dir".to_owned()
            } else {
                did_you_mean(name, asked.iter().copied())
            };
            self.document
                .mistake(self.document.place(key.span().start), format!("{}.{name}: unknown key{hint}", self.name));
        }
    }

    fn place(&self, key: &'static str) -> Place {
        if let Some(name) = self.variable(key)
            && self.document.environment.get(&name).is_some()
        {
            return Place::Environment(name);
        }
        let found = self.table.and_then(|table| find(table, key));
        self.document.place(found.map_or(self.span.start, |value| value.span().start))
    }

    fn raw(&self, key: &'static str) -> Option<Raw<'d>> {
        self.asked.borrow_mut().insert(key);
        if let Some(name) = self.variable(key) {
            self.document.knows_variable(&name);
            if let Some(text) = self.document.environment.get(&name) {
                return Some(Raw::Environment(text));
            }
        }
        let value = self.table.and_then(|table| find(table, key))?;
        Some(Raw::Toml(value.get_ref()))
    }

    fn variable(&self, key: &str) -> Option<String> {
        self.variables.as_ref().map(|prefix| format!("{prefix}{}", key.to_ascii_uppercase()))
    }
}

fn find<'a, 't>(table: &'a DeTable<'t>, key: &str) -> Option<&'a Spanned<DeValue<'t>>> {
    table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
}

fn looks_secret(key: &str) -> bool {
    ["secret", "key", "token", "password", "sas", "connection_string"].iter().any(|part| key.contains(part))
}
