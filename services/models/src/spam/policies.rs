//! What each tenant wants: thresholds, and lists of what is always or never let pass.
//!
//! One book of all policies for a process. Whoever reads the topic of policies writes it; decoders and REST read it, each time the whole of one tenant
//! at once, and never wait.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use weir_wire::policy::{DEFAULT_TENANT, Patterns, TenantPolicy};
use weir_wire::verdict::{List, ListKind, ListReason};

use super::hosts;

/// Policies that are kept; one of a further tenant is refused.
pub const MOST_POLICIES: usize = 10_000;

/// All policies, and how far the topic was read.
#[derive(Debug, Default)]
pub struct PolicyBook {
    book: ArcSwap<Book>,
    loaded: AtomicBool,
}

#[derive(Clone, Debug, Default)]
struct Book {
    tenants: HashMap<Arc<str>, Arc<Rules>>,
    /// By partition of the topic the offset next to read.
    next: HashMap<u32, u64>,
}

/// One thing that a record of the topic says.
#[derive(Clone, Debug)]
pub struct PolicyChange {
    /// Whose policy.
    pub tenant: String,
    /// None: there is none any more.
    pub policy: Option<TenantPolicy>,
}

impl PolicyBook {
    /// Takes changes in, and that the topic is read so far; all of it is seen at once. Returns how many were refused because there are too many
    /// tenants. To be called from one thread.
    pub fn apply(&self, changes: Vec<PolicyChange>, next: &[(u32, u64)]) -> usize {
        let mut book = Book::clone(&self.book.load());
        let mut refused = 0;
        for PolicyChange { tenant, policy } in changes {
            match policy {
                None => drop(book.tenants.remove(tenant.as_str())),
                Some(_) if book.tenants.len() >= MOST_POLICIES && !book.tenants.contains_key(tenant.as_str()) => {
                    refused += 1;
                }
                Some(policy) => drop(book.tenants.insert(tenant.into(), Arc::new(Rules::new(policy)))),
            }
        }
        book.next.extend(next.iter().copied());
        self.book.store(Arc::new(book));
        refused
    }

    /// All that was in the topic is here.
    pub fn set_loaded(&self) {
        self.loaded.store(true, Ordering::Release);
    }

    /// Whether all that was in the topic at the start is here.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.loaded.load(Ordering::Acquire)
    }

    /// Whether a record of the topic is taken in.
    #[must_use]
    pub fn covers(&self, partition: u32, offset: u64) -> bool {
        self.book.load().next.get(&partition).is_some_and(|next| *next > offset)
    }

    /// Tenants with a policy of their own.
    #[must_use]
    pub fn len(&self) -> usize {
        self.book.load().tenants.len()
    }

    /// Whether no tenant has one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A tenant's own policy.
    #[must_use]
    pub fn own(&self, tenant: &str) -> Option<Arc<Rules>> {
        self.book.load().tenants.get(tenant).cloned()
    }

    /// What holds for messages of this tenant, or of none.
    #[must_use]
    pub fn of(&self, tenant: Option<&str>) -> Option<Arc<Rules>> {
        let book = self.book.load();
        let own = tenant.and_then(|tenant| book.tenants.get(tenant));
        own.or_else(|| book.tenants.get(DEFAULT_TENANT)).cloned()
    }
}

/// A policy, ready to be held against messages.
#[derive(Clone, Debug)]
pub struct Rules {
    policy: TenantPolicy,
    allow: Lists,
    deny: Lists,
}

/// The patterns of a list.
#[derive(Clone, Debug, Default)]
struct Lists {
    senders: Set,
    hosts: Set,
    ids: Set,
}

/// Patterns: those without a star are looked up, the others tried one by one.
#[derive(Clone, Debug, Default)]
struct Set {
    exact: HashSet<String>,
    starred: Vec<String>,
}

impl Set {
    fn new(patterns: &[String], fold: bool) -> Self {
        let patterns = patterns.iter().map(|pattern| if fold { pattern.to_ascii_lowercase() } else { pattern.clone() });
        let (starred, exact): (Vec<_>, Vec<_>) = patterns.partition(|pattern| pattern.contains('*'));
        Self { exact: exact.into_iter().collect(), starred }
    }

    fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.starred.is_empty()
    }

    fn find(&self, text: &str) -> Option<&str> {
        let exact = self.exact.get(text).map(String::as_str);
        exact.or_else(|| self.starred.iter().find(|pattern| matches(pattern, text)).map(String::as_str))
    }
}

/// What of a message lists look at.
#[derive(Clone, Copy, Debug)]
pub struct Listable<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its sender, where one is known.
    pub sender: Option<&'a str>,
    /// Its text.
    pub text: &'a str,
}

impl Rules {
    fn new(policy: TenantPolicy) -> Self {
        let lists = |patterns: &Patterns| Lists {
            senders: Set::new(&patterns.senders, true),
            hosts: Set::new(&patterns.hosts, true),
            ids: Set::new(&patterns.ids, false),
        };
        Self { allow: lists(&policy.allow), deny: lists(&policy.deny), policy }
    }

    /// As it was written.
    #[must_use]
    pub fn policy(&self) -> &TenantPolicy {
        &self.policy
    }

