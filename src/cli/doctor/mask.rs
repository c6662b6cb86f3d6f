//! What a report that leaves the house must not name.

/// Masks the account's name, GUIDs (tenants, clients, requests) and AWS account ids and access keys.
pub fn mask(text: &str, account: &str) -> String {
    words(text).map(|word| if word == account { "<account>" } else { disguise(word) }).collect()
}

/// Runs of letters, digits and hyphens, and what stands between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|c| is_word(c) != is_word(first)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

fn disguise(word: &str) -> &str {
    if is_guid(word) || is_aws_account(word) || is_access_key(word) { "<id>" } else { word }
}

fn is_guid(word: &str) -> bool {
    let mut lengths = word.split('-').map(str::len);
    word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') && [8, 4, 4, 4, 12].into_iter().eq(lengths.by_ref())
}

/// 12 digits (AWS Account Management, "View AWS account identifiers").
fn is_aws_account(word: &str) -> bool {
    word.len() == 12 && word.bytes().all(|b| b.is_ascii_digit())
}

/// Ids of users' keys begin with AKIA, of temporary ones with ASIA (IAM, "Unique identifiers").
fn is_access_key(word: &str) -> bool {
    word.len() == 20 && (word.starts_with("AKIA") || word.starts_with("ASIA"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids_are_masked_and_words_are_not() {
        for (text, masked) in [
            ("data is data.blob.core.windows.net", "<account> is <account>.blob.core.windows.net"),
            ("metadata database-data", "metadata database-data"),
            ("request id 0a1b2c3d-0000-1111-2222-0a1b2c3d4e5f)", "request id <id>)"),
            ("arn:aws:iam::123456789012:user/x", "arn:aws:iam::<id>:user/x"),
            ("key AKIAIOSFODNN7EXAMPLE é", "key <id> é"),
            ("container local-iceberg-test", "container local-iceberg-test"),
        ] {
            assert_eq!(mask(text, "data"), masked);
        }
    }
}
