//! What the process has used, as Linux tells; zero elsewhere.

/// Clock ticks a second of /proc, fixed by Linux for user space.
const TICKS: f64 = 100.0;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    pub(super) cpu_seconds: f64,
    pub(super) peak_rss_bytes: u64,
}

impl Usage {
    pub(super) fn now() -> Self {
        let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        Self { cpu_seconds: cpu(&read("/proc/self/stat")), peak_rss_bytes: peak(&read("/proc/self/status")) }
    }
}

/// User and system time: fields 14 and 15, counted behind the command's name, which may contain anything.
fn cpu(stat: &str) -> f64 {
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / TICKS
}

fn peak(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or_default() * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_in_what_linux_writes() {
        assert_eq!(cpu("7 (we) ir) S 1 7 7 0 -1 4194560 90 0 0 0 250 50 0 0 20 0 1 0"), 3.0);
        assert_eq!(peak("Name:\tweir\nVmHWM:\t    2048 kB\nVmRSS:\t 9 kB\n"), 2 << 20);
        assert_eq!((cpu(""), peak("")), (0.0, 0));
    }
}
