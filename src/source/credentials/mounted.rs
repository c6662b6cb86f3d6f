//! Keys in a mounted folder, one file per name, as Kubernetes mounts a secret.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use super::{CredentialProvider, Credentials, Source};
use crate::object::{Error, ErrorKind, Result};

/// What a mounted secret says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountedSecret {
    pub credentials: Credentials,
    /// The role that these keys are meant to assume.
    pub role_arn: Option<String>,
    pub region: Option<String>,
}

/// Names of key id, secret and session token, the likeliest first.
const NAMES: [(&str, &str, Option<&str>); 3] = [
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", Some("AWS_SESSION_TOKEN")),
    ("AWS_ACCESS_KEY", "AWS_SECRET_KEY", None),
    ("SCALEWAY_ACCESS_KEY", "SCALEWAY_SECRET_KEY", None),
];

const ROLE_ARN: &str = "AWS_ROLE_ARN";
const REGION: &str = "AWS_REGION";

/// How often the files are read again. A kubelet takes about a minute to change them anyway.
const INTERVAL: Duration = Duration::from_secs(10);

/// Longest file that can be a key.
const FILE_BYTES_MAX: u64 = 64 * 1024;

impl CredentialProvider {
    /// The keys in a folder, read again when they change. A role named there is not assumed.
    ///
    /// # Errors
    /// `AuthExpired` if the folder holds no complete pair of keys.
    pub async fn mounted(folder: &Path) -> Result<Self> {
        Self::renewed(Mounted { folder: folder.to_owned() }).await
    }
}

impl MountedSecret {
    /// Reads a folder once.
    ///
    /// # Errors
    /// `AuthExpired` if it holds no complete pair of keys, or cannot be read.
    pub async fn read(folder: &Path) -> Result<Self> {
        let mut files = read_files(folder).await?;
        // The mount may be swapped while its files are read: only what reads the same twice belongs together.
        for _ in 0..READS_MAX {
            let again = read_files(folder).await?;
            if again == files {
                return Self::from_files(&files, folder);
            }
            files = again;
        }
        Err(unusable(folder, "its files change all the time"))
    }

    fn from_files(files: &BTreeMap<&'static str, String>, folder: &Path) -> Result<Self> {
        let file = |name: &str| files.get(name).cloned();
        for (id, secret, token) in NAMES {
            if let (Some(id), Some(secret)) = (file(id), file(secret)) {
                let mut credentials = Credentials::new(id, secret);
                if let Some(token) = token.and_then(file) {
                    credentials = credentials.with_session_token(token);
                }
                return Ok(Self { credentials, role_arn: file(ROLE_ARN), region: file(REGION) });
            }
        }
        Err(unusable(folder, "it holds no pair of keys under a known name"))
    }
}

/// Reads after the first before a folder counts as restless.
const READS_MAX: u32 = 5;

/// The files of known names, without white space around them; empty ones do not count.
async fn read_files(folder: &Path) -> Result<BTreeMap<&'static str, String>> {
    let mut names = vec![ROLE_ARN, REGION];
    for (id, secret, token) in NAMES {
        names.extend([id, secret]);
        names.extend(token);
    }
    let mut files = BTreeMap::new();
    for name in names {
        match read_file(&folder.join(name)).await {
            Ok(text) if !text.trim().is_empty() => {
                files.insert(name, text.trim().to_owned());
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unusable(folder, &format!("{name} cannot be read")).with_source(error)),
        }
    }
    Ok(files)
}

async fn read_file(path: &Path) -> io::Result<String> {
    if tokio::fs::metadata(path).await?.len() > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "too large for a key"));
    }
    tokio::fs::read_to_string(path).await
}

fn unusable(folder: &Path, reason: &str) -> Error {
    Error::new(ErrorKind::AuthExpired, format!("no credentials in {}: {reason}", folder.display()))
}

struct Mounted {
    folder: PathBuf,
}

impl Source for Mounted {
    fn fetch(&mut self) -> Pin<Box<dyn Future<Output = Result<Credentials>> + Send + '_>> {
        Box::pin(async { Ok(MountedSecret::read(&self.folder).await?.credentials) })
    }

    fn next(&self, _: &Credentials) -> Duration {
        INTERVAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes files the way a kubelet does: into a new folder, which a link then points to.
    fn mount(folder: &Path, generation: &str, files: &[(&str, &str)]) {
        let version = folder.join(generation);
        std::fs::create_dir(&version).unwrap();
        for (name, content) in files {
            std::fs::write(version.join(name), content).unwrap();
            let link = folder.join(name);
            if link.symlink_metadata().is_err() {
                std::os::unix::fs::symlink(Path::new("..data").join(name), link).unwrap();
            }
        }
        std::os::unix::fs::symlink(generation, folder.join("..data_tmp")).unwrap();
        std::fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    }

    #[tokio::test]
    async fn names_in_use() {
        for (files, id, secret, token, role) in [
            (&[("AWS_ACCESS_KEY_ID", "a\n"), ("AWS_SECRET_ACCESS_KEY", " b ")][..], "a", "b", None, None),
            (
                &[("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_SESSION_TOKEN", "t")],
                "a",
                "b",
                Some("t"),
                None,
            ),
            (
                &[("AWS_ACCESS_KEY", "a"), ("AWS_SECRET_KEY", "b"), ("AWS_ROLE_ARN", "arn:r"), ("AWS_REGION", "eu")],
                "a",
                "b",
                None,
                Some("arn:r"),
            ),
            (&[("SCALEWAY_ACCESS_KEY", "a"), ("SCALEWAY_SECRET_KEY", "b")], "a", "b", None, None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            mount(folder.path(), "..1", files);
            let read = MountedSecret::read(folder.path()).await.unwrap();
            assert_eq!(read.credentials.access_key_id(), id);
            assert_eq!(read.credentials.secret_access_key(), secret);
            assert_eq!(read.credentials.session_token(), token);
            assert_eq!(read.role_arn.as_deref(), role);
        }
        let folder = tempfile::tempdir().unwrap();
        mount(folder.path(), "..1", &[("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_KEY", "b")]);
        let error = MountedSecret::read(folder.path()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AuthExpired);
    }

    #[tokio::test]
    async fn a_swapped_mount_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        mount(folder.path(), "..1", &[("AWS_ACCESS_KEY_ID", "one"), ("AWS_SECRET_ACCESS_KEY", "1")]);
        let provider = CredentialProvider::mounted(folder.path()).await.unwrap();
        let first = provider.current().unwrap();
        assert_eq!(first.access_key_id(), "one");
        mount(folder.path(), "..2", &[("AWS_ACCESS_KEY_ID", "two"), ("AWS_SECRET_ACCESS_KEY", "2")]);
        provider.hurry();
        for _ in 0..500 {
            if provider.current().unwrap().access_key_id() == "two" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the new keys were not taken");
    }
}
