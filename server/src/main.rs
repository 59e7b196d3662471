//! Hubbub: group chat in one binary.

use server::{
    config::Config,
    net,
    serve::{self, Ended},
    shutdown::StopSignals,
    startup::{Started, start},
};
use std::{
    env,
    io::{IsTerminal, Write, stderr, stdout},
    process::{ExitCode, exit},
};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let ended = match Config::read() {
        Ok(config) => match &config.command {
            Some(command) => command.run(&config.data).map(|line| say(&line)),
            None => run(config),
        },
        Err(error) if error.use_stderr() => Err(one_line(&error)),
        Err(answer) => {
            // `--help` or `--version` was all that was asked; a closed stdout is no failure.
            let _ = answer.print();
            Ok(())
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            // Nobody may be listening on stderr; the exit code says the same.
            let _ = writeln!(stderr(), "hubbub: {line}");
            ExitCode::FAILURE
        }
    }
}

/// What is wrong, without the usage and the hints below it.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    first.trim_start_matches("error: ").to_owned() + " (see --help)"
}

#[tokio::main]
async fn run(mut config: Config) -> Result<(), String> {
    trace();
    let mut signals = StopSignals::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
    config.max_files = net::raise_open_file_limit();
    let wished = config.max_connections;
    let lowered = net::lowered(wished, config.max_files);
    config.max_connections = lowered.unwrap_or(wished);
    let Started { state, lock: _lock } = start(config)?;
    let listener = serve::listen(&state).await?;
    let address = listener.local_addr().map_err(|error| format!("has no address: {error}"))?;
    say(&server::banner::welcome(&address, &state.config));
    if let Some(places) = lowered {
        tracing::warn!(places, wished, "--max-connections lowered: the limit of open files is too small");
    }
    let draining = state.draining.clone();
    let stopped_twice = async {
        let signal = signals.next().await;
        tracing::info!(signal, "stopping");
        draining.cancel();
        let signal = signals.next().await;
        tracing::warn!(signal, "stopping at once");
    };
    let ended = tokio::select! {
        ended = serve::serve(listener, state) => ended,
        () = stopped_twice => exit(1),
    };
    match ended {
        Ended::Drained => tracing::info!("every connection said goodbye"),
        Ended::CutOff(connections) => tracing::warn!(connections, "cut off after the drain"),
    }
    Ok(())
}

/// What happens goes to stderr: for people at a terminal, else as JSON. `RUST_LOG` chooses how much.
fn trace() {
    // An empty variable is not given; the filter would take it for "errors only".
    let wanted = env::var(EnvFilter::DEFAULT_ENV).ok().filter(|wanted| !wanted.trim().is_empty());
    let filter = wanted.and_then(|wanted| EnvFilter::try_new(wanted).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new("info"));
    // A closed stderr is no reason to stop: it would be told on stderr, in a panic.
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).log_internal_errors(false);
    if stderr().is_terminal() { subscriber.init() } else { subscriber.json().with_span_list(false).init() }
}

fn say(text: &str) {
    // A closed stdout is no reason to stop.
    let _ = writeln!(stdout(), "{}", text.trim_end());
}
