//! `LocationConstraint`.

use super::writer::Writer;

/// The region of a bucket; `us-east-1` is shown as an empty element, as S3 does.
pub fn render(region: &str) -> String {
    let mut xml = Writer::document(192);
    xml.root("LocationConstraint");
    if region != "us-east-1" {
        xml.escaped(region);
    }
    xml.close("LocationConstraint");
    xml.finish()
}
