//! What a server says about itself.

use std::collections::HashMap;

use redis::{ErrorKind, RedisResult, Value, aio::MultiplexedConnection, from_redis_value};

use crate::oauth::printable;

/// Refuses a replica (its answers are old), a cluster's node (it knows a part only) and a Sentinel.
///
/// A server or proxy that does not say is taken for good.
pub(super) async fn refuse_what_cannot_serve(
    connection: &mut MultiplexedConnection,
) -> RedisResult<()> {
    let greeting: RedisResult<Value> = redis::cmd("HELLO").query_async(connection).await;
    match greeting {
        Ok(greeting) => judge(greeting),
        Err(error) if error.is_io_error() => Err(error),
        Err(_) => Ok(()),
    }
}

fn judge(greeting: Value) -> RedisResult<()> {
    let greeting: HashMap<String, Value> = from_redis_value(greeting).unwrap_or_default();
    let said = |name: &str| {
        let value = greeting.get(name).cloned();
        value.and_then(|value| from_redis_value::<String>(value).ok())
    };
    let wrong = match (said("mode").as_deref(), said("role").as_deref()) {
        (Some("cluster"), _) => "this is a node of a cluster: use RedisStorage::cluster",
        (Some("sentinel"), _) => "this is a Sentinel: name the Redis primary",
        (_, Some("replica" | "slave")) => "this is a replica: name the Redis primary",
        _ => return Ok(()),
    };
    Err((ErrorKind::Client, wrong).into())
}

/// The section of `INFO` that [`evicts`] reads.
pub(super) async fn memory(connection: &mut MultiplexedConnection) -> RedisResult<String> {
    memory_command().query_async(connection).await
}

pub(super) fn memory_command() -> redis::Cmd {
    let mut command = redis::cmd("INFO");
    command.arg("memory");
    command
}

/// The policy by which the server will drop live records, if it may.
pub(super) fn evicts(memory: &str) -> Option<String> {
    let said = |name: &str| {
        let values = memory.lines().filter_map(|line| line.split_once(':'));
        let mut values = values.filter(|(key, _)| *key == name);
        values.next().map(|(_, value)| value.trim())
    };
    let is_limited = said("maxmemory") != Some("0");
    let policy = said("maxmemory_policy")?;
    (is_limited && policy != "noeviction").then(|| printable(policy, 40))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_may_drop_live_records_is_told_from_one_that_may_not() {
        let memory = |max: &str, policy: &str| {
            format!("# Memory\r\nmaxmemory:{max}\r\nmaxmemory_policy:{policy}\r\n")
        };
        for policy in ["allkeys-lru", "volatile-ttl", "volatile-lru"] {
            assert_eq!(evicts(&memory("1024", policy)).as_deref(), Some(policy));
        }
        assert_eq!(evicts(&memory("1024", "noeviction")), None);
        assert_eq!(evicts(&memory("0", "allkeys-lru")), None);
        assert_eq!(evicts(""), None);
        assert_eq!(
            evicts("maxmemory_policy:a\u{1b}[31mb\r\n").as_deref(),
            Some(printable("a\u{1b}[31mb", 40).as_str())
        );
    }

    #[test]
    fn only_a_primary_on_its_own_is_taken() {
        let greeting = |mode: &str, role: &str| {
            let pair = |name: &str, value: &str| {
                let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
                (text(name), text(value))
            };
            Value::Map(vec![pair("mode", mode), pair("role", role)])
        };
        assert!(judge(greeting("standalone", "master")).is_ok());
        assert!(judge(greeting("standalone", "replica")).is_err());
        assert!(judge(greeting("cluster", "master")).is_err());
        assert!(judge(greeting("sentinel", "master")).is_err());
        assert!(judge(Value::Nil).is_ok());
    }
}
