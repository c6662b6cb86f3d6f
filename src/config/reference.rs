//! Values under the names that secrets of Kubernetes usually give them: a file of that name in a
//! mounted directory, or a variable.

use std::path::PathBuf;

use super::Secrets;
use super::document::Section;
use super::secret::{SecretOrigin, SecretValue};
use crate::telemetry::Secret;

/// Where the values of a section may stand: first its `secrets_dir`, then the environment.
pub struct References<'s> {
    section: &'s Section<'s>,
    directory: Option<PathBuf>,
}

/// A value that was found.
pub struct Found {
    pub text: String,
    pub origin: SecretOrigin,
}

/// A value may stand somewhere and cannot be read; that is noted already.
pub struct Unreadable;

impl<'s> References<'s> {
    /// Notes a mistake if the section names a `secrets_dir` that is none.
    pub fn of(section: &'s Section<'s>) -> Self {
        let document = section.document;
        let directory = section.get::<PathBuf>("secrets_dir").map(|path| document.resolve(&path));
        if let Some(path) = &directory
            && document.secrets == Secrets::Required
            && !path.is_dir()
        {
            section.mistake("secrets_dir", format!("{} is no directory", path.display()));
        }
        Self { section, directory }
    }

    pub fn directory(&self) -> Option<&PathBuf> {
        self.directory.as_ref()
    }

    /// The value of the first name that has one. Empty files and variables have none.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub fn find(&self, names: &[&str]) -> Result<Option<Found>, Unreadable> {
        let document = self.section.document;
        for origin in self.origins(names) {
            let ignored = document.secrets == Secrets::Ignored && matches!(origin, SecretOrigin::File(_));
            if ignored {
                continue;
            }
            match origin.look(document) {
                Ok(Some(text)) => return Ok(Some(Found { text, origin })),
                Ok(None) => {}
                Err(reason) => {
                    document.mistake(origin.place(), reason);
                    return Err(Unreadable);
                }
            }
        }
        Ok(None)
    }

    /// A secret that has to be there; `what` says which in the mistake that is noted else.
    pub fn secret(&self, what: &str, names: &[&str]) -> Option<SecretValue> {
        if self.section.document.secrets == Secrets::Ignored {
            let origin = self.origins(names).next()?;
            return Some(SecretValue { origin, value: Secret::transient("") });
        }
        let found = self.find(names).ok()?;
        if found.is_none() {
            self.section.mistake("credential", format!("needs {what}: {}", self.accepted(names)));
        }
        found.map(|found| SecretValue { value: Secret::new(found.text), origin: found.origin })
    }

    /// The value of a key of the section, or else of a name.
    pub fn text(&self, key: &'static str, names: &[&str]) -> Option<String> {
        self.section.get(key).or_else(|| Some(self.find(names).ok()??.text))
    }

    /// The same for a value that has to be there. Where secrets are ignored an empty one stands in.
    pub fn required_text(&self, key: &'static str, names: &[&str]) -> Option<String> {
        if self.section.has(key) {
            return self.section.get(key);
        }
        let found = self.find(names).ok()?.map(|found| found.text);
        if found.is_none() && self.section.document.secrets == Secrets::Ignored {
            return Some(String::new());
        }
        if found.is_none() {
            self.section.mistake(key, format!("is missing: write it here, or give {}", self.accepted(names)));
        }
        found
    }

    /// The places that names may stand in, as the end of a sentence.
    pub fn accepted(&self, names: &[&str]) -> String {
        let names = names.join(" or ");
        match &self.directory {
            Some(directory) => format!("{names}, as a file in {} or as a variable", directory.display()),
            None => format!("{names}, as a variable or as a file in secrets_dir"),
        }
    }

    fn origins(&self, names: &[&str]) -> impl Iterator<Item = SecretOrigin> {
        let in_directory = |path: &PathBuf| names.iter().map(|name| SecretOrigin::File(path.join(name))).collect();
        let files: Vec<_> = self.directory.as_ref().map(in_directory).unwrap_or_default();
        let variables = names.iter().map(|name| SecretOrigin::Environment((*name).to_owned()));
        files.into_iter().chain(variables)
    }
}
