//! What a key pair may do: what no rule of it allows is denied.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Resource};
use crate::object::BucketName;

/// The rules of a key pair, sorted by bucket once, so that a request looks at few.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    everywhere: Vec<Grant>,
    by_bucket: BTreeMap<BucketName, Vec<Grant>>,
}

/// Verbs in some buckets, for the keys that begin with a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub buckets: BucketScope,
    /// Empty: all keys, and the buckets themselves.
    pub prefix: String,
    pub verbs: Verbs,
}

/// The buckets that a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketScope {
    All,
    Only(BTreeSet<BucketName>),
}

/// What may be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verbs {
    pub read: bool,
    pub write: bool,
    pub delete: bool,
    pub list: bool,
}

#[derive(Clone, Debug)]
struct Grant {
    prefix: Box<str>,
    verbs: Verbs,
}

impl Rules {
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let mut sorted = Self::default();
        for Rule { buckets, prefix, verbs } in rules {
            let grant = Grant { prefix: prefix.into(), verbs };
            match buckets {
                BucketScope::All => sorted.everywhere.push(grant),
                BucketScope::Only(names) => {
                    for name in names {
                        sorted.by_bucket.entry(name).or_default().push(grant.clone());
                    }
                }
            }
        }
        sorted
    }

    /// Whether one of the rules allows it.
    pub fn allows(&self, action: Action, on: Resource<'_>) -> bool {
        match on {
            Resource::Account => true,
            Resource::Bucket(bucket)
            | Resource::Listing { bucket, .. }
            | Resource::Object { bucket, .. }
            | Resource::SomeObjects(bucket) => {
                self.grants(bucket).any(|grant| grant.verbs.open(action) && grant.covers(action, on))
            }
        }
    }

    /// Whether any rule is about the bucket.
    pub fn reaches(&self, bucket: &BucketName) -> bool {
        self.grants(bucket).next().is_some()
    }

    fn grants(&self, bucket: &BucketName) -> impl Iterator<Item = &Grant> {
        self.everywhere.iter().chain(self.by_bucket.get(bucket).into_iter().flatten())
    }
}

impl Grant {
    fn covers(&self, action: Action, on: Resource<'_>) -> bool {
        match (on, action) {
            (Resource::Object { key, .. }, _) => key.starts_with(&*self.prefix),
            (Resource::Listing { prefix, .. }, _) => prefix.starts_with(&*self.prefix),
            // They are about all keys of the bucket.
            (
                Resource::Bucket(_),
                Action::CreateBucket | Action::DeleteBucket | Action::PutBucketAcl | Action::PutBucketTagging,
            ) => self.prefix.is_empty(),
            (Resource::Bucket(_) | Resource::SomeObjects(_) | Resource::Account, _) => true,
        }
    }
}

impl Verbs {
    fn open(self, action: Action) -> bool {
        match action {
            Action::ListAllMyBuckets | Action::Unserved => true,
            Action::HeadBucket
            | Action::GetBucketLocation
            | Action::GetBucketVersioning
            | Action::GetBucketAcl
            | Action::GetBucketSetting => self.list || self.read || self.write,
            Action::ListBucket | Action::ListBucketVersions | Action::ListBucketMultipartUploads => self.list,
            Action::GetObject
            | Action::GetObjectVersion
            | Action::GetObjectAttributes
            | Action::GetObjectAcl
            | Action::GetObjectTagging => self.read,
            Action::CreateBucket
            | Action::PutBucketAcl
            | Action::PutBucketTagging
            | Action::PutObject
            | Action::PutObjectAcl
            | Action::PutObjectTagging
            | Action::DeleteObjectTagging
            | Action::AbortMultipartUpload
            | Action::ListMultipartUploadParts => self.write,
            Action::DeleteObject | Action::DeleteObjectVersion | Action::DeleteBucket => self.delete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Verbs = Verbs { read: true, write: false, delete: false, list: false };
    const LIST: Verbs = Verbs { list: true, read: false, write: false, delete: false };
    const ALL: Verbs = Verbs { list: true, read: true, write: true, delete: true };

    fn name(name: &str) -> BucketName {
        BucketName::new(name).unwrap()
    }

    fn rule(bucket: &str, prefix: &str, verbs: Verbs) -> Rule {
        let buckets = match bucket {
            "*" => BucketScope::All,
            bucket => BucketScope::Only([name(bucket)].into()),
        };
        Rule { buckets, prefix: prefix.into(), verbs }
    }

    #[test]
    fn what_no_rule_allows_is_denied() {
        let bucket = name("flink");
        let rules = Rules::new([]);
        for &action in Action::ALL {
            for on in [
                Resource::Bucket(&bucket),
                Resource::Object { bucket: &bucket, key: "k" },
                Resource::Listing { bucket: &bucket, prefix: "" },
                Resource::SomeObjects(&bucket),
            ] {
                assert!(!rules.allows(action, on), "{action:?}");
            }
        }
    }

    #[test]
    fn prefixes_bound_keys_listings_and_whole_buckets() {
        let (flink, iceberg, other) = (name("flink"), name("iceberg"), name("other"));
        let rules = Rules::new([
            rule("flink", "ha/", ALL),
            rule("flink", "jars/", READ),
            rule("iceberg", "", LIST),
            rule("*", "public/", READ),
        ]);
        let object = |bucket, key, action| rules.allows(action, Resource::Object { bucket, key });
        assert!(object(&flink, "ha/x", Action::PutObject) && object(&flink, "ha/x", Action::AbortMultipartUpload));
        assert!(!object(&flink, "ha", Action::PutObject) && !object(&flink, "hat/x", Action::PutObject));
        assert!(object(&flink, "jars/x", Action::GetObject) && !object(&flink, "jars/x", Action::PutObject));
        assert!(object(&other, "public/x", Action::GetObject) && !object(&other, "x", Action::GetObject));
        assert!(!object(&iceberg, "x", Action::GetObject));
        let listing = |bucket, prefix| rules.allows(Action::ListBucket, Resource::Listing { bucket, prefix });
        assert!(listing(&flink, "ha/") && listing(&flink, "ha/a"));
        assert!(!listing(&flink, "") && !listing(&flink, "ha") && !listing(&flink, "jars/"));
        assert!(listing(&iceberg, "") && !listing(&other, "public/"));
        let whole = |bucket, action| rules.allows(action, Resource::Bucket(bucket));
        assert!(whole(&flink, Action::HeadBucket) && whole(&iceberg, Action::GetBucketLocation));
        assert!(!whole(&flink, Action::DeleteBucket) && !whole(&flink, Action::CreateBucket));
        assert!(rules.allows(Action::DeleteObject, Resource::SomeObjects(&flink)));
        assert!(!rules.allows(Action::DeleteObject, Resource::SomeObjects(&iceberg)));
        assert!(
            rules.reaches(&other)
                && Rules::new([rule("flink", "", ALL)]).allows(Action::DeleteBucket, Resource::Bucket(&flink))
        );
    }
}
