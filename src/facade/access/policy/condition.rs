//! Conditions on `s3:prefix`, the only key that is known: what a listing asks for.

use super::json::Json;
use super::pattern::{self, Name};
use super::{PolicyError, wrong};

/// One operator with its values.
#[derive(Clone, Debug)]
pub struct Condition {
    compare: Compare,
    /// Holds if none of the values fits.
    negated: bool,
    /// Holds if there is no prefix to be compared.
    if_exists: bool,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
enum Compare {
    Equal,
    Like,
}

impl Condition {
    /// The conditions that are understood, and whether all of them are.
    ///
    /// # Errors
    /// If `Condition` has another shape than operators with keys with values.
    pub fn parse_all(condition: &Json) -> Result<(Vec<Self>, bool), PolicyError> {
        let Json::Object(operators) = condition else { return Err(wrong("Condition must be an object")) };
        let (mut conditions, mut understood) = (Vec::new(), true);
        for (operator, keys) in operators {
            let Json::Object(keys) = keys else { return Err(wrong("an operator of Condition must be an object")) };
            for (key, values) in keys {
                match Self::parse(operator, key, values) {
                    Some(condition) => conditions.push(condition),
                    None => understood = false,
                }
            }
        }
        Ok((conditions, understood))
    }

    fn parse(operator: &str, key: &str, values: &Json) -> Option<Self> {
        let (operator, if_exists) = match operator.strip_suffix("IfExists") {
            Some(operator) => (operator, true),
            None => (operator, false),
        };
        let (compare, negated) = match operator {
            "StringEquals" => (Compare::Equal, false),
            "StringNotEquals" => (Compare::Equal, true),
            "StringLike" => (Compare::Like, false),
            "StringNotLike" => (Compare::Like, true),
            _ => return None,
        };
        let text = |value: &Json| match value {
            // `${...}` is a variable.
            Json::Text(text) if !text.contains("${") => Some(text.clone()),
            _ => None,
        };
        let values = values.one_or_many().map(text).collect::<Option<Vec<_>>>()?;
        let known = key.eq_ignore_ascii_case("s3:prefix") && !values.is_empty();
        known.then_some(Self { compare, negated, if_exists, values })
    }

    /// Whether the condition holds for a request with this prefix; `None`: the request has none.
    pub fn holds(&self, prefix: Option<&str>) -> bool {
        let Some(prefix) = prefix else { return self.if_exists || self.negated };
        let fits = self.values.iter().any(|value| match self.compare {
            Compare::Equal => value == prefix,
            Compare::Like => pattern::matches(value, Name::text(prefix)),
        });
        fits != self.negated
    }
}
