//! Operations on the account: what it is, and keys for delegation.

use crate::emulator::answer::{Answer, content_length};
use crate::emulator::auth::Identity;
use crate::emulator::auth::sas::delegation_key_value;
use crate::emulator::call::Call;
use crate::emulator::checksum::base64;
use crate::emulator::clock::{parse_iso, rfc3339};
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::intake::{Incoming, collect};
use crate::emulator::xml::{element, texts};

pub fn account_information(call: &Call<'_>) -> Outcome<Answer> {
    let answer = Answer::new(200)
        .with("x-ms-sku-name", "Standard_LRS")
        .with("x-ms-account-kind", "StorageV2")
        .with("x-ms-is-hns-enabled", if call.account.config.hierarchical { "true" } else { "false" });
    Ok(content_length(answer, 0))
}

pub fn properties(_call: &Call<'_>) -> Outcome<Answer> {
    let text = "\u{FEFF}<?xml version=\"1.0\" encoding=\"utf-8\"?><StorageServiceProperties><Logging><Version>1.0</Version><Read>false</Read><Write>false</Write><Delete>false</Delete><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></Logging><HourMetrics><Version>1.0</Version><Enabled>false</Enabled><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></HourMetrics><MinuteMetrics><Version>1.0</Version><Enabled>false</Enabled><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></MinuteMetrics><Cors /><DeleteRetentionPolicy><Enabled>false</Enabled></DeleteRetentionPolicy><StaticWebsite><Enabled>false</Enabled></StaticWebsite></StorageServiceProperties>";
    Ok(Answer::new(200).xml(text.to_owned()))
}

/// Longest life of a user delegation key.
const KEY_LIFE_MAX: std::time::Duration = std::time::Duration::from_secs(7 * 86_400);
const OID: &str = "11111111-1111-1111-1111-111111111111";
const TID: &str = "22222222-2222-2222-2222-222222222222";

pub async fn user_delegation_key(call: &Call<'_>, body: Incoming) -> Outcome<Answer> {
    if call.grant.identity != Identity::Bearer {
        return Err(ServiceError::authentication_failed());
    }
    let texts = texts(&collect(body, 64 << 10).await?)?;
    let time = |name: &str| texts.iter().find(|(n, _)| n == name).and_then(|(_, text)| parse_iso(text));
    let start = time("Start").unwrap_or(call.now);
    let expiry = time("Expiry").ok_or_else(ServiceError::invalid_xml)?;
    if expiry <= start || expiry > call.now + KEY_LIFE_MAX {
        return Err(ServiceError::new(
            400,
            "InvalidXmlNodeValue",
            "The value for one of the XML nodes is not in the correct format.",
        ));
    }
    let (start, expiry) = (rfc3339(start), rfc3339(expiry));
    let fields = [OID, TID, &start, &expiry, "b", &call.version];
    let value = base64(&delegation_key_value(call.account, fields));
    let names = ["SignedOid", "SignedTid", "SignedStart", "SignedExpiry", "SignedService", "SignedVersion"];
    let mut out = String::from("\u{FEFF}<?xml version=\"1.0\" encoding=\"utf-8\"?><UserDelegationKey>");
    names.into_iter().zip(fields).for_each(|(name, text)| element(&mut out, name, text));
    element(&mut out, "Value", &value);
    out.push_str("</UserDelegationKey>");
    Ok(Answer::new(200).xml(out))
}
