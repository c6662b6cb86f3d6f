//! For any policy: what it allows is a subset of what the plainest reading of the document allows, and
//! what a session may do is a subset of both that and the rights of its key pair.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::facade::access::{BucketScope, Rule, Rules, Verbs};
use crate::object::BucketName;

const BUCKETS: [&str; 2] = ["bkt", "bkt2"];
const KEYS: [&str; 6] = ["a/k", "a/b/k", "b/k", "a", "ab", "é"];
const PREFIXES: [&str; 5] = ["", "a", "a/", "a/b", "b/"];

/// The reading: no compilation, no bits, recursion over characters, the document asked anew each time.
/// An element that it does not know makes an Allow void and a Deny universal.
mod reading {
    use serde_json::Value;

    pub fn allows(policy: &Value, action: &str, resource: &str, prefix: Option<&str>) -> bool {
        let statements = policy["Statement"].as_array().expect("a list");
        let applies = |effect: &str| {
            statements.iter().any(|one| one["Effect"] == effect && applies(one, action, resource, prefix))
        };
        !applies("Deny") && applies("Allow")
    }

    fn applies(statement: &Value, action: &str, resource: &str, prefix: Option<&str>) -> bool {
        let named = |element: &str, text: &str, fold: bool| {
            let texts = list(&statement[element]);
            let fold = |text: &str| if fold { text.to_lowercase() } else { text.to_owned() };
            texts.iter().any(|pattern| like(&chars(&fold(pattern)), &chars(&fold(text))))
        };
        let action_fits = match statement.get("NotAction") {
            Some(_) => !named("NotAction", action, true),
            None => named("Action", action, true),
        };
        let resource_fits = match statement.get("NotResource") {
            Some(_) => !named("NotResource", resource, false),
            None => named("Resource", resource, false),
        };
        action_fits && resource_fits && conditions(&statement["Condition"], prefix, statement["Effect"] == "Deny")
    }

    fn conditions(condition: &Value, prefix: Option<&str>, when_unknown: bool) -> bool {
        let Some(operators) = condition.as_object() else { return true };
        operators.iter().all(|(operator, keys)| {
            keys.as_object().expect("keys").iter().all(|(key, values)| {
                if key != "s3:prefix" {
                    return when_unknown;
                }
                let fits = |negated: bool, compare: &dyn Fn(&str, &str) -> bool| match prefix {
                    None => negated,
                    Some(prefix) => list(values).iter().any(|value| compare(value, prefix)) != negated,
                };
                let like = |pattern: &str, text: &str| like(&chars(pattern), &chars(text));
                match operator.as_str() {
                    "StringLike" => fits(false, &like),
                    "StringNotLike" => fits(true, &like),
                    "StringEquals" => fits(false, &|value, prefix| value == prefix),
                    "StringNotEquals" => fits(true, &|value, prefix| value == prefix),
                    _ => when_unknown,
                }
            })
        })
    }

    fn list(value: &Value) -> Vec<String> {
        match value {
            Value::String(text) => vec![text.clone()],
            Value::Array(values) => values.iter().map(|value| value.as_str().expect("text").to_owned()).collect(),
            _ => Vec::new(),
        }
    }

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    fn like(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => (0..=text.len()).any(|taken| like(rest, &text[taken..])),
            (Some(('?', rest)), Some((_, text))) => like(rest, text),
            (Some((want, rest)), Some((have, text))) => want == have && like(rest, text),
            _ => false,
        }
    }
}

/// One or several texts, as a text or as a list.
fn texts(of: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![
        proptest::sample::select(of).prop_map(|text| json!(text)),
        proptest::collection::vec(proptest::sample::select(of), 1..4).prop_map(|texts| json!(texts)),
    ]
}

fn statement() -> impl Strategy<Value = Value> {
    let actions = texts(&[
        "*",
        "s3:*",
        "s3:Get*",
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject*",
        "s3:List*",
        "s3:ListBucket",
        "S3:getobject",
        "s3:?utObject",
        "kms:*",
        "s3:Nothing",
        "s3:AbortMultipartUpload",
    ]);
    let resources = texts(&[
        "*",
        "arn:aws:s3:::*",
        "arn:aws:s3:::bkt",
        "arn:aws:s3:::bkt/*",
        "arn:aws:s3:::bkt/a/*",
        "arn:aws:s3:::bkt*",
        "arn:aws:s3:::bkt2/?",
        "arn:aws:s3:::*/b/*",
        "arn:aws:s3:::bkt?/a*",
        "arn:aws:kms:x:1:key/*",
        "arn:aws:s3:::bkt/é",
    ]);
    let prefixes = texts(&["", "*", "a/*", "a", "a/", "b/*", "?/"]);
    let operator =
        proptest::sample::select(&["StringLike", "StringNotLike", "StringEquals", "StringNotEquals", "Bool"][..]);
    let key = prop_oneof![9 => Just("s3:prefix"), 1 => Just("aws:SourceIp")];
    let condition = proptest::option::weighted(0.3, (operator, key, prefixes));
    (any::<bool>(), proptest::bool::weighted(0.15), actions, proptest::bool::weighted(0.15), resources, condition)
        .prop_map(|(allow, not_action, actions, not_resource, resources, condition)| {
            let mut statement = json!({"Effect": if allow { "Allow" } else { "Deny" }});
            statement[if not_action { "NotAction" } else { "Action" }] = actions;
            statement[if not_resource { "NotResource" } else { "Resource" }] = resources;
            if let Some((operator, key, values)) = condition {
                statement["Condition"] = json!({operator: {key: values}});
            }
            statement
        })
}

