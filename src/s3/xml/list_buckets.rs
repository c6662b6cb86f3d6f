//! `ListAllMyBucketsResult`.

use crate::object::{BucketName, Timestamp};

use super::Owner;
use super::writer::Writer;

/// A page of buckets.
pub struct Page<'a> {
    pub buckets: &'a [(&'a BucketName, Timestamp)],
    /// The one region that all buckets are in.
    pub region: &'a str,
    /// As asked for.
    pub prefix: Option<&'a str>,
    /// Continues a page that others follow.
    pub next: Option<&'a str>,
}

pub fn render(owner: &Owner, page: &Page<'_>) -> String {
    let mut xml = Writer::document(512 + page.buckets.len() * 192);
    xml.root("ListAllMyBucketsResult");
    owner.write(&mut xml, "Owner");
    xml.open("Buckets");
    for (name, created) in page.buckets {
        xml.open("Bucket");
        xml.text("Name", name.as_str());
        xml.time("CreationDate", *created);
        xml.text("BucketRegion", page.region);
        xml.close("Bucket");
    }
    xml.close("Buckets");
    xml.optional("Prefix", page.prefix);
    xml.optional("ContinuationToken", page.next);
    xml.close("ListAllMyBucketsResult");
    xml.finish()
}
