//! The form that a client posts.
//!
//! Source: AWS STS API reference, AssumeRole.

use serde_json::Value;

use super::error::{StsCode, StsError};
use super::role::{AssumedRole, is_name};
use crate::facade::access::Policy;
use crate::s3::query::Query;

/// What is asked for.
pub enum Ask {
    AssumeRole(Box<AssumeRole>),
    GetCallerIdentity,
}

/// AssumeRole, checked.
pub struct AssumeRole {
    pub role: AssumedRole,
    /// Seconds.
    pub duration: u32,
    pub policy: Option<Policy>,
    /// The policy as it goes into the token.
    pub document: Option<Value>,
    packed_bytes: usize,
}

const API_VERSION: &str = "2011-06-15";

/// Seconds of a session: by default, at least and at most (set by STS).
const DURATION: u32 = 3_600;
const DURATION_RANGE: std::ops::RangeInclusive<u32> = 900..=43_200;
/// Most characters of a policy (set by STS).
const POLICY_CHARS_MAX: usize = 2_048;
/// Most bytes of a policy without its blanks, so that the token fits a header of 8 KiB (set by us).
const PACKED_BYTES_MAX: usize = 2_048;

/// Parameters of AssumeRole. Those that only say more about the session are accepted and not kept:
/// no policy that refers to them allows anything. Any other one could be a limit, and is refused.
const PARAMETERS: &[&str] = &[
    "Action",
    "Version",
    "RoleArn",
    "RoleSessionName",
    "Policy",
    "DurationSeconds",
    "ExternalId",
    "SerialNumber",
    "TokenCode",
    "SourceIdentity",
];
const PARAMETER_LISTS: &[&str] = &["Tags.", "TransitiveTagKeys."];

impl Ask {
    /// # Errors
    /// InvalidAction, ValidationError, MalformedPolicyDocument, PackedPolicyTooLarge.
    pub fn parse(form: &[u8]) -> Result<Self, StsError> {
        let broken = || StsError::new(StsCode::ValidationError, "The body is no form.");
        let form = std::str::from_utf8(form).map_err(|_| broken())?;
        let form = Query::parse(form.trim_end()).map_err(|_| broken())?;
        let action = parameter(&form, "Action")?.unwrap_or_default();
        let version = parameter(&form, "Version")?.unwrap_or_default();
        match action {
            "AssumeRole" if version == API_VERSION => Ok(Self::AssumeRole(Box::new(AssumeRole::parse(&form)?))),
            "GetCallerIdentity" if version == API_VERSION => Ok(Self::GetCallerIdentity),
            action => {
                let name = |text: &str| text.chars().filter(char::is_ascii_graphic).take(64).collect::<String>();
                let (action, version) = (name(action), name(version));
                let message = format!("Could not find operation {action} for version {version}");
                Err(StsError::new(StsCode::InvalidAction, message))
            }
        }
    }
}

impl AssumeRole {
    fn parse(form: &Query<'_>) -> Result<Self, StsError> {
        let known =
            |name: &str| PARAMETERS.contains(&name) || PARAMETER_LISTS.iter().any(|list| name.starts_with(list));
        if let Some((name, _)) = form.iter().find(|(name, _)| !known(name)) {
            return Err(StsError::constraint("parameter", name, "Member is not served here"));
        }
        let session_name = session_name(parameter(form, "RoleSessionName")?)?;
        let role = match parameter(form, "RoleArn")? {
            None => AssumedRole::unnamed(session_name),
            Some(arn) => AssumedRole::new(arn, session_name)
                .ok_or_else(|| StsError::constraint("roleArn", arn, "Member must be the ARN of a role"))?,
        };
        let duration = duration(parameter(form, "DurationSeconds")?)?;
        let Some(text) = parameter(form, "Policy")? else {
            return Ok(Self { role, duration, policy: None, document: None, packed_bytes: 0 });
        };
        let (policy, document) = policy(text)?;
        let packed_bytes = document.to_string().len();
        if packed_bytes > PACKED_BYTES_MAX {
            let message = format!("The packed policy takes {packed_bytes} of {PACKED_BYTES_MAX} bytes.");
            return Err(StsError::new(StsCode::PackedPolicyTooLarge, message));
        }
        Ok(Self { role, duration, policy: Some(policy), document: Some(document), packed_bytes })
    }

    /// How much of the room for policies is taken; `None` without a policy.
    pub fn packed_percent(&self) -> Option<u64> {
        self.policy.as_ref().map(|_| (self.packed_bytes * 100).div_ceil(PACKED_BYTES_MAX) as u64)
    }
}

/// A parameter with a value. One given twice would mean two things.
fn parameter<'a>(form: &'a Query<'_>, name: &str) -> Result<Option<&'a str>, StsError> {
    let value = form.get(name).map_err(|_| StsError::constraint(name, "", "Member must be given once"))?;
    Ok(value.filter(|value| !value.is_empty()))
}

fn session_name(name: Option<&str>) -> Result<&str, StsError> {
    let name = name.ok_or_else(|| StsError::constraint("roleSessionName", "", "Member must not be null"))?;
    if (2..=64).contains(&name.len()) && name.bytes().all(is_name) {
        return Ok(name);
    }
    let constraint = "Member must satisfy regular expression pattern: [\\w+=,.@-]{2,64}";
    Err(StsError::constraint("roleSessionName", name, constraint))
}

