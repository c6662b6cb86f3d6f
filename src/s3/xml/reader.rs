//! Reads a request's document into a small tree.

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::s3::error::{Result, S3Code, S3Error};

/// Deepest nesting of any document that is read here.
const DEPTH_MAX: usize = 6;
/// Most elements of a document (set by us): 10,000 parts of nine elements each.
const ELEMENTS_MAX: usize = 100_000;

/// An element: its name without a namespace, its own text, and the elements in it.
#[derive(Debug, Default)]
pub struct Element {
    pub name: String,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// The elements of one name.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a Element> + use<'a, 'n> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the only element of one name.
    ///
    /// # Errors
    /// MalformedXML if there are several.
    pub fn text_of<'a>(&'a self, name: &str) -> Result<Option<&'a str>> {
        let mut found = self.all(name);
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(malformed()),
            (first, _) => Ok(first.map(|element| element.text.as_str())),
        }
    }

    /// The text of an element that has to be there.
    ///
    /// # Errors
    /// MalformedXML if it is not.
    pub fn required<'a>(&'a self, name: &str) -> Result<&'a str> {
        self.text_of(name)?.ok_or_else(malformed)
    }
}

/// Reads a whole document whose root is `root`.
///
/// # Errors
/// MalformedXML for what is not well-formed UTF-8, for another root, a DTD, an unknown entity or too
/// deep nesting.
pub fn read(document: &[u8], root: &str) -> Result<Element> {
    // XML has no such characters, and an answer that repeats one would be malformed too.
    if document.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) {
        return Err(malformed());
    }
    let text = std::str::from_utf8(document).map_err(|_| malformed())?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut done = None;
    let mut elements = 0;
    loop {
        match reader.read_event().map_err(|_| malformed())? {
            Event::Start(tag) if done.is_none() && open.len() < DEPTH_MAX => {
                open.push(element(tag.local_name().as_ref()))
            }
            Event::Empty(tag) if done.is_none() && open.len() < DEPTH_MAX => {
                elements += 1;
                close(&mut open, &mut done, element(tag.local_name().as_ref()));
            }
            Event::End(_) => {
                elements += 1;
                let element = open.pop().ok_or_else(malformed)?;
                close(&mut open, &mut done, element);
            }
            Event::Text(text) => append(&mut open, &text.xml10_content())?,
            Event::CData(text) => append(&mut open, &text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref().map_err(|_| malformed())? {
                    Some(character) => character,
                    None => predefined(&reference.xml10_content()).ok_or_else(malformed)?,
                };
                append(&mut open, character.encode_utf8(&mut [0; 4]))?;
            }
            Event::Decl(_) | Event::Comment(_) => {}
            Event::Eof => break,
            Event::Start(_) | Event::Empty(_) | Event::PI(_) | Event::DocType(_) => return Err(malformed()),
        }
        if elements > ELEMENTS_MAX {
            return Err(malformed());
        }
    }
    match done {
        Some(element) if open.is_empty() && element.name == root => Ok(element),
        _ => Err(malformed()),
    }
}

fn element(name: &str) -> Element {
    Element { name: name.to_owned(), ..Element::default() }
}

fn close(open: &mut [Element], done: &mut Option<Element>, element: Element) {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *done = Some(element),
    }
}

/// Text outside the root may only be blank.
fn append(open: &mut [Element], text: &str) -> Result<()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim_start_matches('\u{feff}').trim().is_empty() => {}
        None => return Err(malformed()),
    }
    Ok(())
}

fn predefined(entity: &str) -> Option<char> {
    Some(match entity {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// The answer to a document that does not fit its schema.
pub fn malformed() -> S3Error {
    S3Code::MalformedXML.into()
}
