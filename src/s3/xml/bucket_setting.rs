//! Settings of a bucket that was never given any: what S3 answers for a private, unversioned one.
//!
//! Source: Amazon S3 API reference, the GetBucket* operations.

use crate::s3::error::{Result, S3Code};
use crate::s3::operation::BucketSetting;

use super::writer::Writer;

/// # Errors
/// The code by which S3 says that there is no such setting.
pub fn render(setting: BucketSetting) -> Result<String> {
    let (root, inside) = match setting {
        BucketSetting::Accelerate => ("AccelerateConfiguration", ""),
        BucketSetting::Logging => ("BucketLoggingStatus", ""),
        BucketSetting::Notification => ("NotificationConfiguration", ""),
        BucketSetting::RequestPayment => ("RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>"),
        // Blob Storage encrypts everything at rest with AES-256.
        BucketSetting::Encryption => (
            "ServerSideEncryptionConfiguration",
            "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
             </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>",
        ),
        BucketSetting::OwnershipControls => {
            ("OwnershipControls", "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>")
        }
        // Nothing here is ever public.
        BucketSetting::PublicAccessBlock => (
            "PublicAccessBlockConfiguration",
            "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>\
             <BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>",
        ),
        BucketSetting::Cors => return Err(S3Code::NoSuchCORSConfiguration.into()),
        BucketSetting::Lifecycle => return Err(S3Code::NoSuchLifecycleConfiguration.into()),
        BucketSetting::ObjectLock => return Err(S3Code::ObjectLockConfigurationNotFoundError.into()),
        BucketSetting::Policy | BucketSetting::PolicyStatus => return Err(S3Code::NoSuchBucketPolicy.into()),
        BucketSetting::Replication => return Err(S3Code::ReplicationConfigurationNotFoundError.into()),
        BucketSetting::Tagging => return Err(S3Code::NoSuchTagSet.into()),
        BucketSetting::Website => return Err(S3Code::NoSuchWebsiteConfiguration.into()),
        BucketSetting::Configuration => return Err(S3Code::NoSuchConfiguration.into()),
    };
    let mut xml = Writer::document(384);
    xml.root(root);
    xml.raw(inside);
    xml.close(root);
    Ok(xml.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_its_answer() {
        for (setting, expected) in [
            (BucketSetting::Accelerate, Ok("<AccelerateConfiguration xmlns=")),
            (BucketSetting::Logging, Ok("<BucketLoggingStatus xmlns=")),
            (BucketSetting::Notification, Ok("<NotificationConfiguration xmlns=")),
            (BucketSetting::RequestPayment, Ok("<Payer>BucketOwner</Payer>")),
            (BucketSetting::Encryption, Ok("<SSEAlgorithm>AES256</SSEAlgorithm>")),
            (BucketSetting::OwnershipControls, Ok("<ObjectOwnership>BucketOwnerEnforced</ObjectOwnership>")),
            (BucketSetting::PublicAccessBlock, Ok("<RestrictPublicBuckets>true</RestrictPublicBuckets>")),
            (BucketSetting::Cors, Err(S3Code::NoSuchCORSConfiguration)),
            (BucketSetting::Lifecycle, Err(S3Code::NoSuchLifecycleConfiguration)),
            (BucketSetting::ObjectLock, Err(S3Code::ObjectLockConfigurationNotFoundError)),
            (BucketSetting::Policy, Err(S3Code::NoSuchBucketPolicy)),
            (BucketSetting::PolicyStatus, Err(S3Code::NoSuchBucketPolicy)),
            (BucketSetting::Replication, Err(S3Code::ReplicationConfigurationNotFoundError)),
            (BucketSetting::Tagging, Err(S3Code::NoSuchTagSet)),
            (BucketSetting::Website, Err(S3Code::NoSuchWebsiteConfiguration)),
            (BucketSetting::Configuration, Err(S3Code::NoSuchConfiguration)),
        ] {
            match (render(setting), expected) {
                (Ok(document), Ok(part)) => assert!(document.contains(part), "{document}"),
                (Err(error), Err(code)) => assert_eq!((error.code(), error.status().as_u16()), (code, 404)),
                (answer, _) => panic!("{setting:?}: {answer:?}"),
            }
        }
    }
}
