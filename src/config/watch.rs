//! Follows the files of a configuration and passes on what they say now.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Config, Environment, Secrets};

/// How often files are looked at. Kubernetes itself takes up to a minute to bring a changed secret
/// into a pod, and watching events through its symbolic links is fragile.
pub const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// Reads the configuration again whenever the file, a secret or a certificate that it names has
/// changed, and passes it on if it is right; else the one in force stays, and the log says why.
/// Ends when every receiver is gone.
///
/// Which settings take effect while running is up to who listens: credentials, keys and
/// certificates do; addresses and sizes wait for a restart.
pub fn watch(
    path: PathBuf,
    environment: Environment,
    current: Arc<Config>,
    interval: Duration,
) -> watch::Receiver<Arc<Config>> {
    let (sender, receiver) = watch::channel(current.clone());
    tokio::spawn(follow(path, environment, current, interval, sender));
    receiver
}

/// Follows one part of a configuration: the receiver wakes only when that part has changed.
pub fn select<T, F>(mut config: watch::Receiver<Arc<Config>>, part: F) -> watch::Receiver<T>
where
    T: PartialEq + Send + Sync + 'static,
    F: Fn(&Config) -> T + Send + 'static,
{
    let first = part(&config.borrow_and_update());
    let (sender, receiver) = watch::channel(first);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                changed = config.changed() => if changed.is_err() { return },
                () = sender.closed() => return,
            }
            let next = part(&config.borrow_and_update());
            sender.send_if_modified(|value| {
                let modified = *value != next;
                *value = next;
                modified
            });
        }
    });
    receiver
}

async fn follow(
    path: PathBuf,
    environment: Environment,
    mut current: Arc<Config>,
    interval: Duration,
    sender: watch::Sender<Arc<Config>>,
) {
    let mut seen = None;
    let mut told = String::new();
    loop {
        let look = Look { path: path.clone(), environment: environment.clone(), current: current.clone(), seen };
        let Ok((fingerprint, loaded)) = tokio::task::spawn_blocking(move || look.take()).await else { return };
        // What is wrong may be mended in a file that only the new configuration names: a secret that is
        // mounted later, for one. So it is read again until it is right.
        seen = (!matches!(loaded, Some(Err(_)))).then_some(fingerprint);
        match loaded {
            Some(Ok(config)) if config != *current => {
                current = Arc::new(config);
                tracing::info!(path = %path.display(), "configuration changed");
                sender.send_replace(current.clone());
            }
            Some(Err(mistakes)) => {
                let text = mistakes.to_string();
                if text != told {
                    for mistake in mistakes.iter() {
                        tracing::warn!(%mistake, "configuration changed and is wrong, the one before stays in force");
                    }
                }
                told = text;
            }
            Some(Ok(_)) => told.clear(),
            None => {}
        }
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            () = sender.closed() => return,
        }
    }
}

/// One look at the files.
struct Look {
    path: PathBuf,
    environment: Environment,
    current: Arc<Config>,
    seen: Option<u64>,
}

impl Look {
    /// The fingerprint of the files as they are, and what they say if it is a new one. The
    /// fingerprint is taken first: a change in between is found by the next look.
    fn take(self) -> (u64, Option<Result<Config, super::Mistakes>>) {
        let fingerprint = fingerprint(&self.path, &self.current.files());
        if self.seen == Some(fingerprint) {
            return (fingerprint, None);
        }
        (fingerprint, Some(Config::load(&self.path, &self.environment, Secrets::Required)))
    }
}

/// Depends on the contents alone: a mounted secret changes by a symbolic link that points elsewhere,
/// and times of files say little there.
fn fingerprint(path: &Path, files: &[PathBuf]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for file in std::iter::once(path).chain(files.iter().map(PathBuf::as_path)) {
        file.hash(&mut hasher);
        std::fs::read(file).ok().hash(&mut hasher);
    }
    hasher.finish()
}
