//! Weights of a tenant's own, beside those of everyone, and how far one tenant may move those of everyone.
//!
//! A message of a tenant has each of its features twice: once as everybody has it, once as a copy that only this tenant's messages have.
//! Both have the same value, so a tenant of whom nothing is known yet is scored by everybody's weights as they are. What a tenant's labels teach is
//! shared by both; once they have moved everybody's weights as far as they may, they teach the copies alone.
//!
//! Source: Weinberger, Dasgupta, Langford, Smola, Attenberg, "Feature Hashing for Large Scale Multitask Learning", ICML 2009, section 5; here a
//! tenant's slots are all slots in another order, in a half of their own, so that two features of a message never share one.

use weir_ps::{Workspace, words};

use super::TENANTS;

/// The key of the row of [`TENANTS`] that counts for all together.
pub(super) const EVERYONE: u64 = 1;
/// Rows that tenants share: those of one row share its bound, so that the table has one too.
const ROWS: u64 = 1 << 16;
/// What a row counts in: a millionth of a weight.
const UNITS: f64 = 1e6;

/// How far one tenant may move everybody's weights, by the sum of the lengths of its steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Influence {
    /// In any case so far.
    pub steps: f32,
    /// Beyond that, its share of what all together have moved them.
    pub share: f32,
}

impl Default for Influence {
    fn default() -> Self {
        Self { steps: 50.0, share: 0.2 }
    }
}

impl Influence {
    /// Whether one more step of this length is allowed after these.
    fn allows(self, own: f64, all: f64, step: f64) -> bool {
        own + step <= f64::from(self.steps).max(f64::from(self.share) * (all + step))
    }
}

/// What a tenant is known by; 0 is none.
#[must_use]
pub fn tenant_key(seed: u64, tenant: Option<&str>) -> u64 {
    tenant.map_or(0, |tenant| weir_wire::key(seed, tenant).max(1))
}

/// The key of a message in the tables of what is remembered: of a tenant's message another one than of one of the same id that is not its.
#[must_use]
pub fn message_key(seed: u64, tenant: Option<&str>, id: &str) -> u64 {
    weir_wire::key(if tenant.is_some() { tenant_key(seed, tenant) } else { seed }, id)
}

/// The slot of a feature's copy, one of `slots` beyond the first `slots`.
pub(super) fn copy(feature: u32, tenant: u64, slots: u32) -> u32 {
    slots + (feature ^ (tenant >> 32) as u32 & (slots - 1))
}

/// The key of a tenant's row in [`TENANTS`].
pub(super) fn row_key(tenant: u64) -> u64 {
    // Rows of neighbouring numbers would lie side by side, and 0 and 1 are taken.
    (tenant % ROWS + 2).wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

/// Whether the tenant whose row is in `slot` may move everybody's weights by this length.
pub(super) fn may_shift(influence: Influence, slot: u32, step: f64, work: &Workspace) -> bool {
    let moved = |slot| words::u64_at(work.row(TENANTS, slot), 0) as f64 / UNITS;
    influence.allows(moved(slot), moved(0), step)
}

/// Counts that everybody's weights were moved by this length, by the tenant in `slot`, if it was one.
pub(super) fn shifted(slot: Option<u32>, step: f64, work: &mut Workspace) {
    for slot in slot.into_iter().chain([0]) {
        let row = work.row_mut(TENANTS, slot);
        words::set_u64(row, 0, words::u64_at(row, 0).saturating_add((step * UNITS).ceil() as u64));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tenant_may_always_move_a_little_and_never_more_than_its_share() {
        let influence = Influence { steps: 10.0, share: 0.25 };
        assert!(influence.allows(9.0, 9.0, 1.0) && !influence.allows(9.0, 9.0, 1.5));
        assert!(influence.allows(24.0, 99.0, 1.0) && !influence.allows(24.0, 94.0, 1.0));
    }

    #[test]
    fn a_tenants_messages_are_not_those_of_others() {
        let keys = [None, Some("a"), Some("b")].map(|tenant| message_key(7, tenant, "m"));
        assert_eq!(keys[0], weir_wire::key(7, "m"));
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
        assert_eq!(tenant_key(7, None), 0);
    }

    proptest! {
        #[test]
        fn copies_are_all_different_and_nobodys_own(tenant in 1..u64::MAX, bits in 8..31_u32, features in prop::collection::btree_set(0..256_u32, 1..50)) {
            let slots = 1 << bits;
            let copies: std::collections::BTreeSet<u32> = features.iter().map(|feature| copy(*feature, tenant, slots)).collect();
            prop_assert_eq!(copies.len(), features.len());
            prop_assert!(copies.iter().all(|copy| (slots..=slots + (slots - 1)).contains(copy)));
        }
    }
}
