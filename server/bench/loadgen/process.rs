//! CPU time and memory of a process, from `/proc`.

use std::{collections::BTreeMap, fs, io};

/// Microseconds of one tick in `/proc/PID/stat`.
const TICK: f64 = 10_000.0;
/// The rounding error of ticks, in µs.
const ROUNDING: f64 = 3.0 * TICK;

/// A process on this machine.
#[derive(Debug, Clone, Copy)]
pub struct Process(pub u32);

/// Returns how long this single-threaded process has waited for a busy core, in µs.
pub fn waited() -> io::Result<f64> {
    let times = fs::read_to_string("/proc/self/schedstat")?;
    let waited: f64 = times.split(' ').nth(1).unwrap_or_default().parse().map_err(io::Error::other)?;
    Ok(waited / 1_000.0)
}

/// The CPU time of a process so far.
#[derive(Debug, Clone)]
pub struct Cpu {
    /// Nanoseconds of each running thread.
    threads: BTreeMap<String, u64>,
    /// All threads, ended ones included, in µs, rounded to ticks.
    ticks: f64,
}

impl Process {
    /// Returns its CPU time until now.
    pub fn cpu(self) -> io::Result<Cpu> {
        let mut threads = BTreeMap::new();
        for thread in fs::read_dir(format!("/proc/{}/task", self.0))? {
            let thread = thread?;
            // A thread may end during the loop.
            if let Ok(times) = fs::read_to_string(thread.path().join("schedstat")) {
                let spent = times.split(' ').next().and_then(|spent| spent.parse().ok()).unwrap_or(0);
                threads.insert(thread.file_name().to_string_lossy().into_owned(), spent);
            }
        }
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        Ok(Cpu { threads, ticks: ticks(&stat) * TICK })
    }

    /// Returns its anonymous memory in KiB.
    pub fn anonymous(self) -> io::Result<u64> {
        self.status("RssAnon:")
    }

    /// Returns its peak memory in KiB.
    pub fn peak(self) -> io::Result<u64> {
        self.status("VmHWM:")
    }

    fn status(self, name: &str) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let value = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        value.trim().trim_end_matches(" kB").parse().map_err(io::Error::other)
    }
}

/// Returns `utime` plus `stime`: the 12th and 13th field after the name, which may contain spaces.
fn ticks(stat: &str) -> f64 {
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    fields.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum()
}

impl Cpu {
    /// Returns the microseconds since `earlier`: the exact time of the threads, or the ticks if threads have
    /// ended meanwhile, since running threads do not include their time.
    pub fn since(&self, earlier: &Self) -> f64 {
        let spent = |(thread, now): (&String, &u64)| {
            now.saturating_sub(earlier.threads.get(thread).copied().unwrap_or(0))
        };
        let exact = self.threads.iter().map(spent).sum::<u64>() as f64 / 1_000.0;
        let ticks = self.ticks - earlier.ticks;
        if ticks > exact + ROUNDING { ticks } else { exact }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(threads: &[(&str, u64)], ticks: f64) -> Cpu {
        Cpu { threads: threads.iter().map(|(id, spent)| ((*id).into(), *spent)).collect(), ticks }
    }

    #[test]
    fn the_exact_time_counts_unless_a_thread_has_ended() {
        let before = cpu(&[("1", 1_000_000), ("2", 500_000_000)], 500_000.0);
        let after = cpu(&[("1", 6_000_000), ("3", 2_000_000)], 510_000.0);
        assert_eq!(after.since(&before), 7_000.0);
        let ended = cpu(&[("1", 6_000_000)], 700_000.0);
        assert_eq!(ended.since(&before), 200_000.0);
    }

    #[test]
    fn ticks_follow_a_name_with_spaces() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 1 0 0 0 30 12 0 0 20 0 1 0 1 1 1";
        assert_eq!(ticks(stat), 42.0);
    }

    #[test]
    fn this_process_has_a_cost() {
        let this = Process(std::process::id());
        assert!(this.anonymous().expect("on Linux") > 0 && this.peak().expect("on Linux") > 0);
        assert!(this.cpu().expect("on Linux").since(&cpu(&[], 0.0)) > 0.0);
    }
}
