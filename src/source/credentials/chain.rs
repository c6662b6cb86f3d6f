//! AWS's own chain: environment, profiles, SSO, web identity (IRSA), pod identity, instance role;
//! and roles assumed with other credentials.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::ProvideCredentials;

use super::{CredentialProvider, Credentials, MountedSecret, Source};
use crate::object::{Error, ErrorKind, Result};

/// How often credentials without an expiry are asked for again: a profile may change.
const INTERVAL: Duration = Duration::from_secs(600);

/// Longest time to wait for the chain, which tries one source after the other.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);

/// The name under which a role's sessions appear in CloudTrail.
const SESSION_NAME: &str = "bluebucket";

impl CredentialProvider {
    /// AWS's default chain, with a profile if one is named, renewed well before expiry.
    ///
    /// # Errors
    /// `AuthExpired` if no part of the chain has credentials.
    pub async fn chain(profile: Option<&str>, region: &str) -> Result<Self> {
        let mut builder = DefaultCredentialsChain::builder().region(Region::new(region.to_owned()));
        if let Some(profile) = profile {
            builder = builder.profile_name(profile);
        }
        Self::renewed(Chain(builder.build().await)).await
    }

    /// The role that a mounted secret names, assumed with the keys there.
    ///
    /// # Errors
    /// `AuthExpired` if the folder names no role or keys, or the role cannot be assumed.
    pub async fn mounted_role(folder: &Path, region: &str) -> Result<Self> {
        Self::renewed(MountedRole { folder: folder.to_owned(), region: region.to_owned() }).await
    }
}

struct Chain<P>(P);

struct MountedRole {
    folder: PathBuf,
    region: String,
}

impl<P: ProvideCredentials + 'static> Source for Chain<P> {
    fn fetch(&mut self) -> Pin<Box<dyn Future<Output = Result<Credentials>> + Send + '_>> {
        Box::pin(fetch(&self.0))
    }

    fn next(&self, current: &Credentials) -> Duration {
        next(current)
    }
}

impl Source for MountedRole {
    fn fetch(&mut self) -> Pin<Box<dyn Future<Output = Result<Credentials>> + Send + '_>> {
        Box::pin(async { fetch(&self.role().await?).await })
    }

    fn next(&self, current: &Credentials) -> Duration {
        next(current)
    }
}

impl MountedRole {
    /// The keys are read each time, since they may have been changed.
    async fn role(&self) -> Result<AssumeRoleProvider> {
        let secret = MountedSecret::read(&self.folder).await?;
        let role = secret.role_arn.ok_or_else(|| {
            Error::new(ErrorKind::AuthExpired, format!("{} names no AWS_ROLE_ARN", self.folder.display()))
        })?;
        let keys = aws_credential_types::Credentials::new(
            secret.credentials.access_key_id(),
            secret.credentials.secret_access_key(),
            secret.credentials.session_token().map(str::to_owned),
            None,
            "mounted secret",
        );
        let region = Region::new(secret.region.unwrap_or_else(|| self.region.clone()));
        Ok(assume(role, region, keys).await)
    }
}

/// Boxed here, where it borrows nothing: the compiler cannot see through the chain's own borrows otherwise.
fn assume(
    role: String,
    region: Region,
    keys: aws_credential_types::Credentials,
) -> Pin<Box<dyn Future<Output = AssumeRoleProvider> + Send>> {
    Box::pin(async move {
        let config = aws_config::defaults(BehaviorVersion::latest()).region(region).credentials_provider(keys.clone());
        let config = config.load().await;
        let builder = AssumeRoleProvider::builder(role).session_name(SESSION_NAME).configure(&config);
        builder.build_from_provider(keys).await
    })
}

async fn fetch(provider: &impl ProvideCredentials) -> Result<Credentials> {
    let fetched = tokio::time::timeout(FETCH_TIMEOUT, provider.provide_credentials()).await;
    let theirs = fetched
        .map_err(|_| Error::new(ErrorKind::AuthExpired, "the credential chain did not answer in time"))?
        .map_err(|error| Error::new(ErrorKind::AuthExpired, "the credential chain has none").with_source(error))?;
    let mut ours = Credentials::new(theirs.access_key_id(), theirs.secret_access_key());
    if let Some(token) = theirs.session_token() {
        ours = ours.with_session_token(token);
    }
    if let Some(expires) = theirs.expiry() {
        ours = ours.with_expiry(expires);
    }
    Ok(ours)
}

/// After a random two thirds or so of what is left, so that many processes do not ask at once.
fn next(current: &Credentials) -> Duration {
    match current.expires() {
        None => INTERVAL,
        Some(expires) => {
            let left = expires.duration_since(SystemTime::now()).unwrap_or_default();
            left.mul_f64(0.55 + 0.2 * fastrand::f64())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn expiry_and_token_are_kept_and_renewal_comes_before_expiry() {
        let expires = SystemTime::now() + Duration::from_secs(3600);
        let theirs = aws_credential_types::Credentials::new("a", "b", Some("t".to_owned()), Some(expires), "test");
        let ours = fetch(&theirs).await.unwrap();
        assert_eq!(ours, Credentials::new("a", "b").with_session_token("t").with_expiry(expires));
        let wait = next(&ours).as_secs();
        assert!((1_900..=2_800).contains(&wait), "{wait}");
        let provider = CredentialProvider::renewed(Chain(theirs)).await.unwrap();
        assert_eq!(provider.current().unwrap().session_token(), Some("t"));
        assert!(provider.valid_for().unwrap() > Duration::from_secs(3_500));
    }
}
