//! Events counted by what they say, refused ones by reason, with an example of each.

use std::collections::BTreeMap;
use std::fmt;

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use weir_wire::Reject;

use crate::events::Taken;

/// Characters of an example that are shown.
const SHOWN: usize = 80;

/// What a sample consists of.
#[derive(Debug, Default)]
pub(super) struct Tally {
    taken: BTreeMap<&'static str, Row>,
    refused: BTreeMap<(&'static str, Option<&'static str>), Row>,
}

/// How often, and the first of them.
#[derive(Debug)]
struct Row {
    count: u64,
    example: String,
}

impl Tally {
    /// Counts a record that was read, or refused.
    pub(super) fn add(&mut self, outcome: Result<Option<Taken>, Reject>, place: &str, bytes: &[u8]) {
        match outcome {
            Ok(Some(taken)) => count(&mut self.taken, taken.says, || example(place, "", bytes)),
            Ok(None) => count(&mut self.taken, "passed over", || example(place, "", bytes)),
            Err(reject) => {
                let key = (reject.reason.as_str(), reject.field);
                count(&mut self.refused, key, || example(place, &reject.to_string(), bytes));
            }
        }
    }

    /// Counts what was no record to begin with.
    pub(super) fn refuse(&mut self, reason: &'static str, detail: &str, place: &str, bytes: &[u8]) {
        count(&mut self.refused, (reason, None), || example(place, detail, bytes));
    }

    /// All that were counted.
    pub(super) fn events(&self) -> u64 {
        self.taken.values().map(|row| row.count).sum::<u64>() + self.refused()
    }

    /// Those that would be refused.
    pub(super) fn refused(&self) -> u64 {
        self.refused.values().map(|row| row.count).sum()
    }
}

fn count<K: Ord>(rows: &mut BTreeMap<K, Row>, key: K, example: impl FnOnce() -> String) {
    rows.entry(key).or_insert_with(|| Row { count: 0, example: example() }).count += 1;
}

/// Where it is, what is wrong with it, and its beginning.
fn example(place: &str, detail: &str, bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..4 * SHOWN).unwrap_or(bytes));
    let mut shown: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if shown.len() < bytes.len() {
        shown.push_str("...");
    }
    let detail = if detail.is_empty() { String::new() } else { format!("{detail}\n") };
    format!("{place}: {detail}{shown}")
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_preset(UTF8_HORIZONTAL_ONLY).set_header(["events", "what", "first of them"]);
        for (says, row) in &self.taken {
            table.add_row([row.count.to_string(), (*says).to_owned(), row.example.clone()]);
        }
        for ((reason, field), row) in &self.refused {
            let what = field.map_or_else(|| format!("refused: {reason}"), |field| format!("refused: {reason} {field}"));
            table.add_row([row.count.to_string(), what, row.example.clone()]);
        }
        writeln!(formatter, "{table}")?;
        write!(formatter, "{} events, {} would be refused", self.events(), self.refused())
    }
}

#[cfg(test)]
mod tests {
    use weir_wire::rating;

    use super::*;

    #[test]
    fn events_are_counted_by_kind_and_reason_with_the_first_of_each() {
        let mut tally = Tally::default();
        let taken = || Ok(Some(Taken { key: Vec::new(), says: "rated" }));
        tally.add(taken(), "line 1", b"{\"first\":1}");
        tally.add(taken(), "line 2", b"{}");
        tally.add(Ok(None), "line 3", b"{}");
        for (number, payload) in [(4, &b"{\"user\":1.5}"[..]), (5, b"{\"user\":true}")] {
            tally.add(Err(rating::parse(None, Some(payload)).unwrap_err()), &format!("line {number}"), payload);
        }
        tally.refuse("bad_line", "has 1 columns", "line 6", &[b'x'; 1000]);
        assert_eq!((tally.events(), tally.refused()), (6, 3));
        let text = tally.to_string();
        let said = [
            "line 1: {\"first\":1}",
            "passed over",
            "refused: wrong_type user",
            "line 4: user: is a number with a fraction",
            "refused: bad_line",
            "line 6: has 1 columns",
            "6 events, 3 would be refused",
        ];
        for part in said {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(
            !text.contains("line 2") && !text.contains("line 5") && !text.contains(&"x".repeat(SHOWN + 1)),
            "{text}"
        );
    }
}
