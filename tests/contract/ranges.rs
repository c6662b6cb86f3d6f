//! Parts of a blob.

use bluebucket::blob::BlobCondition;
use bluebucket::blob::get_blob::ReadRange;
use bluebucket::object::body::collect;
use bluebucket::object::checksum::md5;
use bluebucket::object::{ErrorKind, Span};

use super::{Case, cases, kind};

cases![table, pinned];

async fn table(case: Case) {
    case.put("r", "0123456789").await;
    let span = |start, end| ReadRange::Span(Span { start, end });
    let cases = [
        (ReadRange::All, Some("0123456789")),
        (ReadRange::From(0), Some("0123456789")),
        (ReadRange::From(7), Some("789")),
        (ReadRange::From(9), Some("9")),
        (span(0, 1), Some("0")),
        (span(2, 5), Some("234")),
        (span(8, 100), Some("89")),
        (span(9, 10), Some("9")),
        (ReadRange::From(10), None),
        (span(10, 11), None),
        (span(500, 600), None),
    ];
    for (range, expected) in cases {
        let answer = case.client.get_blob(case.blob("r"), range, &BlobCondition::None).await;
        let Some(expected) = expected else {
            assert_eq!(kind(answer), ErrorKind::RangeUnsatisfiable, "{range:?}");
            continue;
        };
        let download = answer.unwrap_or_else(|error| panic!("{range:?}: {error}"));
        assert_eq!(download.properties.length, 10);
        assert_eq!(download.properties.content_md5, Some(md5(b"0123456789")), "{range:?}");
        assert_eq!(download.span.unwrap().length(), expected.len() as u64);
        assert_eq!(collect(download.body, 100).await.unwrap(), expected, "{range:?}");
    }
}

async fn pinned(case: Case) {
    let first = case.put("r", "first").await;
    case.put("r", "second").await;
    let pin = BlobCondition::Match(first.store_tag);
    let stale = case.client.get_blob(case.blob("r"), ReadRange::From(2), &pin).await;
    assert_eq!(kind(stale), ErrorKind::PreconditionFailed);
}
