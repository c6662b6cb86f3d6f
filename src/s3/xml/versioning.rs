//! `VersioningConfiguration` of a bucket that was never versioned.

use super::writer::Writer;

pub fn render() -> String {
    let mut xml = Writer::document(192);
    xml.root("VersioningConfiguration");
    xml.close("VersioningConfiguration");
    xml.finish()
}