fn duration(text: Option<&str>) -> Result<u32, StsError> {
    let Some(text) = text else { return Ok(DURATION) };
    let digits = text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits);
    seconds.filter(|seconds| DURATION_RANGE.contains(seconds)).ok_or_else(|| {
        let (least, most) = (DURATION_RANGE.start(), DURATION_RANGE.end());
        let constraint = match seconds {
            None => "Member must be an integer".to_owned(),
            Some(seconds) if seconds < *least => format!("Member must have value greater than or equal to {least}"),
            Some(_) => format!("Member must have value less than or equal to {most}"),
        };
        StsError::constraint("durationSeconds", text, &constraint)
    })
}

fn policy(text: &str) -> Result<(Policy, Value), StsError> {
    if text.chars().count() > POLICY_CHARS_MAX {
        let constraint = format!("Member must have length less than or equal to {POLICY_CHARS_MAX}");
        return Err(StsError::constraint("policy", "", &constraint));
    }
    let malformed = |why: String| StsError::new(StsCode::MalformedPolicyDocument, format!("The policy: {why}."));
    let policy = Policy::parse(text).map_err(|error| malformed(error.to_string()))?;
    let document = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
    Ok((policy, document))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=polaris";

    fn refused(form: &str) -> StsCode {
        match Ask::parse(form.as_bytes()) {
            Ok(_) => panic!("{form} is accepted"),
            Err(error) => error.code(),
        }
    }

    #[test]
    fn what_polaris_sends() {
        let form = format!(
            "{BASE}&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fpolaris&ExternalId=x&DurationSeconds=3600&\
             Tags.member.1.Key=a&Tags.member.1.Value=b&TransitiveTagKeys.member.1=a&Policy=%7B%22Version%22%3A%20%22\
             2012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3AListBucket\
             %22%7D%5D%7D"
        );
        let Ok(Ask::AssumeRole(asked)) = Ask::parse(form.as_bytes()) else { panic!("refused") };
        assert_eq!(asked.duration, 3_600);
        assert_eq!(asked.role.arn(), "arn:aws:sts::123456789012:assumed-role/polaris/polaris");
        assert!(asked.policy.is_some() && asked.packed_percent() == Some(5), "{:?}", asked.packed_percent());
        let Ok(Ask::AssumeRole(asked)) = Ask::parse(BASE.as_bytes()) else { panic!("refused") };
        assert_eq!((asked.duration, asked.packed_percent()), (3_600, None));
        assert!(matches!(Ask::parse(b"Action=GetCallerIdentity&Version=2011-06-15"), Ok(Ask::GetCallerIdentity)));
    }

    #[test]
    fn durations() {
        for seconds in ["900", "43200", "3600"] {
            assert!(Ask::parse(format!("{BASE}&DurationSeconds={seconds}").as_bytes()).is_ok(), "{seconds}");
        }
        for seconds in ["899", "43201", "0", "-1", "1e3", "99999999999", "+900", "x"] {
            assert_eq!(refused(&format!("{BASE}&DurationSeconds={seconds}")), StsCode::ValidationError, "{seconds}");
        }
    }

    #[test]
    fn refusals() {
        use StsCode as C;
        let long_name = "n".repeat(65);
        let padding = " ".repeat(POLICY_CHARS_MAX);
        let wide = format!(
            r#"{{"Statement":{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/{}"}}}}"#,
            "%C3%A9".repeat(1_100)
        );
        for (form, code) in [
            (String::new(), C::InvalidAction),
            ("Action=AssumeRole&RoleSessionName=ab".into(), C::InvalidAction),
            ("Action=AssumeRoleWithWebIdentity&Version=2011-06-15".into(), C::InvalidAction),
            ("Action=AssumeRole&Version=2011-06-15".into(), C::ValidationError),
            ("Action=AssumeRole&Version=2011-06-15&RoleSessionName=a".into(), C::ValidationError),
            (format!("Action=AssumeRole&Version=2011-06-15&RoleSessionName={long_name}"), C::ValidationError),
            ("Action=AssumeRole&Version=2011-06-15&RoleSessionName=a%20b".into(), C::ValidationError),
            (format!("{BASE}&RoleSessionName=other"), C::ValidationError),
            (format!("{BASE}&RoleArn=polaris"), C::ValidationError),
            (format!("{BASE}&PolicyArns.member.1.arn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2Fx"), C::ValidationError),
            (format!("{BASE}&Limit=1"), C::ValidationError),
            (format!("{BASE}&Policy={{}}"), C::MalformedPolicyDocument),
            (format!("{BASE}&Policy={{}}&Policy=x"), C::ValidationError),
            (format!("{BASE}&Policy={padding}x"), C::ValidationError),
            (format!("{BASE}&Policy={wide}"), C::PackedPolicyTooLarge),
            (format!("{BASE}&Policy=%zz"), C::ValidationError),
        ] {
            assert_eq!(refused(&form), code, "{form}");
        }
        assert!(Ask::parse(&[0xff]).is_err());
    }
}
