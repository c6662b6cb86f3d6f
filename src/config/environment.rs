//! The variables of the environment, read once.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The environment of the process, or one made for a test.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process. Names and values that are not UTF-8 are left out.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of a variable, if it is set and not empty.
    pub fn non_empty(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// A path, if the variable is set and not empty.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.non_empty(name).map(PathBuf::from)
    }

    /// The variables that are meant for us: `BLUEBUCKET_...`, without those that Kubernetes adds for a
    /// Service whose name begins with `bluebucket`.
    pub(super) fn overrides(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(|name| name.starts_with(PREFIX) && !is_service_link(name))
    }
}

/// What every override begins with.
pub(super) const PREFIX: &str = "BLUEBUCKET_";

/// Kubernetes sets `<SERVICE>_SERVICE_HOST`, `<SERVICE>_SERVICE_PORT[_<NAME>]`, `<SERVICE>_PORT` and
/// `<SERVICE>_PORT_<NUMBER>_<PROTOCOL>[_...]` in every pod (Kubernetes, "Service", environment variables).
fn is_service_link(name: &str) -> bool {
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_PORT")
        || name.contains("_PORT_")
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_adds_is_not_taken_for_ours() {
        let names = [
            ("BLUEBUCKET_MOVER_THREADS", true),
            ("BLUEBUCKET_SERVICE_HOST", false),
            ("BLUEBUCKET_FACADE_SERVICE_PORT_S3", false),
            ("BLUEBUCKET_FACADE_PORT", false),
            ("BLUEBUCKET_FACADE_PORT_9000_TCP_ADDR", false),
            ("PATH", false),
        ];
        for (name, ours) in names {
            let environment = Environment::from_iter([(name.to_owned(), "x".to_owned())]);
            assert_eq!(environment.overrides().count() == 1, ours, "{name}");
        }
    }
}
