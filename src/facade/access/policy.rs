//! The policy of a session: an IAM policy document, of which only what is understood can allow.
//!
//! Source: IAM User Guide, "IAM JSON policy elements reference" and "Policy evaluation logic". A Deny
//! outweighs every Allow. What this code does not understand narrows: an Allow with it allows nothing,
//! a Deny with it denies as if that part were true, and a document of another shape is refused.

mod arn;
mod condition;
mod json;
mod pattern;

use std::fmt;

use super::{Action, Resource};
use arn::ResourcePattern;
use condition::Condition;
use json::Json;
use pattern::Name;

/// A policy, ready to be asked.
#[derive(Clone, Debug)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// Why a document is no policy; says what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError(String);

#[derive(Clone, Debug)]
struct Statement {
    effect: Effect,
    /// A bit for each of [`Action::ALL`].
    actions: u32,
    resources: Vec<ResourcePattern>,
    /// `NotResource`: all but those.
    all_but: bool,
    conditions: Vec<Condition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

/// The elements of a statement. `Principal` is none: a session has only one.
const ELEMENTS: &[&str] = &["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];

impl Policy {
    /// Reads a policy document.
    ///
    /// # Errors
    /// If it is no JSON, names an element twice or one that does not belong there, or lacks one.
    pub fn parse(document: &str) -> Result<Self, PolicyError> {
        let root = Json::parse(document).map_err(PolicyError)?;
        let Json::Object(root) = &root else { return Err(wrong("the document is no object")) };
        let mut statements = Vec::new();
        let mut found = false;
        for (element, value) in root {
            match (element.as_str(), value) {
                ("Version", Json::Text(version)) if VERSIONS.contains(&version.as_str()) => {}
                ("Version", _) => return Err(wrong("Version must be 2012-10-17 or 2008-10-17")),
                ("Id", _) => {}
                ("Statement", value) => {
                    found = true;
                    statements = value.one_or_many().map(Statement::parse).collect::<Result<_, _>>()?;
                }
                (element, _) => return Err(PolicyError(format!("the document has no element {element}"))),
            }
        }
        if !found || statements.is_empty() {
            return Err(wrong("the document has no Statement"));
        }
        Ok(Self { statements })
    }

    /// Whether a statement allows it and none denies it.
    pub fn allows(&self, action: Action, on: Resource<'_>) -> bool {
        // What is inside is judged entry by entry.
        if matches!(on, Resource::SomeObjects(_)) {
            return true;
        }
        let applies = |effect| self.statements.iter().any(|one| one.effect == effect && one.applies(action, on));
        !applies(Effect::Deny) && applies(Effect::Allow)
    }
}

const VERSIONS: &[&str] = &["2012-10-17", "2008-10-17"];

impl Statement {
    fn parse(value: &Json) -> Result<Self, PolicyError> {
        let Json::Object(elements) = value else { return Err(wrong("a statement is no object")) };
        if let Some((element, _)) = elements.iter().find(|(element, _)| !ELEMENTS.contains(&element.as_str())) {
            return Err(PolicyError(format!("a statement has no element {element}")));
        }
        let element = |name: &str| elements.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let effect = match element("Effect") {
            Some(Json::Text(effect)) if effect == "Allow" => Effect::Allow,
            Some(Json::Text(effect)) if effect == "Deny" => Effect::Deny,
            _ => return Err(wrong("Effect must be Allow or Deny")),
        };
        let mut actions = match (element("Action"), element("NotAction")) {
            (Some(names), None) => matching_actions(names)?,
            (None, Some(names)) => !matching_actions(names)?,
            _ => return Err(wrong("a statement needs either Action or NotAction")),
        };
        // What is not understood must not make an Allow apply, and must not keep a Deny from it.
        let patterns = |value, when_unknown| -> Result<Vec<_>, PolicyError> {
            Ok(texts(value)?.map(|text| ResourcePattern::new(text, when_unknown)).collect())
        };
        let denies = effect == Effect::Deny;
        let (resources, all_but) = match (element("Resource"), element("NotResource")) {
            (Some(resources), None) => (patterns(resources, denies)?, false),
            (None, Some(resources)) => (patterns(resources, !denies)?, true),
            // Polaris sends it where there is nothing to be listed.
            (None, None) if !denies => (Vec::new(), false),
            _ => return Err(wrong("a statement needs either Resource or NotResource")),
        };
        let (conditions, understood) = element("Condition").map_or(Ok((Vec::new(), true)), Condition::parse_all)?;
        if effect == Effect::Allow && !understood {
            actions = 0;
        }
        Ok(Self { effect, actions, resources, all_but, conditions })
    }

    fn applies(&self, action: Action, on: Resource<'_>) -> bool {
        let (name, prefix) = match on {
            Resource::Account => (Name::default(), None),
            Resource::Bucket(bucket) | Resource::SomeObjects(bucket) => (Name::bucket(bucket.as_str()), None),
            // S3 knows no prefix of this one in policies.
            Resource::Listing { bucket, .. } if action == Action::ListBucketMultipartUploads => {
                (Name::bucket(bucket.as_str()), None)
            }
            Resource::Listing { bucket, prefix } => (Name::bucket(bucket.as_str()), Some(prefix)),
            Resource::Object { bucket, key } => (Name::object(bucket.as_str(), key), None),
        };
        self.actions & bit(action) != 0
            && self.resources.iter().any(|pattern| pattern.matches(name)) != self.all_but
            && self.conditions.iter().all(|condition| condition.holds(prefix))
    }
}

/// The bits of the actions that a text or list of texts names.
fn matching_actions(names: &Json) -> Result<u32, PolicyError> {
    let mut bits = 0;
    for name in texts(names)? {
        let pattern = name.to_ascii_lowercase();
        for &action in Action::ALL {
            if pattern::matches(&pattern, Name::text(&action.name().to_ascii_lowercase())) {
                bits |= bit(action);
            }
        }
    }
    Ok(bits)
}

fn bit(action: Action) -> u32 {
    const { assert!(Action::ALL.len() <= 32) };
    1 << action as u32
}

/// A text, or the texts of a list. An empty list is refused: what is all but nothing?
fn texts(value: &Json) -> Result<impl Iterator<Item = &str>, PolicyError> {
    let text = |one: &Json| matches!(one, Json::Text(_));
    let values = value.one_or_many();
    if values.as_slice().is_empty() || !values.as_slice().iter().all(text) {
        return Err(wrong("actions and resources must be texts, or lists of some"));
    }
    Ok(values.filter_map(|one| match one {
        Json::Text(text) => Some(text.as_str()),
        _ => None,
    }))
}

fn wrong(what: &'static str) -> PolicyError {
    PolicyError(what.to_owned())
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicyError {}

#[cfg(test)]
mod property;
#[cfg(test)]
mod tests;
