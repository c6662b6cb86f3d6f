//! `[[facade.key]]`: a key pair, and what its holder may do.

use std::path::{Path, PathBuf};

use crate::config::Secrets;
use crate::config::bucket::BucketConfig;
use crate::config::document::Section;
use crate::config::secret::{SecretOrigin, SecretValue};
use crate::config::setting::{Raw, Setting, one_of};
use crate::config::suggest::did_you_mean;
use crate::object::BucketName;

/// One access key of one component.
#[derive(Clone, Debug, PartialEq)]
pub struct FacadeKey {
    /// The component's name, as metrics show it. Two keys of one name are a rotation.
    pub component: String,
    pub access_key_id: String,
    pub secret: SecretValue,
    /// What they do not allow is denied.
    pub rules: Vec<KeyRule>,
}

/// What a key may do in some buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRule {
    pub buckets: KeyBuckets,
    /// Of the keys of objects; empty for all.
    pub prefix: String,
    pub verbs: Vec<Verb>,
}

/// The buckets that a key may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyBuckets {
    All,
    Some(Vec<BucketName>),
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Read,
    Write,
    List,
    Delete,
}

/// Shorter secrets could be guessed.
const SECRET_BYTES_MIN: usize = 16;

impl FacadeKey {
    pub(super) fn read_all(facade: &Section<'_>, buckets: &[BucketConfig]) -> Vec<Self> {
        let directory = facade.get::<PathBuf>("secrets_dir").map(|path| facade.document.resolve(&path));
        let mut keys: Vec<Self> = Vec::new();
        for section in facade.list("key") {
            let key = Self::read(&section, directory.as_deref(), buckets);
            if let Some(key) = &key
                && keys.iter().any(|earlier| earlier.access_key_id == key.access_key_id)
            {
                section.mistake("access_key_id", format!("\"{}\" belongs to two keys", key.access_key_id));
            }
            section.finish();
            keys.extend(key);
        }
        keys
    }

    fn read(section: &Section<'_>, directory: Option<&Path>, buckets: &[BucketConfig]) -> Option<Self> {
        let component = section.required::<String>("name").filter(|name| plain(section, "name", name, 1));
        let access_key_id =
            section.required::<String>("access_key_id").filter(|id| plain(section, "access_key_id", id, 3));
        let origin = secret_origin(section, directory, access_key_id.as_deref());
        let secret = origin.and_then(|origin| SecretValue::read(section.document, origin));
        if let Some(secret) = &secret {
            check_secret(section, secret);
        }
        let rules = KeyRule::read_all(section, buckets);
        Some(Self { component: component?, access_key_id: access_key_id?, secret: secret?, rules: rules? })
    }

    /// Whether some rule is about the bucket.
    pub fn reaches(&self, bucket: &BucketName) -> bool {
        self.rules.iter().any(|rule| rule.buckets.allows(bucket))
    }
}

impl KeyRule {
    /// The rule that stands in the key itself, and those of `[[facade.key.rule]]`.
    fn read_all(key: &Section<'_>, buckets: &[BucketConfig]) -> Option<Vec<Self>> {
        let further = key.list("rule");
        let own = key.has("buckets") || further.is_empty();
        if !own {
            for needless in ["prefix", "verbs"] {
                if key.has(needless) {
                    key.mistake(needless, "needs buckets beside it: each [[facade.key.rule]] has its own");
                }
            }
        }
        let mut rules = Vec::new();
        if own {
            rules.push(Self::read(key, buckets));
        }
        for section in further {
            rules.push(Self::read(&section, buckets));
            section.finish();
        }
        rules.into_iter().collect()
    }

    fn read(section: &Section<'_>, buckets: &[BucketConfig]) -> Option<Self> {
        let allowed = KeyBuckets::read(section, buckets);
        let prefix = section.get("prefix").unwrap_or_default();
        let verbs = section.get("verbs").unwrap_or_else(|| Verb::ALL.map(|(_, verb)| verb).to_vec());
        Some(Self { buckets: allowed?, prefix, verbs })
    }
}

/// Names of components become labels, and ids of keys become file names: both keep to plain characters.
fn plain(section: &Section<'_>, key: &'static str, text: &str, length_min: usize) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let valid = (length_min..=128).contains(&text.len()) && text.bytes().all(plain);
    if !valid {
        section.mistake(key, format!("must be {length_min} to 128 letters, digits, '-' and '_'"));
    }
    valid
}

/// `secret_file`, `secret_env`, or the file of the key's id in the facade's `secrets_dir`.
fn secret_origin(section: &Section<'_>, directory: Option<&Path>, id: Option<&str>) -> Option<SecretOrigin> {
    let file = section.get::<PathBuf>("secret_file");
    let variable = section.get::<String>("secret_env");
    match (file, variable, directory) {
        (Some(_), Some(_), _) => {
            section.mistake("secret_env", "and secret_file exclude each other");
            None
        }
        (Some(file), None, _) => Some(SecretOrigin::File(section.document.resolve(&file))),
        (None, Some(variable), _) => Some(SecretOrigin::Environment(variable)),
        (None, None, Some(directory)) => Some(SecretOrigin::File(directory.join(id?))),
        (None, None, None) => {
            section.mistake("secret_file", "is missing: name secret_file or secret_env, or facade.secrets_dir");
            None
        }
    }
}

fn check_secret(section: &Section<'_>, secret: &SecretValue) {
    let text = secret.value.expose();
    let read = section.document.secrets == Secrets::Required;
    if read && text.len() < SECRET_BYTES_MIN {
        section
            .document
            .mistake(secret.origin.place(), format!("a secret must have at least {SECRET_BYTES_MIN} characters"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        section.document.mistake(secret.origin.place(), "a secret must hold printable ASCII only, in one line");
    }
}

impl KeyBuckets {
    fn read(section: &Section<'_>, known: &[BucketConfig]) -> Option<Self> {
        let names = section.required::<Vec<String>>("buckets")?;
        if names.iter().any(|name| name == "*") {
            return Some(Self::All);
        }
        let names: Vec<BucketName> = names.iter().filter_map(|name| Self::known(section, name, known)).collect();
        Some(Self::Some(names))
    }

    fn known(section: &Section<'_>, name: &str, known: &[BucketConfig]) -> Option<BucketName> {
        let found = known.iter().find(|bucket| bucket.name.as_str() == name);
        if found.is_none() {
            let hint = did_you_mean(name, known.iter().map(|bucket| bucket.name.as_str()));
            section.mistake("buckets", format!("there is no [[bucket]] of the name \"{name}\"{hint}"));
        }
        found.map(|bucket| bucket.name.clone())
    }

    /// Whether the key may use a bucket.
    pub fn allows(&self, bucket: &BucketName) -> bool {
        match self {
            Self::All => true,
            Self::Some(names) => names.contains(bucket),
        }
    }
}

impl Verb {
    const ALL: [(&'static str, Self); 4] =
        [("read", Self::Read), ("write", Self::Write), ("list", Self::List), ("delete", Self::Delete)];

    /// The word for it in the file.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, verb)| *verb == self).map_or("", |(name, _)| name)
    }
}

impl Setting for Verb {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        one_of(raw, &Self::ALL)
    }
}
