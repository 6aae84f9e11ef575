//! A command to a Redis Cluster, by way of redirections.
//!
//! The client itself is set to repeat nothing (it would repeat what may have been carried out), so
//! the refusals that are certain are handled here.

use std::time::Duration;

use redis::{
    Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind, Value,
    cluster_async::ClusterConnection,
    cluster_routing::{RoutingInfo, SingleNodeRoutingInfo},
    from_redis_value,
};

use super::greeting;

/// The time that the client is given to learn where slots are now.
const PAUSE: Duration = Duration::from_millis(20);
/// The verb's own limit in time comes first; this is for a cluster that answers at once, and badly.
const MAX_REDIRECTIONS: u32 = 50;

/// Sends a command until a node takes it.
pub(super) async fn send<T: FromRedisValue>(
    mut connection: ClusterConnection,
    command: &Cmd,
) -> RedisResult<T> {
    let mut last = RedisError::from((ErrorKind::Client, "too many redirections"));
    for _ in 0..MAX_REDIRECTIONS {
        let error = match command.query_async(&mut connection).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if error.kind() == ServerErrorKind::Ask.into() {
            let Some(node) = node_of(&error) else {
                return Err(error);
            };
            return ask(connection, command, node).await;
        }
        if !was_not_carried_out(&error) {
            return Err(error);
        }
        last = error;
        tokio::time::sleep(PAUSE).await;
    }
    Err(last)
}

fn was_not_carried_out(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ClusterConnectionNotFound
            | ErrorKind::Server(
                ServerErrorKind::Moved | ServerErrorKind::TryAgain | ServerErrorKind::ReadOnly
            )
    )
}

fn node_of(error: &RedisError) -> Option<SingleNodeRoutingInfo> {
    let (address, _slot) = error.redirect_node()?;
    let (host, port) = address.rsplit_once(':')?;
    Some(SingleNodeRoutingInfo::ByAddress {
        host: host.to_owned(),
        port: port.parse().ok()?,
    })
}

/// The slot is moving, and this record already has (`-ASK`).
async fn ask<T: FromRedisValue>(
    mut connection: ClusterConnection,
    command: &Cmd,
    node: SingleNodeRoutingInfo,
) -> RedisResult<T> {
    let mut pipeline = redis::pipe();
    pipeline.cmd("ASKING").add_command(command.clone());
    // The answer to ASKING is left out.
    let answers = connection.route_pipeline(pipeline, 1, 1, node).await?;
    let answer = answers.into_iter().next_back().unwrap_or(Value::Nil);
    Ok(from_redis_value(answer.extract_error()?)?)
}

/// One primary's; they should all be alike.
pub(super) async fn memory(mut connection: ClusterConnection) -> RedisResult<String> {
    let anywhere = RoutingInfo::SingleNode(SingleNodeRoutingInfo::RandomPrimary);
    let answer = connection.route_command(greeting::memory_command(), anywhere);
    Ok(from_redis_value(answer.await?.extract_error()?)?)
}
