//! Where a database is: the only text from which this program ever opens a connection.
//!
//! GDAL would take much else for a data source, and libpq would read options from a file that the text names. So it is taken
//! apart here, into keys that are known, and only what is made from them is handed on. The password is in no message.

use std::fmt;

/// Keys of libpq that say where a database is, and how it is reached.
const KEYS: [&str; 14] = [
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "service",
    "connect_timeout",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "channel_binding",
    "target_session_attrs",
];
/// Seconds until a server that does not answer is given up, unless the text says otherwise.
const TIMEOUT: &str = "15";

/// A database of `PostgreSQL`.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// In the order in which they were given.
    pairs: Vec<(&'static str, String)>,
}

/// Why a text names no database. It repeats nothing of the text: there may be a password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoTarget {
    /// Neither `PG:` nor `postgresql://`.
    #[error("form")]
    Form,
    /// A key that is not among the known ones, or stands twice; with its place, from 1.
    #[error("key {0}")]
    Key(usize),
    /// A value that does not end, is not UTF-8, or holds a control character; with its place.
    #[error("value {0}")]
    Value(usize),
}

impl Target {
    /// Reads `PG:key=value …`, with values that hold blanks in single quotes, or `postgresql://user@host:port/database?key=value`.
    ///
    /// # Errors
    /// [`NoTarget`].
    pub fn parse(text: &str) -> Result<Self, NoTarget> {
        let text = text.trim();
        let pairs = if let Some(rest) = strip_prefix(text, "PG:") {
            words(rest)?
        } else if let Some(rest) =
            strip_prefix(text, "postgresql://").or_else(|| strip_prefix(text, "postgres://"))
        {
            address(rest)?
        } else {
            return Err(NoTarget::Form);
        };
        let mut known: Vec<(&'static str, String)> = Vec::new();
        for (i, (key, value)) in pairs.into_iter().enumerate() {
            let Some(key) = KEYS.into_iter().find(|known| *known == key) else {
                return Err(NoTarget::Key(i + 1));
            };
            if known.iter().any(|(other, _)| *other == key) {
                return Err(NoTarget::Key(i + 1));
            }
            if value.chars().any(char::is_control) {
                return Err(NoTarget::Value(i + 1));
            }
            known.push((key, value));
        }
        Ok(Self { pairs: known })
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| *known == key).map(|(_, value)| value.as_str())
    }

    /// What GDAL opens.
    pub(super) fn connection(&self) -> String {
        let quoted = |value: &str| format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"));
        let timeout = ("connect_timeout", TIMEOUT.to_owned());
        let default = self.get("connect_timeout").is_none().then_some(&timeout);
        let pairs: Vec<String> =
            self.pairs.iter().chain(default).map(|(key, value)| format!("{key}={}", quoted(value))).collect();
        format!("PG:{}", pairs.join(" "))
    }

    /// A message of a library without the password, should it repeat it.
    pub(super) fn without_password(&self, message: &str) -> String {
        match self.get("password").filter(|password| !password.is_empty()) {
            Some(password) => message.replace(password, "***"),
            None => message.to_owned(),
        }
    }
}

/// Server and database, for messages.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |key: &str| self.get(key).unwrap_or_default();
        let host = [of("host"), of("hostaddr"), of("service")].into_iter().find(|text| !text.is_empty());
        write!(f, "{}", host.unwrap_or("localhost"))?;
        if !of("port").is_empty() {
            write!(f, ":{}", of("port"))?;
        }
        write!(f, "/{}", of("dbname"))
    }
}

/// As [`Display`](fmt::Display), so that no trace shows the password.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The pairs of a text such as `host=localhost dbname='my data'`, as libpq reads it.
fn words(text: &str) -> Result<Vec<(String, String)>, NoTarget> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let place = pairs.len() + 1;
        let (key, after) = rest.split_once('=').ok_or(NoTarget::Key(place))?;
        let (value, after) = word(after.trim_start()).ok_or(NoTarget::Value(place))?;
        pairs.push((key.trim().to_owned(), value));
        rest = after.trim_start();
    }
    Ok(pairs)
}

