//! Containers, and what happens where there is none.

use bluebucket::blob::BlobCondition;
use bluebucket::blob::BlobRef;
use bluebucket::blob::list::ListBlobs;
use bluebucket::blob::put_block_list::PutBlockList;
use bluebucket::object::{ContainerName, ErrorKind, Payload, Timestamp};

use super::{Case, Quirk, cases, kind};

cases![life, missing];

async fn life(case: Case) {
    assert_eq!(kind(case.client.create_container(&case.container).await), ErrorKind::ContainerExists);
    let modified = case.client.get_container(&case.container).await.unwrap();
    assert!(Timestamp::now().seconds_since(modified).abs() < 300);
    let containers = case.client.list_containers().await.unwrap();
    assert!(containers.iter().any(|(name, _)| *name == case.container));
    assert!(containers.is_sorted_by(|one, next| one.0 < next.0));
    case.client.delete_container(&case.container).await.unwrap();
    assert_eq!(kind(case.client.get_container(&case.container).await), ErrorKind::ContainerMissing);
    let again = case.client.create_container(&case.container).await;
    if case.has(Quirk::NoContainerDeletionDelay) {
        again.unwrap();
    } else {
        assert_eq!(kind(again), ErrorKind::ContainerBeingDeleted);
    }
}

async fn missing(case: Case) {
    let container = ContainerName::new("there-is-none").unwrap();
    let blob = BlobRef { container: &container, name: "k" };
    let client = &case.client;
    let none = &BlobCondition::None;
    let kinds = [
        kind(client.get_container(&container).await),
        kind(client.delete_container(&container).await),
        kind(client.list_blobs(&container, &ListBlobs::default()).await),
        kind(client.put_blob(blob, Payload::empty(), Default::default()).await),
        kind(client.get_blob(blob, bluebucket::blob::get_blob::ReadRange::All, none).await),
        kind(client.get_properties(blob).await),
        kind(client.delete_blob(blob, none).await),
        kind(client.put_block_list(blob, &PutBlockList::default()).await),
    ];
    assert_eq!(kinds, [ErrorKind::ContainerMissing; 8]);
}
