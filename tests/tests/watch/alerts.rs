//! Waiting for alerts, and noting which have fired.

use std::collections::BTreeSet;
use std::time::Duration;

use weir_tests::{try_wait_until, wait_until};

use crate::site::Site;

/// Windows are ten seconds, alerts wait two, and a busy machine takes its time.
const PATIENCE: Duration = Duration::from_mins(1);

/// The alerts that have reached Alertmanager.
#[derive(Default)]
pub(crate) struct Fired(BTreeSet<String>);

impl Fired {
    /// Waits until an alert fires with a label of this value.
    pub(crate) fn wait(&mut self, site: &Site, alert: &str, (label, value): (&str, &str)) {
        self.wait_while(site, alert, (label, value), || ());
    }

    /// The same, doing something again and again meanwhile.
    pub(crate) fn wait_while(
        &mut self,
        site: &Site,
        alert: &str,
        (label, value): (&str, &str),
        mut meanwhile: impl FnMut(),
    ) {
        wait_until(&format!("{alert} fires with {label}={value}"), PATIENCE, || {
            meanwhile();
            site.monitor.firing(alert).iter().any(|labels| labels[label] == value).then_some(())
        });
        self.0.insert(alert.to_owned());
    }

    /// Waits a shorter time, where what is done may not be what the alert is for; whether it fires.
    pub(crate) fn fires(&mut self, site: &Site, alert: &str, (label, value): (&str, &str)) -> bool {
        let is_firing = || site.monitor.firing(alert).iter().any(|labels| labels[label] == value).then_some(());
        let fires = try_wait_until(PATIENCE / 2, is_firing).is_some();
        if fires {
            self.0.insert(alert.to_owned());
        }
        fires
    }

    /// Waits until an alert has ended.
    pub(crate) fn wait_ended(site: &Site, alert: &str) {
        let ended = try_wait_until(PATIENCE, || site.monitor.firing(alert).is_empty().then_some(()));
        assert!(ended.is_some(), "{alert} still fires: {:?}", site.monitor.firing(alert));
    }

    /// Every alert that there is has fired.
    pub(crate) fn check_all(&self, site: &Site) {
        let rules: BTreeSet<String> = site.monitor.rules().into_iter().collect();
        assert_eq!(self.0, rules, "each alert must be provoked here");
    }
}

/// An alert that must not fire as long as nothing is done for it.
pub(crate) fn check_silent(site: &Site, alert: &str) {
    let firing = site.monitor.firing(alert);
    assert!(firing.is_empty(), "{alert} fires before anything happens: {firing:?}");
}
