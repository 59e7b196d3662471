//! The machine of a measurement.

use crate::server::first_output_line;
use serde::Serialize;
use std::{fs, thread::available_parallelism};

/// Date, hardware and software of a measurement.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// In UTC.
    pub date: String,
    /// The processor's name.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// The kernel's version.
    pub kernel: String,
    /// The compiler's version.
    pub rustc: String,
    /// The load average before, over 1, 5 and 15 minutes.
    pub load: String,
}

impl Machine {
    /// Reads the current machine.
    pub fn here() -> Self {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let name = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            date: first_output_line("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            cpu: name.trim_matches([' ', '\t', ':']).to_owned(),
            cores: available_parallelism().map_or(1, usize::from),
            kernel: first_output_line("uname", &["-sr"]),
            rustc: first_output_line("rustc", &["--version"]),
            load: load.split(' ').take(3).collect::<Vec<_>>().join(" "),
        }
    }
}
