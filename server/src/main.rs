//! Hubbub: group chat in one binary.

use server::{
    administration,
    cli::CommandLine,
    config::Config,
    links, net,
    serve::{self, ShutdownOutcome},
    shutdown::StopSignals,
    startup::{self, Startup},
    state::AppState,
};
use std::{
    env,
    io::{IsTerminal, Write, stderr, stdout},
    process::{ExitCode, exit},
    time::Duration,
};
use tokio::time::sleep;
use tracing_subscriber::EnvFilter;

/// Time between two attempts to open the store again.
const REOPEN_DELAY: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let result = match CommandLine::read() {
        Ok(CommandLine { command: Some(command), config }) => {
            command.run(&config).map(|line| print_line(&line))
        }
        Ok(CommandLine { command: None, config }) => run(config),
        Err(error) if error.use_stderr() => Err(first_line(&error)),
        Err(answer) => {
            // `--help` or `--version`; a closed stdout is no failure.
            let _ = answer.print();
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            // stderr may be closed; the exit code reports the failure too.
            let _ = writeln!(stderr(), "hubbub: {line}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the first line of an error, without the usage and the hints below it.
fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    first.trim_start_matches("error: ").to_owned() + " (see --help)"
}

#[tokio::main]
async fn run(mut config: Config) -> Result<(), String> {
    init_tracing();
    let mut signals = StopSignals::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
    config.max_files = net::raise_open_file_limit();
    let requested = config.max_connections;
    let lowered = net::lowered_max_connections(requested, config.max_files);
    config.max_connections = lowered.unwrap_or(requested);
    let (mut startup, mut listener) = open(&config).await?;
    let address =
        listener.local_addr().map_err(|error| format!("cannot read the listening address: {error}"))?;
    print_line(&server::banner::startup_banner(&address, &config));
    if let Some(token) = administration::prepare(&startup.state).await? {
        let link = links::admin_link(config.public_url.as_ref(), &address, &token);
        print_line(&format!("To administer it:  {link}"));
    }
    administration::warn_if_open(&startup.state, &address).await;
    if let Some(max_connections) = lowered {
        tracing::warn!(
            max_connections,
            requested,
            "--max-connections lowered: the limit of open files is too small"
        );
    }
    loop {
        let Startup { state, lock: _lock } = startup;
        match serve_until_stopped(listener, state, &mut signals).await {
            ShutdownOutcome::Graceful => tracing::info!("drained"),
            ShutdownOutcome::TimedOut(connections) => tracing::warn!(connections, "drain timed out"),
            ShutdownOutcome::Superseded => {
                (startup, listener) = tokio::select! {
                    opened = reopen(&config) => opened,
                    _ = signals.next() => return Ok(()),
                };
                continue;
            }
        }
        return Ok(());
    }
}

/// Serves until the first signal, or until the store is superseded. A second signal ends the process.
async fn serve_until_stopped(
    listener: net::Listener,
    state: AppState,
    signals: &mut StopSignals,
) -> ShutdownOutcome {
    let draining = state.draining.clone();
    let second_signal = async {
        let signal = signals.next().await;
        tracing::info!(signal, "stopping");
        draining.cancel();
        let signal = signals.next().await;
        tracing::warn!(signal, "stopping at once");
    };
    tokio::select! {
        outcome = serve::serve(listener, state) => outcome,
        () = second_signal => exit(1),
    }
}

/// Opens the store and listens.
async fn open(config: &Config) -> Result<(Startup, net::Listener), String> {
    let startup = startup::open(config.clone()).await?;
    let listener = serve::listen(&startup.state).await?;
    Ok((startup, listener))
}

/// Opens the store again, however long that takes.
async fn reopen(config: &Config) -> (Startup, net::Listener) {
    let mut has_failed = false;
    loop {
        match open(config).await {
            Ok(opened) => return opened,
            Err(error) if !has_failed => tracing::error!(error, "opening the store again failed; retrying"),
            Err(_) => {}
        }
        has_failed = true;
        sleep(REOPEN_DELAY).await;
    }
}

/// Logs to stderr: as text to a terminal, else as JSON. `RUST_LOG` sets the level.
fn init_tracing() {
    // An empty variable counts as unset; the filter would read it as "errors only".
    let directives = env::var(EnvFilter::DEFAULT_ENV).ok().filter(|text| !text.trim().is_empty());
    let filter = directives.and_then(|directives| EnvFilter::try_new(directives).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new("info"));
    // Internal errors are not logged: with a closed stderr they would panic.
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).log_internal_errors(false);
    if stderr().is_terminal() { subscriber.init() } else { subscriber.json().with_span_list(false).init() }
}

fn print_line(text: &str) {
    // The server runs on with a closed stdout.
    let _ = writeln!(stdout(), "{}", text.trim_end());
}
