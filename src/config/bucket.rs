//! `[[bucket]]`: which bucket lives in which container, and where its data comes from.

use std::time::Duration;

use super::document::{Document, Section};
use super::setting::{Raw, Setting, one_of};
use super::source::{DEFAULT_SOURCE, SourceConfig};
use super::suggest::did_you_mean;
use crate::object::{BucketName, ContainerName};

/// One bucket that is migrated or served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketConfig {
    /// As S3 clients call it.
    pub name: BucketName,
    pub container: ContainerName,
    /// Absent for a bucket that has only ever lived in Azure.
    pub source: Option<BucketSource>,
    /// Who uses the bucket: decides in which order objects are copied, and what is checked before a flip.
    pub components: Vec<Component>,
    /// Age at which a multipart upload that nobody is at counts as abandoned and is aborted. Absent: never.
    pub upload_ttl: Option<Duration>,
}

/// Where the data of a bucket comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketSource {
    /// The name of a [`SourceConfig`].
    pub source: String,
    pub bucket: BucketName,
    /// Only keys that begin so are copied.
    pub prefix: Option<String>,
}

/// A program whose layout of keys is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    Flink,
    Iceberg,
    Polaris,
    Trino,
    KafkaConnect,
    Warpstream,
    WarpstreamSchemaRegistry,
}

impl Component {
    const NAMES: [(&str, Self); 7] = [
        ("flink", Self::Flink),
        ("iceberg", Self::Iceberg),
        ("polaris", Self::Polaris),
        ("trino", Self::Trino),
        ("kafka-connect", Self::KafkaConnect),
        ("warpstream", Self::Warpstream),
        ("warpstream-schema-registry", Self::WarpstreamSchemaRegistry),
    ];

    /// The word for it in the file.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, component)| *component == self).map_or("", |(name, _)| name)
    }
}

impl Setting for Component {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        one_of(raw, &Self::NAMES)
    }
}

/// An upload may be completed for as long as half an hour without a word of it; one that old is in no
/// danger below this.
const UPLOAD_TTL_MIN: Duration = Duration::from_secs(3600);

impl BucketConfig {
    pub(super) fn read_all(
        document: &Document<'_>,
        sources: &[SourceConfig],
        state_container: Option<&ContainerName>,
    ) -> Vec<Self> {
        let mut buckets: Vec<Self> = Vec::new();
        for section in document.list("bucket") {
            let bucket = Self::read(&section, sources);
            if let Some(bucket) = &bucket {
                bucket.check(&section, &buckets, state_container);
            }
            section.finish();
            buckets.extend(bucket);
        }
        buckets
    }

    fn read(section: &Section<'_>, sources: &[SourceConfig]) -> Option<Self> {
        let name = section.required::<BucketName>("name");
        let container = section.required("container");
        let source = BucketSource::read(section, sources, name.as_ref());
        let components = section.get("components").unwrap_or_default();
        let upload_ttl = section.get("upload_ttl");
        Some(Self { name: name?, container: container?, source, components, upload_ttl })
    }

    fn check(&self, section: &Section<'_>, earlier: &[Self], state_container: Option<&ContainerName>) {
        if earlier.iter().any(|bucket| bucket.name == self.name) {
            section.mistake("name", format!("\"{}\" is the name of two buckets", self.name));
        }
        if earlier.iter().any(|bucket| bucket.container == self.container) {
            section.mistake("container", format!("\"{}\" is the container of two buckets", self.container));
        }
        if self.upload_ttl.is_some_and(|ttl| ttl < UPLOAD_TTL_MIN) {
            section.mistake("upload_ttl", "must be at least \"1h\"; leave it out to keep uploads for ever, as S3 does");
        }
        if state_container == Some(&self.container) {
            section.mistake("container", "is the container that bluebucket keeps its own state in");
        }
    }
}

impl BucketSource {
    fn read(section: &Section<'_>, sources: &[SourceConfig], name: Option<&BucketName>) -> Option<Self> {
        let bucket = section.get::<BucketName>("source_bucket").or_else(|| name.cloned());
        let named = section.get::<String>("source");
        let prefix = section.get::<String>("prefix");
        if let Some(source) = named {
            if !sources.iter().any(|known| known.name == source) {
                let hint = did_you_mean(&source, sources.iter().map(|known| known.name.as_str()));
                section.mistake("source", format!("there is no source of the name \"{source}\"{hint}"));
            }
            return Some(Self { source, bucket: bucket?, prefix });
        }
        match sources {
            [] => {
                if prefix.is_some() || section.has("source_bucket") {
                    section.mistake("source_bucket", "has no meaning without a [source]");
                }
                None
            }
            [only] => Some(Self { source: only.name.clone(), bucket: bucket?, prefix }),
            several => {
                let default = several.iter().find(|source| source.name == DEFAULT_SOURCE);
                if default.is_none() {
                    section.mistake("source", "is missing: there are several sources and none is called \"default\"");
                }
                Some(Self { source: default?.name.clone(), bucket: bucket?, prefix })
            }
        }
    }
}
