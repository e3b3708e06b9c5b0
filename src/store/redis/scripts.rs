//! What the server does in one step. Each script has one key, so it runs in a cluster too.
//!
//! Points in time are decimal numbers of a fixed width ([`super::record::when`]): numbers of Lua
//! would lose their last digits, and text of one width has the order of the numbers.

use std::sync::LazyLock;

use crate::base::encoding::hex_lower;

/// A script, and the digest that a server knows it by.
pub(super) struct Script {
    /// What it does, in Lua.
    pub(super) text: &'static str,
    digest: LazyLock<String>,
}

impl Script {
    const fn new(text: &'static str, digest: fn() -> String) -> Self {
        Self { text, digest: LazyLock::new(digest) }
    }

    /// Returns the SHA-1 by which `EVALSHA` names it.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }
}

/// Keeps a record. Arguments: sealed, label, owner, alive, expires, when the server may tidy up.
pub(super) static PUT: Script = Script::new(PUT_TEXT, || sha1(PUT_TEXT));

const PUT_TEXT: &str = "
redis.call('HSET', KEYS[1], 's', ARGV[1], 'l', ARGV[2], 'o', ARGV[3], 'a', ARGV[4], 'e', ARGV[5])
redis.call('PEXPIREAT', KEYS[1], ARGV[6])
return 1";

/// Keeps a record unless one is there. Arguments: those of [`PUT`], now.
pub(super) static PUT_NEW: Script = Script::new(PUT_NEW_TEXT, || sha1(PUT_NEW_TEXT));

const PUT_NEW_TEXT: &str = "
local expires = redis.call('HGET', KEYS[1], 'e')
if expires and expires > ARGV[7] then return 0 end
redis.call('HSET', KEYS[1], 's', ARGV[1], 'l', ARGV[2], 'o', ARGV[3], 'a', ARGV[4], 'e', ARGV[5])
redis.call('PEXPIREAT', KEYS[1], ARGV[6])
return 1";

/// Keeps a record in the place of another. Arguments: those of [`PUT_NEW`], what is sealed there.
pub(super) static SWAP: Script = Script::new(SWAP_TEXT, || sha1(SWAP_TEXT));

const SWAP_TEXT: &str = "
local known = redis.call('HMGET', KEYS[1], 'e', 's')
if not known[1] or known[1] <= ARGV[7] or known[2] ~= ARGV[8] then return 0 end
redis.call('HSET', KEYS[1], 's', ARGV[1], 'l', ARGV[2], 'o', ARGV[3], 'a', ARGV[4], 'e', ARGV[5])
redis.call('PEXPIREAT', KEYS[1], ARGV[6])
return 1";

/// Takes a record away and tells all listeners. Arguments: now, channel, message.
pub(super) static TAKE: Script = Script::new(TAKE_TEXT, || sha1(TAKE_TEXT));

const TAKE_TEXT: &str = "
local known = redis.call('HMGET', KEYS[1], 's', 'l', 'o', 'a', 'e')
if not known[5] then return false end
redis.call('DEL', KEYS[1])
if known[5] <= ARGV[1] then return false end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return known";

/// Moves the times of a record forwards, and returns its owner. Arguments: alive, expires, when the
/// server may tidy up.
pub(super) static TOUCH: Script = Script::new(TOUCH_TEXT, || sha1(TOUCH_TEXT));

const TOUCH_TEXT: &str = "
local known = redis.call('HMGET', KEYS[1], 'a', 'e', 'o')
if not known[1] or not known[2] then return false end
if ARGV[1] > known[1] then redis.call('HSET', KEYS[1], 'a', ARGV[1]) end
if ARGV[2] > known[2] then
  redis.call('HSET', KEYS[1], 'e', ARGV[2])
  redis.call('PEXPIREAT', KEYS[1], ARGV[3])
end
return known[3]";

/// Notes what belongs to an owner, and forgets what has long been over. Arguments: a digest, when
/// it expires and how much longer it stays, in milliseconds.
pub(super) static OWN: Script = Script::new(OWN_TEXT, || sha1(OWN_TEXT));

const OWN_TEXT: &str = "
local score = tonumber(ARGV[2])
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not known or tonumber(known) < score then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
local time = redis.call('TIME')
local over = tonumber(time[1]) * 1000 - tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', over))
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last[2] then
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', tonumber(last[2]) + tonumber(ARGV[3])))
end
return 1";

fn sha1(text: &str) -> String {
    // No secret depends on it: it is how servers name scripts.
    let algorithm = &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY;
    hex_lower(aws_lc_rs::digest::digest(algorithm, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_scripts_as_servers_do() {
        assert_eq!(sha1("return 1"), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    }
}
