//! How far a migration is: a bar in a terminal, else a line now and then.

use indicatif::{ProgressBar, ProgressStyle};
use std::{
    cell::Cell,
    io::{IsTerminal, Write, stderr},
    time::{Duration, Instant},
};

/// Time between two lines.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Time between two pictures of a spinner.
const TICK: Duration = Duration::from_millis(100);

const TEMPLATE: &str = "{msg} {wide_bar} {human_pos} of {human_len} rows, {eta} left";

/// Runs a step of unknown length, while a terminal shows that it goes on.
pub(super) fn with_spinner<T>(message: &'static str, step: impl FnOnce() -> T) -> T {
    if !stderr().is_terminal() {
        return step();
    }
    let spinner = ProgressBar::new_spinner().with_message(message);
    spinner.enable_steady_tick(TICK);
    let result = step();
    spinner.finish_and_clear();
    result
}

/// The progress of one step.
pub(super) enum Progress {
    /// A bar in the terminal.
    Bar(ProgressBar),
    /// Lines on stderr.
    Lines { step: &'static str, total: u64, rows: Cell<u64>, printed_at: Cell<Instant> },
}

impl Progress {
    /// Begins a step with `rows` of `total` rows done. `step` says what is done with them.
    pub(super) fn start(step: &'static str, total: u64, rows: u64) -> Self {
        if !stderr().is_terminal() {
            return Self::Lines { step, total, rows: Cell::new(rows), printed_at: Cell::new(Instant::now()) };
        }
        let bar = ProgressBar::new(total).with_message(step).with_position(rows);
        // The rows of an earlier run say nothing about the speed of this one.
        bar.reset_eta();
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        Self::Bar(bar)
    }

    /// Notes that further rows are done.
    pub(super) fn advance(&self, more: u64) {
        match self {
            Self::Bar(bar) => bar.inc(more),
            Self::Lines { rows, printed_at, .. } => {
                rows.set(rows.get() + more);
                if printed_at.get().elapsed() >= LINE_INTERVAL {
                    printed_at.set(Instant::now());
                    self.print_line();
                }
            }
        }
    }

    /// Ends the step.
    pub(super) fn finish(self) {
        match &self {
            // The cursor would stay behind a finished bar, and the next line there.
            Self::Bar(bar) => bar.finish_and_clear(),
            Self::Lines { .. } => self.print_line(),
        }
    }

    fn print_line(&self) {
        if let Self::Lines { step, total, rows, .. } = self {
            // stderr may be closed.
            let _ = writeln!(stderr(), "hubbub: {} of {total} rows {step}", rows.get());
        }
    }
}
