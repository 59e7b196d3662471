//! The URL of a database.

use percent_encoding::percent_decode_str;
use std::{error::Error, fmt, net::IpAddr, path::PathBuf, str::FromStr};
use tokio_postgres::config::{Config, Host, SslMode};

/// The URL of a PostgreSQL database, as libpq reads it: `postgres://user:password@host,host/name?sslmode=…`. Its text has no
/// password.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(super) config: Config,
    /// A file of certificate authorities that count instead of the system's.
    pub(super) ca_file: Option<PathBuf>,
}

/// The reason why a text is not the URL of a database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidDatabaseUrl(String);

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if !["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err(invalid("it is no URL such as postgres://user:password@host/name"));
        }
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut ssl_mode, mut ca_file, mut others) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", mode)) => ssl_mode = Some(mode.to_owned()),
                Some(("sslrootcert", file)) => {
                    ca_file = Some(PathBuf::from(percent_decode_str(file).decode_utf8_lossy().as_ref()));
                }
                _ => others.push(pair),
            }
        }
        let mut config: Config = format!("{address}?{}", others.join("&")).parse().map_err(unreadable)?;
        if config.get_hosts().is_empty() {
            return Err(invalid("it names no host"));
        }
        let is_local = config.get_hosts().iter().all(is_loopback);
        config.ssl_mode(tls(ssl_mode.as_deref(), is_local)?);
        Ok(Self { config, ca_file })
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = self.config.get_ports();
        let hosts = self.config.get_hosts().iter().enumerate().map(|(at, host)| {
            let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                Host::Unix(path) => path.display().to_string(),
            }
        });
        write!(f, "postgres://{}", hosts.collect::<Vec<_>>().join(","))?;
        self.config.get_dbname().map_or(Ok(()), |name| write!(f, "/{name}"))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Returns whether connections use TLS. With TLS, the chain and the name of the certificate are always checked, so that
/// `require` and the modes that libpq calls `verify-ca` and `verify-full` mean the same. Without a mode only hosts on this
/// machine may be used without TLS.
fn tls(mode: Option<&str>, is_local: bool) -> Result<SslMode, InvalidDatabaseUrl> {
    match mode {
        Some("disable") => Ok(SslMode::Disable),
        Some("require" | "verify-ca" | "verify-full") => Ok(SslMode::Require),
        None | Some("allow" | "prefer") => Ok(if is_local { SslMode::Disable } else { SslMode::Require }),
        Some(_) => Err(invalid("sslmode is disable, require, verify-ca or verify-full")),
    }
}

fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
        Host::Unix(_) => true,
    }
}

fn invalid(why: &str) -> InvalidDatabaseUrl {
    InvalidDatabaseUrl(why.into())
}

fn unreadable(error: tokio_postgres::Error) -> InvalidDatabaseUrl {
    InvalidDatabaseUrl(error.source().map_or_else(|| error.to_string(), ToString::to_string))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        url.parse::<DatabaseUrl>().unwrap().config.get_ssl_mode()
    }

    #[test]
    fn a_password_is_never_shown() {
        let url: DatabaseUrl = "postgres://ann:secret@db.example:5433/chat".parse().unwrap();
        assert_eq!(
            format!("{url} {url:?}"),
            "postgres://db.example:5433/chat postgres://db.example:5433/chat"
        );
    }

    #[test]
    fn other_machines_need_tls_unless_it_is_disabled() {
        for local in ["localhost", "127.0.0.1", "%2Frun%2Fpostgresql"] {
            assert_eq!(mode(&format!("postgres://ann@{local}/chat")), SslMode::Disable, "{local}");
        }
        assert_eq!(mode("postgres://ann@localhost,db.example/chat"), SslMode::Require);
        for (written, expected) in [
            ("prefer", SslMode::Require),
            ("require", SslMode::Require),
            ("verify-ca", SslMode::Require),
            ("verify-full", SslMode::Require),
            ("disable", SslMode::Disable),
        ] {
            assert_eq!(
                mode(&format!("postgres://ann@db.example/chat?sslmode={written}")),
                expected,
                "{written}"
            );
        }
        assert!("postgres://db.example/chat?sslmode=maybe".parse::<DatabaseUrl>().is_err());
    }

    #[test]
    fn a_file_of_authorities_and_the_settings_of_libpq_are_read() {
        let url = "postgresql://a@one,two/chat?sslrootcert=%2Fetc%2Fca.pem&target_session_attrs=read-write";
        let url: DatabaseUrl = url.parse().unwrap();
        assert_eq!(url.ca_file, Some("/etc/ca.pem".into()));
        assert_eq!(url.to_string(), "postgres://one:5432,two:5432/chat");
    }

    #[test]
    fn an_invalid_url_of_a_database_is_rejected_with_its_reason() {
        for (text, why) in [
            ("mysql://localhost/chat", "it is no URL such as postgres://user:password@host/name"),
            ("host=localhost", "it is no URL such as postgres://user:password@host/name"),
            ("postgres:///chat", "it names no host"),
            ("postgres://localhost/chat?colour=blue", "unknown option `colour`"),
        ] {
            assert_eq!(text.parse::<DatabaseUrl>().unwrap_err().to_string(), why, "{text}");
        }
    }
}
