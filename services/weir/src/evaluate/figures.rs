//! What all evaluations write: JSON to a file, figures with the digits that they have.

use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

/// Writes a report whole, for programs.
pub(super) fn write_json(path: &Path, report: &impl Serialize) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(report)? + "\n";
    std::fs::write(path, json).with_context(|| format!("write {}", path.display()))
}

/// A figure for people; a dash where there is none.
pub(super) fn figure(value: f64) -> String {
    if value.is_finite() { format!("{value:.4}") } else { "-".to_owned() }
}

/// A figure for programs: null where there is none.
pub(super) fn known(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_is_no_number() {
        assert_eq!((figure(0.123_46), figure(f64::NAN)), ("0.1235".to_owned(), "-".to_owned()));
        assert_eq!((known(0.5), known(f64::NAN)), (Some(0.5), None));
    }

    #[test]
    fn a_report_that_cannot_be_written_names_its_file() {
        let error = write_json(Path::new("/nowhere/report.json"), &1).unwrap_err();
        assert_eq!(format!("{error:#}"), "write /nowhere/report.json: No such file or directory (os error 2)");
    }
}
