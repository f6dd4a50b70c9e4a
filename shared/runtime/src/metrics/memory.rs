//! How much memory the process may take.

use std::fs;

/// Where control groups say their bound: version 2, then version 1, each as seen from inside of a container.
const GROUPS: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// The least of the control group's bound, what `ulimit -m` says (which the kernel only notes, and does not enforce) and
/// the machine's memory; none where nothing of it can be read. Looked up each time, as all may change while the process runs.
pub(super) fn limit() -> Option<u64> {
    let group = GROUPS.iter().filter_map(|path| group(&fs::read_to_string(path).ok()?));
    let resident = fs::read_to_string("/proc/self/limits").ok().and_then(|text| resident(&text));
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    group.chain(resident).chain(machine).min()
}

/// `max` says that there is no bound.
fn group(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// The soft limit, unless it is `unlimited`.
fn resident(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max resident set"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_and_their_absence_is_none() {
        assert_eq!(group("536870912\n"), Some(536_870_912));
        assert_eq!((group("max\n"), group("")), (None, None));
        let limits =
            |soft: &str| format!("Max data size  1  2  bytes\nMax resident set          {soft}   900   bytes\n");
        assert_eq!((resident(&limits("800")), resident(&limits("unlimited"))), (Some(800), None));
        assert_eq!(total("MemTotal:       24576 kB\nMemFree: 1 kB\n"), Some(24_576 * 1_024));
        assert_eq!(total("MemFree: 1 kB\n"), None);
        assert!(limit().is_some_and(|bytes| bytes > 1 << 20), "this machine has memory");
    }
}
