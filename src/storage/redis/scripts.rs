//! What takes Redis more than one command, each on one key.

use std::sync::LazyLock;

use redis::{Cmd, Script as Hashed};

/// A script and the hash that Redis knows it by.
pub(super) struct Script {
    text: &'static str,
    hash: LazyLock<String>,
}

/// Compare-and-swap. A time to live of 0 means gone at once, which `SET … PX` does not know.
pub(super) static SWAP: Script = Script {
    text: SWAP_TEXT,
    hash: LazyLock::new(|| hash(SWAP_TEXT)),
};
const SWAP_TEXT: &str = "\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] == '0' then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1";

/// Adds a member for a number of milliseconds, or prolongs its stay, and drops those that have ended. A
/// sorted set by ends, which ends with its last member.
pub(super) static ADD: Script = Script {
    text: ADD_TEXT,
    hash: LazyLock::new(|| hash(ADD_TEXT)),
};
const ADD_TEXT: &str = "\
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
redis.call('ZADD', KEYS[1], 'GT', string.format('%.0f', now + ARGV[2]), ARGV[1])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last[2]))
return 1";

/// Members with their ends behind a place, one more than are wanted. The place is found by the member
/// that stands there; where it has gone or was prolonged, by the others with its end, which then come
/// twice.
pub(super) static PAGE: Script = Script {
    text: PAGE_TEXT,
    hash: LazyLock::new(|| hash(PAGE_TEXT)),
};
const PAGE_TEXT: &str = "\
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local from = redis.call('ZCOUNT', KEYS[1], '-inf', string.format('%.0f', now))
if ARGV[2] ~= '' then
  local place = redis.call('ZRANK', KEYS[1], ARGV[2])
  if redis.call('ZSCORE', KEYS[1], ARGV[2]) == ARGV[1] then
    place = place + 1
  else
    place = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. ARGV[1])
  end
  from = math.max(from, place)
end
return redis.call('ZRANGE', KEYS[1], from, from + ARGV[3] - 1, 'WITHSCORES')";

impl Script {
    /// The call by hash, and by the whole text for a server that has forgotten it.
    pub(super) fn calls(&self, key: &str, arguments: &[&[u8]]) -> [Cmd; 2] {
        [("EVALSHA", &**self.hash), ("EVAL", self.text)].map(|(name, script)| {
            let mut command = redis::cmd(name);
            command.arg(script).arg(1).arg(key);
            for argument in arguments {
                command.arg(argument);
            }
            command
        })
    }
}

fn hash(text: &str) -> String {
    Hashed::new(text).get_hash().to_owned()
}