    /// The list that a message is on, and why; what is allowed is not denied.
    #[must_use]
    pub fn listed(&self, message: Listable<'_>) -> Option<ListReason> {
        let needs_hosts = !self.allow.hosts.is_empty() || !self.deny.hosts.is_empty();
        let hosts = if needs_hosts { hosts::hosts(message.sender, message.text) } else { Vec::new() };
        let sender = message.sender.map(str::to_ascii_lowercase);
        let on = |list: List, lists: &Lists| {
            let reason = |kind, pattern: &str| ListReason { list, kind, pattern: pattern.to_owned() };
            let by_host = || hosts.iter().find_map(|host| lists.hosts.find(host));
            let sender = sender.as_deref().and_then(|sender| lists.senders.find(sender));
            let found = sender.map(|pattern| reason(ListKind::Sender, pattern));
            let found = found.or_else(|| by_host().map(|pattern| reason(ListKind::Host, pattern)));
            found.or_else(|| lists.ids.find(message.id).map(|pattern| reason(ListKind::Id, pattern)))
        };
        on(List::Allow, &self.allow).or_else(|| on(List::Deny, &self.deny))
    }
}

/// Whether `text` is as `pattern` says, whose stars stand for anything.
///
/// The parts between stars are looked for from left to right, each as early as it occurs: if the text fits at all, it fits so. So the time is
/// bounded by the lengths' product, whatever the pattern.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(place) => rest = &rest[place + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules(text: &str) -> Rules {
        Rules::new(weir_wire::policy::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn messages_are_on_the_list_of_their_sender_host_or_id() {
        let rules = rules(
            r#"{"allow":{"senders":["Ann@Home.example"],"ids":["keep-*"]},
                "deny":{"senders":["*@home.example"],"hosts":["bad.example","*.bad.example"],"ids":["bulk-7"]}}"#,
        );
        let check = |id: &str, sender: Option<&str>, text: &str, expected: Option<(List, ListKind, &str)>| {
            let found = rules.listed(Listable { id, sender, text });
            let expected = expected.map(|(list, kind, pattern)| ListReason { list, kind, pattern: pattern.into() });
            assert_eq!(found, expected, "{id} {sender:?} {text}");
        };
        check("m", None, "hello", None);
        check("m", Some("ann@home.EXAMPLE"), "x", Some((List::Allow, ListKind::Sender, "ann@home.example")));
        check("m", Some("bob@home.example"), "x", Some((List::Deny, ListKind::Sender, "*@home.example")));
        check("m", Some("x@a.bad.example"), "x", Some((List::Deny, ListKind::Host, "*.bad.example")));
        check("m", None, "see HTTP://Bad.Example/x", Some((List::Deny, ListKind::Host, "bad.example")));
        check("bulk-7", None, "x", Some((List::Deny, ListKind::Id, "bulk-7")));
        check("Bulk-7", None, "x", None);
        // What is allowed is not denied.
        check("keep-1", None, "http://bad.example", Some((List::Allow, ListKind::Id, "keep-*")));
    }

    #[test]
    fn a_tenant_without_a_policy_has_that_of_the_default() {
        let book = PolicyBook::default();
        assert!(book.of(None).is_none() && !book.is_loaded() && !book.covers(0, 0));
        let policy = |text: &str| Some(weir_wire::policy::parse(text.as_bytes()).unwrap());
        let change = |tenant: &str, policy| PolicyChange { tenant: tenant.to_owned(), policy };
        let strict = policy(r#"{"thresholds":{"review":0.1,"reject":0.2}}"#);
        let changes = vec![change("default", policy("{}")), change("shop", strict.clone())];
        assert_eq!(book.apply(changes, &[(0, 2)]), 0);
        assert!(book.covers(0, 1) && !book.covers(0, 2) && !book.covers(1, 0));
        assert_eq!(book.of(Some("shop")).map(|rules| rules.policy().clone()), strict);
        let default = Some(TenantPolicy::default());
        assert_eq!(book.of(None).map(|rules| rules.policy().clone()), default);
        assert_eq!(book.of(Some("other")).map(|rules| rules.policy().clone()), default);
        book.apply(vec![change("shop", None), change("default", None)], &[(0, 4)]);
        assert!(book.of(Some("shop")).is_none() && book.is_empty());
    }

    #[test]
    fn policies_are_bounded() {
        let book = PolicyBook::default();
        let change = |number: usize| PolicyChange { tenant: number.to_string(), policy: Some(TenantPolicy::default()) };
        assert_eq!(book.apply((0..MOST_POLICIES + 3).map(change).collect(), &[]), 3);
        assert_eq!(book.apply(vec![change(5)], &[]), 0, "one that is there may change");
        assert_eq!(book.len(), MOST_POLICIES);
    }

    /// The definition.
    fn slow(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => (0..=text.len()).any(|skipped| slow(rest, &text[skipped..])),
            ([first, pattern @ ..], [found, text @ ..]) => first == found && slow(pattern, text),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn stars_stand_for_anything(pattern in "[ab*]{0,7}", text in "[ab]{0,9}") {
            prop_assert_eq!(matches(&pattern, &text), slow(pattern.as_bytes(), text.as_bytes()), "{} {}", pattern, text);
        }
    }
}
