//! The operations of the service that the client sends, and what a failure of each may have done.

/// One operation of the Blob service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    AccountInfo,
    ServiceProperties,
    ListContainers,
    UserDelegationKey,
    DeleteBatch,
    CreateContainer,
    GetContainer,
    SetContainerMetadata,
    DeleteContainer,
    ListBlobs,
    GetBlob,
    GetProperties,
    GetBlockList,
    PutBlob,
    PutBlock,
    PutBlockList,
    PutBlobFromUrl,
    PutBlockFromUrl,
    CopyBlobFromUrl,
    SetMetadata,
    SetProperties,
    DeleteBlob,
    /// Any request, sent for diagnosis.
    Probe,
}

impl Operation {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccountInfo => "account_info",
            Self::ServiceProperties => "service_properties",
            Self::ListContainers => "list_containers",
            Self::UserDelegationKey => "user_delegation_key",
            Self::DeleteBatch => "delete_batch",
            Self::CreateContainer => "create_container",
            Self::GetContainer => "get_container",
            Self::SetContainerMetadata => "set_container_metadata",
            Self::DeleteContainer => "delete_container",
            Self::ListBlobs => "list_blobs",
            Self::GetBlob => "get_blob",
            Self::GetProperties => "get_properties",
            Self::GetBlockList => "get_block_list",
            Self::PutBlob => "put_blob",
            Self::PutBlock => "put_block",
            Self::PutBlockList => "put_block_list",
            Self::PutBlobFromUrl => "put_blob_from_url",
            Self::PutBlockFromUrl => "put_block_from_url",
            Self::CopyBlobFromUrl => "copy_blob_from_url",
            Self::SetMetadata => "set_metadata",
            Self::SetProperties => "set_properties",
            Self::DeleteBlob => "delete_blob",
            Self::Probe => "probe",
        }
    }

    /// True if sending it twice is the same as sending it once, whatever became of the first.
    pub fn reads(self) -> bool {
        matches!(
            self,
            Self::AccountInfo
                | Self::ServiceProperties
                | Self::ListContainers
                | Self::UserDelegationKey
                | Self::GetContainer
                | Self::ListBlobs
                | Self::GetBlob
                | Self::GetProperties
                | Self::GetBlockList
        )
    }

    /// True if the service reads another blob for it.
    pub fn copies(self) -> bool {
        matches!(self, Self::PutBlobFromUrl | Self::PutBlockFromUrl | Self::CopyBlobFromUrl)
    }
}
