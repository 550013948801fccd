-- Frees a lease that is still held. With a message, leaves it for a moment to those who waited.
-- KEYS: lease. ARGV: token, message or '', how long to leave it in ms.
local lease = redis.call('GET', KEYS[1])
if lease and string.sub(lease, 1, 17) == 'L' .. ARGV[1] then
  if ARGV[2] ~= '' then
    -- Where memory is full there is no room for a reason, but the lease is freed all the same.
    local left = redis.pcall('SET', KEYS[1], 'F' .. ARGV[1] .. ARGV[2], 'PX', ARGV[3])
    if not left.err then
      return 1
    end
  end
  redis.call('DEL', KEYS[1])
end
return 1
