//! Logs are one per process, so their test has a process of its own.

use weir_runtime::{LogSettings, init_logs};

#[test]
fn logs_are_set_up_once() {
    let settings = LogSettings::default();
    assert!(init_logs(&LogSettings { filter: "info=info=info".into(), ..settings.clone() }).is_err());
    init_logs(&settings).expect("the first time");
    assert!(init_logs(&settings).is_err());
}
