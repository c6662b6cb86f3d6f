//! Every document of a request: read within its bounds, and what was read means the same when it is written again.

use bluebucket::object::DeleteCondition;
use bluebucket::s3::xml::{complete, create_bucket, delete, tagging};

pub fn check(data: &[u8]) {
    if let Ok(read) = delete::parse(data) {
        assert!((1..=delete::KEYS_MAX).contains(&read.objects.len()));
        assert!(read.objects.iter().all(|object| (1..=1_024).contains(&object.key.as_str().len())));
        assert_eq!(delete::parse(written(&read).as_bytes()).unwrap(), unconditional(read.clone()));
        answered(&read);
    }
    if let Ok(parts) = complete::parse(data) {
        assert!((1..=10_000).contains(&parts.len()));
        assert!(parts.windows(2).all(|pair| pair[0].number < pair[1].number));
    }
    if let Ok(tags) = tagging::parse(data) {
        assert!(tags.len() <= 10);
        // In whatever order: they are a set.
        let again = tagging::parse(tagging::render(&tags).as_bytes()).unwrap();
        assert!(again.len() == tags.len() && again.iter().all(|tag| tags.iter().any(|known| known == tag)));
    }
    if let Ok(tags) = tagging::parse_of_bucket(data) {
        assert!(tags.len() <= 50);
        let again = tagging::parse_of_bucket(tagging::render(&tags).as_bytes()).unwrap();
        assert!(again.len() == tags.len() && again.iter().all(|tag| tags.iter().any(|known| known == tag)));
    }
    if let Ok(asked) = create_bucket::parse(data) {
        assert!(asked.region.is_none_or(|region| !region.is_empty() && region.trim() == region));
        assert!(asked.tags.len() <= 50);
    }
    let text = String::from_utf8_lossy(data);
    for trap in ["<!DOCTYPE", "<!ENTITY"] {
        assert!(!text.starts_with(trap) || delete::parse(data).is_err(), "a DTD was read");
    }
}

/// The same without conditions, of which there are many spellings.
fn unconditional(mut read: delete::Delete) -> delete::Delete {
    for object in &mut read.objects {
        object.condition = DeleteCondition::default();
    }
    read
}

/// The same deletion as a document of ours.
fn written(read: &delete::Delete) -> String {
    let mut document = format!("<Delete><Quiet>{}</Quiet>", read.quiet);
    for object in &read.objects {
        document.push_str(&format!("<Object><Key>{}</Key>", escaped(object.key.as_str())));
        if let Some(version) = &object.version_id {
            document.push_str(&format!("<VersionId>{}</VersionId>", escaped(version)));
        }
        document.push_str("</Object>");
    }
    document + "</Delete>"
}

fn escaped(text: &str) -> String {
    text.chars().map(|character| format!("&#x{:x};", u32::from(character))).collect()
}

/// The answer repeats the keys: whatever they are, it is one element each.
fn answered(read: &delete::Delete) {
    let outcomes: Vec<_> = read.objects.iter().map(|entry| delete::DeleteOutcome { entry, result: Ok(()) }).collect();
    let answer = delete::render(&outcomes, false);
    assert_eq!(answer.matches("<Key>").count(), outcomes.len());
    assert_eq!(answer.matches("<Deleted>").count(), outcomes.len());
    assert!(answer.bytes().all(|byte| byte >= b' ' || byte == b'\n'));
}
