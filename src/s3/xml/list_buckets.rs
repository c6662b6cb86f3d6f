//! `ListAllMyBucketsResult`.

use crate::object::{BucketName, Timestamp};

use super::Owner;
use super::writer::Writer;

pub fn render<'a>(owner: &Owner, buckets: impl IntoIterator<Item = (&'a BucketName, Timestamp)>) -> String {
    let mut xml = Writer::document(1_024);
    xml.root("ListAllMyBucketsResult");
    owner.write(&mut xml, "Owner");
    xml.open("Buckets");
    for (name, created) in buckets {
        xml.open("Bucket");
        xml.text("Name", name.as_str());
        xml.time("CreationDate", created);
        xml.close("Bucket");
    }
    xml.close("Buckets");
    xml.close("ListAllMyBucketsResult");
    xml.finish()
}
