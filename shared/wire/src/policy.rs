//! Records of the topic of policies: what a tenant wants to be done with messages. The key is the tenant, a record without a value
//! removes its policy.
//!
//! Written by whoever runs the filter, over REST or not; read by workers and gateways.

use serde::{Deserialize, Serialize};

use crate::event::{Reason, Reject};
use crate::verdict::Thresholds;

/// Longest value that is looked at.
pub const MAX_POLICY_BYTES: usize = 256 * 1024;
/// Patterns of a list of one kind.
pub const MAX_PATTERNS: usize = 1_000;
/// Bytes of a pattern, as of an id.
pub const MAX_PATTERN_BYTES: usize = crate::MAX_ID_BYTES;
/// The tenant whose policy is that of messages of no tenant, and of tenants without one of their own.
pub const DEFAULT_TENANT: &str = "default";

/// What a tenant wants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantPolicy {
    /// Where actions begin; none: where the settings say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// Messages that are let pass, whatever the model says of them.
    pub allow: Patterns,
    /// Messages that are rejected, unless they are allowed.
    pub deny: Patterns,
}

/// A list: what matches one of its patterns is on it. A `*` in a pattern stands for any characters, none included.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Patterns {
    /// Of senders, without regard to ASCII case.
    pub senders: Vec<String>,
    /// Of hosts: that of the sender's address and those that a text links to, without regard to ASCII case.
    pub hosts: Vec<String>,
    /// Of messages' ids.
    pub ids: Vec<String>,
}

/// Reads one record's value.
///
/// # Errors
/// A [`Reject`] that names the field, and says why and what to do; arbitrary bytes are no more than that.
pub fn parse(payload: &[u8]) -> Result<TenantPolicy, Reject> {
    let text = crate::event::text(payload, MAX_POLICY_BYTES)?;
    // serde would take a list for an object whose fields come in order.
    if text.trim_start().starts_with('[') {
        return Err(Reject::whole(Reason::WrongType, "no policy: it is an array, send {thresholds?, allow?, deny?}"));
    }
    let policy: TenantPolicy = serde_json::from_str(text).map_err(|error| {
        let reason = if error.is_data() { Reason::WrongType } else { Reason::UndecodableJson };
        Reject::whole(reason, format!("no policy: {error}; send {{thresholds?, allow?, deny?}}"))
    })?;
    policy.check()?;
    Ok(policy)
}

impl TenantPolicy {
    fn check(&self) -> Result<(), Reject> {
        if let Some(Thresholds { review, reject }) = self.thresholds
            && !((0.0..=1.0).contains(&review) && (review..=1.0).contains(&reject))
        {
            let detail = format!("are {review} and {reject}, review must be from 0 to 1 and reject from review to 1");
            return Err(Reject::new(Reason::BadNumber, "thresholds", detail));
        }
        let lists = [
            ("allow.senders", &self.allow.senders),
            ("allow.hosts", &self.allow.hosts),
            ("allow.ids", &self.allow.ids),
            ("deny.senders", &self.deny.senders),
            ("deny.hosts", &self.deny.hosts),
            ("deny.ids", &self.deny.ids),
        ];
        lists.into_iter().try_for_each(|(field, patterns)| check_patterns(field, patterns))
    }
}

fn check_patterns(field: &'static str, patterns: &[String]) -> Result<(), Reject> {
    if patterns.len() > MAX_PATTERNS {
        let detail = format!("has {} patterns, a list has at most {MAX_PATTERNS}", patterns.len());
        return Err(Reject::new(Reason::TooLarge, field, detail));
    }
    for pattern in patterns {
        let length = pattern.len();
        if pattern.is_empty() {
            return Err(Reject::new(Reason::EmptyId, field, "has an empty pattern, leave it out"));
        }
        if length > MAX_PATTERN_BYTES {
            let detail = format!("has a pattern of {length} bytes, one has at most {MAX_PATTERN_BYTES}");
            return Err(Reject::new(Reason::LongId, field, detail));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn policies_come_back_as_they_were_written() {
        let text = r#"{"thresholds":{"review":0.4,"reject":0.8},"allow":{"senders":["ann@home.example"],"hosts":[],"ids":[]},"deny":{"senders":[],"hosts":["*.bad.example"],"ids":["bulk-*"]}}"#;
        let policy = parse(text.as_bytes()).unwrap();
        assert_eq!(policy.thresholds, Some(Thresholds { review: 0.4, reject: 0.8 }));
        assert_eq!(serde_json::to_string(&policy).unwrap(), text);
        assert_eq!(parse(b"{}"), Ok(TenantPolicy::default()));
    }

    #[test]
    fn bad_policies_say_what_is_wrong() {
        let check = |payload: &str, expected: &str| {
            let found = parse(payload.as_bytes()).unwrap_err().to_string();
            assert!(found.starts_with(expected), "{found}");
        };
        check("{", "no policy: EOF");
        check(" []", "no policy: it is an array");
        check(r#"{"threshold":{}}"#, "no policy: unknown field `threshold`");
        check(r#"{"deny":{"hosts":[7]}}"#, "no policy: invalid type: integer `7`");
        let range = "review must be from 0 to 1 and reject from review to 1 (bad_number)";
        check(r#"{"thresholds":{"review":0.9,"reject":0.5}}"#, &format!("thresholds: are 0.9 and 0.5, {range}"));
        check(r#"{"thresholds":{"review":-1,"reject":0.5}}"#, &format!("thresholds: are -1 and 0.5, {range}"));
        check(r#"{"allow":{"ids":[""]}}"#, "allow.ids: has an empty pattern, leave it out (empty_id)");
        let long = format!(r#"{{"deny":{{"senders":["{}"]}}}}"#, "x".repeat(257));
        check(&long, "deny.senders: has a pattern of 257 bytes, one has at most 256 (long_id)");
        let many = format!(r#"{{"deny":{{"hosts":[{}]}}}}"#, vec!["\"a\""; 1_001].join(","));
        check(&many, "deny.hosts: has 1001 patterns, a list has at most 1000 (too_large)");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_refused(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(parse(&payload).is_err());
        }
    }
}
