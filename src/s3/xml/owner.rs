//! The one owner of everything, where S3's documents name one.

use super::writer::Writer;

/// The canonical user that documents name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub id: String,
    pub display_name: String,
}

impl Default for Owner {
    fn default() -> Self {
        Self { id: "bluebucket".into(), display_name: "bluebucket".into() }
    }
}

impl Owner {
    pub(super) fn write(&self, xml: &mut Writer, element: &str) {
        xml.open(element);
        xml.text("ID", &self.id);
        xml.text("DisplayName", &self.display_name);
        xml.close(element);
    }
}
