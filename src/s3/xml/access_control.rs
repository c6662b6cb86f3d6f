//! `AccessControlPolicy`: the owner has full control, and nobody else appears.

use super::Owner;
use super::writer::Writer;

pub fn render(owner: &Owner) -> String {
    let mut xml = Writer::document(768);
    xml.root("AccessControlPolicy");
    owner.write(&mut xml, "Owner");
    xml.raw("<AccessControlList><Grant>");
    xml.raw("<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\">");
    xml.text("ID", &owner.id);
    xml.text("DisplayName", &owner.display_name);
    xml.raw("</Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>");
    xml.close("AccessControlPolicy");
    xml.finish()
}
