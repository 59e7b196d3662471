//! The progress of a command: a bar in a terminal, else a line now and then.

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

const TEMPLATE: &str = "{msg} {wide_bar} {human_pos} of {human_len} {prefix}, {eta} left";

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
    Lines {
        /// The action of the step, and the name of the things.
        step: (&'static str, &'static str),
        total: u64,
        done: Cell<u64>,
        printed_at: Cell<Instant>,
    },
}

impl Progress {
    /// Begins a step with `done` of `total` things done. `step` says what is done with them, and what they are.
    pub(super) fn start(step: (&'static str, &'static str), total: u64, done: u64) -> Self {
        if !stderr().is_terminal() {
            return Self::Lines { step, total, done: Cell::new(done), printed_at: Cell::new(Instant::now()) };
        }
        let bar = ProgressBar::new(total).with_message(step.0).with_prefix(step.1).with_position(done);
        // What an earlier run has done says nothing about the speed of this one.
        bar.reset_eta();
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        Self::Bar(bar)
    }

    /// Notes that further things are done.
    pub(super) fn advance(&self, more: u64) {
        match self {
            Self::Bar(bar) => bar.inc(more),
            Self::Lines { done, printed_at, .. } => {
                done.set(done.get() + more);
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
        if let Self::Lines { step: (step, things), total, done, .. } = self {
            // stderr may be closed.
            let _ = writeln!(stderr(), "hubbub: {} of {total} {things} {step}", done.get());
        }
    }
}