/// A value and what follows it: up to the next blank, or within single quotes; a backslash takes the next character as it is.
fn word(text: &str) -> Option<(String, &str)> {
    let (quoted, text) = text.strip_prefix('\'').map_or((false, text), |rest| (true, rest));
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.push(chars.next()?.1),
            '\'' if quoted => {
                let rest = text.get(at + 1..)?;
                return (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some((value, rest));
            }
            c if !quoted && c.is_whitespace() => return Some((value, text.get(at..)?)),
            c => value.push(c),
        }
    }
    (!quoted).then_some((value, ""))
}

/// The pairs of what follows `postgresql://`.
fn address(text: &str) -> Result<Vec<(String, String)>, NoTarget> {
    let (text, query) = text.split_once('?').unwrap_or((text, ""));
    let (server, database) = text.split_once('/').unwrap_or((text, ""));
    let (login, server) = server.rsplit_once('@').unwrap_or(("", server));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    // An address of version 6 stands in brackets.
    let (host, port) = match server.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':').unwrap_or(port)),
        None => server.split_once(':').unwrap_or((server, "")),
    };
    let given =
        [("user", user), ("password", password), ("host", host), ("port", port), ("dbname", database)];
    let mut pairs: Vec<(&str, &str)> = given.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        pairs.push(part.split_once('=').ok_or(NoTarget::Key(pairs.len() + 1))?);
    }
    let plain = |(i, (key, value)): (usize, (&str, &str))| {
        Ok((key.to_owned(), decoded(value).ok_or(NoTarget::Value(i + 1))?))
    };
    pairs.into_iter().enumerate().map(plain).collect()
}

/// A text without its per cent signs (RFC 3986).
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(text: &str) -> String {
        Target::parse(text).unwrap().connection()
    }

    #[test]
    fn both_forms_name_the_same_database() {
        let words = r"PG:host=db.example port=5433 dbname='mis datos' user=ana password='a\'b\\c d'";
        let address = "postgresql://ana:a%27b%5Cc%20d@db.example:5433/mis%20datos";
        let expected = r"host='db.example' port='5433' dbname='mis datos' user='ana' password='a\'b\\c d' connect_timeout='15'";
        assert_eq!(connection(words), format!("PG:{expected}"));
        let sorted = |text: &str| {
            let mut parts: Vec<_> = Target::parse(text).unwrap().pairs;
            parts.sort();
            parts
        };
        assert_eq!(sorted(words), sorted(address));
        assert_eq!(
            connection("postgresql://[::1]/a?sslmode=require"),
            "PG:host='::1' dbname='a' sslmode='require' connect_timeout='15'"
        );
        assert_eq!(connection("pg:service=x connect_timeout=3"), "PG:service='x' connect_timeout='3'");
    }

    #[test]
    fn nothing_else_reaches_gdal() {
        for text in [
            "",
            "corredor.gpkg",
            "/vsicurl/http://x",
            "MySQL:db",
            "PGDUMP:x",
            "http://x",
            "<OGRVRTDataSource/>",
            "dbname=x",
        ] {
            assert_eq!(Target::parse(text), Err(NoTarget::Form), "{text}");
        }
        // GDAL's own words, options for the server, and whatever libpq may learn.
        for text in [
            "PG:dbname=x tables=y",
            "PG:options='-c x=y'",
            "PG:passfile=/etc/passwd",
            "PG:dbname",
            "PG:dbname=a dbname=b",
        ] {
            assert!(matches!(Target::parse(text), Err(NoTarget::Key(_))), "{text}");
        }
        for text in [
            "PG:dbname='a",
            "PG:dbname='a'b",
            "PG:dbname=a\\",
            "postgresql://h/%zz",
            "postgresql://h/%ff",
            "postgresql://h/a%00",
        ] {
            assert!(matches!(Target::parse(text), Err(NoTarget::Value(_))), "{text}");
        }
    }

    #[test]
    fn the_password_is_shown_nowhere() {
        let target = Target::parse("PG:host=h dbname=d user=u password=s3cret").unwrap();
        assert_eq!(target.to_string(), "h/d");
        assert!(!format!("{target:?}").contains("s3cret"));
        assert_eq!(target.without_password("open “PG:password='s3cret'”"), "open “PG:password='***'”");
    }
}
