//! What an operator sees: real Prometheus and Alertmanager on real processes under load. Every query of every panel must
//! return data, every metric must pass promtool's lint, and each alert is provoked once (but for those that `provoke`
//! names).
//!
//! The rules are those that are shipped, made from the same source with windows of seconds instead of minutes
//! (`dashboards/generate.py --quick`).

mod alerts;
mod monitor;
mod provoke;
mod queries;
mod site;

use weir_tests::alone;

use crate::site::Site;

#[test]
fn panels_have_data_and_alerts_fire_for_their_reasons() {
    let _alone = alone();
    let mut site = Site::start();
    queries::check_metrics(&site);
    queries::all_return_data(&site);
    provoke::each_alert(&mut site);
}
