//! Where it was measured.

use crate::server::answer;
use serde::Serialize;
use std::{fs, thread::available_parallelism};

/// When and on what.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// In UTC.
    pub date: String,
    /// The processor's name.
    pub cpu: String,
    /// How many cores this may use.
    pub cores: usize,
    /// The system's version.
    pub kernel: String,
    /// The compiler's.
    pub rustc: String,
    /// How busy the machine was before: over 1, 5 and 15 minutes.
    pub load: String,
}

impl Machine {
    /// This one, now.
    pub fn here() -> Self {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let name = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            date: answer("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            cpu: name.trim_matches([' ', '\t', ':']).to_owned(),
            cores: available_parallelism().map_or(1, usize::from),
            kernel: answer("uname", &["-sr"]),
            rustc: answer("rustc", &["--version"]),
            load: load.split(' ').take(3).collect::<Vec<_>>().join(" "),
        }
    }
}