fn policy() -> impl Strategy<Value = Value> {
    // More often than not an Allow comes first, so that there is something to be narrowed.
    proptest::collection::vec(statement(), 1..5).prop_map(|mut statements| {
        statements[0]["Effect"] = json!("Allow");
        json!({"Version": "2012-10-17", "Statement": statements})
    })
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let buckets = proptest::option::of(proptest::sample::select(&BUCKETS[..])).prop_map(|name| match name {
        None => BucketScope::All,
        Some(name) => BucketScope::Only([BucketName::new(name).unwrap()].into()),
    });
    let verbs = any::<[bool; 4]>().prop_map(|[read, write, delete, list]| Verbs { read, write, delete, list });
    let rule = (buckets, proptest::sample::select(&PREFIXES[..]), verbs).prop_map(|(buckets, prefix, verbs)| Rule {
        buckets,
        prefix: prefix.to_owned(),
        verbs,
    });
    proptest::collection::vec(rule, 0..4)
}

/// Everything that can be asked, with its action and ARN as the reading knows them.
fn requests(mut ask: impl FnMut(Action, Resource<'_>, String, Option<&str>)) {
    let names = BUCKETS.map(|name| BucketName::new(name).unwrap());
    for &action in Action::ALL {
        for bucket in &names {
            let arn = format!("arn:aws:s3:::{bucket}");
            ask(action, Resource::Bucket(bucket), arn.clone(), None);
            for prefix in PREFIXES {
                let shown = (action != Action::ListBucketMultipartUploads).then_some(prefix);
                ask(action, Resource::Listing { bucket, prefix }, arn.clone(), shown);
            }
            for key in KEYS {
                ask(action, Resource::Object { bucket, key }, format!("{arn}/{key}"), None);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_policy_allows_what_its_plainest_reading_allows(policy in policy()) {
        let parsed = Policy::parse(&policy.to_string()).unwrap();
        requests(|action, on, arn, prefix| {
            let expected = reading::allows(&policy, action.name(), &arn, prefix);
            assert_eq!(parsed.allows(action, on), expected, "{action:?} on {on:?} by {policy}");
        });
    }

    #[test]
    fn a_session_may_do_no_more_than_its_key_pair_and_no_more_than_its_policy(policy in policy(), rules in rules()) {
        let parsed = Policy::parse(&policy.to_string()).unwrap();
        let pair = Rules::new(rules.clone());
        requests(|action, on, arn, prefix| {
            let session = pair.allows(action, on) && parsed.allows(action, on);
            assert!(!session || reading::allows(&policy, action.name(), &arn, prefix), "{action:?} on {on:?} by {policy}");
            assert!(!session || granted(&rules, action, on), "{action:?} on {on:?} by {rules:?}");
        });
    }

    #[test]
    fn no_document_makes_it_panic(text in "\\PC{0,80}", document in "[{}\\[\\]\":,a-zA-Z*3]{0,60}") {
        let _ = Policy::parse(&text);
        let _ = Policy::parse(&document);
    }
}

/// The rules of a key pair, read without sorting them: one of them has to name bucket, prefix and verb.
fn granted(rules: &[Rule], action: Action, on: Resource<'_>) -> bool {
    let (bucket, within) = match on {
        Resource::Object { bucket, key } => (bucket, Some(key)),
        Resource::Listing { bucket, prefix } => (bucket, Some(prefix)),
        Resource::Bucket(bucket) | Resource::SomeObjects(bucket) => (bucket, None),
        Resource::Account => return true,
    };
    let inside = |rule: &Rule| match (within, action) {
        (Some(text), _) => text.starts_with(&rule.prefix),
        (None, Action::CreateBucket | Action::DeleteBucket | Action::PutBucketAcl | Action::PutBucketTagging) => {
            rule.prefix.is_empty()
        }
        (None, _) => true,
    };
    rules.iter().any(|rule| {
        let there = match &rule.buckets {
            BucketScope::All => true,
            BucketScope::Only(names) => names.contains(bucket),
        };
        let Verbs { read, write, delete, list } = rule.verbs;
        let verb = match action.name().trim_start_matches("s3:") {
            "Unserved" | "ListAllMyBuckets" => true,
            "ListBucket" if action == Action::HeadBucket => read || write || list,
            "GetBucketLocation" | "GetBucketVersioning" | "GetBucketAcl" | "GetBucketSetting" => read || write || list,
            "ListMultipartUploadParts" => write,
            name if name.starts_with("List") => list,
            name if name.starts_with("Get") => read,
            "DeleteObjectTagging" => write,
            name if name.starts_with("Delete") => delete,
            _ => write,
        };
        there && inside(rule) && verb
    })
}
