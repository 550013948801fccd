-- Extends a lease that is still held.
-- KEYS: lease. ARGV: token, ttl in ms. Returns: 1, or 0 where it is not held any more.
local lease = redis.call('GET', KEYS[1])
if lease and string.sub(lease, 1, 17) == 'L' .. ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
