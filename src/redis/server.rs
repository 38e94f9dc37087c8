use crate::error::{Outcome, StoreError, StoreErrorKind};

/// Refuses a server that is too old: Redis before 7.0, Valkey before 7.2.
///
/// Older ones have neither script flags nor the checks that keep a script from stopping half-way.
pub(crate) fn check_version(info: &str) -> Result<(), StoreError> {
    let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let (product, version, oldest) = match (field("valkey_version"), field("redis_version")) {
        (Some(version), _) => ("Valkey", version, (7, 2)),
        (None, Some(version)) => ("Redis", version, (7, 0)),
        (None, None) => {
            return Err(incompatible("the server does not tell its version in INFO; is it Redis?".to_owned()));
        }
    };
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return Err(incompatible(format!("the server's version {version:?} cannot be read")));
    };
    if (major, minor) < oldest {
        let (oldest_major, oldest_minor) = oldest;
        return Err(incompatible(format!(
            "{product} {version} is too old; at least {oldest_major}.{oldest_minor} is needed. Upgrade the server"
        )));
    }
    Ok(())
}

pub(super) fn incompatible(problem: String) -> StoreError {
    StoreError::new(StoreErrorKind::Incompatible, Outcome::NotApplied, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_from_7_0_and_valkey_from_7_2_are_accepted() {
        for good in
            ["redis_version:7.0.15", "redis_version:8.2.1\r\n", "redis_version:7.2.4\r\nvalkey_version:8.0.1\r\n"]
        {
            assert!(check_version(&format!("# Server\r\n{good}")).is_ok(), "{good}");
        }
        for bad in ["redis_version:6.2.14", "valkey_version:7.0.0", "redis_version:x", ""] {
            let error = check_version(&format!("# Server\r\n{bad}\r\n")).unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::Incompatible, "{bad}");
        }
    }
}
